"""The first place: the lessons of the course, and what is worth doing next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tutor.engine.api import EngineState
from tutor.errors import LessonError
from tutor.learner.records import LessonState
from tutor.plain import words
from tutor.plain.place import Command, Place
from tutor.study.lesson_progress import lesson_progress
from tutor.study.next_step import AnswerQuestions, ReadLesson, Review, next_step
from tutor.text import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tutor.course.lesson import Lesson
    from tutor.course.outline import Outline
    from tutor.plain.place import Services
    from tutor.study.lesson_progress import LessonProgress
    from tutor.study.next_step import NextStep


def open_lesson(services: Services, outline: Outline) -> Lesson:
    """Return the lesson of an outline. Raises `LessonError`."""
    lesson = services.course.lesson(outline.id)
    if lesson is None:
        raise LessonError(f"The lesson {outline.title!r} is not in the course.")
    return lesson


def open_step(services: Services, step: NextStep | None) -> Place | None:
    """Return the place where a next step is done, or None if everything is done."""
    from tutor.plain.lesson import LessonPlace
    from tutor.plain.quiz import QuizPlace
    from tutor.plain.review import ReviewPlace

    if isinstance(step, Review):
        return ReviewPlace(services)
    outline = services.course.outline(step.lesson) if step is not None else None
    if step is None or outline is None:
        return None
    lesson = open_lesson(services, outline)
    if isinstance(step, ReadLesson):
        return LessonPlace(services, lesson, step.screen)
    return QuizPlace(services, lesson)


def step_in_words(services: Services, step: NextStep | None) -> str:
    """Say what a next step is, as the end of a sentence that begins with "Press Enter to"."""
    match step:
        case Review(due=due):
            return f"Review the {counted(due, 'question')} due now."
        case ReadLesson() | AnswerQuestions():
            outline = services.course.outline(step.lesson)
            name = f"lesson {outline.number}, {outline.title}" if outline else "the lesson"
            if isinstance(step, AnswerQuestions):
                return f"Answer the questions of {name}."
            return f"{'Continue' if step.begun else 'Begin'} {name}."
        case None:
            return ""


class Home(Place):
    """The course map."""

    title = "This is the course map."

    async def begin(self) -> None:
        outlines = self.services.course.outlines
        done = sum(self._progress(each).done for each in outlines)
        learned = f", {done} done" if done else ""
        self.say(
            "Welcome to tutor, which teaches what a large language model is.",
            f"The course has {counted(len(outlines), 'lesson')}{learned}.",
        )
        due = len(self.services.review_queue().due)
        if due:
            self.say(f"{counted(due, 'question')} {'is' if due == 1 else 'are'} due for review.")

    def _progress(self, outline: Outline) -> LessonProgress:
        progress = self.services.progress
        state = progress.lessons().get(outline.id) or LessonState(lesson=outline.id)
        return lesson_progress(outline, state, progress.cards())

    def _step(self) -> NextStep | None:
        progress = self.services.progress
        due = len(self.services.review_queue().due)
        return next_step(self.services.course.outlines, progress.lessons(), progress.cards(), due)

    def on_enter(self) -> Command | None:
        step = self._step()
        said = step_in_words(self.services, step)
        return Command("continue", said, self._continue) if said else None

    def commands(self) -> Sequence[Command]:
        return (
            Command("lessons", "Hear the lessons and your progress in them.", self._lessons),
            Command("lesson", "Open a lesson by its number.", self._lesson, "NUMBER"),
            Command("review", "Review the questions that are due.", self._review),
            Command("step", "Build a text with the model, one token at a time.", self._stepper),
            Command("chat", "Chat with the model.", self._chat),
            Command("guess", "Guess the next tokens of a text against the model.", self._guess),
            Command("labs", "Hear all labs.", self._labs),
            Command("lab", "Open a lab by its name.", self._lab, "NAME"),
            Command("progress", "Hear how much you have done and remember.", self._progress_place),
            Command("term", "Explain a term of the glossary.", self._term, "WORDS"),
            Command("search", "Search the lessons and the glossary.", self._search, "WORDS"),
            Command("model", "Hear which model is loaded.", self._model),
        )

    async def _continue(self, rest: str) -> Place | None:
        return open_step(self.services, self._step())

    async def _lessons(self, rest: str) -> None:
        for each in self.services.course.outlines:
            said = self._progress(each).words or "not started"
            self.say(f"Lesson {each.number}: {words.ended(each.title)} {said.capitalize()}.")

    async def _lesson(self, rest: str) -> Place | None:
        from tutor.plain.lesson import LessonPlace

        found = [each for each in self.services.course.outlines if rest == str(each.number)]
        if not found:
            self.say("Type lesson and the number of a lesson, such as lesson 1.")
            return None
        state = self.services.progress.lesson(found[0].id)
        where = self._progress(found[0])
        screen = None if where.done else state.screen
        return LessonPlace(self.services, open_lesson(self.services, found[0]), screen)

    async def _review(self, rest: str) -> Place:
        from tutor.plain.review import ReviewPlace

        return ReviewPlace(self.services)

    async def _stepper(self, rest: str) -> Place:
        from tutor.plain.explorer.stepper import StepperPlace

        return StepperPlace(self.services)

    async def _chat(self, rest: str) -> Place:
        from tutor.plain.explorer.chat import ChatPlace

        return ChatPlace(self.services)

    async def _guess(self, rest: str) -> Place:
        from tutor.plain.explorer.guess import GuessPlace

        return GuessPlace(self.services)

    async def _labs(self, rest: str) -> None:
        from tutor.labs.kit import registry

        for each in registry.every():
            self.say(f"lab {each.name}: {words.ended(each.about)}")

    async def _lab(self, rest: str) -> Place:
        from tutor.labs.kit import registry
        from tutor.plain.labs.lab import LabPlace

        return LabPlace(self.services, registry.find(rest.replace(" ", "-")))

    async def _progress_place(self, rest: str) -> None:
        from tutor.plain.progress import progress_lines

        self.services.voice.all(progress_lines(self.services))

    async def _term(self, rest: str) -> None:
        from tutor.plain.reference import say_term

        say_term(self.services, rest)

    async def _search(self, rest: str) -> None:
        from tutor.plain.reference import say_search

        await say_search(self.services, rest)

    async def _model(self, rest: str) -> None:
        engine = self.services.engine
        if engine.model is not None:
            card = engine.model
            self.say(f"The model is {card.name}, with {card.parameters:,} parameters.")
        elif engine.state is EngineState.STOPPED and engine.failure is not None:
            self.say(words.error(engine.failure))
        else:
            self.say("The model is still loading.")
