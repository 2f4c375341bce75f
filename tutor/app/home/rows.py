"""Draw the rows of the course map."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from rich.cells import cell_len
from textual.content import Content

from tutor.app.theme import ACT, MUTED, NOT_YET, RIGHT
from tutor.app.widgets import figures
from tutor.app.widgets.figures import when
from tutor.app.widgets.meter import meter
from tutor.classroom.due import in_few_words, on_the_map
from tutor.language import _
from tutor.study.next_step import AnswerQuestions, LessonStep, ReadLesson
from tutor.text import counted, one_line, safe

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tutor.classroom.due import LessonDue
    from tutor.course.outline import Outline
    from tutor.learner.review import Queue
    from tutor.study.lesson_progress import LessonProgress

_BAR = 10
_WORDS = 12
_VERB = 11
_NARROW = 60
"""The width, in columns, below which lessons have no progress bar."""
_NUMBER, _GAP = 4, 2
_NAMED = 4
"""The maximum number of lessons to name by their numbers."""
_SENTENCE_END = re.compile(r"(?<=[.?!]) ")
_SECONDS = 25
"""The average time, in seconds, that a learner needs to review one question."""


class First(NamedTuple):
    """A row above the lessons: a verb, its object `what`, and a remark.

    `said` is the remark, and `short` is a shorter form of it. If there is too little room, the
    remark is shortened or left out before `what` is cut off. If `act` is true, the verb is
    highlighted.
    """

    verb: str
    what: str
    said: str = ""
    act: bool = True
    short: str = ""

    def draw(self, width: int) -> Content:
        head = Content.styled(f"{self.verb:<{_VERB}}", f"bold {ACT}" if self.act else "")
        row = head + Content(self.what)
        room = width - row.cell_length
        remarks = (self.said, self.short, "") if self.what else (self.said,)
        said = next((each for each in remarks if cell_len(each) <= room), remarks[-1])
        return (row + Content.styled(said, MUTED)).truncate(width, ellipsis=True)


def lesson_row(outline: Outline, step: LessonStep) -> First:
    """Return the row for the next step in the lessons."""
    title = f"{outline.number} {safe(outline.title)}"
    match step:
        case ReadLesson(begun=False):
            return First(_("Begin"), title)
        case ReadLesson(screen=screen):
            at = next(place for place, each in enumerate(outline.screens, 1) if each.id == screen)
            return First(
                _("Continue"),
                title,
                _(" · screen {at} of {count}").format(at=at, count=len(outline.screens)),
                short=_(" · screen {at}").format(at=at),
            )
        case AnswerQuestions(open_=0, running=False, wrong=wrong):
            return First(
                _("Retry"),
                title,
                _(" · {questions} not right yet").format(questions=counted(wrong, "question")),
                short=_(" · {count} not right yet").format(count=wrong),
            )
        case AnswerQuestions(open_=0, wrong=0):
            return First(_("Continue"), title, _(" · questions"))
        case AnswerQuestions(open_=open_, wrong=wrong):
            count = open_ + wrong
            return First(
                _("Continue"),
                title,
                _(" · {questions} left").format(questions=counted(count, "question")),
                short=_(" · {count} left").format(count=count),
            )


def with_left(row: First, lessons: Sequence[int], count: int) -> First:
    """Add a remark on the questions that were left for later in the lessons with these numbers.

    `count` is the number of these questions.
    """
    if not lessons:
        return row
    where = _("lesson {number}").format(number=lessons[0])
    if 1 < len(lessons) <= _NAMED:
        several = _("lessons {numbers} and {last}")
        where = several.format(numbers=", ".join(map(str, lessons[:-1])), last=lessons[-1])
    elif len(lessons) > _NAMED:
        where = _("{count} other lessons").format(count=len(lessons))
    return row._replace(
        said=_(" · also {questions} left in {where}").format(
            questions=counted(count, "question"), where=where
        ),
        short=_(" · {count} left in {where}").format(count=count, where=where),
    )


def review_row(queue: Queue, now: float, *, after_lesson: bool = False) -> First:
    """Return the row for reviews. If `after_lesson`, say that they can wait for the lesson."""
    if queue.due:
        minutes = max(1, round(len(queue.due) * _SECONDS / 60))
        short = _(" · about {minutes}").format(minutes=counted(minutes, "minute"))
        said = short
        if queue.held:
            said += _(", {count} more over today's limit").format(count=queue.held_back)
        elif after_lesson:
            said += _(", now or after the lesson you have begun")
        due = _("{count} due").format(count=len(queue.due))
        return First(_("Review"), due, said, short=short)
    if queue.held:
        said = _("{count} due, over today's limit").format(count=queue.held_back)
        return First(_("Review"), "", said, act=False)
    if queue.next_at is not None:
        return First(
            _("Review"),
            "",
            _("none due, next {when}").format(when=when(queue.next_at, now)),
            act=False,
        )
    return First(_("Review"), "", _("nothing to review yet"), act=False)


class Said(NamedTuple):
    """A lesson's progress in words, and a shorter form for narrow screens."""

    full: Content
    short: Content


