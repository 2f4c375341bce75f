"""Reads the dated facts of the course."""

from __future__ import annotations

from tutor import paths
from tutor.course.facts import FILE, read_facts
from tutor.errors import LabError
from tutor.labs.kit.backend import Tools
from tutor.labs.landscape.lab import Answer, Known, Question


class LandscapeBackend:
    def answer(self, question: Question) -> Answer:
        """Raises `LabError` where the file is not there, `LessonError` where it is not sound."""
        file = paths.lessons_folder() / FILE
        try:
            text = file.read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise LabError(f"The file of facts cannot be read: {error}.") from error
        return Answer(
            tuple(
                Known(
                    fact.product, fact.topic, fact.value, fact.as_of, fact.source, fact.second_hand
                )
                for fact in read_facts(text, FILE)
            )
        )


def make_backend(tools: Tools) -> LandscapeBackend:
    return LandscapeBackend()
