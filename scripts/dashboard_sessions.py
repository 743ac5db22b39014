"""A session with the dashboard, but no browser: the protocol of Streamlit's pages over a websocket."""

import asyncio
import contextlib
import random
import time
import urllib.request
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

from dashboard_visits import PAGES, PATIENCE, PAUSE, Addresses, Tally
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.Element_pb2 import Element
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException
from websockets.typing import Origin, Subprotocol

STREAM = "_stcore/stream"
# Streamlit's first subprotocol is its name; the second is a token that only sites with a login have.
SUBPROTOCOLS = (Subprotocol("streamlit"), Subprotocol("PLACEHOLDER_AUTH_TOKEN"))
FAILURES = (OSError, TimeoutError, WebSocketException)


async def load_page(url: str, address: str, tally: Tally) -> None:
    """A session of its own, in which the script of a page runs to its end."""
    with tally.noted(urlsplit(address).path, *FAILURES), tally.timed("page loaded"):
        async with opened(url, tally) as session:
            await session.open(address)


async def read(url: str, addresses: Addresses, tally: Tally, draw: random.Random, seconds: float) -> None:
    """A session that stays for so long, in which addresses are opened and widgets changed."""
    deadline = time.monotonic() + seconds
    address = ""
    while time.monotonic() < deadline:
        with tally.noted(urlsplit(address).path, *FAILURES):
            async with opened(url, tally) as session:
                while time.monotonic() < deadline:
                    if draw.random() < 0.4 or not session.choices:
                        address = addresses.draw(draw.choice(PAGES), draw)
                        with tally.timed("address opened"):
                            await session.open(address)
                    else:
                        with tally.timed("widget changed"):
                            await session.change(draw)
                    await asyncio.sleep(draw.uniform(*PAUSE))


@contextlib.asynccontextmanager
async def opened(url: str, tally: Tally) -> AsyncIterator["Session"]:
    """A new session, which ends with the block."""
    for path in ("", "_stcore/health", "_stcore/host-config"):
        await asyncio.to_thread(get, f"{url}/{path}")
    stream = f"{url.replace('http', 'ws', 1)}/{STREAM}"
    async with connect(
        stream,
        origin=Origin(url),
        subprotocols=SUBPROTOCOLS,
        max_size=None,
        ping_interval=None,  # browsers do not ask either
    ) as socket:
        session = Session(socket, tally)
        listening = asyncio.create_task(session.listen())
        try:
            yield session
        finally:
            session.stop_refreshing()
            listening.cancel()


def get(url: str) -> None:
    with urllib.request.urlopen(url, timeout=PATIENCE) as answer:
        answer.read()


class Session:
    """One websocket. `choices` are the widgets of the page that have options, by their identity."""

    def __init__(self, socket: ClientConnection, tally: Tally) -> None:
        self.choices: dict[str, Element] = {}
        self._socket, self._tally = socket, tally
        self._page = self._query = ""
        self._states: dict[str, WidgetState] = {}
        self._refreshing: dict[str, asyncio.Task[None]] = {}
        self._ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def open(self, address: str) -> None:
        """Until the page's script has ended."""
        where = urlsplit(address)
        self._page, self._query = where.path, where.query
        self.choices.clear()
        self._states.clear()
        await self._run()

    async def change(self, draw: random.Random) -> None:
        """Give one of the widgets another choice, until the page's script has ended."""
        identity, element = draw.choice(list(self.choices.items()))
        kind = element.WhichOneof("type")
        state = WidgetState(id=identity)
        if kind == "multiselect":
            state.string_array_value.data.append(draw.choice(element.multiselect.options))
        else:
            state.string_value = draw.choice(getattr(element, str(kind)).options)
        self._states[identity] = state
        await self._run()

    async def listen(self) -> None:
        """Take what the server sends, until it or the session ends."""
        try:
            async for data in self._socket:
                self._take(ForwardMsg.FromString(data))
        finally:
            if not self._ended.done():
                self._ended.set_exception(ConnectionError("the websocket closed before the page was whole"))

    def stop_refreshing(self) -> None:
        for task in self._refreshing.values():
            task.cancel()
        self._refreshing.clear()

    async def _run(self) -> None:
        self.stop_refreshing()
        self._ended = asyncio.get_running_loop().create_future()
        await self._socket.send(self._request().SerializeToString())
        async with asyncio.timeout(PATIENCE):
            await self._ended

    def _request(self, fragment: str = "") -> BackMsg:
        request = BackMsg()
        request.rerun_script.page_name = self._page
        request.rerun_script.query_string = self._query
        request.rerun_script.fragment_id = fragment
        request.rerun_script.is_auto_rerun = bool(fragment)
        request.rerun_script.widget_states.widgets.extend(self._states.values())
        return request

    def _take(self, message: ForwardMsg) -> None:
        match message.WhichOneof("type"):
            case "delta":
                self._take_element(message.delta.new_element)
            case "auto_rerun":
                rerun = message.auto_rerun
                if rerun.fragment_id not in self._refreshing:
                    refreshing = self._refresh(rerun.fragment_id, rerun.interval)
                    self._refreshing[rerun.fragment_id] = asyncio.create_task(refreshing)
            case "page_not_found":
                self._problem("there is no such page")
            case "script_finished":
                self._finish(message.script_finished)

    def _finish(self, how: int) -> None:
        if how == ForwardMsg.FINISHED_WITH_COMPILE_ERROR:
            self._problem("the page's script cannot be compiled")
        if how == ForwardMsg.FINISHED_SUCCESSFULLY and not self._ended.done():
            self._ended.set_result(None)

    def _take_element(self, element: Element) -> None:
        kind = element.WhichOneof("type")
        if kind == "exception":
            self._problem(element.exception.message)
        if kind == "alert" and element.alert.title:  # such as: the warehouse cannot be shown
            self._problem(f"{element.alert.title}: {element.alert.body}")
        if kind in ("radio", "selectbox", "multiselect") and getattr(element, kind).options:
            self.choices[getattr(element, kind).id] = element

    async def _refresh(self, fragment: str, seconds: float) -> None:
        while True:
            await asyncio.sleep(seconds)
            await self._socket.send(self._request(fragment).SerializeToString())

    def _problem(self, text: str) -> None:
        self._tally.note(f"{self._page or '/'}: {text}")
