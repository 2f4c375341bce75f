"""The view of the "One word, two sentences" lab."""

from __future__ import annotations

from itertools import zip_longest
from typing import ClassVar

from rich.cells import cell_len
from textual.content import Content

from tutor.app.theme import ACT, MUTED
from tutor.app.widgets import figures
from tutor.app.widgets.plot import upright
from tutor.labs.kit.columns import ROOMY, Room
from tutor.labs.kit.keys import LEFT_RIGHT, Keys, key, pair, tab
from tutor.labs.kit.tabs import tabs
from tutor.labs.kit.view import LabView, Offered, does
from tutor.labs.kit.words.lines import cosine
from tutor.labs.word_in_context import lab
from tutor.labs.word_in_context.lab import By, State
from tutor.labs.word_in_context.sentence_pair import Sentence
from tutor.language import _
from tutor.text import safe

NAMES: dict[By, str] = {
    "lens": _("next token"),
    "rows": _("nearest rows"),
    "difference": _("difference"),
}
_HEADINGS: dict[By, str] = {
    "lens": _("the next token if the network stopped at this layer"),
    "rows": _("the embedding rows nearest to the vector, with cosines"),
    "difference": _("the embedding rows nearest to this vector minus the other, with cosines"),
}
_HIGH = 20
"""The minimum height, in rows, at which there is a gap above the tabs."""
_LEAST_NAMES = 3
"""The minimum number of tokens for each vector. If they don't fit, the view scrolls."""
_NUMBER = 5
"""The width of the margin to the left of a sentence, in columns."""
_SCALE = 7
"""The width of the margin to the left of the bars, in columns."""


class WordInContextView(LabView):
    """A view of the two sentences, a bar chart of the cosines, and the vectors after one layer.

    Each vector is shown with the tokens that match it best.
    """

    BINDINGS: ClassVar[Keys] = [
        *pair(LEFT_RIGHT, "move_focus(*, 'layer')", "layer", "Choose a layer."),
        key("f", "furthest", "furthest apart", "Go to the layer where the vectors differ most."),
        *tab(
            "choose(*, 'way')",
            "view",
            "Show the next token, the nearest rows, or the difference.",
        ),
        key(
            "x",
            "choose(1, 'pair')",
            "example",
            "Load the next pair of sentences.",
            id="next example",
        ),
        key("e", "edit", "edit", "Edit the two sentences, separated by a /."),
    ]
    OFFERED: ClassVar[Offered[State]] = {
        "move_focus": lambda state: state.compared is not None,
        "furthest": lambda state: state.compared is not None,
    }

    action_furthest = does(lab.GoToFurthest)

    def action_edit(self) -> None:
        chosen = self.state.chosen
        text = f"{chosen.first.marked} / {chosen.second.marked}"
        label = _("Two sentences separated by /, with the word in *asterisks*:")
        self.write("text", label, text, lab.write)

    def lines(self, state: State, width: int, height: int) -> list[Content]:
        room = Room(width, height)
        gap = [] if room.low else [Content("")]
        both = (("1", state.chosen.first), ("2", state.chosen.second))
        sentences = [_sentence(number, sentence, width) for number, sentence in both]
        if state.compared is None:
            return [*sentences, *gap, Content("  …")]
        rows = 2 if room.low else max(3, min(6, height - 14))
        above = [
            *sentences,
            *gap,
            *_bars(state.compared, state.layer, width, rows),
            _figures(state.compared, state.layer, width),
            *(gap if height >= _HIGH else []),
            tabs([(NAMES[by], by == state.by) for by in lab.WAYS]),
            *([_heading(state)] if room.roomy and not room.low else []),
        ]
        return [*above, *_names(state, width, height - len(above) - 1)]


def _heading(state: State) -> Content:
    said = _HEADINGS[state.by]
    if state.by == "lens" and state.layer == 0:
        said = _("the next token if the network had no layers, so not a useful prediction")
    return Content.styled(f"  {said}", MUTED)


def _sentence(number: str, sentence: Sentence, width: int) -> Content:
    """Return a sentence on one line. If it is too long, its beginning is cut off."""
    before, word = safe(sentence.before), safe(sentence.word)
    after = safe(sentence.text[sentence.end :])
    room = max(0, width - _NUMBER - cell_len(word) - min(1, cell_len(after)))
    if cell_len(before) > room:
        while cell_len(before) > max(0, room - 1):
            before = before[1:]
        before = f"…{before}"
    return Content.assemble((f"  {number}  ", MUTED), before, (word, "bold underline"), after)


def _bars(compared: lab.Compared, layer: int, width: int, height: int) -> list[Content]:
    """Return a bar chart with the cosine similarity in the embedding table and after each layer.

    The mark `▲` is below the bar of the selected layer.
    """
    values = compared.cosines
    scale = _SCALE if len(values) + _SCALE < width else 0
    size = max(1, min(3, (width - scale - 1) // len(values)))
    shown = upright(values, height, size)
    ends = {0: "1.00", height - 1: "0.00"}
    marks = [f"{ends.get(line, ''):>{_SCALE - 2}}  "[:scale] for line in range(len(shown))]
    lines = [
        Content.assemble((mark, MUTED), (bars, "$likely-3"))
        for mark, bars in zip(marks, shown, strict=True)
    ]
    here = " " * (scale + layer * size) + "▲" * size
    return [*lines, Content.styled(here, f"{ACT} bold")]


def _figures(compared: lab.Compared, layer: int, width: int) -> Content:
    where = _("layer {layer}").format(layer=layer) if layer else _("embedding")
    wide = width >= ROOMY
    parts: list[tuple[str, str]] = [
        (f"  {where:<9}", "bold"),
        (f"  {_('cosine ') if wide else ''}{cosine(compared.cosines[layer]).strip()}", ""),
    ]
    if compared.others:
        said = _("two different words: {mean} on average") if wide else _("other words {mean}")
        mean = cosine(compared.others[layer]).strip()
        parts.append((f"   {said.format(mean=mean)}", MUTED))
    return Content.assemble(*parts)


def _names(state: State, width: int, count: int) -> list[Content]:
    """Return a table of up to `count` tokens for each vector, or at least `_LEAST_NAMES`."""
    assert state.compared is not None
    if state.names is None:
        return [Content("  …")]
    if state.by == "difference" and state.compared.cosines[state.layer] > lab.ONE:
        return [Content(_("  No difference: the two vectors are equal here."))]
    column = max(16, (width - 4) // 2)
    count = max(_LEAST_NAMES, count)
    rows = zip_longest(state.names.first[:count], state.names.second[:count])
    lines = [
        Content.assemble("  ", *_named(one, column, state.by), *_named(other, column, state.by))
        for one, other in rows
    ]
    labels = f"  {_('sentence 1'):<{column}}{_('sentence 2')}"
    return [Content.styled(labels, MUTED), *lines]


def _named(named: lab.Named | None, column: int, by: By) -> list[tuple[str, str]]:
    if named is None:
        return [(" " * column, "")]
    value = figures.percent(named.value) if by == "lens" else cosine(named.value)
    name = min(22, column - figures.PERCENT_WIDTH - 2)
    shown = f"{figures.fit(figures.shown(named.token), name)}{value:>{figures.PERCENT_WIDTH}}"
    return [(shown.ljust(column), "")]


VIEW = WordInContextView
