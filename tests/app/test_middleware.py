"""The middleware around an application that answers all: what reaches it, and what a browser gets."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import Message, Receive, Scope, Send

from nasrank.app.access import Access
from nasrank.app.middleware import SECURITY_HEADERS, Guard, SecurityHeaders

Pairs = Sequence[tuple[str, str]]


class Answering:
    """Answers every request, and keeps what it was asked."""

    def __init__(self) -> None:
        self.scopes: list[Scope] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.scopes.append(scope)
        await PlainTextResponse("answered", headers={"X-Content-Type-Options": "other"})(scope, receive, send)


def answer_to(kind: str, headers: Pairs) -> tuple[list[Message], list[Scope]]:
    """What is sent, and what the application inside was asked."""
    sent: list[Message] = []
    inside = Answering()
    raw = [(name.encode(), value.encode("latin-1")) for name, value in headers]
    scope = {"type": kind, "path": "/", "method": "GET", "headers": raw}

    async def receive() -> Message:
        return {}

    async def send(message: Message) -> None:
        sent.append(message)

    app = SecurityHeaders(Guard(inside, Access.for_names("localhost", ["my.test"])))
    asyncio.run(app(scope, receive, send))
    return sent, inside.scopes


@pytest.mark.parametrize("kind", ["http", "websocket"])
@pytest.mark.parametrize(
    "headers",
    [
        [],
        [("host", "")],
        [("host", "evil.test:8501")],
        [("host", "localhost"), ("host", "localhost")],
        [("host", "localhost"), ("host", "evil.test")],
        [("host", "caf\xe9.test\u0085")],
    ],
)
def test_other_hosts_are_refused_in_a_line_that_names_the_option(kind: str, headers: Pairs) -> None:
    (start, body), asked = answer_to(kind, headers)
    assert asked == []
    assert start["status"] == 421
    told = Headers(raw=start["headers"])
    assert told["content-type"] == "text/plain; charset=utf-8"
    assert dict(told.items()) | {name.lower(): value for name, value in SECURITY_HEADERS.items()} == dict(
        told
    )
    [line] = body["body"].decode().splitlines()
    assert "--public-name NAME" in line
    assert line.isprintable()


@pytest.mark.parametrize("kind", ["http", "websocket"])
@pytest.mark.parametrize("host", ["localhost:8501", "127.0.0.1", "[::1]:80", "MY.test."])
def test_what_is_allowed_is_answered_with_headers_of_ours(kind: str, host: str) -> None:
    (start, body), asked = answer_to(kind, [("host", host)])
    assert len(asked) == 1
    assert body["body"] == b"answered"
    told = Headers(raw=start["headers"])
    assert {name: told.getlist(name) for name in SECURITY_HEADERS} == {
        name: [value] for name, value in SECURITY_HEADERS.items()
    }


@pytest.mark.parametrize(
    "origins", [["http://evil.test"], ["null"], [""], ["http://localhost", "http://evil.test"]]
)
def test_a_websocket_of_a_foreign_page_is_refused(origins: list[str]) -> None:
    headers = [("host", "localhost:8501"), *(("origin", origin) for origin in origins)]
    (start, body), asked = answer_to("websocket", headers)
    assert asked == []
    assert start["status"] == 403
    assert b"--public-name NAME" in body["body"]


@pytest.mark.parametrize(
    ("origin", "handed_on"),
    [
        ("http://localhost:8501", "http://localhost:8501"),
        ("https://my.test", "https://localhost:8501"),
        ("http://my.test:8080", "http://localhost:8501"),
    ],
)
def test_an_allowed_page_is_told_as_of_the_same_origin(origin: str, handed_on: str) -> None:
    """Streamlit would ask the internet about any other origin."""
    headers = [("host", "localhost:8501"), ("origin", origin), ("cookie", "a=b")]
    _, [asked] = answer_to("websocket", headers)
    assert dict(Headers(scope=asked)) == {"host": "localhost:8501", "origin": handed_on, "cookie": "a=b"}
    _, [asked] = answer_to("http", headers)
    assert Headers(scope=asked)["origin"] == origin, "pages and files are bound by CORS"


def test_what_is_no_request_is_handed_on() -> None:
    seen: list[Any] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(scope["type"])

    asyncio.run(Guard(app, Access())({"type": "lifespan"}, None, None))  # type: ignore[arg-type]
    assert seen == ["lifespan"]
