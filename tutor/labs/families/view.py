"""The view of the "Three families of Transformers" lab."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain, product, repeat
from typing import ClassVar

from textual.content import Content

from tutor.app.theme import MUTED
from tutor.app.widgets import figures
from tutor.labs.families.answers import (
    FAMILIES,
    PARTS,
    Answer,
    Attention,
    Family,
    Guess,
    Part,
    Said,
    may_look,
)
from tutor.labs.families.lab import State, text
from tutor.labs.kit import heat
from tutor.labs.kit.actions import EditText, ShowView, cycled
from tutor.labs.kit.columns import ROOMY, Room, around, as_many_as_fit, clipped, cursor, pointer
from tutor.labs.kit.keys import LAYERS, LEFT_RIGHT, P_N, Keys, key, pair, tab
from tutor.labs.kit.tabs import tabs
from tutor.labs.kit.view import LabView, Offered
from tutor.language import _
from tutor.lm.training.recipes.families.text import BLANK
from tutor.text import visible

MARKS = {BLANK: "_", "<start>": "start", "<end>": "end", "<unknown>": "?"}
PART_NAMES: dict[Part, str] = {
    "reading": _("within the input"),
    "writing": _("within the output"),
    "across": _("from the output to the input"),
}
SHORT_NAMES: dict[Part, str] = {"reading": "input", "writing": "output", "across": "across"}
SEES: dict[Family, str] = {
    "encoder": _("each word can attend to all words, before and after it"),
    "decoder": _("each word can attend to itself and to the words before it"),
    "encoder-decoder": _(
        "all words can attend to the input, and output words also to earlier output"
    ),
}
MIXED = _("The encoder mixes neighboring digits, so attention can be off by one digit.")
_CELL = 4
_WORTH_A_WORD = 0.005
_NAME, _SHORT_NAME = 13, 9


class FamiliesView(LabView):
    """A view of the model's output for the text, and of an attention map."""

    BINDINGS: ClassVar[Keys] = [
        key("e", "edit", "edit", "Edit the text: words, _ for a blank, or a number."),
        *tab("choose(*, 'family')", "family", "Give the same text to the next model family."),
        key("x", "choose(1, 'example')", "example", "Load the next example for this family."),
        key("m", "switch('masks')", "mask", "Switch between the attention and the mask."),
        key("a", "next_part", "part", "Show attention within the input or output, or across."),
        *pair(LAYERS, "move_focus(*, 'layer')", "layer", "Choose a layer."),
        *pair(
            LEFT_RIGHT, "move_focus(*, 'head')", "head", "Choose a head, or the mean of all heads."
        ),
        *pair(P_N, "move_focus(*, 'row')", "row", "Choose the previous or next row."),
    ]
    OFFERED: ClassVar[Offered[State]] = {
        "next_part": lambda state: len(PARTS[state.family]) > 1,
        "move_focus:layer": lambda state: not state.masks,
        "move_focus:head": lambda state: not state.masks,
    }

    def action_edit(self) -> None:
        label = _("Words, with _ for a blank, or a number:")
        self.write("text", label, self.state.text, lambda written: EditText(text(written)))

    def action_next_part(self) -> None:
        self.did(ShowView(cycled(PARTS[self.state.family], self.state.part)))

    def lines(self, state: State, width: int, height: int) -> list[Content]:
        above = [_families(state, width), *_text(state, width), *_left_out(state)]
        answer, attention = state.answer, state.attention
        if answer is None or attention is None:
            return [*above, Content.styled(_("Waiting for the model…"), MUTED)]
        says = _says(state, answer, width)
        if Room(width, height).low:  # The output takes one line, and the map takes the rest.
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
            pointer(True),
            (state.family, "bold"),
            (_("  {place} of {count}").format(place=place, count=len(FAMILIES)), MUTED),
        )
    return names


def _text(state: State, width: int) -> list[Content]:
    """Return the text, with a bar where the decoder's input ends."""
    words = [_shown(word) for word in state.words]
    if state.number:
        return [Content("".join(words))]
    if state.family != "decoder" or BLANK not in state.words:
        return _wrapped("", [(word, "") for word in words], width)
    cut = state.words.index(BLANK)
    read = [(word, "") for word in words[:cut]]
    return _wrapped("", [*read, *((word, MUTED) for word in ("│", *words[cut:]))], width)


def _wrapped(label: str, words: Iterable[tuple[str, str]], width: int) -> list[Content]:
    """Return styled words to the right of a label, wrapped to `width` columns."""
    text = Content.assemble(*(part for word in words for part in (word, " ")))
    margins = chain([label], repeat(" " * len(label)))
    return [
        Content.assemble((margin, MUTED), line)
        for margin, line in zip(margins, text.wrap(width - len(label)), strict=False)
    ]