def said(where: LessonProgress, due: LessonDue | None, now: float) -> Said:
    """Describe the progress in a lesson. For an assigned lesson, say when it is due."""
    if due is not None:
        style = f"bold {NOT_YET}" if due.overdue else ACT
        texts = (on_the_map(due, now), in_few_words(due))
        return Said(*(Content.styled(text, style) for text in texts))
    style = RIGHT if where.done else MUTED
    wrong = Content.styled(f" · {where.wrong_words}" if where.wrong_words else "", MUTED)
    return Said(
        Content.styled(where.words, style) + wrong, Content.styled(where.short_words, style)
    )


class Room(NamedTuple):
    """The widths, in columns, of the title and of the words after it, for all lessons."""

    title: int
    full: int
    short: int


def room(outlines: Iterable[Outline], all_said: Iterable[Said]) -> Room:
    texts = list(all_said)
    return Room(
        max((Content(safe(each.title)).cell_length for each in outlines), default=0),
        max([_WORDS, *(each.full.cell_length for each in texts)]),
        max([_WORDS, *(each.short.cell_length for each in texts)]),
    )


def map_row(outline: Outline, where: LessonProgress, said: Said, room: Room, width: int) -> Content:
    """Draw the row of a lesson, with its title, a progress bar and a few words."""
    wide = width >= _NARROW
    bar = _BAR + _GAP if wide else 0
    left = width - _NUMBER - _GAP - bar - (room.full if wide else room.short)
    title = figures.fit(safe(outline.title), max(8, min(room.title, left) if wide else left))
    parts = [Content(f"{outline.number:>2}  {title}  ")]
    if wide:
        parts += [meter(where.fraction, _BAR), Content("  ")]
    return Content.assemble(*parts, said.full if wide else said.short)


def summarized_row(
    outline: Outline, where: LessonProgress, said: Said, room: Room, width: int
) -> Content:
    """Draw the row of a lesson with a second line: the first sentence of its summary.

    On a narrow screen, the title takes the whole first line, and the progress is on the second.
    """
    sentence = _SENTENCE_END.split(one_line(outline.summary), maxsplit=1)[0]
    about = Content.styled(sentence, MUTED)
    if width >= _NARROW:
        row = map_row(outline, where, said, room, width).stylize("bold", 0, _NUMBER + room.title)
    else:
        row = Content.styled(f"{outline.number:>2}  {safe(outline.title)}", "bold")
        about = said.short if said.short.plain else about
    lines = (row, Content(" " * _NUMBER) + about)
    return Content("\n").join(line.truncate(width, ellipsis=True) for line in lines)


def place_row(key: str, name: str, what: str, width: int) -> Content:
    row = Content.assemble((f"{key:>2}", ACT), "  ", f"{name:<15}", (what, MUTED))
    return row.truncate(width, ellipsis=True)
