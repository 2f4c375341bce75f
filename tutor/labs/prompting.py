"""The workbench of prompts: two versions side by side, each scored on the same 20 items."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import msgspec

from tutor.errors import LabError, TextError
from tutor.labs import prompt_scores
from tutor.labs.lab import Goal, Lab
from tutor.labs.prompt_scores import Results, Trial, Tried
from tutor.labs.prompt_tasks import Task, tasks
from tutor.labs.prompt_version import (
    PARTS,
    WRITTEN,
    Part,
    Version,
    choices,
    moved,
    plain_version,
)

LONGEST = 600
"""Characters of a part that the learner writes."""
REMEMBERED = 12
"""So many scored versions are remembered, the latest ones."""
ROWS = 12
"""Rows of the distribution at the decisive token that are told."""

View = Literal["parts", "items", "prompt", "versions"]
VIEWS: tuple[View, ...] = ("parts", "items", "prompt", "versions")


# --- what the learner does ------------------------------------------------------------------------


class Side(msgspec.Struct, frozen=True, tag_field="do", tag="side"):
    """Work on the other version."""


class Move(msgspec.Struct, frozen=True, tag_field="do", tag="move"):
    """Look at the part, item or remembered version that is so many further down."""

    by: int


class Turn(msgspec.Struct, frozen=True, tag_field="do", tag="turn"):
    """Switch a part of this version to another choice, so many further on; without a part, the
    one in focus."""

    by: int
    part: Part | None = None


class Write(msgspec.Struct, frozen=True, tag_field="do", tag="write"):
    """A text of one's own for a part."""

    part: Part
    text: str


class Copy(msgspec.Struct, frozen=True, tag_field="do", tag="copy"):
    """Make this version the same as the other one."""


class Choose(msgspec.Struct, frozen=True, tag_field="do", tag="task"):
    """Another task: so many further on."""

    by: int


class Run(msgspec.Struct, frozen=True, tag_field="do", tag="run"):
    """Score both versions, or stop."""


class See(msgspec.Struct, frozen=True, tag_field="do", tag="see"):
    view: View


class Recall(msgspec.Struct, frozen=True, tag_field="do", tag="recall"):
    """Put the remembered version in focus on this side, with its task."""


Action = Side | Move | Turn | Write | Copy | Choose | Run | See | Recall

# --- what is asked of the model -------------------------------------------------------------------


class Try(msgspec.Struct, frozen=True, tag=True):
    """What does this version get for this item?"""

    trial: Trial
    item: int


class Read(msgspec.Struct, frozen=True, tag=True):
    """What does the model read, exactly?"""

    trial: Trial
    item: int


Question = Try | Read


class Stretch(msgspec.Struct, frozen=True, array_like=True):
    """A stretch of a prompt: a mark of the chat template (`special`), or text."""

    text: str
    special: bool


class Reading(msgspec.Struct, frozen=True, tag=True):
    stretches: tuple[Stretch, ...]
    tokens: int


Answer = Tried | Reading

# --- the lab --------------------------------------------------------------------------------------


class State(msgspec.Struct, frozen=True, kw_only=True):
    """`sides` are versions A and B, of which `side` is worked on; `part`, `item` and `row` are
    what each view looks at. `results` holds what each version got for each item so far. `own`
    remembers what the learner wrote for a part, as one more choice. `seconds` is what an item
    took lately."""

    task: str
    sides: tuple[Version, Version]
    side: int = 1
    view: View = "parts"
    part: int = 0
    item: int = 0
    row: int = 0
    running: bool = False
    results: dict[Trial, tuple[Tried | None, ...]] = {}
    own: dict[Part, str] = {}
    reading: tuple[Read, Reading] | None = None
    seconds: float | None = None

    @property
    def about(self) -> Task:
        return tasks()[self.task]

    @property
    def trials(self) -> tuple[Trial, Trial]:
        return Trial(self.task, self.sides[0]), Trial(self.task, self.sides[1])

    @property
    def version(self) -> Version:
        return self.sides[self.side]

    @property
    def scored(self) -> tuple[Trial, ...]:
        """The versions that all items were asked with, on any task; oldest first."""
        return prompt_scores.scored(self.results)

    @property
    def asked(self) -> tuple[int, int]:
        """How many items of both versions are asked, and how many there are."""
        both = set(self.trials)
        done = sum(each is not None for trial in both for each in self.results.get(trial, ()))
        return done, sum(len(self.about.items) for _ in both)

    def tried(self, side: int, item: int) -> Tried | None:
        found = self.results.get(self.trials[side])
        return found[item] if found else None


def start() -> State:
    task = tasks()["month"]
    version = msgspec.structs.replace(plain_version(task), frame="turns")
    return State(task=task.name, sides=(version, version), part=PARTS.index("examples"))


def act(state: State, action: Action) -> State:
    replace = msgspec.structs.replace
    match action:
        case Side():
            return replace(state, side=1 - state.side)
        case See(view):
            return replace(state, view=view, row=max(0, len(state.scored) - 1))
        case Move(by):
            return _move(state, by)
        case Turn(by, part):
            return _turn(state, by, part or PARTS[state.part])
        case Write(part, text):
            return _write(state, part, text)
        case Copy():
            other = state.sides[1 - state.side]
            return replace(state, sides=(other, other), running=False)
        case Choose(by):
            names = list(tasks())
            return _to_task(state, names[(names.index(state.task) + by) % len(names)])
        case Run():
            done, total = state.asked
            return replace(state, running=not state.running and done < total)
        case Recall():
            if not state.scored:
                raise LabError("No version is scored yet.", "Enter scores both.")
            trial = state.scored[min(state.row, len(state.scored) - 1)]
            return _with(_to_task(state, trial.task), trial.version)


