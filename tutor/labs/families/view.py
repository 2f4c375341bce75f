"""Draws the lab of the three families."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.cells import cell_len
from textual.binding import Binding, BindingType
from textual.content import Content

from tutor.app.theme import MUTED
from tutor.app.widgets import figures
from tutor.labs.families.answers import FAMILIES, PARTS, Family, Part, may_look
from tutor.labs.families.lab import State, text
from tutor.labs.kit import heat
from tutor.labs.kit.actions import EditText, ShowView, cycled
from tutor.labs.kit.columns import ROOMY, Room, around, cursor
from tutor.labs.kit.keys import LEFT_RIGHT, P_N, pair
from tutor.labs.kit.tabs import tabs
from tutor.labs.kit.view import LabView
from tutor.lm.training.recipes.families.text import BLANK
from tutor.text import visible

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tutor.labs.families.answers import Answer, Attention, Said

MARKS = {BLANK: "_", "<start>": "start", "<end>": "end", "<unknown>": "?"}
PART_NAMES: dict[Part, str] = {
    "reading": "within what is read",
    "writing": "within what is written",
    "across": "from what is written to what was read",
}
SHORT_NAMES: dict[Part, str] = {"reading": "read", "writing": "written", "across": "across"}
SEES: dict[Family, str] = {
    "encoder": "each word may look at all words, on both sides",
    "decoder": "each word may look at itself and what stands before it",
    "encoder-decoder": "what is read: at all of it; what is written: at what was read, and back",
}
MIXED = "The encoder mixes neighbors: a digit may be read from the one beside it."
_CELL = 4
_WORTH_A_WORD = 0.005
_NAME, _SHORT_NAME = 13, 9


class FamiliesView(LabView):
    """What the family says about the text, and a map of where it looked."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("e", "edit", "write", tooltip="Write a text: words, _ for a blank, or a number."),
        Binding(
            "tab", "choose(1, 'family')", "family", tooltip="Give the same text to the next family."
        ),
        Binding(
            "x", "choose(1, 'example')", "example", tooltip="Another text that suits this family."
        ),
        Binding("o", "switch('masks')", "mask", tooltip="What may be looked at, or what was."),
        Binding("m", "next_part", "map", tooltip="Reading, writing, or across from one to other."),
        *pair(("down", "up"), "move_focus(*, 'layer')", "layer", "Choose the layer.", "↑↓"),
        *pair(LEFT_RIGHT, "move_focus(*, 'head')", "head", "Choose the head, or all of them."),
        *pair(P_N, "move_focus(*, 'row')", "row", "The row before or after."),
    ]

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "next_part":
            return self.state is not None and len(PARTS[self.state.family]) > 1
        if action == "move_focus" and "row" not in parameters:
            return self.state is not None and not self.state.masks
        return True

    def action_edit(self) -> None:
        label = "Words, with _ for a blank, or a number:"
        self.write(label, self.state.text, lambda written: EditText(text(written)))

    def action_next_part(self) -> None:
        self.did(ShowView(cycled(PARTS[self.state.family], self.state.part)))

    def lines(self, state: State, width: int, height: int) -> Sequence[Content]:
        above = [_families(state, width), *_text(state, width), *_left_out(state)]
        answer, attention = state.answer, state.attention
        if answer is None or attention is None:
            return [*above, Content.styled("reading …", MUTED)]
        says = _says(state, answer, width)
        if Room(width, height).low:  # what it says takes one line, and the map the rest
            above, below = [above[0], says[0]], []
        else:
            above += [*says, *_unknown(answer, width)]
            below = [_taken(state, attention, width), *_mixed(state, width)]
        rows = height - len(above) - len(below)
        return [*above, *_map(state, attention, width, rows), *below]


def _shown(word: str) -> str:
    return MARKS.get(word) or visible(word.encode())


def _families(state: State, width: int) -> Content:
    names = tabs((family, family == state.family) for family in FAMILIES)
    if names.cell_length > width:
        place = FAMILIES.index(state.family) + 1
        return Content.assemble(
            cursor(True), (state.family, "bold"), (f"  {place} of {len(FAMILIES)}", MUTED)
        )
    return names


def _text(state: State, width: int) -> list[Content]:
    """The text as it is read; the decoder reads no further than the blank."""
    words = [_shown(word) for word in state.words]
    if state.number:
        return [Content("".join(words))]
    if state.family != "decoder" or BLANK not in state.words:
        return _wrapped("", [(word, "") for word in words], width)
    cut = state.words.index(BLANK)
    read = [(word, "") for word in words[:cut]]
    return _wrapped("", [*read, ("│", MUTED), *((word, MUTED) for word in words[cut:])], width)


def _wrapped(label: str, words: Sequence[tuple[str, str]], width: int) -> list[Content]:
    """The words, each with its style, on as many lines as they need; what follows on another line
    stands below them."""
    lines: list[list[tuple[str, str]]] = [[(label, MUTED)]]
    used = len(label)
    for word, style in words:
        size = cell_len(word)
        if used + size > width and len(lines[-1]) > 1:
            lines.append([(" " * len(label), "")])
            used = len(label)
        lines[-1] += [(word, style), (" ", "")]
        used += size + 1
    return [Content.assemble(*line) for line in lines]


def _left_out(state: State) -> list[Content]:
    if not state.left_out:
        return []
    what = "digits" if state.number else "words"
    return [Content(f"{len(state.words)} {what} are read, {state.left_out} left out.")]


def _unknown(answer: Answer, width: int) -> list[Content]:
    if not answer.unknown:
        return []
    words = ", ".join(_shown(word) for word in answer.unknown)
    return [Content.styled(figures.fit(f"not in its vocabulary: {words}", width), MUTED)]


