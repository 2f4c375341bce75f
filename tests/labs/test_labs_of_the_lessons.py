"""Tests the labs that the lessons embed, as `tutor lint` does, in exact arithmetic."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tutor import paths
from tutor.authoring.ask import Ask
from tutor.authoring.kept_answers import KeptAnswers
from tutor.authoring.lint import look_over
from tutor.models.installed import DEFAULT

if TYPE_CHECKING:
    from pathlib import Path

    from tutor.course.lesson import Lab

LABS = [
    lab
    for sound in look_over([paths.lessons_folder()]).lessons
    for lab in sound.lesson.labs
    if lab.kind == "live"
]


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("lab", LABS, ids=lambda lab: lab.id)
def test_all_goals_are_reached_but_none_at_the_start(
    lab: Lab, request: pytest.FixtureRequest, model_cache: Path
) -> None:
    memory = KeptAnswers(DEFAULT.sha256, model_cache / "lint.json")
    outcome = Ask(memory, lambda: request.getfixturevalue("exact_model")).lab(lab)
    memory.save()
    assert outcome.trouble == ""
    assert outcome.at_start == ()
    assert outcome.reached == tuple(range(len(lab.goals)))
