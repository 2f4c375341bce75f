"""The navigator of plain mode, which creates the place for each part of the app.

This is the only module that imports the classes of all places.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tutor.labs.kit import registry
from tutor.plain.consent import ConsentPlace
from tutor.plain.explorer.chat import ChatPlace
from tutor.plain.explorer.guess import GuessPlace
from tutor.plain.explorer.stepper import StepperPlace
from tutor.plain.explorer.xray import XRayPlace
from tutor.plain.labs.lab import LabPlace
from tutor.plain.lesson import LessonPlace
from tutor.plain.lesson_end import LessonEnd
from tutor.plain.quiz import QuizPlace
from tutor.plain.review import ReviewPlace
from tutor.study.next_step import ReadLesson, Review

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tutor.app.explorer.document import Document
    from tutor.app.explorer.xray.inside import Inside
    from tutor.course.lesson import Lab, Lesson
    from tutor.lm.distribution import Token
    from tutor.plain.place import Decided, Place, Services
    from tutor.study.next_step import NextStep
    from tutor.vendors.catalogue import RemoteModel


class Navigator:
    """A navigator that creates places. The caller opens the place that is returned."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def lesson(self, lesson: Lesson, screen_id: str | None = None) -> Place:
        return LessonPlace(self._services, lesson, screen_id)

    def quiz(self, lesson: Lesson, *, only_left: bool = True) -> Place:
        return QuizPlace(self._services, lesson, only_left=only_left)

    def end(self, lesson: Lesson) -> Place:
        return LessonEnd(self._services, lesson)

    def review(self) -> Place:
        return ReviewPlace(self._services)

    def step(self, step: NextStep | None) -> Place | None:
        """Return the lesson, quiz or review that a suggested next step leads to.

        Return None if there is nothing left to do.
        """
        if isinstance(step, Review):
            return self.review()
        lesson = self._services.course.lesson(step.lesson) if step is not None else None
        if step is None or lesson is None:
            return None
        if isinstance(step, ReadLesson):
            return self.lesson(lesson, step.screen)
        return self.quiz(lesson)

    def stepper(self) -> Place:
        return StepperPlace(self._services)

    def chat(self) -> Place:
        return ChatPlace(self._services)

    def text(self, text: Document) -> Place:
        """Return the stepper or the chat, opened with this text or conversation."""
        kind = ChatPlace if text.mode == "chat" else StepperPlace
        return kind(self._services, begin=text)

    def guess(self) -> Place:
        return GuessPlace(self._services)

    def live_lab(self, name: str) -> Place:
        """Return a lab from `tutor.labs`. Raises `LabError` if there is no lab with this name."""
        return LabPlace(self._services, registry.find(name))

    def lab(self, lesson: Lesson, lab: Lab) -> Place:
        """Return the lab, stepper, chat or game that a lesson embeds."""
        match lab.kind:
            case "live":
                return LabPlace(self._services, registry.find(lab.live), lesson, lab)
            case "chat":
                return ChatPlace(self._services, lesson, lab)
            case "guess":
                return GuessPlace(self._services, lesson, lab)
            case "stepper":
                return StepperPlace(self._services, lesson, lab)

    def xray(self, path: Sequence[Token], position: int, inside: Inside) -> Place:
        """Return the x-ray of the token at `position` of a text."""
        return XRayPlace(self._services, path, position, inside)

    def consent(self, model: RemoteModel, what: str, decided: Decided) -> Place:
        """Return the place that asks the learner for consent to send `what` to `model`."""
        return ConsentPlace(self._services, model, what, decided)
