"""Draws the lab of maps."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.cells import cell_len
from textual.binding import Binding, BindingType
from textual.content import Content

from tutor.app.theme import MUTED, NOT_YET
from tutor.app.widgets import figures
from tutor.app.widgets.lines import Lines
from tutor.labs.kit.columns import Room
from tutor.labs.kit.view import LabView
from tutor.labs.kit.words.lines import cosine, form_note
from tutor.labs.kit.words.plot import Named, WordPlot, legend
from tutor.labs.word_map.lab import Pan, ShowWholeMap, State, write
from tutor.text import counted

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from tutor.labs.kit.words.word import Form

_SHORT = 6
"""Columns that the names below the map get where there is little room."""


class WordMapView(LabView):
    """The map, between what it is of and what is known of the word in focus."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "n",
            "move_focus(1, 'word')",
            "word",
            key_display="n p",
            tooltip="Next word, or the last.",
        ),
        Binding("p", "move_focus(-1, 'word')", show=False),
        Binding("i", "adjust(1, 'zoom')", "zoom", key_display="i o", tooltip="Zoom in, or out."),
        Binding("o", "adjust(-1, 'zoom')", show=False),
        Binding("left", "pan(-1, 0)", "pan", key_display="←↓↑→", tooltip="Move over the map."),
        Binding("right", "pan(1, 0)", show=False),
        Binding("up", "pan(0, 1)", show=False),
        Binding("down", "pan(0, -1)", show=False),
        Binding("w", "whole", "whole", tooltip="The whole map again."),
        Binding("tab", "choose(1, 'map')", "next map", tooltip="Other words."),
        Binding("e", "edit", "write", tooltip="Words of your own, groups with ; between them."),
    ]
    DEFAULT_CSS = """
    WordMapView { overflow: hidden hidden; }
    """

    def compose(self) -> ComposeResult:
        yield Lines(id="lines")
        yield WordPlot(id="map")
        yield Lines(id="below")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action in ("pan", "whole") and self.state is not None:
            return bool(self.state.zoom > 1)
        return True

    def action_pan(self, right: int, up: int) -> None:
        self.did(Pan(right, up))

    def action_whole(self) -> None:
        self.did(ShowWholeMap())

    def action_edit(self) -> None:
        chosen = self.state.chosen
        self.write("Words, with ; between groups:", chosen.written if chosen.own else "", write)

    def draw(self, state: State) -> None:
        room = Room(self.columns, self.size.height)
        above = [_heading(state, room)]
        if not room.low:
            above += legend(state.chosen.groups).wrap(room.width)
        if left_out := state.chosen.left_out:
            above.append(Content.styled(f"  {counted(left_out, 'word')} left out", NOT_YET))
        self.put("#lines", above)
        below = _below(state, room)
        self.put("#below", below[:1] if room.low else below)
        if state.map is None:
            points: list[Named] = []
        else:
            points = [
                Named(x, y, _name(form), group)
                for (x, y), form, group in zip(
                    state.map.points, state.map.forms, state.chosen.group_of, strict=True
                )
            ]
        self.query_one(WordPlot).show(points, state.focus, state.center, state.zoom)


def _name(form: Form) -> str:
    name = figures.shown(form[0]).removeprefix("␣")
    return name if len(form) == 1 else f"{name}…"


def _heading(state: State, room: Room) -> Content:
    chosen = state.chosen
    parts: list[tuple[str, str]] = [("  ", ""), (chosen.title, "bold")]
    if state.map is None:
        return Content.assemble(*parts, "  …")
    across, up = state.map.shares
    if room.roomy:
        parts.append((f"   shows {across + up:.0%} of the variance", ""))
        parts.append((f"  (→ {across:.0%}  ↑ {up:.0%})", MUTED))
    else:
        parts.append((f"  shows {across + up:.0%}", ""))
    if state.zoom > 1:
        parts.append((f"  zoom {state.zoom:.1f}", MUTED))
    return Content.assemble(*parts)


def _below(state: State, room: Room) -> list[Content]:
    """What the map says of the word in focus, and what the rows say."""
    if state.map is None:
        return [Content(""), Content("")]
    form = state.map.forms[state.focus]
    shown = [figures.shown(other[0]) for other in state.map.forms]
    if not room.roomy:
        shown = [figures.fit(name, min(cell_len(name), _SHORT)) for name in shown]
    on_map, row = state.nearest_on_map(state.focus), state.nearest_row(state.focus)
    assert on_map is not None
    assert row is not None
    by_map, by_row = ("nearest on the map ", "nearest row ") if room.roomy else ("map ", "row ")
    gap = "   " if room.roomy else "  "
    first = Content.assemble(
        "  ",
        (shown[state.focus], "bold"),
        (f"{gap}{by_map}", MUTED),
        shown[on_map],
        (f"{gap}{by_row}", MUTED),
        shown[row],
        f" {cosine(state.map.cosines[state.focus][row]).strip()}",
    )
    if len(form) > 1:
        return [first, Content.styled(f"  {form_note(form)}", NOT_YET)]
    misleads = "  The map misleads here." if on_map != row else ""
    return [first, Content.styled(misleads, NOT_YET)]


VIEW = WordMapView
