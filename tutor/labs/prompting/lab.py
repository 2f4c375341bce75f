"""A lab that compares two versions of a prompt by their scores on the same 20 items."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import msgspec
from msgspec.structs import replace

from tutor.errors import LabError, TextError
from tutor.labs.kit.actions import (
    Adjust,
    Choose,
    EditText,
    MoveFocus,
    Run,
    ShowView,
    Toggle,
    cycled,
    moved,
)
from tutor.labs.kit.lab import Goal, Lab
from tutor.labs.kit.progress import Progress, at_pace
from tutor.labs.kit.prompts import questions
from tutor.labs.kit.prompts import scores as prompt_scores
from tutor.labs.kit.prompts.questions import Answer, Question
from tutor.labs.kit.prompts.scores import Results, Trial, Tried
from tutor.labs.kit.prompts.tasks import Task, tasks
from tutor.labs.kit.prompts.version import (
    PARTS,
    WRITTEN,
    Part,
    Version,
    choices,
    effective,
    idle,
    on_task,
    plain_version,
)
from tutor.labs.kit.remote import Add, Remove, Sending, lost_model
from tutor.labs.kit.results import ModelResults
from tutor.labs.kit.work import Refused, one_of, work
from tutor.labs.prompting.remote import missing, plan, require_sendable, sendable
from tutor.language import _
from tutor.text import counted
from tutor.vendors.catalogue import RemoteModel
from tutor.vendors.runs import ErrorReport

LONGEST = 600
"""The maximum length of a prompt part that the learner writes, in characters."""
REMEMBERED = 12
"""The maximum number of scored versions in the list. The oldest ones are dropped."""


View = Literal["parts", "items", "prompt", "versions"]
VIEWS: tuple[View, ...] = ("parts", "items", "prompt", "versions")


class Copy(msgspec.Struct, frozen=True, tag_field="do", tag="copy"):
    """Replace the current version with a copy of the other one."""


class Recall(msgspec.Struct, frozen=True, tag_field="do", tag="recall"):
    """Replace the current version with the version selected in the list, and switch to its task."""


Action = (
    Toggle[Literal["side"]]
    | MoveFocus[Literal["row"]]
    | Adjust[Part | Literal["focus"]]
    | EditText
    | Copy
    | Choose[Literal["task"]]
    | Run
    | ShowView[View]
    | Recall
    | Add
    | Remove
)
"""`MoveFocus` moves between parts, items or scored versions, depending on the view. `Adjust`
changes a part of the current version; the dial "focus" means the selected part. The field of
`EditText` is the part to edit."""


class State(msgspec.Struct, frozen=True, kw_only=True):
    """The state of the lab.

    Attributes:
        task: The name of the current task.
        sides: Versions A and B.
        side: The index of the version being edited.
        part: The index of the selected part.
        item: The index of the selected item.
        row: The index of the selected version in the list of scored versions.
        results: The answers so far, for each version on each task.
        own: The learner's own text for each edited part. It is an additional choice for that part.
        reading: The latest request for an exact prompt, and its response.
        seconds: The time that the latest answer took.
        server: The remote model that answers, or None for the loaded model.
        sent: The request that a remote model has received but not answered yet.
        trouble: The error that stopped the last run.
    """

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
    reading: tuple[questions.Read, questions.Reading] | None = None
    seconds: float | None = None
    server: RemoteModel | None = None
    sent: questions.Try | None = None
    trouble: ErrorReport | None = None

    @property
    def about(self) -> Task:
        return tasks()[self.task]

    @property
    def trials(self) -> tuple[Trial, Trial]:
        first, second = (effective(version) for version in self.sides)
        return Trial(self.task, first, self.server), Trial(self.task, second, self.server)

    @property
    def version(self) -> Version:
        return self.sides[self.side]

    @property
    def scored(self) -> tuple[Trial, ...]:
        """The versions with an answer to every item of their task, oldest first."""
        return prompt_scores.scored(self.results)

    @property
    def progress(self) -> Progress:
        """The progress of answering all items with both versions."""
        both = set(self.trials)
        done = sum(each is not None for trial in both for each in self.results.get(trial, ()))
        return at_pace(done, len(both) * len(self.about.items), self.seconds)

    @property
    def complete(self) -> bool:
        """True if both versions have answers to all items."""
        return self.progress.done == self.progress.total

    def tried(self, side: int, item: int) -> Tried | None:
        found = self.results.get(self.trials[side])
        return found[item] if found else None


def start() -> State:
    task = tasks()["month"]
    version = replace(plain_version(task), frame="turns")
    return State(task=task.name, sides=(version, version), part=PARTS.index("examples"))


def act(state: State, action: Action) -> State:
    match action:
        case Toggle():
            return replace(state, side=1 - state.side)
        case ShowView(view=view):
            return replace(state, view=view, row=max(0, len(state.scored) - 1))
        case MoveFocus(by=by):
            return _focused(state, by)
        case Adjust(by=by, dial=dial):
            return _turned(state, by, PARTS[state.part] if dial == "focus" else dial)
        case EditText(text=text, field=field):
            return _written(state, field, text)
        case Copy():
            other = state.sides[1 - state.side]
            return replace(_halted(state), sides=(other, other))
        case Choose(by=by):
            return _to_task(state, cycled(list(tasks()), state.task, by))
        case Run():
            if state.running:
                return _halted(state)
            for trial in state.trials:
                require_sendable(trial)
            return replace(state, running=not state.complete, trouble=None)
        case Recall():
            return _recalled(state)
        case Add():
            return replace(_halted(state), server=action.model)
        case Remove():
            return replace(_halted(state), server=None)


def _mended(state: State) -> State:
    """Return the restored state. If one of the two saved versions is not valid, both are reset."""
    state = replace(state, item=moved(state.item, 0, len(state.about.items)))
    if all(_is_possible(version, state) for version in state.sides):
        return state
    version = replace(plain_version(state.about), frame="turns")
    return replace(state, sides=(version, version))


def _is_possible(version: Version, state: State) -> bool:
    return all(
        len(value) <= LONGEST if part in WRITTEN else value in choices(state.about, part)
        for part in PARTS
        for value in (getattr(version, part),)
    )


def _own_parts(own: dict[Part, str]) -> dict[Part, str]:
    if any(part not in WRITTEN or len(text) > LONGEST for part, text in own.items()):
        raise Refused
    return own


def _halted(state: State) -> State:
    """Return the state after stopping the run. The results so far are kept."""
    return replace(state, running=False, trouble=None)


def _recalled(state: State) -> State:
    if not state.scored:
        raise LabError("No version has been scored yet.", "Press r to score both.")
    trial = state.scored[min(state.row, len(state.scored) - 1)]
    there = replace(_to_task(state, trial.task), server=trial.server)
    return _with(there, trial.version)


def _focused(state: State, by: int) -> State:
    if state.view == "parts":
        return replace(state, part=moved(state.part, by, len(PARTS)))
    if state.view == "versions":
        return replace(state, row=moved(state.row, by, len(state.scored)))
    return replace(state, item=moved(state.item, by, len(state.about.items)))


_IDLE: dict[Part, tuple[str, str]] = {
    "order": ("There are no examples to order.", "Set “examples” to 2 or more first."),
    "place": ("There is no output rule to move.", "Switch on “output rule” first."),
}


def _turned(state: State, by: int, part: Part) -> State:
    if idle(state.version, part):
        raise LabError(*_IDLE[part])
    known = list(choices(state.about, part))
    if (own := state.own.get(part)) is not None and own not in known:
        known.append(own)
    value = getattr(state.version, part)
    at = known.index(value) if value in known else 0
    # Numeric choices stop at the first and last value. Text choices wrap around.
    is_text = isinstance(known[0], str)
    to = (at + by) % len(known) if is_text else moved(at, by, len(known))
    return _with(state, replace(state.version, **{part: known[to]}))


def _written(state: State, field: str, text: str) -> State:
    part = next((part for part in WRITTEN if part == field), None)
    if part is None:
        raise LabError(
            _("You can't edit {field} as text.").format(field=field), "Press ← or → to change it."
        )
    if len(text) > LONGEST:
        raise TextError(
            _("This part of the prompt has {count} characters.").format(count=len(text)),
            _("Use at most {longest}.").format(longest=LONGEST),
        )
    written = replace(state, own={**state.own, part: text.strip()})
    return _with(written, replace(state.version, **{part: text.strip()}))


def _with(state: State, version: Version) -> State:
    sides = (version, state.sides[1]) if state.side == 0 else (state.sides[0], version)
    return replace(_halted(state), sides=sides)


def _to_task(state: State, name: str) -> State:
    before, after = state.about, tasks()[name]
    first, second = (on_task(version, before, after) for version in state.sides)
    return replace(_halted(state), task=name, sides=(first, second), item=0)


def lost(before: State, after: State) -> str:
    """Return a sentence about the model or the version that an action has removed, or ""."""
    if said := lost_model(before.server, after.server):
        return said
    for name, old, new in zip("AB", before.sides, after.sides, strict=True):
        different = [part for part in PARTS if getattr(old, part) != getattr(new, part)]
        # Changing a single part is an edit, not a removal.
        if before.task == after.task and len(different) > 1:
            return _("The earlier version {name} was replaced.").format(name=name)
    return ""


def sends(state: State, action: Action) -> list[Sending]:
    """Return what a run sends if a remote model answers. Stopping a run sends nothing."""
    starts = isinstance(action, Run) and not state.running and not state.complete
    if state.server is None or not starts or not sendable(state.trials):
        return []
    requests = counted(plan(state.trials, state.results).requests, "request")
    what = _("The prompts of both versions, one by one: {requests} now, more with each run").format(
        requests=requests
    )
    return [Sending(state.server, what)]


def question(state: State) -> Question | None:
    """Return the next request, or None.

    The selected item comes first, then the items without an answer. If a remote model answers,
    requests are sent only during a run, so moving the focus never costs money.
    """
    if state.server is None and state.sent is None:
        for side in (state.side, 1 - state.side):
            if state.tried(side, state.item) is None:
                return questions.Try(state.trials[side], state.item)
    if state.view == "prompt":
        read = questions.Read(state.trials[state.side], state.item)
        if state.reading is None or state.reading[0] != read:
            return read
    lacking = (
        questions.Try(each, item) for each in state.trials for item in missing(each, state.results)
    )
    wanted = next(lacking, None) if state.running else None
    if state.sent is None:
        return wanted
    return replace(wanted, sent=True) if state.sent == wanted else questions.Stop()


def receive(state: State, question: Question, answer: Answer) -> State:
    match question, answer:
        case questions.Read(), questions.Reading():
            return replace(state, reading=(question, answer))
        case questions.Try(trial=trial, item=item), questions.Sent():
            return replace(state, sent=questions.Try(trial, item))
        case questions.Try(), questions.Failed(trouble=trouble):
            return replace(state, running=False, sent=None, trouble=trouble)
        case questions.Stop(), questions.Stopped():
            return replace(state, sent=None)
        case questions.Try(trial=trial, item=item), Tried():
            return _with_result(state, trial, item, answer)
        case _:  # Ignore a response that doesn't match its request.
            return state


def _with_result(state: State, trial: Trial, item: int, tried: Tried) -> State:
    found = list(state.results.get(trial, (None,) * len(tasks()[trial.task].items)))
    found[item] = tried
    results = _remembered({**state.results, trial: tuple(found)}, state.trials)
    new = replace(state, results=results, seconds=tried.seconds, sent=None)
    return replace(new, running=new.running and not new.complete)


def _remembered(
    results: dict[Trial, tuple[Tried | None, ...]], looked_at: tuple[Trial, Trial]
) -> dict[Trial, tuple[Tried | None, ...]]:
    """Delete old entries from `results`, and return it.

    The function keeps the latest `REMEMBERED` complete results, the same number of incomplete
    results, and the results of the trials `looked_at`.
    """
    for scored in (True, False):
        same = [trial for trial, found in results.items() if (None not in found) == scored]
        for trial in same[: max(0, len(same) - REMEMBERED)]:
            if trial not in looked_at:
                del results[trial]
    return results


def _on(reached: Callable[[Results], bool]) -> Callable[[State], bool]:
    return lambda state: reached(state.results)


def _is_remote(question: Question) -> bool:
    return isinstance(question, questions.Stop) or question.trial.server is not None


def _of_loaded_model(state: State) -> State:
    """Return the state without the answers of remote models."""
    local = {trial: found for trial, found in state.results.items() if trial.server is None}
    return replace(state, results=local)


def _fit(state: State) -> bool:
    """Return True if the restored answers fit their tasks and are from the loaded model."""
    return all(
        trial.server is None
        and trial.task in tasks()
        and _fits(tasks()[trial.task], trial.version, found)
        for trial, found in state.results.items()
    )


def _fits(task: Task, version: Version, found: tuple[Tried | None, ...]) -> bool:
    return (
        len(found) == len(task.items)
        and all(
            getattr(version, part) in choices(task, part) for part in PARTS if part not in WRITTEN
        )
        and all(tried is None or len(tried.labels) in (0, len(task.labels)) for tried in found)
    )


LAB: Lab[State, Action, Question, Answer] = Lab(
    name="prompting",
    title="Prompts, measured",
    about="Change one part of a prompt and measure the difference",
    order=260,
    lesson="prompting",
    task=(
        "There are two versions of a prompt, A and B. Change one part of B, score both versions "
        "on 20 items, and see what difference the change makes."
    ),
    private=_is_remote,
    sends=sends,
    start=start,
    act=act,
    question=question,
    receive=receive,
    lost=lost,
    undone=_halted,
    results=ModelResults(("results",), fit=_fit, bare=_of_loaded_model),
    work=work(
        *("sides", "view", "item"),
        task=lambda name: one_of(tuple(tasks()))(name),
        side=2,
        part=len(PARTS),
        own=_own_parts,
        mend=_mended,
    ),
    texts=tuple(sorted(WRITTEN)),
    goals=(
        Goal(
            "examples-help",
            "Add examples and get at least 8 more right answers",
            _on(prompt_scores.examples_help),
        ),
        Goal(
            "no-format-error",
            "Score a version whose 20 answers all have the right format",
            _on(prompt_scores.no_error_of_form),
        ),
        Goal(
            "order-matters",
            "Reverse the examples and see at least 3 outcomes change",
            _on(prompt_scores.order_matters),
        ),
        Goal(
            "words-hurt",
            "Add text to one part and get at least 5 fewer right answers",
            _on(prompt_scores.words_hurt),
        ),
        Goal(
            "apart",
            "Change one part other than the examples so that the intervals of A and B don't "
            "overlap",
            _on(prompt_scores.apart),
        ),
    ),
    solution=(
        Adjust(2, "examples"),
        Run(),  # The answers copy the form of the examples.
        Adjust(1, "frame"),
        Run(),  # With the plain-text frame, no answer has the wrong form.
        Adjust(-2, "examples"),
        Run(),  # Without examples, the versions differ only in the frame.
        Toggle("side"),
        Copy(),
        Adjust(1, "rule"),
        Adjust(1, "place"),
        Run(),  # The rule is between the text and the answer.
        Choose(-5, "task"),  # Select the task about sentiment.
        Copy(),
        Adjust(2, "examples"),
        Toggle("side"),
        Copy(),
        Adjust(1, "order"),
        Run(),
    ),
)
