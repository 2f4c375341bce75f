"""Test `tutor serve` in a real browser: Chromium, without a window, controlled by Playwright.

The browser draws the screen as pixels, so the tests read what arrives on its WebSocket.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pyte
import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, WebSocket

sync_api = pytest.importorskip(
    "playwright.sync_api", reason="Playwright is not installed: pip install -e '.[browser]'"
)
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(600),
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed"),
]

DEADLINE = 120.0
DESKTOP = {"width": 1000, "height": 640}
PHONE = {"width": 390, "height": 800}


class Tab:
    """A page of the browser, and a copy of its terminal."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.requests: list[str] = []
        self._screen = pyte.Screen(80, 24)
        self._stream = pyte.ByteStream(self._screen)
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("websocket", self._connected)

    def _connected(self, socket: WebSocket) -> None:
        columns, lines = map(int, re.findall(r"(?:width|height)=(\d+)", socket.url))
        self._resize(columns, lines)
        self._screen.reset()
        socket.on("framesent", self._sent)
        socket.on("framereceived", self._received)

    def _sent(self, data: str | bytes) -> None:
        if found := re.search(r'"resize",\{"width":(\d+),"height":(\d+)', str(data)):
            self._resize(int(found[1]), int(found[2]))

    def _received(self, data: str | bytes) -> None:
        if isinstance(data, bytes):
            self._stream.feed(data)

    def _resize(self, columns: int, lines: int) -> None:
        self._screen.resize(lines, columns)

    @property
    def text(self) -> str:
        return "\n".join(self._screen.display)

    @property
    def columns(self) -> int:
        return int(self._screen.columns)

    def until(self, condition: Callable[[], bool]) -> None:
        end = time.monotonic() + DEADLINE
        while not condition():
            assert time.monotonic() < end, f"not on the screen:\n{self.text}"
            self.page.wait_for_timeout(50)  # which lets the browser's events in

    def wait_for(self, text: str) -> None:
        self.until(lambda: text in self.text)

    def press(self, key: str) -> None:
        self.page.keyboard.press(key)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_api.sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield browser
        browser.close()


@pytest.fixture
def server() -> Iterator[str]:
    """Run `tutor serve`, and return the address for other learners."""
    command = [sys.executable, "-m", "tutor", "serve", "--port", "0"]
    environment = os.environ | {"TUTOR_TOUR": "off"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as server:
        assert server.stdout is not None
        server.stdout.readline()
        yield server.stdout.readline().split()[-1]
        server.send_signal(signal.SIGTERM)
        assert server.wait(60) == 0


@pytest.fixture
def open_tab(browser: Browser, server: str) -> Iterator[Callable[..., Tab]]:
    """Return a function that opens a tab: for a new learner, or with the address of another tab."""
    contexts = []

    def opened(like: Tab | None = None, size: dict[str, int] = DESKTOP, phone: bool = False) -> Tab:
        context = browser.new_context(viewport=size, has_touch=phone, is_mobile=phone)
        contexts.append(context)
        tab = Tab(context.new_page())
        if like is None:
            tab.page.goto(server)
            tab.page.get_by_role("button").click()
        else:
            tab.page.goto(like.page.url)
        return tab

    yield opened
    for context in contexts:
        context.close()


def to_first_question(tab: Tab) -> None:
    """Skip the tour, open the first lesson, and then its first question, which wants a word."""
    tab.wait_for("? help")
    if "tour" in tab.text:
        tab.press("Escape")
    tab.wait_for("From rules")
    tab.press("Enter")
    tab.wait_for("enter reveal")
    tab.press("Tab")
    tab.wait_for("a questions")
    tab.press("a")
    tab.wait_for("question 1 of")


def test_a_reload_in_the_middle_of_a_question_keeps_the_answer(
    open_tab: Callable[..., Tab],
) -> None:
    tab = open_tab()
    to_first_question(tab)
    tab.press("b")
    tab.wait_for("> b")
    tab.page.reload()
    tab.wait_for("> b")
    tab.press("c")
    tab.wait_for("> bc")
    assert "question 1 of" in tab.text


def test_a_window_that_becomes_narrow(open_tab: Callable[..., Tab]) -> None:
    tab = open_tab()
    tab.wait_for("? help")
    assert tab.columns > 100
    tab.page.set_viewport_size({"width": PHONE["width"], "height": PHONE["height"]})
    tab.until(lambda: 40 <= tab.columns < 50 and "? help" in tab.text.splitlines()[-1])


def test_two_tabs_at_once(open_tab: Callable[..., Tab]) -> None:
    one = open_tab()
    to_first_question(one)
    one.press("x")
    one.wait_for("> x")
    other = open_tab(like=one)
    to_first_question(other)
    other.press("y")
    other.wait_for("> y")
    one.press("z")
    one.wait_for("> xz")
    assert "y" not in re.findall("> (.*)", one.text)[0]


def test_on_a_phone_keys_are_on_the_page(open_tab: Callable[..., Tab]) -> None:
    tab = open_tab(size=PHONE, phone=True)
    tab.wait_for("? help")
    assert 40 <= tab.columns < 50
    assert "tour" in tab.text
    tab.page.get_by_role("button", name="Enter").tap()
    tab.wait_for("2 of 4")
    tab.page.get_by_role("button", name="Esc").tap()
    tab.wait_for("From rules")


def test_nothing_comes_from_another_host(open_tab: Callable[..., Tab], server: str) -> None:
    tab = open_tab()
    tab.wait_for("? help")
    assert [url for url in tab.requests if not url.startswith((server, "data:"))] == []


def test_the_page_says_that_the_app_has_ended(open_tab: Callable[..., Tab]) -> None:
    tab = open_tab()
    tab.wait_for("? help")
    tab.press("Control+q")
    again = tab.page.get_by_role("button", name="Open it again")
    again.wait_for(timeout=DEADLINE * 1000)
    again.click()
    tab.wait_for("? help")
