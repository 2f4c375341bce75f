"""A lab that trains a small GPT. The learner can also break the training on purpose."""

from __future__ import annotations

from typing import Literal

import msgspec
from msgspec.structs import replace

from tutor.labs.kit.actions import Adjust, Reset, Run, Toggle, moved
from tutor.labs.kit.lab import Goal, Lab, goal
from tutor.labs.kit.work import work
from tutor.lm.training.history import Measured, Point

RATES = (0.0001, 0.0003, 0.001, 0.002, 0.005, 0.01, 0.03, 0.1, 0.3, 1.0)
FIRST_RATE = 3
STRETCH = 500
"""The number of steps after which training pauses automatically."""
MOST_STEPS = 5000
"""The maximum number of steps. By then, the network has memorized its training text."""
MEASURED_EVERY = 100
"""The number of steps between measurements. A measurement computes the held-out loss and
generates a sample."""
BELOW = 2.0
TOO_GOOD = 0.5
RUINED = 0.5
"""The network counts as ruined if the held-out loss is this far above its lowest value, in nats."""

Order = Literal["look", "train", "measure", "keep", "save", "back", "drop"]


class Save(msgspec.Struct, frozen=True, tag_field="do", tag="save"):
    """Save the network so that it can be restored later."""


class RestoreSaved(msgspec.Struct, frozen=True, tag_field="do", tag="back"):
    """Restore the saved network."""


Action = (
    Run | Adjust[Literal["rate"]] | Toggle[Literal["mask", "targets"]] | Save | RestoreSaved | Reset
)
"""`Run` starts training for up to `STRETCH` steps, or pauses it. `Toggle` switches the mask on or
off, or switches between real and shuffled targets. The first `Reset` only asks for confirmation.
The second one discards the network and its saved copy."""


class Question(msgspec.Struct, frozen=True, tag=True):
    """A command to the backend, with the training settings.

    "look" returns the training so far. "train" trains for one time slice. "measure" computes the
    held-out loss and generates a sample. "keep" writes the automatic checkpoint. "save", "back" and
    "drop" save, restore and discard the network for the learner. `done` is the number of steps for
    which the lab already has results.
    """

    order: Order
    done: int
    rate: float
    mask: bool
    shuffled: bool


class Answer(msgspec.Struct, frozen=True, tag=True):
    """The training run after `done` steps, and all results that are new since step `began`.

    Attributes:
        points: The losses after step `began`, which replace the lab's losses after that step.
        measured: The measurements from step `began` on, which replace the lab's measurements from
            that step on.
        saved: The step at which the network was saved, or None.
        steps_a_second: The speed in this time slice, or 0 if nothing was trained.
    """

    began: int
    done: int
    points: tuple[Point, ...]
    measured: tuple[Measured, ...]
    saved: int | None
    steps_a_second: float = 0.0


class State(msgspec.Struct, frozen=True, kw_only=True):
    """The state of the lab: the settings, the progress, and the results of the training.

    Attributes:
        rate: The index of the learning rate in `RATES`.
        mask: True if the causal mask is on.
        shuffled: True if the targets are shuffled.
        until: The step at which training pauses automatically.
        done: The number of steps so far.
        points: The loss at each step.
        measured: The measurements so far.
        saved: The step at which the network was saved, or None.
        owed: The commands that are still to be sent.
        found: The number of steps from an earlier session.
        lost: The number of steps that were lost because the engine stopped.
        rescued: True once a ruined network has been replaced with the saved one.
        sure: True while the learner is asked to repeat a reset.
    """

    rate: int = FIRST_RATE
    mask: bool = True
    shuffled: bool = False
    running: bool = False
    until: int = 0
    done: int = 0
    points: tuple[Point, ...] = ()
    measured: tuple[Measured, ...] = ()
    saved: int | None = None
    steps_a_second: float = 0.0
    owed: tuple[Order, ...] = ("look",)
    found: int = 0
    lost: int = 0
    rescued: bool = False
    sure: bool = False

    @property
    def seconds_left(self) -> float | None:
        """The estimated number of seconds until the next pause, or None if it is unknown."""
        return (self.until - self.done) / self.steps_a_second if self.steps_a_second else None

    @property
    def sound(self) -> bool:
        """True if all steps used the mask and the real targets."""
        return all(point.mask and not point.shuffled for point in self.points)


