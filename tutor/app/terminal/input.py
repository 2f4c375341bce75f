"""Accept only keys, pastes and, optionally, the mouse from the terminal.

Textual's parser also accepts window sizes and replies that appear in the input, so anyone who can
type can send them. A size could be a billion cells, or zero, which would cause a division by zero.
In this app, the size comes from the operating system instead.

Textual's decoder ends the program at the first byte that is not valid UTF-8. Its parser ends the
program at a key code that is not a valid character. Here, such input is ignored or replaced.
"""

from __future__ import annotations

from codecs import getincrementaldecoder
from functools import partial
from typing import TYPE_CHECKING

from textual._xterm_parser import BRACKETED_PASTE_END, BRACKETED_PASTE_START, XTermParser
from textual.events import CursorPosition, Key, MouseEvent, Resize
from textual.messages import InBandWindowResize

from tutor.app.terminal.background_color import Replies
from tutor.text import safe

if TYPE_CHECKING:
    from codecs import IncrementalDecoder
    from collections.abc import Callable, Iterable

    from textual.message import Message


class PasteParser(XTermParser):
    """Textual's parser, except that escape characters in pasted text become visible symbols.

    A terminal sends a marker before and after pasted text. Textual's parser would treat an escape
    character in the text as the start of a key. The rest of the text would then arrive as keys,
    before the text that precedes it, and a newline would act as Enter and submit the text.
    (Terminals remove end markers from pasted text.)
    """

    def __init__(self, debug: bool = False) -> None:
        self._pasting = False
        self._latest = ""
        """Characters that may be the beginning of a marker.

        Before a paste, they may begin a start marker. During a paste, they may begin an end marker,
        and they are held back until it is clear whether they do.
        """
        super().__init__(debug)

    def feed(self, data: str) -> Iterable[Message]:
        passed = "".join(map(self._passed, data))
        if passed or not data:  # an empty string would mean the end of the input
            yield from super().feed(passed)

    def _passed(self, character: str) -> str:
        latest = self._latest + character
        if not self._pasting:
            self._latest = latest[-len(BRACKETED_PASTE_START) :]
            if self._latest == BRACKETED_PASTE_START:
                self._pasting, self._latest = True, ""
            return character
        if latest == BRACKETED_PASTE_END:
            self._pasting, self._latest = False, ""
            return latest
        if BRACKETED_PASTE_END.startswith(latest):
            self._latest = latest
            return ""
        # These characters do not begin an end marker. A marker contains an escape character only
        # at its start, so the next marker can begin only at the latest character.
        ends = latest[:-1] if BRACKETED_PASTE_END.startswith(character) else latest
        self._latest = latest[len(ends) :]
        return ends.replace("\x1b", safe("\x1b"))


_NOT_TAKEN = (CursorPosition, InBandWindowResize, Resize)
_LONGEST_REPORT = 20
"""The maximum length of a mouse report, in characters. Coordinates have only a few digits."""


class MouseParser(PasteParser):
    """Textual's parser, restricted to keys, pastes, the mouse and the background color."""

    def __init__(self, debug: bool = False) -> None:
        self._replies = Replies()
        super().__init__(debug)

    def feed(self, data: str) -> Iterable[Message]:
        passed, reports = self._replies.taken_from(data)
        yield from reports
        if passed or not data:  # an empty string would mean the end of the input
            yield from (each for each in super().feed(passed) if not isinstance(each, _NOT_TAKEN))

    def parse_mouse_code(self, code: str) -> Message | None:
        return super().parse_mouse_code(code) if len(code) <= _LONGEST_REPORT else None

    def _sequence_to_key_events(self, sequence: str, alt: bool = False) -> Iterable[Key]:
        """Return no keys if the key code is not a valid character."""
        try:
            return list(super()._sequence_to_key_events(sequence, alt))
        except (ValueError, OverflowError):
            return ()


class KeyParser(MouseParser):
    """Textual's parser, restricted to keys, pastes and the background color."""

    def feed(self, data: str) -> Iterable[Message]:
        return (each for each in super().feed(data) if not isinstance(each, MouseEvent))

    def parse_mouse_code(self, code: str) -> None:
        """Ignore mouse reports."""


def accept_only_keys(*, mouse: bool = False) -> None:
    """Replace the parser and the decoder of Textual's driver. Call this before the app runs.

    If `mouse` is true, the parser also accepts the mouse.
    """
    from textual.drivers import linux_driver

    linux_driver.XTermParser = MouseParser if mouse else KeyParser  # type: ignore[attr-defined]
    linux_driver.getincrementaldecoder = _lenient  # type: ignore[assignment,attr-defined]


def _lenient(encoding: str) -> Callable[[], IncrementalDecoder]:
    return partial(getincrementaldecoder(encoding), errors="replace")
