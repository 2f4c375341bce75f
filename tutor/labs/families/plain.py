"""Describe the state of the lab on Transformer families in sentences, for plain mode."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tutor.labs.families.answers import may_look
from tutor.language import _
from tutor.plain.words import listed, percent, quoted_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tutor.labs.families.answers import Attention, Guess, Part, Said
    from tutor.labs.families.lab import State

HELP = {
    "choose": _("Choose another family for the same text, or another example for this family."),
    "view": _("Choose which attention to show: in the input, in the output, or between the two."),
    "move": _("Move to another layer, head, or row of the attention map. Head 0 is the mean."),
    "toggle": _("Show the mask instead of the attention weights, or show the weights again."),
}
_MOST = 5
_PARTS: dict[Part, str] = {
    "reading": _("within the input"),
    "writing": _("within the output"),
    "across": _("from the output to the input"),
}


def describe(state: State) -> dict[str, list[str]]:
    """Return the family, what its model generated, and one row of its attention."""
    answer = state.answer
    lines = {
        "family": [_("Family: {family}.").format(family=state.family)],
        "text": [_("Text: {text}").format(text=quoted_text(state.text))],
    }
    if answer is None:
        return lines
    if answer.unknown:
        lines["unknown"] = [
            _("Unknown words: {words}.").format(words=listed(answer.unknown, _("and")))
        ]
    lines["output"] = [line for said in answer.said for line in _said(said)]
    lines["attention"] = list(_attention(state, answer.attention[state.part]))
    return lines


def _said(said: Said) -> Iterator[str]:
    yield _("It predicts {word}: {guesses}.").format(word=said.word, guesses=_guesses(said.guesses))
    if said.left:
        yield _(
            "Given only the words before the blank, the decoder expects {guesses}. It gives {word} "
            "a probability of {probability}."
        ).format(
            guesses=_guesses(said.left),
            word=said.word,
            probability=percent(said.left_probability),
        )


def _guesses(guesses: Sequence[Guess]) -> str:
    return listed([f"{each.word} {percent(each.probability)}" for each in guesses[:_MOST]])


def _attention(state: State, attention: Attention) -> Iterator[str]:
    head = (
        _("the mean of all heads") if state.head == 0 else _("head {head}").format(head=state.head)
    )
    row = state.focus
    yield _("Attention {part}: layer {layer}, {head}, row {row}, {word}.").format(
        part=_PARTS[state.part],
        layer=state.layer + 1,
        head=head,
        row=row + 1,
        word=attention.rows[row],
    )
    weights = attention.row(state.layer, state.head, row)
    columns = enumerate(zip(attention.columns, weights, strict=True))
    if state.masks:
        seen = [word for at, (word, __) in columns if may_look(state.part, row, at)]
        yield _("The mask lets it attend to {words}.").format(words=listed(seen, _("and")))
        return
    best = sorted(columns, key=lambda each: -each[1][1])[:_MOST]
    for at, (word, weight) in best:
        yield _("Column {at}, {word}: {weight}.").format(
            at=at + 1, word=word, weight=percent(weight)
        )
