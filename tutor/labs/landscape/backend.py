"""Reads the dated facts of the course."""

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
    """Reads `file` whenever it is asked."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def answer(self, question: Question) -> Answer:
        """Raises `LabError` where the file is not there, `LessonError` where it is not sound."""
        try:
            text = self._file.read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise LabError(f"The file of facts cannot be read: {error}.") from error
        facts = read_facts(text, FACTS)
        return Answer(msgspec.convert(facts, tuple[Known, ...], from_attributes=True))


def make_backend(tools: Tools) -> LandscapeBackend:
    return LandscapeBackend(paths.lessons_folder() / FACTS)
