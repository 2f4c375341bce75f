"""Describe the attention lab's state in sentences, for plain mode."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tutor.labs.attention.lab import PATTERN_NAMES, PATTERNS
from tutor.language import _
from tutor.plain.words import percent, quoted_text, token

if TYPE_CHECKING:
    from tutor.labs.attention.lab import State

_MOST = 5


def describe(state: State) -> dict[str, list[str]]:
    """Return sentences about the selected head, what it attends to, and the ranking of heads."""
    lines = {"text": [_("Text: {text}").format(text=quoted_text(state.text))]}
    if state.sentence is None:
        return lines
    lines["head"] = [
        _("Layer {layer} of {layers}, head {head} of {heads}.").format(
            layer=state.layer + 1,
            layers=state.sentence.layers,
            head=state.head + 1,
            heads=state.sentence.heads,
        )
    ]
    lines["head"] += [
        _("Attention to {pattern}: {probability} on average.").format(
            pattern=PATTERN_NAMES[pattern], probability=percent(score)
        )
        for pattern in PATTERNS
        if (score := state.score(pattern)) is not None
    ]
    if state.known:
        lines["row"] = _row(state)
    if state.view == "finder":
        lines["ranking"] = _ranking(state)
    return lines


def _ranking(state: State) -> list[str]:
    pattern = PATTERN_NAMES[state.pattern]
    said = [_("Heads ranked by attention to {pattern}:").format(pattern=pattern)]
    for rank, (layer, head, score) in enumerate(state.ranking()[:_MOST]):
        here = _(", selected") if rank == state.rank else ""
        said.append(
            _("Layer {layer}, head {head}: {probability}{here}.").format(
                layer=layer + 1, head=head + 1, probability=percent(score), here=here
            )
        )
    return said


def _row(state: State) -> list[str]:
    weights = state.row(state.token)
    best = sorted(range(state.token + 1), key=lambda at: -weights[at])[:_MOST]
    said = [
        _("Token {at}, {token}, attends to:").format(
            at=state.token + 1, token=token(state.tokens[state.token])
        )
    ]
    return said + [
        _("Token {at}, {token}: {probability}.").format(
            at=at + 1, token=token(state.tokens[at]), probability=percent(weights[at])
        )
        for at in best
    ]