def _move(state: State, by: int) -> State:
    def within(place: int, count: int) -> int:
        return min(max(0, place + by), max(0, count - 1))

    replace = msgspec.structs.replace
    if state.view == "parts":
        return replace(state, part=within(state.part, len(PARTS)))
    if state.view == "versions":
        return replace(state, row=within(state.row, len(state.scored)))
    return replace(state, item=within(state.item, len(state.about.items)))


def _turn(state: State, by: int, part: Part) -> State:
    known = list(choices(state.about, part))
    if (own := state.own.get(part)) is not None and own not in known:
        known.append(own)
    value = getattr(state.version, part)
    at = known.index(value) if value in known else 0
    return _with(state, msgspec.structs.replace(state.version, **{part: _next(known, at, by)}))


def _next(known: list[str | int | float], at: int, by: int) -> str | int | float:
    """Numbers end at their last choice, texts begin again."""
    if isinstance(known[0], str):
        return known[(at + by) % len(known)]
    return known[min(max(0, at + by), len(known) - 1)]


def _write(state: State, part: Part, text: str) -> State:
    if part not in WRITTEN:
        raise LabError(f"{part.capitalize()} is not written.", "← and → switch it.")
    if len(text) > LONGEST:
        raise TextError(f"This part has {len(text)} characters.", f"Use {LONGEST} at most.")
    written = msgspec.structs.replace(state, own={**state.own, part: text.strip()})
    return _with(written, msgspec.structs.replace(state.version, **{part: text.strip()}))


def _with(state: State, version: Version) -> State:
    """This version on this side."""
    sides = (version, state.sides[1]) if state.side == 0 else (state.sides[0], version)
    return msgspec.structs.replace(state, sides=sides, running=False)


def _to_task(state: State, name: str) -> State:
    before, after = state.about, tasks()[name]
    first, second = (moved(version, before, after) for version in state.sides)
    return msgspec.structs.replace(state, task=name, sides=(first, second), item=0, running=False)


def question(state: State) -> Question | None:
    """First what is looked at, then what both versions still lack."""
    for side in (state.side, 1 - state.side):
        if state.tried(side, state.item) is None:
            return Try(state.trials[side], state.item)
    if state.view == "prompt":
        read = Read(state.trials[state.side], state.item)
        if state.reading is None or state.reading[0] != read:
            return read
    if state.running:
        for side, trial in enumerate(state.trials):
            for item in range(len(state.about.items)):
                if state.tried(side, item) is None:
                    return Try(trial, item)
    return None


def heard(state: State, question: Question, answer: Answer) -> State:
    replace = msgspec.structs.replace
    if isinstance(question, Read) and isinstance(answer, Reading):
        return replace(state, reading=(question, answer))
    assert isinstance(answer, Tried)
    items = len(tasks()[question.trial.task].items)
    found = list(state.results.get(question.trial, (None,) * items))
    found[question.item] = answer
    results = _remembered({**state.results, question.trial: tuple(found)}, state.trials)
    new = replace(state, results=results, seconds=answer.seconds)
    done, total = new.asked
    return replace(new, running=new.running and done < total)


def _remembered(
    results: dict[Trial, tuple[Tried | None, ...]], looked_at: tuple[Trial, Trial]
) -> dict[Trial, tuple[Tried | None, ...]]:
    """The latest of those that are scored, as many of those that are not, and what is looked at."""
    for scored in (True, False):
        same = [trial for trial, found in results.items() if (None not in found) == scored]
        for trial in same[: max(0, len(same) - REMEMBERED)]:
            if trial not in looked_at:
                del results[trial]
    return results


def _on(reached: Callable[[Results], bool]) -> Callable[[State], bool]:
    """A goal that only looks at what was measured."""
    return lambda state: reached(state.results)


LAB: Lab[State, Action, Question, Answer] = Lab(
    name="prompting",
    title="Prompts, measured",
    lesson="prompting",
    task=(
        "Two versions of a prompt, A and B. Change one part of B, let Enter score both on 20 "
        "items, and see what the change did."
    ),
    actions=Action,
    questions=Question,
    answers=Answer,
    start=start,
    act=act,
    question=question,
    heard=heard,
    goals=(
        Goal(
            "examples-help",
            "examples: 8 right answers more than without",
            _on(prompt_scores.examples_help),
        ),
        Goal(
            "no-format-error",
            "20 answers, none of them in the wrong form",
            _on(prompt_scores.no_error_of_form),
        ),
        Goal(
            "order-matters",
            "examples turned round: 3 items go otherwise",
            _on(prompt_scores.order_matters),
        ),
        Goal(
            "words-hurt", "words added, nothing else: 5 fewer right", _on(prompt_scores.words_hurt)
        ),
        Goal("apart", "one part, not examples: intervals lie apart", _on(prompt_scores.apart)),
    ),
    solution=(
        Turn(2, "examples"),
        Run(),  # the answers take the form of the examples
        Turn(1, "frame"),
        Run(),  # in plain text there is no error of form
        Turn(-2, "examples"),
        Run(),  # without examples the frame alone makes the difference
        Side(),
        Copy(),
        Turn(1, "place"),
        Turn(1, "rule"),
        Run(),  # a rule between the sentence and its answer
        Choose(-5),  # sentiment
        Copy(),
        Turn(2, "examples"),
        Side(),
        Copy(),
        Turn(1, "order"),
        Run(),
    ),
)
