"""Ranks options by the learner's needs, with a visible rule and a reason for every level.

`data` defines the needs, options and cases, `data_files` reads them, and `rule` ranks the options.
The model is not used. The engine only reads the data and saves the results to files.
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
"""The ids of the options that the goals are about."""
ENOUGH_CASES = 5
AT_ONCE = 2
"""The number of cases that must be solved with the first pick. A learner who tries one option after
another might solve a case by trial and error."""


class PickOption(msgspec.Struct, frozen=True, tag_field="do", tag="pick"):
    """Pick the option in focus for the case."""


class SaveResult(msgspec.Struct, frozen=True, tag_field="do", tag="keep"):
    """Save the result to a file."""


Weighing = (
    Adjust[Literal["weight"]] | Toggle[Literal["must"]] | Choose[Literal["case", "kind"]] | Reset
)
"""`Adjust` changes the weight of the need in focus, and `Toggle` makes it a must or not. `Choose`
selects another kind of this need, or another case; the learner's own task comes before the first
case. `Reset` resets all needs in this case."""
Action = ShowView[View] | MoveFocus[Literal["need", "option"]] | Weighing | PickOption | SaveResult


class Settings(msgspec.Struct, frozen=True, order=True):
    """The weight of each need (0 to 3), the index of its kind, and whether it is a must."""

    weights: tuple[int, ...]
    kinds: tuple[int, ...]
    musts: tuple[bool, ...]


class Read(msgspec.Struct, frozen=True, tag=True):
    """A request for the needs, options and cases."""


class Save(msgspec.Struct, frozen=True, tag=True):
    """A request to save the settings and the pick of a case. Case 0 is the learner's own task."""

    case: int
    settings: Settings
    picked: int | None


class Saved(msgspec.Struct, frozen=True, tag=True):
    """The path of the saved file."""

    path: str


Question = Read | Save
Answer = Advice | Saved


class State(msgspec.Struct, frozen=True, kw_only=True):
    """The state of the lab.

    `settings` and `picked` have one entry for each case, the learner's own task first. `before` are
    the settings of the current case before the last change. `need` and `option` are the indexes of
    the need and the option in focus. `owed` is the result that is being saved, and `saved` is the
    file of the last saved result. `missed` has the case and the settings of each pick that cannot
    be defended. `solved` has the cases with a pick that can be defended, and `at_once` has the
    cases that were solved with the first pick.
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

    Raises `LabError` if the learner picks before setting any weight, or picks again with the same
    weights after a pick that cannot be defended.
    """
    advice = state.advice
    if advice is None:
        return state
    state = replace(state, saved=None)
    match action:
        case ShowView(view=view):  # focus the option in first place when leaving the needs
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
    """Return the state with the needs, options and cases, and with the restored work if it fits."""
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
    """Return whether restored settings and a restored pick are possible."""
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
    """Return the settings after an action on the need in focus, or on all needs."""

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
    """Return the error of a pick in this state, or None if the learner can pick.

    A pick needs at least one weight or must. After a pick that cannot be defended, the learner must
    change the settings before picking again.
    """
    if not any(state.now.weights) and not any(state.now.musts):
        return LabError("All weights are still 0.", "Press Tab and set some weights first.")
    if state.case not in state.solved and (state.case, state.now) in state.missed:
        return LabError(
            "You have already picked with these weights.",
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
    """Return the case with this number, or None for the learner's own task (0)."""
    return advice.cases[number - 1] if number else None


def table(advice: Advice, settings: Settings) -> rule.Table:
    """Return the levels of all options for the chosen kind of each need."""
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
    """Return True if the last action changed one weight and replaced all options in first place."""
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
"""A step upward that is large enough to reach the top of any list."""


def _solved(*weighing: Action) -> tuple[Action, ...]:
    """Return solution steps that weigh the next case and pick the option in first place."""
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
        "weight × level. Then solve cases: read the reasons, and pick an option that you "
        "can defend."
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
        *_on(0, _weight(1)),  # inputs
        *_on(5, _weight(1)),  # privacy: an open local model
        *_on(1, _MUST),  # control, which excludes it
        Reset(),
        *_on(2, _weight(1)),  # cost: no LLM
        *_solved(*_on(4, _weight(3)), *_on(2, _weight(2))),  # letters
        *_solved(*_on(0, _KIND, _MUST, _weight(3))),  # paintings
        *_solved(*_on(0, _weight(3)), *_on(5, _MUST, _weight(3))),  # discharge
        *_solved(*_on(1, _MUST, _weight(3))),  # bank
        *_solved(*_on(3, _KIND, _weight(3)), *_on(0, _weight(2))),  # handbook
        SaveResult(),
    ),
)
