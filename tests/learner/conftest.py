from __future__ import annotations

from pathlib import Path

import pytest

from tests.learner.learner_sessions import answered
from tutor.learner.progress import Progress
from tutor.learner.records import LessonState


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A learner's folder that does not exist yet."""
    return tmp_path / "learners" / "me"


@pytest.fixture
def filled(folder: Path) -> Path:
    """A folder with two answers, a saved place, and a third answer."""
    progress = Progress.open(folder)
    for number in range(2):
        progress.record(answered(number))
    progress.save_lesson(LessonState(lesson="one-question", screen="ask", visited_at=5.0))
    progress.record(answered(2))
    return folder
