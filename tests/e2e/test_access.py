"""Who may talk to the dashboard: over HTTP, over its websocket, in a browser, and behind nginx."""

from __future__ import annotations

import contextlib
import http.client
import os
import re
import socket
import subprocess
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message
from pathlib import Path
from urllib.parse import quote, urlsplit

import pandas as pd
import pytest
from playwright.sync_api import Page, expect

from nasrank.app.middleware import SECURITY_HEADERS
from nasrank.app.serve import Service, command
from nasrank.db.processes import module_command
from tests.e2e import nginx
from tests.e2e.browsing import chart, draw_rectangle, settle, visit
from tests.e2e.conftest import Dashboard, free_port, is_healthy, serve
from tests.e2e.studies import wait_for

NAME = "my.test"
WEBSOCKET = "/_stcore/stream"
HANDSHAKE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}


@pytest.fixture(scope="module")
def named(dashboard: Dashboard, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The dashboard with a public name."""
    with serve(dashboard.warehouse.path, public_names=(NAME,)) as url:
        yield url


@pytest.fixture
def proxy_folder(tmp_path: Path) -> Path:
    """Where an nginx has its files."""
    if nginx.PROGRAM is None:
        reason = "nginx is not installed; on Debian: apt-get install nginx"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return tmp_path


@dataclass(frozen=True)
class Answer:
    """What a server said."""

    status: int
    headers: Message
    body: str


def ask(url: str, path: str, *headers: tuple[str, str]) -> Answer:
    """A GET with these headers alone; after a websocket's handshake nothing more is read."""
    port = urlsplit(url).port
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    with contextlib.closing(connection):
        connection.putrequest("GET", path, skip_host=True, skip_accept_encoding=True)
        for name, value in headers:
            connection.putheader(name, value)
        connection.endheaders()
        response = connection.getresponse()
        body = "" if response.status == 101 else response.read().decode()
        return Answer(response.status, response.headers, body)


def shake_hands(url: str, host: str, origin: str | None = None) -> Answer:
    """Ask for the websocket, as a page of an origin does."""
    page = () if origin is None else (("Origin", origin),)
    return ask(url, WEBSOCKET, ("Host", host), *page, *HANDSHAKE.items())


def static_file(url: str) -> str:
    """The path of a script that the page loads."""
    [path, *_] = re.findall(r'src="\./(static/js/[^"]+)"', ask(url, "/", ("Host", "localhost")).body)
    return f"/{path}"


def test_a_foreign_host_gets_a_line_wherever_it_asks(named: str) -> None:
    host = f"evil.test:{urlsplit(named).port}"
    paths = ["/", "/runs", "/nowhere", "/_stcore/health", "/_stcore/host-config", "/media/0.csv"]
    answers = [ask(named, path, ("Host", host)) for path in [*paths, static_file(named)]]
    answers += [shake_hands(named, host), shake_hands(named, host, f"http://{host}")]
    for answer in answers:
        assert answer.status == 421
        assert answer.body.startswith(
            f"refused: the dashboard does not answer to the host '{host}'; open it by"
        )
        assert answer.body.endswith("or serve it with --public-name NAME\n")
        assert answer.body.count("\n") == 1
        assert answer.headers.get_content_type() == "text/plain"


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]", "10.1.2.3", NAME.upper()])
def test_own_names_and_addresses_are_served(named: str, host: str) -> None:
    authority = f"{host}:{urlsplit(named).port}"
    for path in ("/", "/runs", "/_stcore/health", static_file(named)):
        answer = ask(named, path, ("Host", authority))
        assert answer.status == 200
        assert {name: answer.headers.get_all(name) for name in SECURITY_HEADERS} == {
            name: [value] for name, value in SECURITY_HEADERS.items()
        }
    assert shake_hands(named, authority).status == 101
    assert shake_hands(named, authority, f"http://{authority}").status == 101


def test_requests_with_no_host_or_two_are_refused(named: str) -> None:
    for hosts in ([], ["localhost", "localhost"], ["localhost", "evil.test"]):
        answer = ask(named, "/", *(("Host", host) for host in hosts))
        assert answer.status in (400, 421)
        assert "<html" not in answer.body


@pytest.mark.parametrize("origin", ["http://evil.test", "http://192.0.2.1:8501", "null"])
def test_a_page_of_others_opens_no_websocket(named: str, origin: str) -> None:
    answer = shake_hands(named, f"localhost:{urlsplit(named).port}", origin)
    assert answer.status == 403
    assert answer.body.startswith(f"refused: a page of '{origin}' may not talk to the dashboard")
    assert "--public-name NAME" in answer.body


def test_a_page_of_a_public_name_opens_one_at_any_port(named: str) -> None:
    """As behind a proxy that passes another `Host` on than the browser asked for."""
    for host in (f"localhost:{urlsplit(named).port}", NAME):
        assert shake_hands(named, host, f"https://{NAME}").status == 101
        assert shake_hands(named, host, f"http://{NAME}:8080").status == 101


def test_ipv6_is_listened_on(tmp_path: Path) -> None:
    if not has_ipv6():
        pytest.skip("this machine has no IPv6")
    service = Service(tmp_path / "none.duckdb", host="::1", port=free_port())
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(command(service), stdout=log, stderr=log, cwd=tmp_path)
        try:
            wait_for(lambda: is_healthy(service.url.rstrip("/")) or process.poll() is not None)
            assert f"http://[::1]:{service.port}/" in (tmp_path / "log").read_text()
            with urllib.request.urlopen(service.url, timeout=60) as answer:
                assert answer.status == 200
        finally:
            process.terminate()
            process.wait(timeout=20)


def has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