def act(state: State, action: Action) -> State:
    sure, state = state.sure, replace(state, sure=False)
    match action:
        case Run():
            return _paused(state) if state.running else _begun(state)
        case Adjust(by=by):
            return replace(state, rate=moved(state.rate, by, len(RATES)))
        case Toggle(what=what):
            if what == "mask":
                return replace(state, mask=not state.mask)
            return replace(state, shuffled=not state.shuffled)
        case Save():
            return _owing(state, "save") if state.done else state
        case RestoreSaved():
            return (
                _owing(replace(state, running=False), "back") if state.saved is not None else state
            )
        case Reset():
            if not state.done and state.saved is None:
                return State(owed=state.owed)
            if not sure:
                return replace(_paused(state), sure=True)
            return _owing(replace(state, running=False), "drop")


def _reset(state: State) -> State | None:
    return act(state, Reset()) if state.done or state.saved is not None else None


def question(state: State) -> Question | None:
    order: Order
    if _unmeasured(state) and state.owed in ((), ("keep",)):
        order = "measure"  # Measure first, so the checkpoint includes the measurement.
    elif state.owed:
        order = state.owed[0]
    elif state.running:
        order = "train"
    else:
        return None
    return Question(order, state.done, RATES[state.rate], state.mask, state.shuffled)


def _unmeasured(state: State) -> bool:
    due = state.done % MEASURED_EVERY == 0 and (state.running or state.done == state.until > 0)
    return due and (not state.measured or state.measured[-1].step != state.done)


def receive(state: State, question: Question, answer: Answer) -> State:
    ruined = _ruined(state)
    new = replace(
        state,
        done=answer.done,
        points=(*(p for p in state.points if p.step <= answer.began), *answer.points),
        measured=(*(m for m in state.measured if m.step < answer.began), *answer.measured),
        saved=answer.saved,
        steps_a_second=_smoothed(state.steps_a_second, answer.steps_a_second),
    )
    if question.order in state.owed:
        owed = tuple(order for order in state.owed if order != question.order)
        new = replace(new, owed=owed)
    match question.order:
        case "look":
            new = replace(new, found=answer.done)
        case "back":
            better = bool(new.measured) and new.measured[-1].loss + RUINED <= _last(state)
            new = replace(
                new, rescued=state.rescued or (ruined and better), lost=0, until=0,
                mask=True, shuffled=False, rate=FIRST_RATE,
            )  # fmt: skip
        case "drop":
            new = State(owed=new.owed)
        case _ if answer.began < question.done:
            new = replace(new, lost=question.done - answer.began)
        case "train" if new.done >= new.until:
            new = _paused(new)
    return new


def _begun(state: State) -> State:
    until = min((state.done + STRETCH) // MEASURED_EVERY * MEASURED_EVERY, MOST_STEPS)
    return replace(state, running=until > state.done, until=until)


def _paused(state: State) -> State:
    """Return the paused state, with a request for an automatic checkpoint."""
    if not state.running:
        return state
    return _owing(replace(state, running=False), "keep")


def _owing(state: State, order: Order) -> State:
    if order in state.owed:
        return state
    return replace(state, owed=(*state.owed, order))


def _smoothed(before: float, now: float) -> float:
    if not now:
        return before
    return 0.8 * before + 0.2 * now if before else now


def _last(state: State) -> float:
    return state.measured[-1].loss if state.measured else 0.0


def _ruined(state: State) -> bool:
    """Return True if the held-out loss is far above its lowest value."""
    return bool(state.measured) and _last(state) >= RUINED + min(
        each.loss for each in state.measured
    )


@goal("below-two", "Reach a held-out loss below 2 (mask on, real targets)")
def _below(state: State) -> bool:
    return state.sound and any(each.loss < BELOW for each in state.measured)


@goal("too-good", "Reach a loss below 0.5 without the mask, then read the samples")
def _too_good(state: State) -> bool:
    return bool(state.points) and state.points[-1].loss < TOO_GOOD and not state.points[-1].mask


@goal("too-high", "Save, then raise the held-out loss by 0.5 nats with the learning rate alone")
def _too_high(state: State) -> bool:
    return state.sound and _ruined(state)


LAB: Lab[State, Action, Question, Answer] = Lab(
    name="training",
    title="Training",
    about="Train a small GPT from scratch, and break it on purpose",
    order=160,
    lesson="learning",
    task=(
        "Train a GPT with 301,728 parameters from scratch, on the text of this course. "
        "Then break it on purpose and see what happens."
    ),
    trains=True,
    start=State,
    act=act,
    question=question,
    receive=receive,
    work=work("mask", "shuffled", "rescued", rate=len(RATES)),
    reset_settings=_reset,
    reset_is_final=True,
    goals=(
        _below,
        _too_high,
        Goal(
            "rescued",
            "Ruin the network, then restore the one that you saved",
            lambda s: s.rescued,
        ),
        _too_good,
    ),
    solution=(
        Run(),
        Save(),
        Adjust(len(RATES), "rate"),
        Run(),
        RestoreSaved(),
        Toggle("mask"),
        Run(),
    ),
)
