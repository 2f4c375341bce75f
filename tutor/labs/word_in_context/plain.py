"""Describe the state of the lab on a word in two sentences, for plain mode."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tutor.language import _
from tutor.plain.words import ended, listed, number, percent, token

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tutor.labs.word_in_context.lab import By, Compared, Named, Names, State

HELP = {
    "edit": _("Compare two sentences of your own, with a slash between them."),
    "choose": _("Choose another pair of sentences, or another way to name the vectors."),
}
_MOST = 5
_WAYS: dict[By, str] = {
    "lens": _("Named by the logit lens:"),
    "rows": _("Labeled with the tokens of the nearest rows of the embedding table:"),
    "difference": _("Each vector minus the other one, named by the nearest rows:"),
}


def describe(state: State) -> dict[str, list[str]]:
    """Return sentences about the selected pair, and about the similarity of the word's vectors."""
    pair = state.chosen
    lines = {
        "pair": [
            _("First sentence: {text}").format(text=ended(pair.first.marked)),
            _("Second sentence: {text}").format(text=ended(pair.second.marked)),
        ],
        "layer": [
            _("After layer {layer}.").format(layer=state.layer)
            if state.layer
            else _("Layer 0, the embedding.")
        ],
    }
    if state.compared is not None:
        lines["cosine"] = list(_cosines(state, state.compared))
    if state.names is not None:
        lines["names"] = list(_names(state, state.names))
    return lines


def _cosines(state: State, compared: Compared) -> Iterator[str]:
    first, second = map(token, compared.tokens)
    yield _("The cosine of {first} and {second} is {cosine:.2f} here.").format(
        first=first, second=second, cosine=compared.cosines[state.layer]
    )
    if compared.others:
        yield _("For different words, it is {cosine:.2f} on average.").format(
            cosine=compared.others[state.layer]
        )
    yield _("It is lowest after layer {layer}, at {cosine:.2f}.").format(
        layer=compared.furthest, cosine=compared.cosines[compared.furthest]
    )


def _names(state: State, names: Names) -> Iterator[str]:
    yield _WAYS[state.by]
    by_lens = state.by == "lens"
    if by_lens and state.layer == 0:
        yield _("No layer has processed the vectors yet, so this is not a useful prediction.")
    for template, named in (
        (_("First vector: {tokens}."), names.first),
        (_("Second vector: {tokens}."), names.second),
    ):
        yield template.format(tokens=_listed(named[:_MOST], by_lens))


def _listed(named: Sequence[Named], by_lens: bool) -> str:
    said = [
        f"{token(each.token)} {percent(each.value) if by_lens else number(each.value)}"
        for each in named
    ]
    return listed(said, _("and"))
