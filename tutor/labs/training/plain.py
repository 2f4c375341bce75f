"""Describe the state of the training lab in sentences, for plain mode."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tutor.labs.training.lab import MOST_STEPS, RATES
from tutor.language import _
from tutor.plain.words import quoted
from tutor.text import counted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tutor.labs.training.lab import State

HELP = {
    "run": _("Train for up to 500 steps, or pause."),
    "adjust": _("Raise or lower the learning rate."),
    "toggle": _("Switch the mask off or on, shuffle the targets, or restore them."),
    "start-over": _("Discard the network. Type this command twice."),
}


def describe(state: State) -> dict[str, list[str]]:
    """Return sentences about the settings, the progress, and the latest losses and sample."""
    return {
        "settings": list(_settings(state)),
        "progress": list(_progress(state)),
        "measured": list(_measured(state)),
        "sure": [_("Type start-over again to discard the network.")] if state.sure else [],
    }


def _settings(state: State) -> Iterator[str]:
    yield _("Learning rate: {rate}.").format(rate=f"{RATES[state.rate]:g}")
    yield _("The mask is on.") if state.mask else _("The mask is off.")
    yield _("The targets are shuffled.") if state.shuffled else _("The targets are real.")


def _progress(state: State) -> Iterator[str]:
    yield _("{done} of at most {most} steps done.").format(
        done=f"{state.done:,}", most=f"{MOST_STEPS:,}"
    )
    if state.points:
        yield _("Training loss at step {step}: {loss:.2f}.").format(
            step=state.points[-1].step, loss=state.points[-1].loss
        )
    if state.lost:
        yield _("The engine stopped, losing {steps}.").format(steps=counted(state.lost, "step"))
    if state.saved is not None:
        yield _("The network of step {step} is saved.").format(step=state.saved)


def _measured(state: State) -> Iterator[str]:
    if not state.measured:
        return
    best = min(state.measured, key=lambda each: each.loss)
    last = state.measured[-1]
    yield _("Held-out loss at step {step}: {loss:.2f}. The lowest so far: {best:.2f}.").format(
        step=last.step, loss=last.loss, best=best.loss
    )
    yield _("Sample at step {step}: {text}.").format(step=last.step, text=quoted(last.sample))
