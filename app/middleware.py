"""What stands before Streamlit in its server: who may talk to it, and what browsers may do with answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from nasrank.app.access import OPTION, Access, is_same_origin
from nasrank.db.errors import shown

# No page may show the dashboard in a frame, where it could lead a reader's clicks; no answer is taken for
# another type than it says; and no other server is told the address, which holds what a reader chose.
SECURITY_HEADERS: Final[Mapping[str, str]] = {
    "Content-Security-Policy": "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


class SecurityHeaders:
    """Adds `SECURITY_HEADERS` to every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, as ASGI has it."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] in ("http.response.start", "websocket.http.response.start"):
                MutableHeaders(scope=message).update(SECURITY_HEADERS)
            await send(message)

        await self.app(scope, receive, send_with_headers)


class Guard:
    """Hands on what `Access` allows, and refuses all else in a line."""

    def __init__(self, app: ASGIApp, access: Access) -> None:
        self.app = app
        self.access = access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, as ASGI has it."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        refused = self._refused_host(headers)
        if refused is None and scope["type"] == "websocket":
            refused = self._refused_origin(headers)
            scope = _with_own_origin(scope, headers)
        await (refused or self.app)(scope, receive, send)

    def _refused_host(self, headers: Headers) -> Response | None:
        hosts = headers.getlist("host")
        if len(hosts) == 1 and self.access.allows_host(hosts[0]):
            return None
        return PlainTextResponse(
            f"refused: the dashboard does not answer to the host {shown(', '.join(hosts))}; open it by "
            f"localhost or an IP address, or serve it with {OPTION} NAME\n",
            status_code=421,
        )

    def _refused_origin(self, headers: Headers) -> Response | None:
        """A websocket is bound by no CORS: whoever opens one reads all."""
        origins = headers.getlist("origin")
        if not origins:  # no browser
            return None
        if len(origins) == 1 and self.access.allows_origin(origins[0], headers["host"]):
            return None
        return PlainTextResponse(
            f"refused: a page of {shown(', '.join(origins))} may not talk to the dashboard; if that is how "
            f"readers open it, serve it with {OPTION} NAME\n",
            status_code=403,
        )


def _with_own_origin(scope: Scope, headers: Headers) -> Scope:
    """Tell Streamlit of an allowed `Origin` as the one of its own `Host`.

    Streamlit compares both, too, and has an option for further names. But before it looks at these, it asks a
    server on the internet for this machine's address, at each connection, and serves nobody meanwhile.
    """
    origin, host = headers.get("origin"), headers.get("host")
    if origin is None or host is None or is_same_origin(origin, host):
        return scope
    changed = headers.mutablecopy()
    changed["origin"] = f"{origin.partition(':')[0]}://{host}"
    return {**scope, "headers": changed.raw}


async def failed(request: Request, error: Exception) -> Response:
    """Answer where the server failed; the middleware is inside of what catches that."""
    return PlainTextResponse("Internal Server Error", status_code=500, headers=SECURITY_HEADERS)
