"""Pasted text is only text, whatever is in it.

A terminal puts pasted text between two marks. Textual's parser takes an escape character inside
for the beginning of a key: what follows it would arrive as keys, ahead of the text before it, and
an Enter among them would accept what is written. (The end mark inside pasted text cannot be told
from the real one: terminals take it out.)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual._xterm_parser import BRACKETED_PASTE_END, BRACKETED_PASTE_START, XTermParser

from tutor.text import safe

if TYPE_CHECKING:
    from collections.abc import Iterable

    from textual.message import Message


class PasteParser(XTermParser):
    """Textual's parser, which gets to see no escape character inside of a paste: the sign for it
    comes in its place."""

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
