"""Describe the state of the lab on the causal mask in sentences, for plain mode."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tutor.language import _
from tutor.plain.words import percent, quoted_text, token

if TYPE_CHECKING:
    from tutor.labs.mask.lab import State


def describe(state: State) -> dict[str, list[str]]:
    """Return sentences about the prediction at each token, with or without the mask."""
    found = state.shown
    lines = []
    if found is not None:
        for at, each in enumerate(found.tokens):
            after = _("expects {token} with a probability of {probability}").format(
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
        "text": [_("Text: {text}").format(text=quoted_text(state.text))],
        "mask": [_("The causal mask is {switched}.").format(switched=switched)],
        "predictions": lines,
        "mean": [_("The mean surprisal is {bits:.2f} bits.").format(bits=found.mean_bits)]
        if found is not None
        else [],
        "attention": _attention(state),
    }


def _attention(state: State) -> list[str]:
    """Return a sentence about the selected token's attention to later tokens."""
    if state.shown is None:
        return []
    ahead = state.shown.ahead(state.focus)
    return [
        _("Token {at}, {token}, gives {share} of its attention to later tokens.").format(
            at=state.focus + 1, token=token(state.tokens[state.focus]), share=percent(ahead)
        )
    ]
