"""Test the labs that the lessons embed, as `tutor lint` does, with exact arithmetic."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.bundled_lessons import NAMES, sound_lesson
from tutor.authoring.ask import Ask
from tutor.authoring.kept_answers import KeptAnswers
from tutor.models.installed import DEFAULT

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("name", NAMES)
def test_all_goals_are_reached_but_none_at_the_start(
    name: str, request: pytest.FixtureRequest, model_cache: Path
) -> None:
    memory = KeptAnswers(DEFAULT.sha256, model_cache / "lint.json")
    ask = Ask(memory, lambda: request.getfixturevalue("exact_model"))
    labs = [lab for lab in sound_lesson(name).lesson.labs if lab.kind == "live"]
    found = {}
    for lab in labs:
        outcome = ask.lab(lab)
        memory.save()
        found[lab.id] = outcome.trouble, outcome.at_start, outcome.reached
    assert found == {lab.id: ("", (), tuple(range(len(lab.goals)))) for lab in labs}
