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

from textual.events import CursorPosition, Key, MouseEvent, Resize
from textual.messages import InBandWindowResize

from tutor.app.terminal.paste import PasteParser

if TYPE_CHECKING:
    from codecs import IncrementalDecoder
    from collections.abc import Callable, Iterable

    from textual.message import Message

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
