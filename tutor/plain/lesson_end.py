"""The end of a lesson in plain mode."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tutor.app.widgets.figures import when
from tutor.language import _
from tutor.plain import markdown, steps, words
from tutor.plain.place import Command, Leave, Place, Replace
from tutor.study.lesson_progress import lesson_progress
from tutor.study.next_step import next_in_lessons
from tutor.study.results import coming_back, results
from tutor.text import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tutor.course.lesson import Lab, Lesson
    from tutor.plain.place import Services
    from tutor.study.next_step import LessonStep


class LessonEnd(Place):
    """The end of a lesson: what was learned, what was left for later, and where to go next."""

    def __init__(self, services: Services, lesson: Lesson) -> None:
        super().__init__(services)
        self._lesson = lesson

    @property
    def title(self) -> str:
        return _("End of lesson {number}, {title}").format(
            number=self._lesson.number, title=words.ended(self._lesson.title)
        )

    async def begin(self) -> None:
        self.say(self.title)
        progress = self.services.progress
        now = progress.lesson(self._lesson.id)
        if lesson_progress(self._lesson, now, progress.cards()).done:
            self.say(_("This lesson is done."))
        for each in self._lesson.learned:
            self.say(_("You have learned: {text}").format(text=markdown.inline(each)))
        found = results(self._lesson, self.services.progress.cards())
        if self._lesson.questions:
            total = len(found.right) + len(found.left)
            parts = [
                _("{count} of {total} questions right").format(count=len(found.right), total=total)
            ]
            parts += [_("{count} wrong").format(count=len(found.wrong))] if found.wrong else []
            parts += (
                [_("{count} left for later").format(count=len(found.open_))] if found.open_ else []
            )
            self.say(f"{', '.join(parts)}.")
        for head, questions in ((_("Wrong"), found.wrong), (_("Left for later"), found.open_)):
            for question in questions:
                self.say(f"{head}: {' '.join(markdown.read(question.ask).lines)}")
        if self._lesson.questions:
            self.say(self._coming_back())
        left = self._open_labs()
        if left:
            names = words.listed(
                [_("section {number}").format(number=number) for number, __ in left], _("and")
            )
            self.say(
                _("{labs} not done yet: {names}.").format(
                    labs=counted(len(left), "lab"), names=names
                )
            )

    def _coming_back(self) -> str:
        services, progress = self.services, self.services.progress
        now, limits = progress.clock(), services.limits
        return coming_back(self._lesson, progress.state(), services.asked, now, limits, when)

    def _open_labs(self) -> list[tuple[int, Lab]]:
        done = self.services.progress.lesson(self._lesson.id).labs_done
        return [
            (number, screen.lab)
            for number, screen in enumerate(self._lesson.screens, 1)
            if screen.lab is not None and screen.lab.id not in done
        ]

    def on_enter(self) -> Command | None:
        said = steps.in_words(self.services.course, self._next_step())
        return Command("continue", said, self._continue) if said else None

    def _next_step(self) -> LessonStep | None:
        progress = self.services.progress
        outlines = self.services.course.outlines
        return next_in_lessons(outlines, progress.lessons(), progress.cards(), self._lesson.id)

    async def _continue(self, rest: str) -> Replace | None:
        place = self.services.open.step(self._next_step())
        return Replace(place) if place else None

    def commands(self) -> Sequence[Command]:
        found = []
        if results(self._lesson, self.services.progress.cards()).left:
            said = _("Answer only the questions that you left open or answered wrong.")
            found.append(Command("questions", said, self._left))
        if self._lesson.questions:
            found.append(Command("restart", "Answer all questions again.", self._again))
        if self._open_labs():
            found.append(Command("lab", "Open the lab of a section.", self._lab, "SECTION"))
        return (*found, Command("home", "Go to the course map.", self._home))

    async def _left(self, rest: str) -> Replace:
        return Replace(self.services.open.quiz(self._lesson))

    async def _again(self, rest: str) -> Replace:
        return Replace(self.services.open.quiz(self._lesson, only_left=False))

    async def _lab(self, rest: str) -> Place | None:
        for number, lab in self._open_labs():
            if rest in ("", str(number)):
                return self.services.open.lab(self._lesson, lab)
        self.say(_("Type lab and the number of a section with a lab."))
        return None

    async def _home(self, rest: str) -> Leave:
        return Leave.HOME