# --- what it says ---------------------------------------------------------------------------------


def _says(state: State, answer: Answer, width: int) -> list[Content]:
    if state.family == "encoder":
        return _blanks(answer, width)
    if not answer.said:
        return [Content.styled("It says nothing: the end.", MUTED)]
    least = min(answer.said, key=lambda said: said.probability)
    what = "goes on  " if state.family == "decoder" else "writes  "
    unsure = f"least sure of “{_shown(least.word)}”: {figures.percent(least.probability)}"
    return [
        *_wrapped(what, [(_shown(said.word), "bold") for said in answer.said], width),
        Content.styled(figures.fit(unsure, width).rstrip(), MUTED),
    ]


def _blanks(answer: Answer, width: int) -> list[Content]:
    """At each blank what the encoder puts there, and what the decoder would have."""
    if not answer.said:
        return [Content.styled("No blank to fill: write _ for a word.", MUTED)]
    lines = []
    for said in answer.said:
        lines.append(
            _guessed("it fills in", [(g.word, g.probability) for g in said.guesses], width)
        )
        left = [(g.word, g.probability) for g in said.left]
        lines.append(_guessed("decoder", left, width))
        lines.append(_of_the_same(said))
    return lines


def _guessed(who: str, guesses: Sequence[tuple[str, float]], width: int) -> Content:
    parts: list[str | tuple[str, str]] = [(f"{who:<13}", MUTED)]
    room = width - 13
    for place, (word, probability) in enumerate(guesses):
        said = f"{_shown(word)} {figures.percent(probability)}"
        if room < len(said):
            break
        parts += [(said, "" if place else "bold"), "   "]
        room -= len(said) + 3
    return Content.assemble(*parts)


def _of_the_same(said: Said) -> Content:
    """The same word by both, one bar under the other."""
    both, left = said.probability, said.left_probability
    return Content.assemble(
        (f"“{_shown(said.word)}” ", "bold"),
        figures.percent(both),
        (" seeing both sides, ", MUTED),
        figures.percent(left),
        (" seeing the left", MUTED),
    )


# --- where it looked ------------------------------------------------------------------------------


def _map(state: State, attention: Attention, width: int, height: int) -> list[Content]:
    """One row for each word that looks, one column for each that is looked at."""
    name = _SHORT_NAME if width < ROOMY else _NAME
    room = max(1, (width - name - 2) // _CELL)
    focus = 0 if state.part == "across" else state.focus
    columns = around(focus, len(attention.columns), room)
    rows = max(2, height - 2)
    labels = (_shown(attention.columns[at])[: _CELL - 1] for at in columns)
    heading = "".join(f" {figures.fit(label, _CELL - 1)}" for label in labels)
    lines = [_title(state, attention, width), Content.styled(" " * (name + 2) + heading, MUTED)]
    for at in around(state.focus, len(attention.rows), rows):
        chosen = at == state.focus
        label = ("→ " if state.part == "across" else "") + _shown(attention.rows[at])
        lines.append(
            Content.assemble(
                cursor(chosen),
                (figures.fit(label, name), "bold" if chosen else ""),
                *(_cells(state, attention, at, columns)),
            )
        )
    return lines


def _cells(
    state: State, attention: Attention, row: int, columns: Sequence[int]
) -> list[tuple[str, str]]:
    """Each a glyph and the share in percent; with masks, whether it may be looked at."""
    if state.masks:
        may = [may_look(state.part, row, column) for column in columns]
        return [("  ■ ", "") if allowed else ("  · ", MUTED) for allowed in may]
    shares = attention.row(state.layer, state.head, row)
    cells = []
    for column in columns:
        if not may_look(state.part, row, column):
            cells.append((" " * _CELL, ""))
            continue
        glyph, style = heat.cell(shares[column])
        cells.append((f"{glyph}{min(99, round(100 * shares[column])):>2} ", style))
    return cells


def _title(state: State, attention: Attention, width: int) -> Content:
    name = PART_NAMES[state.part]
    if state.masks:
        pairs = [
            may_look(state.part, row, column)
            for row in range(len(attention.rows))
            for column in range(len(attention.columns))
        ]
        said = f"may look   {sum(pairs)} of {len(pairs)} pairs"
    else:
        head = f"head {state.head} of {attention.heads}" if state.head else "all heads"
        said = f"layer {state.layer + 1} of {attention.layers}, {head}"
        said += ", in %" if width >= ROOMY else ""
    if len(name) + len(said) + 3 > width:
        name = SHORT_NAMES[state.part]
    return Content.assemble((f"{name}   ", ""), (figures.fit(said, width - len(name) - 3), MUTED))


def _taken(state: State, attention: Attention, width: int) -> Content:
    """The row in focus in words."""
    if state.masks:
        return Content.styled(figures.fit(SEES[state.family], width).rstrip(), MUTED)
    shares = attention.row(state.layer, state.head, state.focus)
    order = sorted(range(len(shares)), key=lambda at: -shares[at])[:3]
    word = _shown(attention.rows[state.focus])
    parts: list[str | tuple[str, str]] = [(word, "bold"), (" looked at   ", MUTED)]
    for at in order:
        if shares[at] >= _WORTH_A_WORD:
            place = "" if attention.columns.count(attention.columns[at]) < 2 else f" ({at + 1})"
            share = f"{100 * shares[at]:.0f} %   "
            parts += [f"{_shown(attention.columns[at])}{place} ", (share, MUTED)]
    return Content.assemble(*parts)


def _mixed(state: State, width: int) -> list[Content]:
    """Why a word may have been taken from a digit that it does not say."""
    if state.masks or not state.number or state.part != "across" or width < len(MIXED):
        return []
    return [Content.styled(MIXED, MUTED)]


VIEW = FamiliesView
