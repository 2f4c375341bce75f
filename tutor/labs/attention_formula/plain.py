"""Describe the state of the lab on the attention formula in sentences, for plain mode."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tutor.labs.attention_formula.lab import STEPS, SUM
from tutor.language import _
from tutor.plain.words import number, percent, quoted_text, token

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tutor.labs.attention_formula.lab import State, Worked

HELP = {
    "move": _("Move to another step, layer, head, token or key (the token attended to)."),
    "toggle": _("Switch the division by the root, or the mask, off or on."),
}
_STEPS = (
    _("the dot product of the query with each key"),
    _("the products divided by the square root of the head's size"),
    _("the scores with later tokens masked"),
    _("softmax, which turns scores into weights"),
    _("the weighted sum of the values"),
)


def describe(state: State) -> dict[str, list[str]]:
    """Return the selected step and its result for each token of the text."""
    lines = {"text": [_("Text: {text}").format(text=quoted_text(state.text))]}
    if state.worked is None or state.read is None:
        return lines
    lines["place"] = [
        _("Layer {layer}, head {head}. Query: token {at}, {token}.").format(
            layer=state.layer + 1,
            head=state.head + 1,
            at=state.token + 1,
            token=token(state.tokens[state.token]),
        )
    ]
    lines["step"] = [
        _("Step {step} of {count}: {name}.").format(
            step=state.step + 1, count=STEPS, name=_STEPS[state.step]
        )
    ]
    lines["off"] = list(_left_out(state))
    lines["key"] = [
        _("Selected key: token {at}, {token}.").format(
            at=state.key + 1, token=token(state.tokens[state.key])
        )
    ]
    lines["numbers"] = list(_numbers(state, state.worked))
    if state.step == SUM:
        lines["check"] = list(_check(state.worked))
    return lines


def _left_out(state: State) -> Iterator[str]:
    if not state.divide:
        yield _("The division by the root is off.")
    if not state.hide:
        yield _("The mask is off.")


def _numbers(state: State, worked: Worked) -> Iterator[str]:
    column = (worked.products, worked.scaled, worked.masked, worked.shares, worked.adds)[state.step]
    for at, (each, value) in enumerate(zip(state.tokens, column, strict=True)):
        said = percent(value) if state.step == STEPS - 2 else number(value)
        if at > state.token and state.hide and state.step >= 2:
            said = _("masked")
        elif state.step == SUM:
            said = _("adds a vector of length {length}").format(length=said)
        yield _("Token {at}, {token}: {value}.").format(at=at + 1, token=token(each), value=said)


def _check(worked: Worked) -> Iterator[str]:
    if worked.off is not None:
        yield _("The largest difference from the network's own output is {off:.1e}.").format(
            off=worked.off
        )
