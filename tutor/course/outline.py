"""Define the outline of a lesson: its parts without their text.

The course map, the progress screen and the linter use outlines.
"""

from collections.abc import Mapping, Sequence

import msgspec

from tutor.course.lesson import Lesson
from tutor.course.links import Link
from tutor.course.questions.base import type_name

# A course has thousands of outline objects, and none of them can be part of a reference cycle. With
# gc=False, the garbage collector does not track them.


class _Part(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A part of a lesson, such as a screen. `line` is its line in the file, counted from 1."""

    id: str


class ScreenOutline(_Part, frozen=True, gc=False):
    title: str
    line: int = 1


class PredictionOutline(_Part, frozen=True, gc=False):
    line: int = 1


class LabOutline(_Part, frozen=True, gc=False):
    line: int = 1


class QuestionOutline(_Part, frozen=True, gc=False):
    version: int
    type: str
    screen: str | None
    line: int = 1


class Outline(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A lesson without the text of its parts.

    `file` is the name of its file, and `needs_line` is the line of the `needs` field. `language` is
    the code of the language into which the lesson was translated, or empty for an original.
    """

    id: str
    number: int
    version: int
    title: str
    summary: str
    needs: tuple[str, ...]
    screens: tuple[ScreenOutline, ...]
    labs: tuple[LabOutline, ...]
    questions: tuple[QuestionOutline, ...]
    file: str = ""
    links: tuple[Link, ...] = ()
    needs_line: int = 1
    predictions: tuple[PredictionOutline, ...] = ()
    language: str = ""

    def screen(self, screen_id: str) -> ScreenOutline | None:
        return next((screen for screen in self.screens if screen.id == screen_id), None)


def outline_of(
    lesson: Lesson,
    file: str = "",
    lines: Mapping[str, int] = {},
    links: Sequence[Link] = (),
) -> Outline:
    """Return the outline of a lesson. `lines` and `links` are the fields of its `Outcome`."""
    return Outline(
        id=lesson.id,
        number=lesson.number,
        version=lesson.version,
        title=lesson.title,
        summary=lesson.summary,
        needs=lesson.needs,
        screens=tuple(
            ScreenOutline(each.id, each.title, lines.get(each.id, 1)) for each in lesson.screens
        ),
        labs=tuple(LabOutline(each.id, lines.get(each.id, 1)) for each in lesson.labs),
        questions=tuple(
            QuestionOutline(
                each.id, each.version, type_name(each), each.screen, lines.get(each.id, 1)
            )
            for each in lesson.questions
        ),
        file=file,
        links=tuple(links),
        needs_line=lines.get(NEEDS, 1),
        predictions=tuple(
            PredictionOutline(each.id, lines.get(each.id, 1)) for each in lesson.predictions
        ),
    )


NEEDS = "/needs"
"""The key of the `needs` field in `Outcome.lines`.

No id equals this key, because ids contain no slash.
"""
