"""A reader of the dashboard at a tab of Chromium, and what goes wrong meanwhile."""

import random
import re
import time
from urllib.parse import urlsplit

from dashboard_visits import PAGES, PATIENCE, PAUSE, Addresses, Tally
from playwright.async_api import ConsoleMessage, Error, Locator, Page, Response, WebSocket

# A page below the root looks for its server below itself first, and then at the root.
_PROBE = re.compile(r"/\w+/_stcore/(health|host-config)")
IN_SIGHT = 8  # options of an open list
_NOT_RUNNING = "[data-testid=stApp][data-test-script-state=notRunning]"


class Reader:
    """Somebody at one tab of a browser, who opens pages and changes what they show."""

    def __init__(self, page: Page, url: str, addresses: Addresses, tally: Tally, draw: random.Random) -> None:
        self.page, self.url, self.addresses, self.tally, self.draw = page, url, addresses, tally, draw
        self._is_leaving = True  # then a websocket may close
        page.set_default_timeout(1000 * PATIENCE)
        page.on("pageerror", lambda error: self._problem(f"error in the page: {error}"))
        page.on("console", self._on_console)
        page.on("response", self._on_response)
        page.on("websocket", self._on_websocket)

    async def read(self, seconds: float) -> None:
        """Until the time is over; after a problem, by another address."""
        deadline = time.monotonic() + seconds
        acts = (self._open, self._follow_link, self._change, self._change, self._change, self._download)
        act = self._open
        while time.monotonic() < deadline:
            try:
                await act()
                await self.page.wait_for_timeout(1000 * self.draw.uniform(*PAUSE))
                act = self.draw.choice(acts)
            except Error as error:
                self._problem(f"{act.__name__.strip('_')}: {str(error).splitlines()[0]}")
                act = self._open
        self._is_leaving = True
        await self.page.close()

    async def _open(self) -> None:
        """An address, as one that somebody sent."""
        address = self.addresses.draw(self.draw.choice(PAGES), self.draw)
        self._is_leaving = True
        with self.tally.timed("address opened"):
            await self.page.goto(f"{self.url}/{address}")
            self._is_leaving = False
            await self._settle()

    async def _follow_link(self) -> None:
        """Another page, by the navigation; the session stays."""
        links = self.page.get_by_test_id("stSidebar").get_by_test_id("stPageLink-NavLink")
        with self.tally.timed("page changed"):
            await links.nth(self.draw.randrange(len(PAGES))).click()
            await self._settle()

    async def _change(self) -> None:
        """Another choice in one of the page's widgets."""
        widgets = [
            *await self.page.locator("[data-testid=stPopoverButton]:enabled:visible").all(),
            *await self.page.get_by_role("radio", checked=False).all(),
            *await self.page.get_by_role("combobox").all(),
            *await self.page.get_by_role("button", name=re.compile("^(Run|Reload)$")).all(),
        ]
        if not widgets:
            return
        widget = self.draw.choice(widgets)
        with self.tally.timed("widget changed"):
            if await widget.get_attribute("role") == "combobox":
                await self._choose(widget)
            elif await widget.get_attribute("data-testid") == "stPopoverButton":
                await self._choose_within(widget)
            else:
                await widget.click(force=True)
            await self._settle()

    async def _choose(self, box: Locator) -> None:
        await box.click()
        await self.page.wait_for_timeout(500)  # until the options are there, if any is left to choose
        options = self.page.get_by_role("option")
        if number := await options.count():
            await options.nth(self.draw.randrange(min(number, IN_SIGHT))).click()
        await self.page.keyboard.press("Escape")

    async def _choose_within(self, button: Locator) -> None:
        """One of the buttons that a part of the slice bar opens."""
        await button.click()
        body = self.page.get_by_test_id("stPopoverBody")
        await body.wait_for()
        choices = [
            *await body.get_by_role("radio", checked=False).all(),
            *await body.get_by_test_id("stButtonGroup").get_by_role("button").all(),
        ]
        if choices:
            await self.draw.choice(choices).click(force=True)
        # A click beside it closes it, wherever the focus is: it would cover what is clicked next.
        await self.page.get_by_role("heading", level=1).first.click(force=True)
        await body.wait_for(state="detached")

    async def _download(self) -> None:
        """A file that the server makes then."""
        buttons = self.page.get_by_test_id("stDownloadButton").get_by_role("button")
        if await buttons.count():
            with self.tally.timed("file downloaded"):
                async with self.page.expect_download() as download:
                    await buttons.nth(self.draw.randrange(await buttons.count())).click()
                await (await download.value).delete()

    async def _settle(self) -> None:
        await self.page.wait_for_timeout(50)  # until a click has reached Streamlit
        await self.page.locator(_NOT_RUNNING).wait_for()
        await self.page.get_by_role("heading", level=1).first.wait_for()
        for shown in await self.page.locator("[data-testid=stException]").all_inner_texts():
            self._problem(f"exception on the page: {shown}")

    def _problem(self, text: str) -> None:
        self.tally.note(f"{urlsplit(self.page.url).path}: {text}")

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not _PROBE.fullmatch(urlsplit(message.location["url"]).path):
            self._problem(f"console: {message.text}")

    def _on_response(self, response: Response) -> None:
        if response.status >= 400 and not _PROBE.fullmatch(urlsplit(response.url).path):
            self._problem(f"HTTP {response.status} for {urlsplit(response.url).path}")

    def _on_websocket(self, socket: WebSocket) -> None:
        socket.on("close", lambda _: self._on_break("the websocket was closed"))
        socket.on("socketerror", lambda error: self._on_break(f"the websocket broke: {error}"))

    def _on_break(self, text: str) -> None:
        if not self._is_leaving:
            self._problem(text)
