"""A tab of Chromium, controlled by Playwright, with the methods of `tests.terminal.Terminal`.

The browser draws the screen as pixels, so the text is read from what arrives on its WebSocket.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import pyte

if TYPE_CHECKING:
    from playwright.sync_api import Page, WebSocket

DEADLINE = 120.0
KEYS = {
    "enter": "Enter",
    "tab": "Tab",
    "esc": "Escape",
    "space": "Space",
    "up": "ArrowUp",
    "down": "ArrowDown",
    "right": "ArrowRight",
    "left": "ArrowLeft",
    "pageup": "PageUp",
    "pagedown": "PageDown",
    "ctrl+q": "Control+q",
}
_STEP = 25.0
"""The time in milliseconds for which the browser's events are let in."""


class Tab:
    """A page of the browser, and a copy of its terminal."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.requests: list[str] = []
        self._connections = 0
        self._received_at = time.monotonic()
        self._screen = pyte.Screen(80, 24)
        self._stream = pyte.ByteStream(self._screen)
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("websocket", self._connected)

    def _connected(self, socket: WebSocket) -> None:
        self._connections += 1
        columns, lines = map(int, re.findall(r"(?:width|height)=(\d+)", socket.url))
        self._screen.resize(lines, columns)
        self._screen.reset()
        socket.on("framesent", self._sent)
        socket.on("framereceived", self._received)

    def _sent(self, data: str | bytes) -> None:
        if found := re.search(r'"resize",\{"width":(\d+),"height":(\d+)', str(data)):
            self._screen.resize(int(found[2]), int(found[1]))

    def _received(self, data: str | bytes) -> None:
        if isinstance(data, bytes):
            self._received_at = time.monotonic()
            self._stream.feed(data)

    def reload(self) -> None:
        """Reload the page, and forget the screen of the connection that this closes."""
        before = self._connections
        self.page.reload()
        self.wait_until(lambda: self._connections > before, "a new connection")

    # --- output ---------------------------------------------------------------------------

    @property
    def text(self) -> str:
        """The screen as lines without trailing spaces."""
        return "\n".join(line.rstrip() for line in self._screen.display)

    @property
    def columns(self) -> int:
        return int(self._screen.columns)

    def wait_until(self, seen: Callable[[], bool], what: str, timeout: float = DEADLINE) -> float:
        begin = time.monotonic()
        while not seen():
            assert time.monotonic() < begin + timeout, f"no {what} on the screen:\n{self.text}"
            self.page.wait_for_timeout(_STEP)
        return time.monotonic() - begin

    def wait_for(self, text: str, timeout: float = DEADLINE) -> float:
        return self.wait_until(lambda: text in self.text, repr(text), timeout)

    def wait_gone(self, text: str, timeout: float = DEADLINE) -> float:
        return self.wait_until(lambda: text not in self.text, f"end of {text!r}", timeout)

    def wait_quiet(self, seconds: float = 0.5, timeout: float = DEADLINE) -> None:
        self.wait_until(lambda: time.monotonic() > self._received_at + seconds, "rest", timeout)

    # --- input ----------------------------------------------------------------------------

    def press(self, *keys: str) -> None:
        """Press keys, by their name in `KEYS` or as the characters themselves."""
        for key in keys:
            if key in KEYS:
                self.page.keyboard.press(KEYS[key])
            else:
                self.page.keyboard.type(key)
