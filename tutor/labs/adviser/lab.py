"""A lab that ranks options by how well they meet the learner's needs.

The learner sees how the ranking is computed, and the reason for every rating.

`data` defines the needs, options and cases, `data_files` loads them, and `rule` ranks the options.
The lab doesn't use the model. The backend only loads the data and saves results to files.
"""

from __future__ import annotations

from typing import Literal, get_args

import msgspec
from msgspec.structs import replace

from tutor.errors import LabError
from tutor.labs.adviser import rule
from tutor.labs.adviser.data import Advice, Case
from tutor.labs.kit.actions import Adjust, Choose, MoveFocus, Reset, ShowView, Toggle, moved
from tutor.labs.kit.lab import Goal, Lab, goal
from tutor.labs.kit.work import work

View = Literal["needs", "reasons", "cases"]
VIEWS: tuple[View, ...] = get_args(View)

LOCAL, NO_LLM = "local", "no-llm"
"""The ids of the options that the lab's goals mention."""
ENOUGH_CASES = 5
AT_ONCE = 2
"""The number of cases that the learner must solve on the first pick to reach a goal. If later
picks counted, trying one option after another would be enough."""


class PickOption(msgspec.Struct, frozen=True, tag_field="do", tag="pick"):
    """Pick the focused option as the solution of the current case."""


class SaveResult(msgspec.Struct, frozen=True, tag_field="do", tag="keep"):
    """Save the result to a file."""


Weighing = (
    Adjust[Literal["weight"]] | Toggle[Literal["must"]] | Choose[Literal["case", "kind"]] | Reset
)
"""`Adjust` changes the weight of the focused need, and `Toggle` makes the need a must, or an
ordinary need again. `Choose` selects the next kind of the need, or the next case; case 0 is the
learner's own task. `Reset` resets all needs in the current case."""
Action = ShowView[View] | MoveFocus[Literal["need", "option"]] | Weighing | PickOption | SaveResult


class Settings(msgspec.Struct, frozen=True, order=True):
    """The learner's settings for one case.

    For each need, `weights` has its weight (0 to 3), `kinds` has the index of the chosen kind, and
    `musts` is True if the need is a must.
    """

    weights: tuple[int, ...]
    kinds: tuple[int, ...]
    musts: tuple[bool, ...]


class Read(msgspec.Struct, frozen=True, tag=True):
    """A request for the adviser's data."""


class Save(msgspec.Struct, frozen=True, tag=True):
    """A request to save the settings and the pick of a case. Case 0 is the learner's own task."""

    case: int
    settings: Settings
    picked: int | None


class Saved(msgspec.Struct, frozen=True, tag=True):
    """The response to `Save`. It contains the path of the saved file."""

    path: str


Question = Read | Save
Answer = Advice | Saved


class State(msgspec.Struct, frozen=True, kw_only=True):
    """The state of the lab.

    Attributes:
        case: The index of the current case. Case 0 is the learner's own task.
        settings: The settings of each case.
        picked: The index of the option picked in each case, or None.
        before: The settings of the current case before the last change.
        need: The index of the focused need.
        option: The index of the focused option.
        owed: The result that is being saved.
        saved: The file of the most recently saved result.
        missed: The case and the settings of each pick that was not defensible.
        solved: The cases with a defensible pick.
        at_once: The cases in which the first pick was defensible.
    """

    advice: Advice | None = None
    view: View = "needs"
    case: int = 0
    settings: tuple[Settings, ...] = ()
    picked: tuple[int | None, ...] = ()
    before: Settings | None = None
    need: int = 0
    option: int = 0
    owed: Save | None = None
    saved: Saved | None = None
    missed: frozenset[tuple[int, Settings]] = frozenset()
    solved: frozenset[int] = frozenset()
    at_once: frozenset[int] = frozenset()

    @property
    def now(self) -> Settings:
        """The settings of the current case."""
        return self.settings[self.case]


def act(state: State, action: Action) -> State:
    """Return the state after an action.

    Raises `LabError` if the learner picks an option before setting any weight, or picks again with
    the same settings after a pick that was not defensible.
    """
    advice = state.advice
    if advice is None:
        return state
    state = replace(state, saved=None)
    match action:
        case ShowView(view=view):  # Focus the option in first place when leaving the needs.
            first = ranking(advice, state.now)[0].option
            option = first if state.view == "needs" else state.option
            return replace(state, view=view, option=option)
        case MoveFocus(by=by, axis="need"):
            return replace(state, need=moved(state.need, by, len(advice.needs)))
        case MoveFocus(by=by):
            order = [row.option for row in ranking(advice, state.now)]
            place = moved(order.index(state.option), by, len(order))
            return replace(state, option=order[place])
        case Choose(by=by, what="case"):
            return replace(state, case=moved(state.case, by, len(state.settings)), before=None)
        case PickOption():
            return _picked(state, advice)
        case SaveResult():
            return replace(state, owed=Save(state.case, state.now, state.picked[state.case]))
        case Adjust() | Toggle() | Choose() | Reset():
            settings = _changed(state.now, advice, state.need, action)
            if settings == state.now:
                return state
            before, after = state.settings[: state.case], state.settings[state.case + 1 :]
            return replace(state, settings=(*before, settings, *after), before=state.now)


