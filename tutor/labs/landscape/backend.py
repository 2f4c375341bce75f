"""Load the course's facts about products."""

from __future__ import annotations

from pathlib import Path

import msgspec

from tutor import paths
from tutor.course.facts import read_facts
from tutor.course.folder import FACTS
from tutor.errors import LabError
from tutor.labs.kit.backend import Tools
from tutor.labs.landscape.lab import Answer, Known, Question


class LandscapeBackend:
    """The lab's backend. It loads the facts from `file` again for each request."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def answer(self, question: Question) -> Answer:
        """Load all facts.

        Raises `LabError` if the file cannot be read, and `LessonError` if the content is invalid.
        """
        try:
            text = self._file.read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise LabError(f"Can't read the facts file: {error}.") from error
        facts = read_facts(text, FACTS)
        return Answer(msgspec.convert(facts, tuple[Known, ...], from_attributes=True))


def make_backend(tools: Tools) -> LandscapeBackend:
    return LandscapeBackend(paths.lessons_folder() / FACTS)
