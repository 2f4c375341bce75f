"""The view of the "Train a tokenizer" lab."""

from __future__ import annotations

from functools import partial
from typing import ClassVar

from textual.binding import Binding
from textual.content import Content

from tutor.app.theme import MUTED
from tutor.app.widgets import bars, figures
from tutor.app.widgets.layout import first_that_fits
from tutor.labs.kit.actions import EditText
from tutor.labs.kit.columns import ROOMY, Column, around, heading, row, wrapped
from tutor.labs.kit.keys import UP_DOWN, Keys, key, pair
from tutor.labs.kit.view import LabView, Offered, does
from tutor.labs.train_tokenizer.lab import (
    SIZES,
    Answer,
    State,
    TrainOnLessons,
    bytes_a_token,
    saved,
)
from tutor.language import _
from tutor.text import counted, visible

_COLUMNS = (
    Column(_("vocabulary"), 14, right=True),
    Column(_("tokens"), 10, right=True),
    Column(_("bytes/token"), 15, right=True),
)
_FIGURES = 40
_WIDEST_BAR = 40
_WIDEST_SHARE = 6
"""The number of bytes per token at which the bar has its full length."""
_LEAST_SIZES = 3
_MERGE_LINES = 2
_OTHER_LINES = 4 + _MERGE_LINES


class TrainTokenizerView(LabView):
    """A view of the token count for each vocabulary size, a tokenized text, and some merges."""

    BINDINGS: ClassVar[Keys] = [
        *pair(UP_DOWN, "adjust(*, 'size')", "size", "Choose the size of the vocabulary."),
        key("t", "try", "tokenize", "Tokenize text with this tokenizer."),
        key("e", "edit", "edit", "Edit the training text."),
        key("z", "reset", "reset", "Train on the lessons of this course again."),
        Binding("l", "lessons", show=False),
    ]
    OFFERED: ClassVar[Offered[State]] = {
        **dict.fromkeys(("lessons", "reset"), lambda state: state.own is not None),
    }

    def action_try(self) -> None:
        label = _("Text to tokenize (spaces count):")
        self.write("tried", label, self.state.tried, partial(EditText, field="tried"))

    def action_edit(self) -> None:
        sample = "the cat sat on the mat, and the hat sat on the cat"
        self.write("text", _("Training text:"), self.state.last_own, EditText, sample=sample)

    action_lessons = does(TrainOnLessons)

    def lines(self, state: State, width: int, height: int) -> list[Content]:
        rows = min(len(SIZES), max(_LEAST_SIZES, height - _OTHER_LINES))
        table = [_size(state, place, width) for place in around(state.size, len(SIZES), rows)]
        return [_source(state, width), heading(_COLUMNS), *table, *_below(state, width)]


def _source(state: State, width: int) -> Content:
    wide = width >= ROOMY
    if state.own is None:
        text = _("the lessons")
    else:
        text = (
            _("your text of {characters}").format(characters=counted(len(state.own), "character"))
            if wide
            else _("your text")
        )
    run = next(iter(state.runs.values()), None)
    size = _(", {byte_count} bytes").format(byte_count=figures.count(run.byte_count)) if run else ""
    cut = (
        _("; {characters} left out").format(characters=counted(state.left_out, "character"))
        if state.left_out
        else ""
    )
    return Content.styled(f"{_('trained on') if wide else 'on'} {text}{size}{cut}", MUTED)


def _size(state: State, place: int, width: int) -> Content:
    size = SIZES[place]
    here = place == state.size
    run = state.runs.get(size)
    tokens = figures.count(run.tokens) if run else "…" if here else "·"
    each = f"{bytes_a_token(run):.2f}" if run else ""
    bar = max(0, min(_WIDEST_BAR, width - _FIGURES - 5))
    share = bytes_a_token(run) / _WIDEST_SHARE if run else 0
    said = figures.count(size)
    if run and run.size < size:
        said = _("{size} of {wanted}").format(size=figures.count(run.size), wanted=said)
    name = (said, "bold" if here else "")
    return row(_COLUMNS, (name, tokens, each, ("   " + bars.bar(share, bar), MUTED)), here=here)


def _below(state: State, width: int) -> list[Content]:
    run = state.run
    if run is None:
        return [Content.styled(_("Training…"), MUTED)]
    return [*_saving(state, width), *_tried(run, width), *_merges(run, SIZES[state.size], width)]


def _saving(state: State, width: int) -> list[Content]:
    if (share := saved(state)) is None:
        return []
    part = f"{share:.1%}".replace("%", " %")
    ways = (
        _("{part} fewer tokens than with half the vocabulary").format(part=part),
        _("{part} fewer than with half").format(part=part),
    )
    return [Content.styled(first_that_fits(ways, width, otherwise=ways[-1]), MUTED)]


def _tried(run: Answer, width: int) -> list[Content]:
    pieces = Content("│").join(Content(visible(piece)) for piece in run.pieces)
    count = _("{tokens} here, {model_pieces} for the model   ").format(
        tokens=counted(len(run.pieces), "token"), model_pieces=run.model_pieces
    )
    line = Content.assemble((count, MUTED), pieces)
    return [line.truncate(width, ellipsis=True)]


def _merges(run: Answer, wanted: int, width: int) -> list[Content]:
    if not run.merges:
        return [Content.styled(_("no merges, only the 256 bytes"), MUTED)]
    shown = [visible(merge) for merge in run.merges]
    said = _("{merges}, starting with  ")
    if run.size < wanted:
        said = _("{merges}, until no pair occurred twice, starting with  ")
    merges = said.format(merges=counted(run.found, "merge"))
    first = Content.assemble((merges, MUTED), "  ".join(shown))
    return wrapped(first, width)[:_MERGE_LINES]


VIEW = TrainTokenizerView
