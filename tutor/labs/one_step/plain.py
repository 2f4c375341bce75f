"""Describe the state of the lab on one training step in sentences, for plain mode."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tutor.labs.one_step.lab import ON_WEIGHTS, STAGES
from tutor.language import _
from tutor.plain.words import listed, number, percent, quoted, quoted_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tutor.labs.one_step.lab import Answer, Position, Stage, State, Weights

HELP = {
    "walk": _("Go to the next stage of the step, or to the previous one."),
    "move": _("Select another position in the text, or another tensor."),
    "start-over": _("Start again with an untrained network."),
}
_STAGES: dict[Stage, str] = {
    "text": _("the text, which gives each position its target"),
    "hide": _("the mask, which hides the later bytes from each position"),
    "ask": _("the prediction at each position"),
    "compare": _("the loss, which compares the prediction with the target"),
    "backward": _("backpropagation, which computes the gradients"),
    "move": _("the weight update"),
    "after": _("the loss after the update"),
}


def describe(state: State) -> dict[str, list[str]]:
    """Return sentences about the stage, and about the selected position or tensor."""
    lines = {
        "text": [_("Text: {text}").format(text=quoted_text(state.text))],
        "stage": [
            _("Step {step}, stage {stage} of {count}: {name}.").format(
                step=state.step + 1,
                stage=state.stage + 1,
                count=len(STAGES),
                name=_STAGES[state.at],
            )
        ],
    }
    if state.shown is None or not state.answered:
        return lines
    if state.at in ON_WEIGHTS:
        lines["tensor"] = list(_tensor(state, state.shown.weights[state.tensor]))
    else:
        lines["position"] = list(_position(state, state.shown))
    if state.at in ("compare", "after"):
        lines["loss"] = list(_loss(state, state.shown))
    return lines


def _tensor(state: State, weights: Weights) -> Iterator[str]:
    shape = listed([*map(str, weights.shape)], _("by"))
    yield _("Tensor {name}, {shape}. The norm of its gradient is {norm}.").format(
        name=weights.name, shape=shape, norm=number(weights.norm)
    )
    yield _("Its largest gradient is {gradient}, for a weight of {weight}.").format(
        gradient=number(weights.gradient), weight=number(weights.weight)
    )
    if state.at == "move":
        yield _(
            "Adam's running mean of the gradient is {mean}, and of its square {square}. The weight "
            "changes by {change}, to {after}."
        ).format(
            mean=number(weights.mean),
            square=number(weights.square),
            change=number(weights.change),
            after=number(weights.after),
        )


def _position(state: State, shown: Answer) -> Iterator[str]:
    position = shown.positions[state.position]
    yield _("Position {at} of {count}: {byte}. The target is {target}.").format(
        at=state.position + 1,
        count=len(shown.positions),
        byte=_byte(position.byte),
        target=_byte(position.target.byte),
    )
    if state.at in ("ask", "compare", "after"):
        yield from _prediction(state, position)


def _prediction(state: State, position: Position) -> Iterator[str]:
    best = [f"{_byte(each.byte)} {percent(each.probability)}" for each in position.best]
    yield _("The network expects {best}.").format(best=listed(best))
    yield _("The target's probability is {probability}, which is a loss of {loss:.3f}.").format(
        probability=percent(position.target.probability), loss=position.loss
    )
    if state.at == "after":
        yield _("After the update, the loss is {after:.3f}.").format(after=position.after)


def _loss(state: State, shown: Answer) -> Iterator[str]:
    yield _("The mean loss over all positions is {loss:.3f}.").format(loss=shown.loss)
    if state.at == "after":
        yield _("After the update, the mean loss is {after:.3f}.").format(after=shown.loss_after)


def _byte(byte: int) -> str:
    return quoted(bytes([byte]))
