"""Describes the state of the lab on the causal mask in sentences, for plain mode."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tutor.language import _
from tutor.plain.words import percent, token

if TYPE_CHECKING:
    from tutor.labs.mask.lab import State


def describe(state: State) -> dict[str, list[str]]:
    """Return sentences about the prediction at each token, with or without the mask."""
    found = state.readings.get(state.hide)
    lines = []
    if found is not None:
        for at, each in enumerate(found.tokens):
            after = _("expects {token} with {probability}").format(
                token=token(found.best[at]), probability=percent(found.chances[at])
            )
            surprisal = (
                _(", and the next token's surprisal is {bits:.2f} bits").format(bits=found.bits[at])
                if at < len(found.bits)
                else ""
            )
            lines.append(
                _("After token {at}, {token}, the model {after}{surprisal}.").format(
                    at=at + 1, token=token(each), after=after, surprisal=surprisal
                )
            )
    switched = _("on") if state.hide else _("off")
    return {
        "hide": [_("The causal mask is {switched}.").format(switched=switched)],
        "readings": lines,
        "before": [],
    }