def question(state: State) -> Question | None:
    return Read() if state.advice is None else state.owed


def receive(state: State, question: Question, answer: Answer) -> State:
    match answer:
        case Saved():
            return replace(state, owed=None, saved=answer)
        case Advice():
            return _opened(state, answer)


def _opened(state: State, advice: Advice) -> State:
    """Return the state with the loaded data.

    Settings and picks restored from an earlier session are dropped if they don't fit the data.
    """
    every = (nothing_weighed(advice),) * (1 + len(advice.cases))
    settings, picked = state.settings, state.picked
    fits = len(settings) == len(picked) == len(every) and all(
        _fits(each, pick, advice) for each, pick in zip(settings, picked, strict=True)
    )
    return replace(
        state,
        advice=advice,
        settings=settings if fits else every,
        picked=picked if fits else (None,) * len(every),
        case=moved(state.case, 0, len(every)),
        need=moved(state.need, 0, len(advice.needs)),
        option=moved(state.option, 0, len(advice.options)),
    )


def _fits(settings: Settings, pick: int | None, advice: Advice) -> bool:
    """Return True if a case's restored settings and restored pick are valid for the data."""
    lists = (settings.weights, settings.kinds, settings.musts)
    return (
        all(len(values) == len(advice.needs) for values in lists)
        and all(0 <= weight <= rule.HIGHEST for weight in settings.weights)
        and all(
            0 <= kind < len(need.kinds)
            for kind, need in zip(settings.kinds, advice.needs, strict=True)
        )
        and (pick is None or 0 <= pick < len(advice.options))
    )


def _reset_case(state: State) -> State | None:
    if state.advice is None or state.now == nothing_weighed(state.advice):
        return None
    return act(state, Reset())


def nothing_weighed(advice: Advice) -> Settings:
    needs = len(advice.needs)
    return Settings((0,) * needs, (0,) * needs, (False,) * needs)


def _changed(settings: Settings, advice: Advice, need: int, action: Weighing) -> Settings:
    """Return the settings after an action on the focused need, or on all needs."""

    def with_(values: tuple[int, ...], value: int) -> tuple[int, ...]:
        return (*values[:need], value, *values[need + 1 :])

    weights, kinds, musts = settings.weights, settings.kinds, settings.musts
    match action:
        case Adjust(by=by):
            weight = moved(weights[need], by, rule.HIGHEST + 1)
            return replace(settings, weights=with_(weights, weight))
        case Toggle():
            flipped = tuple(must != (place == need) for place, must in enumerate(musts))
            return replace(settings, musts=flipped)
        case Choose(by=by):
            kind = (kinds[need] + by) % len(advice.needs[need].kinds)
            return replace(settings, kinds=with_(kinds, kind))
        case Reset():
            return nothing_weighed(advice)


def refusal(state: State) -> LabError | None:
    """Return the reason why the learner can't pick an option now, or None if picking is possible.

    A pick requires at least one weight or must. After a pick that was not defensible, the learner
    must change the settings before picking again.
    """
    if not any(state.now.weights) and not any(state.now.musts):
        return LabError("All weights are still 0.", "Press Tab and set some weights first.")
    if state.case not in state.solved and (state.case, state.now) in state.missed:
        return LabError(
            "You have already made a pick with these weights.",
            "Press Tab, change the weights, and pick again.",
        )
    return None


def _picked(state: State, advice: Advice) -> State:
    if (refused := refusal(state)) is not None:
        raise refused
    number = state.case
    picked = list(state.picked)
    picked[number] = state.option
    state = replace(state, picked=tuple(picked))
    case = case_of(advice, number)
    if case is None or number in state.solved:
        return state
    if not case.defensible[state.option]:
        return replace(state, missed=state.missed | {(number, state.now)})
    first = number not in {each for each, _ in state.missed}
    return replace(
        state,
        solved=state.solved | {number},
        at_once=state.at_once | {number} if first else state.at_once,
    )


def case_of(advice: Advice, number: int) -> Case | None:
    """Return the case with this number, or None for number 0, the learner's own task."""
    return advice.cases[number - 1] if number else None


def table(advice: Advice, settings: Settings) -> rule.Table:
    """Return the level of each option for the chosen kind of each need."""
    chosen = [need.kinds[kind] for need, kind in zip(advice.needs, settings.kinds, strict=True)]
    return rule.Table(
        tuple(
            tuple(option.serves[kind.place].level for kind in chosen) for option in advice.options
        ),
        tuple(kind.least for kind in chosen),
    )


