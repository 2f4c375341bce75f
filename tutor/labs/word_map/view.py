"""The view of the "Map of words" lab."""

from __future__ import annotations

from typing import ClassVar

from rich.cells import cell_len
from textual.binding import Binding
from textual.content import Content

from tutor.app.theme import MUTED, NOT_YET
from tutor.app.widgets import figures
from tutor.labs.kit.columns import Room
from tutor.labs.kit.keys import P_N, ZOOM, Keys, Pair, key, pair
from tutor.labs.kit.view import Offered, does
from tutor.labs.kit.words.groups import edit_words
from tutor.labs.kit.words.lines import cosine, form_note
from tutor.labs.kit.words.plot import Named, WordMapLabView, WordPlot, legend
from tutor.labs.kit.words.word import Form
from tutor.labs.word_map.lab import Pan, ShowWholeMap, State
from tutor.language import _
from tutor.text import counted

_SHORT = 6
"""The maximum width of the names below the map on a narrow screen, in columns."""


class WordMapView(WordMapLabView):
    """A view of a map of words, with its title above and the selected word's details below."""

    BINDINGS: ClassVar[Keys] = [
        *pair(P_N, "move_focus(*, 'word')", "word", "Go to the next or previous word."),
        *pair(ZOOM, "adjust(*, 'zoom')", "zoom", "Zoom in or out."),
        *pair(Pair("left", "right", "←↓↑→"), "pan(*, 0)", "pan", "Move across the map."),
        Binding("up", "pan(0, 1)", show=False),
        Binding("down", "pan(0, -1)", show=False),
        key("w", "whole", "whole map", "Zoom out to the whole map."),
        key(
            "x",
            "choose(1, 'map')",
            "example",
            "Load the next list of words.",
            id="next example",
        ),
        key("e", "edit", "edit", "Map your own words. Separate groups with a semicolon."),
    ]
    OFFERED: ClassVar[Offered[State]] = {
        "pan": lambda state: state.zoom > 1,
        "whole": lambda state: state.zoom > 1,
    }

    def action_pan(self, right: int, up: int) -> None:
        self.did(Pan(right, up))

    action_whole = does(ShowWholeMap)

    def action_edit(self) -> None:
        chosen = self.state.chosen
        text = chosen.written if chosen.own else ""
        sample = "red green blue; one two three"
        self.write("words", _("Words, with a ; between groups:"), text, edit_words, sample=sample)

    def draw(self, state: State) -> None:
        room = Room(self.columns, self.size.height)
        above = [_heading(state, room)]
        if not room.low:
            above += legend(state.chosen.groups).wrap(room.width)
        if left_out := state.chosen.left_out:
            above.append(
                Content.styled(
                    _("  {words} left out").format(words=counted(left_out, "word")), NOT_YET
                )
            )
        self.put("#lines", above)
        below = _below(state, room)
        self.put("#below", below[:1] if room.low else below)
        points: list[Named] = []
        if state.map is not None:
            known = zip(state.map.points, state.map.forms, state.chosen.group_of, strict=True)
            points = [Named(x, y, _name(form), group) for (x, y), form, group in known]
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
        parts.append(
            (_("   shows {across:.0f} % of the variance").format(across=100 * (across + up)), "")
        )
        parts.append((f"  (→ {100 * across:.0f} %  ↑ {100 * up:.0f} %)", MUTED))
    else:
        parts.append((_("  shows {across:.0f} %").format(across=100 * (across + up)), ""))
    if state.zoom > 1:
        parts.append((_("  zoom {zoom:.1f}").format(zoom=state.zoom), MUTED))
    return Content.assemble(*parts)


def _below(state: State, room: Room) -> list[Content]:
    """Return the selected word's nearest neighbors, on the map and by cosine similarity."""
    if state.map is None:
        return [Content(""), Content("")]
    form = state.map.forms[state.focus]
    shown = [figures.shown(other[0]) for other in state.map.forms]
    if not room.roomy:
        shown = [figures.fit(name, min(cell_len(name), _SHORT)) for name in shown]
    on_map, row = state.nearest_on_map(state.focus), state.nearest_row(state.focus)
    assert on_map is not None
    assert row is not None
    by_map, by_row = (
        (_("nearest on the map "), _("nearest row ")) if room.roomy else ("map ", "row ")
    )
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
    misleads = _("  The map is misleading here.") if on_map != row else ""
    return [first, Content.styled(misleads, NOT_YET)]


VIEW = WordMapView
