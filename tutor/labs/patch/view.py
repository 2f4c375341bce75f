"""The view of the "Patching" lab."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.content import Content

from tutor.app.theme import ACT, MUTED, NOT_YET, likely
from tutor.app.widgets import figures
from tutor.app.widgets.clicks import focusing
from tutor.app.widgets.selection import MARK
from tutor.labs.kit import heat
from tutor.labs.kit.actions import EditText
from tutor.labs.kit.columns import ROOMY, Cell, Room, around, clipped, wrapped
from tutor.labs.kit.keys import LEFT_RIGHT, P_N, UP_DOWN, Keys, key, pair, run_and_stop, tab
from tutor.labs.kit.progress_line import reading_line
from tutor.labs.kit.sentence import edit_sentence, sentence
from tutor.labs.kit.tabs import tabs
from tutor.labs.kit.view import LabView, Offered, does, writes
from tutor.labs.patch.explain import (
    SOURCE_NAMES,
    SOURCE_SENTENCES,
    SOURCE_SHORT,
    VIEW_NAMES,
    advice,
    place,
    signed,
)
from tutor.labs.patch.lab import VIEWS, Continue, Runs, State, portion, problem
from tutor.language import _
from tutor.text import one_line

if TYPE_CHECKING:
    from tutor.labs.kit.reply import Reply
    from tutor.lm.distribution import Token
    from tutor.lm.patch import Column

_AWAY = -0.05
"""Below this value, a cell is marked to show that the patch moves the prediction away from B."""
_EVERY = 5
"""The interval between the layer numbers above a wide map."""
_FEW = 3
_HERE = MARK
_DIFFERENT = "≠"
_LINE_BREAK = "↵"
_AWAY_LEGEND = _("   - away from B")


class PatchView(LabView):
    """A view of both texts and, below them, a map with the effect of each patch."""

    VIEWS = VIEWS
    BINDINGS: ClassVar[Keys] = [
        *pair(UP_DOWN, "move_row(*)", "row", "Choose a token, or a head."),
        *pair(LEFT_RIGHT, "move_focus(*, 'layer')", "layer", "Choose the layer."),
        *run_and_stop("r", "run", _("Compute the map.")),
        key("enter", "continue", "continue", "Continue text A with the selected patch."),
        *tab("next_view(*)", "part", "Patch another part of the network."),
        *pair(P_N, "move_focus(*, 'position')", "token", "Go to the previous or next token."),
        key("w", "choose(1, 'source')", "with", "Patch with B's activation, the mean, or zeros."),
        key("x", "choose(1, 'example')", "example", "Load another pair of texts."),
        key("e", "edit", "edit A", "Edit text A, which is patched."),
        key("b", "edit_other", "edit B", "Edit text B, whose activations are copied."),
    ]
    OFFERED: ClassVar[Offered[State]] = {
        "run": lambda state: bool(state.runs and state.missing),
        "continue": lambda state: state.runs is not None,
        "move_row": lambda state: state.runs is not None,
        "move_focus": lambda state: state.runs is not None,
        "move_focus:position": lambda state: state.runs is not None and state.view == "head",
    }

    action_continue = does(Continue)
    action_edit = writes(_("Text A, which is patched:"), edit_sentence)

    def action_edit_other(self) -> None:
        self.write(
            "other", _("Text B, whose activations are copied:"), self.state.other, _edit_other
        )

    def action_move_row(self, by: int) -> None:
        self.action_move_focus(by, "head" if self.state.view == "head" else "position")

    def lines(self, state: State, width: int, height: int) -> list[Content]:
        if state.pair is None:
            return [reading_line(_("Processing"), state.progress, width)]
        above = _texts(state, width)
        if state.runs is None:
            return [*above, Content(""), *_problem(state, width)]
        room = Room(width, height)
        count = len(state.rows)
        most = height - len(above) - 1  # `_parts` takes one line
        below = _below(state, room, most - count - 1)  # the layer numbers take one line
        spare = most - len(below)
        gap = [Content("")] if spare >= count + 3 else []
        rows = max(1, min(count + 1, spare))
        return [*above, *gap, _parts(state, width), *_map(state, width, rows), *gap, *below]


def _edit_other(text: str) -> EditText:
    return EditText(sentence(text), "other")


def _texts(state: State, width: int) -> list[Content]:
    """Return a line for each text: its tokens, aligned with the other text's, and its answer."""
    assert state.pair is not None
    both = (state.pair.a, state.pair.b)
    runs = state.runs
    answers = ("", "") if runs is None else _answers(runs, roomy=width >= ROOMY)
    room = width - 4 - max(map(len, answers))
    lines = []
    for name, tokens, others, answer in (
        ("A", both[0], both[1], answers[0]),
        ("B", both[1], both[0], answers[1]),
    ):
        parts, used = _aligned(state, tokens, others, room)
        lines.append(
            Content.assemble(
                (f"{name}  ", "bold"), *parts, " " * max(1, room - used + 1), (answer, "bold")
            )
        )
    return lines


