"""Accept only keys, pastes and, if wanted, the mouse, so that no input can do harm.

Textual's parser also accepts sizes and replies in the same stream, from anyone who can type. A size
could be a billion cells, or zero, which leads to a division by zero. Here the size comes from the
system.

Textual's decoder ends the program at the first byte that is not valid UTF-8, and its parser ends
the program at a key code that is not a valid character.
"""

from __future__ import annotations

from codecs import getincrementaldecoder
from functools import partial
from typing import TYPE_CHECKING

from textual._xterm_parser import BRACKETED_PASTE_END, BRACKETED_PASTE_START, XTermParser
from textual.events import CursorPosition, Key, MouseEvent, Resize
from textual.messages import InBandWindowResize

from tutor.app.terminal.background import Replies
from tutor.text import safe

if TYPE_CHECKING:
    from codecs import IncrementalDecoder
    from collections.abc import Callable, Iterable

    from textual.message import Message


class PasteParser(XTermParser):
    """Textual's parser, with a visible symbol for each escape character in pasted text.

    A terminal puts pasted text between two marks. Textual's parser takes an escape character in the
    text for the start of a key. The text after it would arrive as keys, ahead of the text before
    it, and a newline in it would act as Enter and accept the text. (An end mark in pasted text
    looks like the real one, but terminals remove it.)
    """

    def __init__(self, debug: bool = False) -> None:
        self._pasting = False
        self._latest = ""
        """Characters that may begin a mark.

        Outside a paste, these are the latest characters, which may begin a start mark. Inside a
        paste, they may begin an end mark and are held back until that is certain.
        """
        super().__init__(debug)

    def feed(self, data: str) -> Iterable[Message]:
        passed = "".join(map(self._passed, data))
        if passed or not data:  # an empty string would signal the end of the input
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
        # It was not a mark. Marks contain an escape character only at their start, so the next mark
        # can begin only here.
        ends = latest[:-1] if BRACKETED_PASTE_END.startswith(character) else latest
        self._latest = latest[len(ends) :]
        return ends.replace("\x1b", safe("\x1b"))


_NOT_TAKEN = (CursorPosition, InBandWindowResize, Resize)
_LONGEST_REPORT = 20
"""The maximum length of a report of the mouse, in characters. Positions have a few digits."""


class MouseParser(PasteParser):
    """Textual's parser, restricted to keys, pastes, the mouse and the terminal's background."""

    def __init__(self, debug: bool = False) -> None:
        self._replies = Replies()
        super().__init__(debug)

    def feed(self, data: str) -> Iterable[Message]:
        passed, reports = self._replies.taken_from(data)
        yield from reports
        if passed or not data:  # an empty string would signal the end of the input
            yield from (each for each in super().feed(passed) if not isinstance(each, _NOT_TAKEN))

    def parse_mouse_code(self, code: str) -> Message | None:
        return super().parse_mouse_code(code) if len(code) <= _LONGEST_REPORT else None

    def _sequence_to_key_events(self, sequence: str, alt: bool = False) -> Iterable[Key]:
        """Ignore a key code that is not a valid character."""
        try:
            return list(super()._sequence_to_key_events(sequence, alt))
        except (ValueError, OverflowError):
            return ()


class KeyParser(MouseParser):
    """Textual's parser, restricted to keys, pastes and what the terminal says of its background."""

    def feed(self, data: str) -> Iterable[Message]:
        return (each for each in super().feed(data) if not isinstance(each, MouseEvent))

    def parse_mouse_code(self, code: str) -> None:
        """Ignore the mouse."""


def accept_only_keys(*, mouse: bool = False) -> None:
    """Replace the parser and the decoder of Textual's driver. Call this before the app runs.

    With `mouse`, events of the mouse are accepted as well.
    """
    from textual.drivers import linux_driver

    linux_driver.XTermParser = MouseParser if mouse else KeyParser  # type: ignore[attr-defined]
    linux_driver.getincrementaldecoder = _lenient  # type: ignore[assignment,attr-defined]


def _lenient(encoding: str) -> Callable[[], IncrementalDecoder]:
    return partial(getincrementaldecoder(encoding), errors="replace")