def _left_out(state: State) -> list[Content]:
    if not state.left_out:
        return []
    what = "digits" if state.number else "words"
    return [
        Content(
            _("Only the first {count} {what} are used.").format(count=len(state.words), what=what)
        )
    ]


def _unknown(answer: Answer, width: int) -> list[Content]:
    if not answer.unknown:
        return []
    words = ", ".join(_shown(word) for word in answer.unknown)
    return [
        Content.styled(
            figures.fit(_("not in the vocabulary: {words}").format(words=words), width), MUTED
        )
    ]


def _says(state: State, answer: Answer, width: int) -> list[Content]:
    if state.family == "encoder":
        return _blanks(answer, width)
    if not answer.said:
        return [Content.styled(_("The model ends the text here."), MUTED)]
    least = min(answer.said, key=lambda said: said.probability)
    what = "continues  " if state.family == "decoder" else "output  "
    unsure = _("least certain: “{word}” {percent}").format(
        word=_shown(least.word), percent=figures.percent(least.probability)
    )
    words = ((_shown(said.word), "bold") for said in answer.said)
    unsure = clipped(unsure, width)
    return [*_wrapped(what, words, width), Content.styled(unsure, MUTED)]


def _blanks(answer: Answer, width: int) -> list[Content]:
    """Return the encoder's and the decoder's guesses for each blank."""
    if not answer.said:
        return [Content.styled(_("There is no blank. Replace a word with _."), MUTED)]
    return [
        line
        for said in answer.said
        for line in (
            _guessed("encoder", said.guesses, width),
            _guessed("decoder", said.left, width),
            _of_the_same(said),
        )
    ]


def _guessed(who: str, guesses: Sequence[Guess], width: int) -> Content:
    gap = "   "
    said = (f"{_shown(guess.word)} {figures.percent(guess.probability)}" for guess in guesses)
    groups = ([(each, "" if place else "bold"), (gap, "")] for place, each in enumerate(said))
    return Content.assemble((f"{who:<13}", MUTED), *as_many_as_fit(groups, width - 13 + len(gap)))


def _of_the_same(said: Said) -> Content:
    """Return a line with the probability that each of the two models assigns to a word.

    The encoder chose the word, and the decoder sees only the words before it.
    """
    both, left = said.probability, said.left_probability
    return Content.assemble(
        (f"“{_shown(said.word)}” ", "bold"),
        figures.percent(both),
        (_(" with both sides, "), MUTED),
        figures.percent(left),
        (_(" with the left side only"), MUTED),
    )


def _map(state: State, attention: Attention, width: int, height: int) -> list[Content]:
    """Return the attention map, with a row for each word and a column for each word attended to."""
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
    """Return the cells of one row: the attention in percent, or the mask."""
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
        pairs = list(product(range(len(attention.rows)), range(len(attention.columns))))
        may = sum(may_look(state.part, row, column) for row, column in pairs)
        said = _("allowed   {may} of {count} pairs").format(may=may, count=len(pairs))
    else:
        head = (
            _("head {head} of {heads}").format(head=state.head, heads=attention.heads)
            if state.head
            else _("all heads")
        )
        said = _("layer {layer} of {layers}, {head}").format(
            layer=state.layer + 1, layers=attention.layers, head=head
        )
        said += _(", in %") if width >= ROOMY else ""
    if len(name) + len(said) + 3 > width:
        name = SHORT_NAMES[state.part]
    return Content.assemble((f"{name}   ", ""), (figures.fit(said, width - len(name) - 3), MUTED))


def _taken(state: State, attention: Attention, width: int) -> Content:
    """Return a sentence about the selected row or, if the mask is shown, about the mask."""
    if state.masks:
        return Content.styled(clipped(SEES[state.family], width), MUTED)
    shares = attention.row(state.layer, state.head, state.focus)
    order = sorted(range(len(shares)), key=lambda at: -shares[at])[:3]
    word = _shown(attention.rows[state.focus])
    parts: list[str | tuple[str, str]] = [(word, "bold"), (_(" attends to   "), MUTED)]
    for at in order:
        if shares[at] >= _WORTH_A_WORD:
            place = "" if attention.columns.count(attention.columns[at]) < 2 else f" ({at + 1})"
            share = f"{100 * shares[at]:.0f} %   "
            parts += [f"{_shown(attention.columns[at])}{place} ", (share, MUTED)]
    return Content.assemble(*parts)


def _mixed(state: State, width: int) -> list[Content]:
    """Return a note that attention can be off by one digit, or [] if the input isn't a number."""
    if state.masks or not state.number or state.part != "across" or width < len(MIXED):
        return []
    return [Content.styled(MIXED, MUTED)]


VIEW = FamiliesView