def test_a_browser_reads_nothing_by_a_name_that_was_not_given(
    page: Page, dashboard: Dashboard, named: str
) -> None:
    """The second name of this machine is real to the browser: what a page has that rebinds its own name."""
    answer = page.goto(dashboard.url.replace("localhost", NAME))
    assert answer is not None
    assert answer.status == 421
    expect(page.get_by_text("refused: the dashboard does not answer to the host 'my.test:")).to_be_visible()
    page.goto(dashboard.url.replace("localhost", "evil.test"))
    read = page.evaluate(
        """() => new Promise(resolve => {
            const socket = new WebSocket(`ws://${location.host}/_stcore/stream`, ["streamlit"])
            socket.onopen = () => resolve("opened")
            socket.onclose = () => resolve("closed")
        })"""
    )
    assert read == "closed"
    visit(page, named.replace("localhost", NAME))
    expect(chart(page)).to_be_visible()


def test_no_page_shows_it_in_a_frame(page: Page, dashboard: Dashboard) -> None:
    page.set_content(f'<h1>Another page</h1><iframe src="{dashboard.url}/"></iframe>')
    frame = page.frame_locator("iframe")
    expect(frame.locator("body")).to_contain_text("refused to connect")
    expect(frame.get_by_test_id("stApp")).to_have_count(0)


@pytest.mark.parametrize("passes_host", [True, False])
def test_behind_nginx_pages_files_and_links_keep_the_path(
    page: Page, dashboard: Dashboard, proxy_folder: Path, passes_host: bool
) -> None:
    requested: list[str] = []
    page.on("request", lambda request: requested.append(request.url))
    with (
        serve(dashboard.warehouse.path, (NAME,), "/nasrank") as direct,
        nginx.nginx(nginx.Proxy(NAME, free_port(), direct, passes_host), proxy_folder) as url,
    ):
        visit(page, url)
        expect(chart(page)).to_be_visible()
        assert page.url.startswith(f"{url}/")
        with page.expect_download() as download:
            page.get_by_role("button", name="Download CSV").click()
        assert len(pd.read_csv(download.value.path())) > 0
        page.get_by_role("link", name="Search space").click()
        settle(page)
        expect(page).to_have_url(re.compile(rf"^{url}/search_space"))
        # Zero everywhere equals many.
        visit(page, f"{url}/search_space?arch=000000")
        with page.expect_popup() as popup:
            page.get_by_role("link", name=re.compile(r"^\d+$")).first.click()
        settle(popup.value)
        expect(popup.value).to_have_url(re.compile(rf"^{url}/search_space\?arch=\d+$"))
        [run_id] = dashboard.warehouse.query("SELECT min(run_id) AS run_id FROM run WHERE seed IS NOT NULL")[
            "run_id"
        ]
        visit(page, f"{url}/runs?run={quote(run_id)}")
        with page.expect_popup() as popup:
            page.get_by_role("link", name="Its predictions against the truth").click()
        settle(popup.value)
        expect(chart(popup.value)).to_be_visible()
        expect(popup.value).to_have_url(re.compile(rf"^{url}/scatter\?run="))
    assert {address.partition("/nasrank")[0] for address in requested if address.startswith("http")} == {
        url.removesuffix("/nasrank")
    }


def test_a_link_in_a_table_keeps_a_path_of_several_parts(page: Page, dashboard: Dashboard) -> None:
    page.set_viewport_size({"width": 1440, "height": 2600})
    with serve(dashboard.warehouse.path, base_path="/a/nasrank") as url:
        visit(page, f"{url}/scatter?set=random&colour=C3x3")
        expect(chart(page)).to_have_accessible_name(re.compile(r"random: 1,000 points; τ"))
        draw_rectangle(page, chart(page))
        expect(page.get_by_text(re.compile(r"^\d+ architectures, best truth first"))).to_be_visible()
        settle(page)
        box = page.get_by_test_id("stDataFrame").nth(1).bounding_box()
        assert box is not None
        # The first of the rows, on the number that is the link; its cell has to be met before it is clicked.
        page.mouse.move(box["x"] + 18, box["y"] + 53)
        page.wait_for_timeout(500)
        with page.expect_popup() as popup:
            page.mouse.click(box["x"] + 18, box["y"] + 53)
        settle(popup.value)
        expect(popup.value).to_have_url(re.compile(rf"^{url}/search_space\?arch=\d+$"))


@pytest.mark.parametrize("passes_host", [True, False])
def test_behind_nginx_a_name_that_was_not_given_is_refused(
    page: Page, dashboard: Dashboard, proxy_folder: Path, passes_host: bool
) -> None:
    """If nginx keeps the name for itself, the page comes, but its websocket says where it is from."""
    with nginx.nginx(nginx.Proxy(NAME, free_port(), dashboard.url, passes_host), proxy_folder) as url:
        if passes_host:
            page.goto(url)
            expect(page.get_by_text("refused: the dashboard does not answer to the host")).to_be_visible()
        else:
            with page.expect_console_message(lambda message: "response code: 403" in message.text):
                page.goto(url)
            expect(chart(page)).to_have_count(0)
        authority = f"{NAME}:{urlsplit(url).port}"
        assert shake_hands(url, authority, f"http://{authority}").status == (421 if passes_host else 403)


def test_a_bad_name_or_path_is_one_line(tmp_path: Path) -> None:
    for option, line in {
        "--public-name=http://my.test": "error: --public-name 'http://my.test' is no name of a host",
        "--base-path=nasrank": "error: --base-path 'nasrank' is no path: give one that begins with /",
        "--host=nowhere.invalid": "error: cannot listen on nowhere.invalid:8501: ",
    }.items():
        done = subprocess.run(
            [*module_command("nasrank.app"), option],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 1
        assert done.stderr.startswith(line)
        assert done.stderr.count("\n") == 1
