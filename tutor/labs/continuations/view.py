"""Draws continuations of one prompt, written in two ways."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content

from tutor.app.theme import MUTED, NOT_YET
from tutor.app.widgets import figures
from tutor.app.widgets.meter import meter
from tutor.labs.continuations.lab import (
    WAYS,
    Focus,
    Run,
    Side,
    State,
    Turn,
    repeats,
)
from tutor.labs.continuations.lab import figures as figures_of
from tutor.labs.kit.actions import EditText
from tutor.labs.kit.columns import around, cursor
from tutor.labs.kit.view import LabView
from tutor.text import counted, safe

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tutor.labs.continuations.lab import Path

_METER = 20
_LEAST_ROWS = 2
_MOST_TEXT = 4
_ROOM_FOR_TEXT = 11
_BITS = 7
_NARROW = 60


class ContinuationsView(LabView):
    """Both ways with their figures, the continuations of one of them, and one in full."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "run", "write, stop", tooltip="Write both sides; stop; write anew."),
        Binding("left", "turn(-1)", "way", key_display="←→", tooltip="Another way, on this side."),
        Binding("right", "turn(1)", show=False),
        Binding("tab", "side", "other side", tooltip="Look at the other side."),
        Binding("up", "focus_by(-1)", "read", key_display="↑↓", tooltip="Read a continuation."),
        Binding("down", "focus_by(1)", show=False),
        Binding("e", "edit", "prompt", tooltip="Write another prompt."),
    ]

    def action_run(self) -> None:
        self.did(Run())

    def action_turn(self, by: int) -> None:
        self.did(Turn(by))

    def action_side(self) -> None:
        self.did(Side())

    def action_focus_by(self, by: int) -> None:
        self.did(Focus(by))

    def action_edit(self) -> None:
        self.write("A text, to be continued:", self.state.text, EditText)

    def lines(self, state: State, width: int, height: int) -> Sequence[Content]:
        above = [
            Content.styled(figures.tail(state.text, width), "bold"),
            _heading(width),
            *(_way(state, side, width) for side in (0, 1)),
            _progress(state, width),
        ]
        if state.left_out:
            said = f"{counted(state.left_out, 'character')} before that are left out."
            above.insert(1, Content.styled(said, NOT_YET))
        below = _in_full(state, width) if height >= _ROOM_FOR_TEXT else []
        rows = max(_LEAST_ROWS, height - len(above) - len(below) - 1)
        return [*above, *_list(state, width, rows), *([Content("")] if below else []), *below]


_COLUMNS = (("tokens", 8), ("bits/token", 12), ("distinct", 10), ("loops", 7), ("differ", 8))
_FEW = (("bits/token", 11), ("distinct", 10))
"""What tells two ways apart most, where there is no room for all."""


def _table(width: int) -> tuple[int, tuple[tuple[str, int], ...]]:
    """How wide the name of a way is, and the columns beside it."""
    columns = _FEW if width < _NARROW else _COLUMNS
    return min(24, width - 2 - sum(size for _, size in columns)), columns


def _heading(width: int) -> Content:
    name, columns = _table(width)
    names = "".join(f"{title:>{size}}" for title, size in columns)
    return Content.styled(f"  {'way':<{name}}{names}", MUTED)


def _way(state: State, side: int, width: int) -> Content:
    way = state.ways[side]
    here = side == state.side
    found = figures_of(state.paths.get(way, ()))
    cells = {
        "tokens": figures.count(found.tokens) if found else "",
        "bits/token": f"{found.bits:.2f}" if found else "",
        "distinct": f"{found.distinct:.2f}" if found else "",
        "loops": str(found.loops) if found else "",
        "differ": str(found.different) if found else "",
    }
    name, columns = _table(width)
    shown = "".join(f"{cells[title]:>{size}}" for title, size in columns)
    return Content.assemble(
        cursor(here),
        (figures.fit(WAYS[way].name, name), "bold" if here else ""),
        shown,
    )


def _progress(state: State, width: int) -> Content:
    """How far the writing is, and about how long it takes yet."""
    done, total = state.written
    if not state.running:
        if not done:
            return Content.styled("Enter writes both.", MUTED)
        if state.finished:
            return Content.styled("Written. Enter writes others.", MUTED)
        return Content.styled(f"{done} of {total} tokens. Enter goes on.", MUTED)
    left = "" if state.seconds is None else f"  about {state.seconds * (total - done):.0f} s"
    bar = meter(done / total, min(_METER, max(4, width - 34)))
    return Content.assemble(bar, (f"  {done} of {total} tokens{left}", MUTED))


def _list(state: State, width: int, rows: int) -> list[Content]:
    return [
        _path(state.shown[number], number, number == state.focus, width)
        for number in around(state.focus, len(state.shown), rows)
    ]


def _path(path: Path, number: int, here: bool, width: int) -> Content:
    loop = "↻" if repeats(path) else " "
    text = " ".join(_text(path).split())
    return Content.assemble(
        cursor(here),
        (f"{number + 1:>2} ", MUTED),
        (loop, NOT_YET),
        (f"{path.bits:>{_BITS}.1f} bits  ", MUTED),
        (figures.fit(text, max(4, width - _BITS - 13)), "bold" if here else ""),
    )


def _in_full(state: State, width: int) -> list[Content]:
    """The continuation under the mark, with its probability as a whole."""
    if not state.shown:
        return []
    path = state.shown[state.focus]
    said = Content.assemble(
        (f"{_probability(path)} as a whole, {path.bits:.1f} bits", MUTED),
        (f" for {counted(len(path.ids), 'token')}", MUTED),
        ("   ↻ repeats itself" if repeats(path) else "", NOT_YET),
    )
    text = Content(safe(" ".join(_text(path).split()))).wrap(width)
    return [*said.wrap(width), *(line.rstrip() for line in text[:_MOST_TEXT])]


def _text(path: Path) -> str:
    return safe(b"".join(path.pieces).decode("utf-8", "replace").replace("\n", " ⏎ "))


def _probability(path: Path) -> str:
    """As a percentage, with a power of ten where it is too small for one."""
    value = 100 * math.exp(path.log_probability)
    return f"{value:.2g} %"


VIEW = ContinuationsView
