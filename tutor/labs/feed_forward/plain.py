"""Describe the state of the lab on neurons in sentences, for plain mode."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tutor.language import _
from tutor.plain.words import change, listed, quoted_text, token

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tutor.labs.feed_forward.lab import NeuronRow, Neurons, Prediction, State

HELP = {
    "move": _("Move to another block, or to another neuron in the block's list."),
    "toggle": _("Switch the selected neuron off, or on again."),
    "start-over": _("Switch all neurons on again."),
}


def describe(state: State) -> dict[str, list[str]]:
    """Return the neurons of the selected block, and the prediction without those switched off."""
    lines = {"text": [_("Text: {text}").format(text=quoted_text(state.text))]}
    if state.shown is not None and state.focus is not None:
        lines["neuron"] = list(_neuron(state, state.shown, state.focus))
        lines["neurons"] = list(_neurons(state, state.shown))
    if state.off:
        named = [
            _("block {block}, neuron {index}").format(block=each.block + 1, index=each.index + 1)
            for each in state.off
        ]
        lines["off"] = [_("Switched off: {neurons}.").format(neurons="; ".join(named))]
        if state.prediction is not None:
            lines["next"] = list(_prediction(state.prediction))
    return lines


def _neuron(state: State, shown: Neurons, neuron: NeuronRow) -> Iterator[str]:
    yield _("Block {block} of {blocks}, neuron {index} of {hidden}{off}.").format(
        block=state.block + 1,
        blocks=shown.blocks,
        index=neuron.index + 1,
        hidden=f"{shown.hidden:,}",
        off=_(", switched off") if state.neuron in state.off else "",
    )
    yield _("It adds {logits:+.2f} to the logit of {token}.").format(
        logits=neuron.contribution, token=token(shown.target)
    )
    yield _("It promotes {tokens}.").format(tokens=listed([*map(token, neuron.promotes)], _("and")))
    for at, (each, activation) in enumerate(zip(shown.tokens, neuron.activations, strict=True), 1):
        yield _("Activation at token {at}, {token}: {activation:.2f}.").format(
            at=at, token=token(each), activation=activation
        )


def _neurons(state: State, shown: Neurons) -> Iterator[str]:
    yield _("The neurons of block {block} that affect the prediction most:").format(
        block=state.block + 1
    )
    for at, each in enumerate(shown.rows):
        yield _("Row {row}: neuron {index}, {logits:+.2f}{here}.").format(
            row=at + 1,
            index=each.index + 1,
            logits=each.contribution,
            here=_(", selected") if at == state.row else "",
        )


def _prediction(prediction: Prediction) -> Iterator[str]:
    yield _("The prediction changes by {divergence:.3f} bits.").format(
        divergence=prediction.divergence
    )
    yield from (change(each.token, each.before, each.after) for each in prediction.rows)
