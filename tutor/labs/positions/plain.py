"""Describe the state of the lab on positions in sentences, for plain mode."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tutor.language import _
from tutor.plain.words import change, quoted_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tutor.labs.positions.lab import Comparison, State

HELP = {
    "toggle": _(
        "Switch rotary position embedding off or on, shuffle the words, or restore their order."
    ),
    "adjust": _("Shift all positions, or choose a different seed for the random order."),
    "start-over": _("Restore the order and the positions."),
}


def describe(state: State) -> dict[str, list[str]]:
    """Return sentences about the changed text and positions, and their effect."""
    lines = {
        "text": [_("Text: {text}").format(text=quoted_text(state.changed))],
        "order": [
            _("The words are shuffled, with seed {seed}.").format(seed=state.seed)
            if state.shuffled
            else _("The words are in their original order.")
        ],
        "shift": [_("The first token has position {shift}.").format(shift=f"{state.shift:,}")],
        "rotary": [
            _("Rotary position embedding is on.")
            if state.rotary
            else _("Rotary position embedding is off.")
        ],
    }
    if state.result is not None:
        lines["result"] = list(_result(state.result))
    return lines


def _result(result: Comparison) -> Iterator[str]:
    yield _(
        "The prediction changes by {bits:.3f} bits. The word order alone changes it by {order:.3f}."
    ).format(bits=result.divergence, order=result.order_divergence)
    yield _("The surprisal per token is {before:.2f} bits before and {after:.2f} after.").format(
        before=result.bits_before, after=result.bits_after
    )
    yield from (change(each.token, each.before, each.after) for each in result.rows)
