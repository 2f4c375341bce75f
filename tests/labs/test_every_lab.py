"""Test requirements for all labs, with the default model."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.labs.a_few import A_FEW
from tests.shipped_course import shipped_course
from tutor.labs.kit import registry
from tutor.labs.kit.backend import Tools, make_backend
from tutor.labs.kit.lab import LONGEST_ABOUT, solve
from tutor.labs.kit.registry import AnyLab
from tutor.lm.language_model import LanguageModel
from tutor.plain.labs.sentences import describe

TAKES_LONG = frozenset(("generations", "probe", "prompting", "steer"))
"""Labs of `A_FEW` whose solution trains something, or processes or generates a lot of text.

`tests/labs/kit/test_work.py` follows the solutions of all labs on the small model.
"""

SLOW = (pytest.mark.slow, pytest.mark.timeout(1200))

NAMES = [
    name if name in A_FEW - TAKES_LONG else pytest.param(name, marks=SLOW)
    for name in registry.names()
]


class Through:
    """A backend whose questions and answers are encoded and decoded, as between processes."""

    def __init__(self, name: str, tools: Tools) -> None:
        self._lab = registry.find(name)
        self._backend = make_backend(name, tools)

    def answer(self, question: Any) -> Any:
        asked = _over_the_pipe(question, self._lab.questions)
        assert asked == question
        return _over_the_pipe(self._backend.answer(asked), self._lab.answers)


def _over_the_pipe(value: Any, kind: Any) -> Any:
    return msgspec.msgpack.decode(msgspec.msgpack.encode(value), type=kind)


LONGEST_LINE = 700


def described(lab: AnyLab) -> AnyLab:
    """Return a lab that checks the sentences of plain mode before each action."""

    def act(state: Any, action: Any) -> Any:
        for lines in describe(lab.name, state).values():
            assert all(0 < len(line.strip()) <= LONGEST_LINE for line in lines)
        return lab.act(state, action)

    return msgspec.structs.replace(lab, act=act)


@pytest.mark.parametrize("name", NAMES)
def test_the_start_reaches_no_goal_and_the_solution_reaches_all(
    name: str, language_model: LanguageModel, tmp_path: Path
) -> None:
    lab = registry.find(name)
    backend = Through(name, Tools(lambda: language_model, lambda: None, tmp_path))
    at_start, reached = solve(described(lab), backend.answer)
    assert at_start == frozenset()
    assert reached == {goal.name for goal in lab.goals}


TELEGRAPHIC = re.compile(r"[<>≤≥±=]|\d\+|bits/")
"""Signs that stand for words, which a goal spells out."""


@pytest.mark.parametrize("name", registry.names())
def test_goals_are_sentences_without_telegraphic_signs(name: str) -> None:
    for goal in registry.find(name).goals:
        assert goal.says[0].isupper()
        assert not TELEGRAPHIC.search(goal.says), goal.says


def test_the_labs_are_in_the_order_of_the_lessons() -> None:
    labs = registry.every()
    orders = [lab.order for lab in labs]
    assert len(set(orders)) == len(orders)
    numbers = {lesson.id: lesson.number for lesson in shipped_course().lessons}
    lessons = [numbers[lab.lesson] for lab in labs]
    assert lessons == sorted(lessons)


@pytest.mark.parametrize("name", registry.names())
def test_a_lab_is_found_by_name_and_has_goals_and_a_view(name: str) -> None:

    from tutor.labs.kit.view import LabView

    lab = registry.find(name)
    assert lab.name == name
    assert lab.goals
    assert 0 < len(lab.about) <= LONGEST_ABOUT
    assert lab.about[0].isupper()
    assert not lab.about.endswith(".")
    assert len({goal.name for goal in lab.goals}) == len(lab.goals)
    view = registry.load_part(name, "view").VIEW
    assert issubclass(view, LabView)


@pytest.mark.parametrize("name", registry.names())
def test_the_actions_of_a_solution_can_be_written_to_a_file(name: str) -> None:
    lab = registry.find(name)
    for action in lab.solution:
        written = msgspec.json.encode(action)
        assert msgspec.json.decode(written, type=lab.actions) == action