def ranking(advice: Advice, settings: Settings) -> tuple[rule.Place, ...]:
    return rule.ranking(table(advice, settings), settings.weights, settings.musts)


def lead(advice: Advice, settings: Settings) -> frozenset[int]:
    return rule.lead(table(advice, settings), settings.weights, settings.musts)


def deciding(advice: Advice, settings: Settings, option: int) -> rule.Deciding | None:
    return rule.deciding(table(advice, settings), settings.weights, settings.musts, option)


def _first(state: State, option: str) -> bool:
    advice = state.advice
    return advice is not None and lead(advice, state.now) == {advice.option(option)}


@goal("one-weight", "Change one weight so that first place goes to another option")
def _one_weight_decides(state: State) -> bool:
    """Return True if the last action changed one weight, and replaced all options in first place.

    It returns False if any option that was in first place before is still there.
    """
    if state.advice is None or state.before is None:
        return False
    before, now = state.before, state.now
    changed = sum(one != other for one, other in zip(before.weights, now.weights, strict=True))
    led, leads = lead(state.advice, before), lead(state.advice, now)
    alike = (before.kinds, before.musts) == (now.kinds, now.musts)
    return changed == 1 and alike and bool(led) and bool(leads) and not led & leads


@goal("must", "Set a must that excludes every option in first place")
def _must_excludes_first(state: State) -> bool:
    if state.advice is None or state.before is None:
        return False
    before, now = state.before, state.now
    alike = (before.kinds, before.weights) == (now.kinds, now.weights)
    led, leads = lead(state.advice, before), lead(state.advice, now)
    return alike and before.musts != now.musts and bool(led) and bool(leads) and not led & leads


FIRST = -100
"""A number of steps that is large enough to move the focus to the top of any list."""


def _solved(*weighing: Action) -> tuple[Action, ...]:
    """Return actions that solve the next case: set weights, then pick the option in first place."""
    return (Choose(1, "case"), *weighing, MoveFocus(FIRST, "option"), PickOption())


_MUST: Action = Toggle("must")
_KIND: Action = Choose(1, "kind")


def _weight(by: int) -> Action:
    return Adjust(by, "weight")


def _on(need: int, *actions: Action) -> tuple[Action, ...]:
    return (MoveFocus(FIRST, "need"), MoveFocus(need, "need"), *actions)


LAB: Lab[State, Action, Question, Answer] = Lab(
    name="adviser",
    title="Adviser",
    about="Weigh the needs of a task and choose the kind of AI for it",
    order=250,
    lesson="choosing",
    task=(
        "Give each need of a task a weight, and watch the ranking: points are the sum of "
        "weight × level, where the level rates how well an option meets a need. Then solve "
        "cases: read the reasons, and pick an option that you can defend."
    ),
    asks_model=False,
    private=lambda question: isinstance(question, Save),
    start=State,
    act=act,
    question=question,
    receive=receive,
    work=work(
        *("view", "case", "settings", "picked", "need", "option", "missed", "solved", "at_once"),
    ),
    reset_settings=_reset_case,
    goals=(
        Goal(
            "local-first",
            "Rank “Open local model” first, without a tie",
            lambda s: _first(s, LOCAL),
        ),
        Goal(
            "no-llm-first",
            "Rank “No LLM” first, without a tie",
            lambda s: _first(s, NO_LLM),
        ),
        _one_weight_decides,
        _must_excludes_first,
        Goal(
            "five-cases",
            "Solve five cases, two of them with your first pick",
            lambda state: len(state.solved) >= ENOUGH_CASES and len(state.at_once) >= AT_ONCE,
        ),
        Goal("saved", "Save a result to a file (ctrl+s)", lambda state: state.saved is not None),
    ),
    solution=(
        *_on(0, _weight(1)),  # Set a weight for "inputs".
        *_on(5, _weight(1)),  # Set a weight for "privacy", which puts an open local model first.
        *_on(1, _MUST),  # Make "control" a must, which excludes the option in first place.
        Reset(),
        *_on(2, _weight(1)),  # Set a weight for "cost", which puts "No LLM" first.
        *_solved(*_on(4, _weight(3)), *_on(2, _weight(2))),  # Solve the case "letters".
        *_solved(*_on(0, _KIND, _MUST, _weight(3))),  # Solve the case "paintings".
        *_solved(*_on(0, _weight(3)), *_on(5, _MUST, _weight(3))),  # Solve the case "discharge".
        *_solved(*_on(1, _MUST, _weight(3))),  # Solve the case "bank".
        *_solved(*_on(3, _KIND, _weight(3)), *_on(0, _weight(2))),  # Solve the case "handbook".
        SaveResult(),
    ),
)
