"""Describe the state of the adviser in sentences, for plain mode."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tutor.labs.adviser import lab as adviser
from tutor.labs.adviser import rule
from tutor.labs.adviser.data import LEVELS
from tutor.labs.adviser.words import dated, defensible, listed, title, what_decides
from tutor.language import _
from tutor.plain.words import ended, percent
from tutor.text import counted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tutor.labs.adviser.data import Advice
    from tutor.labs.adviser.lab import State
    from tutor.labs.adviser.rule import Place

HELP = {
    "adjust": _("Change the weight of the selected need: up, down, or a number of steps."),
    "toggle": _("Make the selected need a must, or an ordinary need again."),
    "choose": _("Choose the next case, or another kind of the selected need."),
}


def describe(state: State) -> dict[str, list[str]]:
    """Return the case, the selected need, the ranking, and the reasons for the selected option."""
    advice = state.advice
    if advice is None:
        return {}
    saved = [_("Saved as {path}.").format(path=state.saved.path)] if state.saved else []
    return {
        "case": list(_case(state, advice)),
        "need": list(_need(state, advice)),
        "ranking": list(_ranking(state, advice)),
        "option": list(_reasons(state, advice)) if state.view != "needs" else [],
        "comment": list(_comment(state, advice)),
        "saved": saved,
    }


def _case(state: State, advice: Advice) -> Iterator[str]:
    case = adviser.case_of(advice, state.case)
    if case is None:
        yield _("{title}, followed by {cases}.").format(
            title=title(advice, 0), cases=counted(len(advice.cases), "case")
        )
        return
    yield _("Case {case} of {count}: {title}.").format(
        case=state.case, count=len(advice.cases), title=case.title
    )
    yield case.text


def _need(state: State, advice: Advice) -> Iterator[str]:
    need = advice.needs[state.need]
    kind = need.kinds[state.now.kinds[state.need]]
    yield _("Need {number} of {count}: {name}, weight {weight}{must}. {asks} {kind}").format(
        number=state.need + 1,
        count=len(advice.needs),
        name=need.name,
        weight=state.now.weights[state.need],
        must=_(", a must") if state.now.musts[state.need] else "",
        asks=need.asks,
        kind=ended(kind.name.capitalize()),
    )
    yield _("As a must: {must}").format(must=ended(kind.must))


def _ranking(state: State, advice: Advice) -> Iterator[str]:
    if not any(state.now.weights) and not any(state.now.musts):
        yield _("All weights are 0, so the options are not ranked.")
        return
    for row in adviser.ranking(advice, state.now):
        yield _ranked(state, advice, row)


def _ranked(state: State, advice: Advice, row: Place) -> str:
    name = advice.options[row.option].name
    if row.place is None:
        needs = listed(advice.needs[need].name for need in row.unmet)
        return _("{name} is excluded. It doesn't meet these musts: {needs}.").format(
            name=name, needs=needs
        )
    score = rule.share(row.points, state.now.weights)
    return _("Rank {rank}: {name}, {score}.").format(
        rank=row.place, name=name, score=percent(score)
    )


def _reasons(state: State, advice: Advice) -> Iterator[str]:
    option = advice.options[state.option]
    yield _("Selected option: {name}. {says}").format(name=option.name, says=ended(option.says))
    yield what_decides(advice, state.now, state.option)
    for need, weight in enumerate(state.now.weights):
        if not weight and not state.now.musts[need]:
            continue
        serving = option.serves[advice.needs[need].kinds[state.now.kinds[need]].place]
        yield _("{need}, {level} met, weight {weight} times level {points}: {why}").format(
            need=advice.needs[need].name,
            level=LEVELS[serving.level],
            weight=weight,
            points=serving.level,
            why=serving.why,
        )
        yield from (ended(dated(fact)) for fact in serving.facts)


def _comment(state: State, advice: Advice) -> Iterator[str]:
    case, picked = adviser.case_of(advice, state.case), state.picked[state.case]
    if picked is None:
        return
    yield _("Your pick: {name}.").format(name=advice.options[picked].name)
    if case is None:
        return
    yield _("Defensible.") if case.defensible[picked] else _("Not defensible.")
    yield case.why[picked]
    yield _("What matters: {because}").format(because=case.because)
    if state.case in state.solved:
        yield _("Defensible options: {names}.").format(names=defensible(advice, case))