def _answers(runs: Runs, *, roomy: bool) -> tuple[str, str]:
    """Return the most probable next token of each text, with its probability."""
    shown = []
    for answer, probability in zip(runs.answers, (runs.a.first, runs.b.second), strict=True):
        arrow = "→ " if roomy else "→"
        name = clipped(figures.shown(answer), 14 if roomy else 8)
        shown.append(f"{arrow}{name} {heat.percent(probability)}")
    longest = max(map(len, shown))
    return shown[0].ljust(longest), shown[1].ljust(longest)


def _aligned(
    state: State, tokens: tuple[Token, ...], others: tuple[Token, ...], room: int
) -> tuple[list[Cell], int]:
    """Return the tokens around the selected position that fit, and the number of cells used."""
    names = [figures.shown(token) for token in tokens]
    count = min(len(tokens), len(others))
    widths = [
        max(len(name), len(figures.shown(others[at]))) if at < count else len(name)
        for at, name in enumerate(names)
    ]
    first = min(state.position, len(names) - 1)
    while first > 0 and sum(widths[first - 1 :]) + len(widths[first - 1 :]) + 2 < room:
        first -= 1
    parts: list[Cell] = [("… ", MUTED)] if first else []
    used = 2 if first else 0
    for at in range(first, len(names)):
        name = figures.fit(names[at], min(widths[at], max(1, room - used - 1)))
        if used + len(name) > room:
            break
        differs = at >= count or tokens[at] != others[at]
        here = at == state.position and state.runs is not None
        style = f"{ACT} bold" if differs else MUTED
        parts += [(name, f"{style} reverse" if here else style), " "]
        used += len(name) + 1
    return parts, used


def _problem(state: State, width: int) -> list[Content]:
    """Return sentences about why the texts cannot be patched, and what to do about it."""
    assert state.pair is not None
    found = problem(state.pair)
    assert found is not None
    lines: list[Content] = []
    for said in advice(state.pair, found):
        lines += [*wrapped(Content(said), width), Content("")]
    return lines


def _parts(state: State, width: int) -> Content:
    """Return a line with the parts that can be patched, and what replaces their activations."""
    roomy = width >= ROOMY
    names = VIEW_NAMES if roomy else {**VIEW_NAMES, "residual": _("residual")}
    source = SOURCE_NAMES[state.source] if roomy else SOURCE_SHORT[state.source]
    if roomy:
        parts = tabs((names[view], view == state.view) for view in VIEWS)
        return Content.assemble(parts, (_("with "), MUTED), (source, "bold"))
    return Content.assemble(
        tabs([(names[state.view], True)]), (_("with "), MUTED), (source, "bold")
    )


