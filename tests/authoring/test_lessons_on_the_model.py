"""Test that the model confirms what the bundled lessons say about it.

This is `tutor lint`, lesson by lesson, in exact arithmetic. The embedded labs of `tutor.labs` are
left out: tests/labs does them, and they take minutes in this arithmetic.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.bundled_lessons import NAMES, sound_lesson
from tutor.authoring.ask import Ask
from tutor.authoring.attempt import Outcome
from tutor.authoring.claims import check, claims
from tutor.authoring.kept_answers import KeptAnswers
from tutor.models.installed import DEFAULT

if TYPE_CHECKING:
    from pathlib import Path

    from tutor.course.lesson import Lab


class WithoutLiveLabs(Ask):
    def lab(self, lab: Lab) -> Outcome:
        if lab.kind != "live":
            return super().lab(lab)
        return Outcome(reached=tuple(range(len(lab.goals))))


@pytest.mark.slow
@pytest.mark.timeout(1200)  # a minute of arithmetic, on a machine that may be busy
@pytest.mark.parametrize("name", NAMES)
def test_the_model_confirms_it(
    name: str, request: pytest.FixtureRequest, model_cache: Path
) -> None:
    sound = sound_lesson(name)
    assert list(claims(sound)), "a lesson that says nothing about the model"
    memory = KeptAnswers(DEFAULT.sha256, model_cache / "lint.json")
    ask = WithoutLiveLabs(memory, lambda: request.getfixturevalue("exact_model"))
    try:
        assert [str(finding) for finding in check([sound], ask)] == []
    finally:
        memory.save()
