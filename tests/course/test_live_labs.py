"""Test labs of `tutor.labs` that are embedded in a lesson."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from tutor.course.goals import Evidence, description, goals_reached, name
from tutor.course.lesson import Lab

PIECES = {
    "id": "pieces",
    "kind": "live",
    "live": "tokens",
    "task": "Find a word that costs five tokens.",
    "goals": [{"goal": "live", "name": "five-token-word"}],
}


def lab(**changes: Any) -> Lab:
    return msgspec.convert(PIECES | changes, Lab)


def test_its_goals_are_goals_of_the_lab() -> None:
    (goal,) = lab().goals
    assert description(goal, lab()) == "Write a text of one word that has at least 5 tokens"
    assert name(goal) == "live five-token-word"
    assert goals_reached(lab(), Evidence(live=frozenset({"long-token"}))) == frozenset()
    assert goals_reached(lab(), Evidence(live=frozenset({"five-token-word"}))) == {0}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"live": "tokenz"}, "there is no lab `tokenz`"),
        ({"goals": [{"goal": "reached-end"}]}, "can only have goals of kind `live`"),
        ({"goals": []}, "needs `goals`"),
        ({"prompt": "Once"}, "cannot have a `prompt`"),
        ({"kind": "stepper", "prompt": "Once"}, "only works with `kind: live`"),
    ],
)
def test_invalid_combinations_are_errors(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=said):
        lab(**changes)
