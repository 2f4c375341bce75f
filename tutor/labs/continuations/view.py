"""The view of the "Twenty continuations" lab."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, ClassVar

from textual.content import Content

from tutor.app.theme import MUTED, NOT_YET
from tutor.app.widgets import figures
from tutor.labs.continuations.lab import WAYS, State, repeats
from tutor.labs.continuations.lab import figures as figures_of
from tutor.labs.kit.actions import EditText, NewSeed
from tutor.labs.kit.columns import Column, Room, around, cursor, heading, row
from tutor.labs.kit.keys import LEFT_RIGHT, UP_DOWN, key, pair, run_and_stop, tab
from tutor.labs.kit.progress_line import progress_line
from tutor.labs.kit.view import LabView, Offered, does
from tutor.language import _
from tutor.text import counted, safe

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.binding import BindingType

    from tutor.labs.continuations.lab import Path


_LEAST_ROWS = 2
_MOST_TEXT = 4
_BITS = 7


class ContinuationsView(LabView):
    """A view of both methods' statistics, a list of continuations, and one of them in full."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *run_and_stop("r,enter", "run", _("Generate both sides.")),
        key("s", "new_seed", "new seed", "Generate both sides again with a new seed."),
        *pair(LEFT_RIGHT, "choose(*, 'way')", "method", "Choose another method for this side."),
        *tab("switch('side')", "side", "Switch to the other side."),
        *pair(UP_DOWN, "move_focus(*, 'continuation')", "choose", "Choose a continuation to read."),
        key("e", "edit", "edit", "Edit the prompt."),
    ]

    OFFERED: ClassVar[Offered[State]] = {"run": lambda state: not state.finished}

    action_new_seed = does(NewSeed)

    def action_edit(self) -> None:
        self.write("text", _("Prompt for the model to continue:"), self.state.text, EditText)

    def lines(self, state: State, width: int, height: int) -> Sequence[Content]:
        room = Room(width, height)
        above = [
            Content.styled(figures.tail(state.text, width), "bold"),
            *_ways(state, room),
            _progress(state, width),
        ]
        if state.left_out:
            said = _("{characters} left out at the beginning").format(
                characters=counted(state.left_out, "character")
            )
            above.insert(1, Content.styled(said, NOT_YET))
        below = [] if room.low else _in_full(state, width)
        rows = max(_LEAST_ROWS, height - len(above) - len(below) - 1)
        paths = [
            _path(state.shown[number], number, number == state.focus, width)
            for number in around(state.focus, len(state.shown), rows)
        ]
        return [*above, *paths, *([Content("")] if below else []), *below]


_COLUMNS = (
    Column(_("tokens"), 8, right=True),
    Column(_("bits/token"), 12, right=True),
    Column(_("distinct"), 10, right=True),
    Column(_("loops"), 7, right=True),
    Column(_("differ"), 8, right=True),
)
_FEW = (Column(_("bits/token"), 11, right=True), Column(_("distinct"), 10, right=True))
"""The most important columns. A narrow screen shows only these."""


def _ways(state: State, room: Room) -> list[Content]:
    shown = _COLUMNS if room.roomy else _FEW
    name = Column(_("method"), min(24, room.width - 2 - sum(column.width for column in shown)))
    lines = [heading((name, *shown))]
    for side, way in enumerate(state.ways):
        here = side == state.side
        found = _figures(state.paths.get(way, ()))
        cells = [found.get(column.heading, "") for column in shown]
        lines.append(
            row((name, *shown), [(_(WAYS[way].name), "bold" if here else ""), *cells], here=here)
        )
    return lines


def _figures(paths: Sequence[Path]) -> dict[str, str]:
    found = figures_of(paths)
    if found is None:
        return {}
    return {
        _("tokens"): figures.count(found.tokens),
        _("bits/token"): f"{found.bits:.2f}",
        _("distinct"): f"{found.distinct:.2f}",
        _("loops"): str(found.loops),
        _("differ"): str(found.different),
    }


def _progress(state: State, width: int) -> Content:
    written = state.written
    if state.running:
        return progress_line(written, width, _("tokens"))
    if not written.done:
        said = _("Press r to generate both sides.")
    elif state.finished:
        said = _("Done. Press s for a new seed.")
    else:
        said = _("{done} of {total} tokens. Press r to continue.").format(
            done=written.done, total=written.total
        )
    return Content.styled(said, MUTED)


def _path(path: Path, number: int, here: bool, width: int) -> Content:
    loop = "↻" if repeats(path) else " "
    text = " ".join(_text(path).split())
    return Content.assemble(
        cursor(here),
        (f"{number + 1:>2} ", MUTED),
        (loop, NOT_YET),
        (_("{bits:>{bits2}.1f} bits  ").format(bits=path.bits, bits2=_BITS), MUTED),
        (figures.fit(text, max(4, width - _BITS - 13)), "bold" if here else ""),
    )


def _in_full(state: State, width: int) -> list[Content]:
    """Return the full text of the selected continuation, and its probability."""
    if not state.shown:
        return []
    path = state.shown[state.focus]
    percentage = f"{100 * math.exp(path.log_probability):.2g} %"
    said = Content.assemble(
        (
            _("probability {percentage}, {bits:.1f} bits").format(
                percentage=percentage, bits=path.bits
            ),
            MUTED,
        ),
        (_(" for {tokens}").format(tokens=counted(len(path.ids), "token")), MUTED),
        (_("   ↻ repeats itself") if repeats(path) else "", NOT_YET),
    )
    text = Content(safe(" ".join(_text(path).split()))).wrap(width)
    return [*said.wrap(width), *(line.rstrip() for line in text[:_MOST_TEXT])]


def _text(path: Path) -> str:
    return safe(b"".join(path.pieces).decode("utf-8", "replace").replace("\n", " ⏎ "))


VIEW = ContinuationsView
