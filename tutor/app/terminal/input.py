"""What a terminal sends is keys and pastes, and nothing that it may send does any harm.

Textual's parser also takes sizes, clicks and answers from the same stream, from anybody who can
type: a size of a billion cells, or of none, which it then divides by. Here the size comes from the
system, and there is no mouse (`tutor.app.lifetime`). Its decoder ends the program at the
first byte that is not UTF-8, its parser at a key with the number of no character.
"""

from __future__ import annotations

from codecs import getincrementaldecoder
from functools import partial
from typing import TYPE_CHECKING

from textual._xterm_parser import BRACKETED_PASTE_END, BRACKETED_PASTE_START, XTermParser
from textual.events import CursorPosition, Key, MouseEvent, Resize
from textual.messages import InBandWindowResize

from tutor.text import safe

if TYPE_CHECKING:
    from codecs import IncrementalDecoder
    from collections.abc import Callable, Iterable

    from textual.message import Message


class PasteParser(XTermParser):
    """Textual's parser, which gets to see no escape character inside of a paste: the sign for it
    comes in its place.

    A terminal puts pasted text between two marks. Textual's parser takes an escape character inside
    for the beginning of a key: what follows it would arrive as keys, ahead of the text before it,
    and an Enter among them would accept what is written. (The end mark inside pasted text cannot be
    told from the real one: terminals take it out.)
    """

    def __init__(self, debug: bool = False) -> None:
        self._pasting = False
        self._latest = ""
        """Outside: the last characters, which may be the beginning of a start mark. Inside: those
        that may be the beginning of an end mark, and are held back until it is known."""
        super().__init__(debug)

    def feed(self, data: str) -> Iterable[Message]:
        passed = "".join(map(self._passed, data))
        if passed or not data:  # nothing at all would mean the end of the input
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
        # It was no mark; another can only begin here, for escape is in it once, at its beginning.
        ends = latest[:-1] if BRACKETED_PASTE_END.startswith(character) else latest
        self._latest = latest[len(ends) :]
        return ends.replace("\x1b", safe("\x1b"))


_NOT_TAKEN = (CursorPosition, InBandWindowResize, MouseEvent, Resize)


class KeyParser(PasteParser):
    """Textual's parser, for keys and pastes alone."""

    def feed(self, data: str) -> Iterable[Message]:
        return (each for each in super().feed(data) if not isinstance(each, _NOT_TAKEN))

    def _sequence_to_key_events(self, sequence: str, alt: bool = False) -> Iterable[Key]:
        """A key may be reported by the number of a character that there is not."""
        try:
            return list(super()._sequence_to_key_events(sequence, alt))
        except (ValueError, OverflowError):
            return ()

    def parse_mouse_code(self, code: str) -> None:
        """No mouse."""


def take_keys_alone() -> None:
    """Call before the app runs: its driver makes its parser and its decoder by these names."""
    from textual.drivers import linux_driver

    linux_driver.XTermParser = KeyParser  # type: ignore[attr-defined]
    linux_driver.getincrementaldecoder = _lenient  # type: ignore[assignment,attr-defined]


def _lenient(encoding: str) -> Callable[[], IncrementalDecoder]:
    return partial(getincrementaldecoder(encoding), errors="replace")
