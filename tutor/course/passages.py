"""Convert the text of a course's screens and glossary to passages that can be searched."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tutor.course.links import GLOSSARY
from tutor.course.reading.markup import inline_text, markdown
from tutor.errors import LessonError
from tutor.retrieval.chunks import chunks
from tutor.retrieval.passage import Passage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tutor.course.catalogue import Course
    from tutor.course.lesson import Screen

_ASKED = "**Predict:**"


def course_passages(course: Course) -> tuple[Passage, ...]:
    """Return the passages of all screens, in the order of the course, and then of all terms.

    Lessons that cannot be parsed are skipped. The app shows the error when the lesson is opened.
    """
    return tuple(_passages(course))


def _passages(course: Course) -> Iterator[Passage]:
    for outline in course.outlines:
        try:
            lesson = course.lesson(outline.id)
        except LessonError:
            continue
        for screen in lesson.screens if lesson else ():
            yield from _of_screen(outline.file, screen)
    for term in course.glossary.values():
        yield Passage(GLOSSARY, term.id, 1, term.term, prose(term.text))


def _of_screen(file: str, screen: Screen) -> Iterator[Passage]:
    for passage in chunks(prose(screen.body), file, screen.title):
        yield Passage(file, screen.id, passage.line, screen.title, passage.text)


def prose(text: str) -> str:
    """Return Markdown as paragraphs of plain text, with one line for each table row.

    Diagrams and code are left out, because they make sense only on a screen. Prediction questions
    are left out, because the answers are in other passages.
    """
    paragraphs: list[str] = []
    row: list[str] = []
    in_table = False
    for token in markdown().parse(text):
        match token.type:
            case "table_open":
                in_table = True
                paragraphs.append("")
            case "table_close":
                in_table = False
            case "tr_close":
                paragraphs[-1] = f"{paragraphs[-1]}\n{' | '.join(row)}".strip("\n")
                row = []
            case "inline" if in_table:
                row.append(inline_text(token).strip())
            case "inline" if not token.content.startswith(_ASKED):
                paragraphs.append(inline_text(token).strip())
    return "\n\n".join(filter(None, paragraphs))