def _map(state: State, width: int, rows: int) -> list[Content]:
    """Return the map: a column for each layer, and a row for each token or head.

    If there is room for more than `_FEW` lines, the first line shows the numbers of the layers.
    """
    assert state.pair is not None
    label = 18 if width >= ROOMY else 8
    room = width - label
    wide = max(1, min(3, room // state.pair.layers))
    layers = around(state.layer, state.pair.layers, room // wide)
    heading = Content.styled(figures.fit(_("layer"), label) + _numbers(layers, wide), MUTED)
    lines = [heading] if rows > _FEW else []
    rows -= len(lines)
    focus = state.head if state.view == "head" else state.position
    axis = "head" if state.view == "head" else "position"
    for at in around(focus, len(state.rows), rows):
        column, chosen, down = state.rows[at], at == focus, at - focus
        name = (figures.fit(_name(state, column, label - 1), label), "bold" if chosen else MUTED)
        cells = (
            focusing(
                _cell(state, column, layer, wide, here=chosen and layer == state.layer),
                **{axis: down, "layer": layer - state.layer},
            )
            for layer in layers
        )
        lines.append(Content.assemble(focusing(name, **{axis: down}), *cells))
    return lines


def _numbers(layers: range, wide: int) -> str:
    """Return the numbers of some layers, counted from 1: every fifth one, or their last digits."""
    if wide == 1:
        return "".join(str((layer + 1) % 10) for layer in layers)
    shown = (
        str(layer + 1) if layer == layers.start or not (layer + 1) % _EVERY else ""
        for layer in layers
    )
    return "".join(each.ljust(wide) for each in shown)


def _name(state: State, column: Column, width: int) -> str:
    """Return the name of a row: a head, or a token of text A and its counterpart in text B."""
    if column.component == "head":
        return _("head {head}").format(head=column.head + 1)
    assert state.pair is not None
    a, b = state.pair.a[column.position], state.pair.b[column.position]
    name = figures.shown(a)
    if a == b:
        return f"  {name}"
    both = f"{_DIFFERENT} {name} {figures.shown(b)}"
    return both if len(both) <= width else f"{_DIFFERENT} {name}"


def _cell(state: State, column: Column, layer: int, wide: int, *, here: bool) -> tuple[str, str]:
    found, runs = state.found(column), state.runs
    assert runs is not None
    if here:  # `_selected` shows the number
        return _HERE.ljust(wide), f"{ACT} bold reverse"
    if found is None:
        return " " * wide, MUTED
    moved = portion(runs, found[layer])
    return ("-" * wide, NOT_YET) if moved < _AWAY else heat.cell(moved, wide)


def _below(state: State, room: Room, most: int) -> list[Content]:
    """Return the lines below the map: the selected cell, the continuations and the legend.

    The sentence about the source and the legend are left out if there would be more than `most`
    lines, because the rows of the map matter more.
    """
    lines = _selected(state, room)
    if state.patch is not None:
        lines += _continuations(state, room)
    if state.running:
        return [*lines, _running(state, room.width)]
    if not room.low:
        legend = Content.styled(heat.LEGEND + (_AWAY_LEGEND if room.roomy else ""), MUTED)
        said = SOURCE_SENTENCES[state.source]
        source = [Content.styled(said, MUTED)] if said and room.roomy else []
        for notes in ([*source, legend], [legend]):
            if len(lines) + len(notes) <= most:
                return [*lines, *notes]
    return lines


def _continuations(state: State, room: Room) -> list[Content]:
    """Return text A's continuations, without a patch and with the patch."""
    pair, patch = state.pair, state.patch
    assert pair is not None
    assert patch is not None
    name = place(pair, patch) if room.roomy else _("patched")
    without = _("without a patch") if room.roomy else _("A")
    width = max(len(name), len(without)) + 2
    lines = []
    for label, reply in ((without, state.plain), (name, state.patched)):
        text = clipped(_said(reply), room.width - width) if reply.ids else "…"
        style = MUTED if label == without else "bold"
        lines.append(Content.assemble((label.ljust(width), MUTED), (text, style)))
    return lines


def _said(reply: Reply) -> str:
    """Return a continuation on one line, with a mark for each line break."""
    return one_line(f" {_LINE_BREAK} ".join(reply.text.split("\n")))


def _running(state: State, width: int) -> Content:
    """Return a line with the number of rows done, and the progress of the current pass."""
    rows = len(state.rows) if state.running[0] in state.rows else len(state.running)
    done = rows - len(state.running)
    said = _("{done} of {rows} rows,").format(done=done, rows=rows)
    return reading_line(said, state.progress, width)


def _selected(state: State, room: Room) -> list[Content]:
    """Return how far the selected cell moves the prediction, and the answers' probabilities."""
    runs, patch = state.runs, state.selected
    assert runs is not None
    assert state.pair is not None
    where = _("layer {layer}").format(layer=patch.layer + 1)
    where = place(state.pair, patch) if room.roomy else where
    cell, moved = state.cell(patch), state.moved(patch)
    if cell is None or moved is None:
        hint = _("Press r to compute the map.") if not state.running else ""
        return [Content.assemble((f"{where}  ", "bold"), (hint, MUTED))]
    parts: list[Cell] = [(f"{where}  ", "bold"), (_("moves "), MUTED)]
    parts.append((f"{signed(moved)} %", "bold"))
    if state.unchanged(patch.column) and room.roomy:
        parts.append((_("  Both texts are the same up to here."), MUTED))
        return [Content.assemble(*parts)]
    answers: list[Cell] = []
    for token, before, after in (
        (runs.answers[0], runs.a.first, cell.first),
        (runs.answers[1], runs.a.second, cell.second),
    ):
        name = clipped(figures.shown(token), 12 if room.roomy else 7)
        if room.roomy:
            answers += [
                (f"  {name} ", MUTED),
                (f"{heat.percent(before).removesuffix(' %')} → ", MUTED),
            ]
        else:
            answers.append((f"{name} ", MUTED))
        answers += [(heat.percent(after), likely(after)), "  "]
    line = Content.assemble(*parts, *answers)
    if line.cell_length <= room.width:
        return [line]
    return [Content.assemble(*parts), Content.assemble(*answers)]


VIEW = PatchView
