"""The course map in plain mode: the lessons, and suggestions for what to do next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tutor.engine.api import EngineState
from tutor.labs.kit import registry
from tutor.language import _, ngettext
from tutor.learner.records import LessonState
from tutor.plain import steps, words
from tutor.plain.place import Command, Place
from tutor.plain.progress import progress_lines
from tutor.plain.reference import say_search, say_term
from tutor.study.lesson_progress import lesson_progress
from tutor.study.memory_words import over_limit
from tutor.study.next_step import next_step
from tutor.text import counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tutor.course.outline import Outline
    from tutor.study.lesson_progress import LessonProgress
    from tutor.study.next_step import NextStep


class Home(Place):
    """The course map, where plain mode starts."""

    title = _("This is the course map.")

    async def begin(self) -> None:
        outlines = self.services.course.outlines
        done = sum(self._progress(each).done for each in outlines)
        learned = _(", {done} done").format(done=done) if done else ""
        self.say(
            _("Welcome to tutor, which teaches what a large language model is."),
            _("The course has {lessons}{learned}.").format(
                lessons=counted(len(outlines), "lesson"), learned=learned
            ),
        )
        queue = self.services.review_queue()
        if due := len(queue.due):
            said = ngettext(
                "{count} question is due for review.", "{count} questions are due for review.", due
            )
            self.say(said.format(count=due))
        if queue.held:
            over = over_limit(queue, self.services.limits, more=bool(due))
            self.say(f"{over}.")

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
        said = steps.in_words(self.services.course, step)
        return Command("continue", said, self._continue) if said else None

    def commands(self) -> Sequence[Command]:
        return (
            Command("lessons", "List the lessons and your progress in them.", self._lessons),
            Command("lesson", "Open a lesson by its number.", self._lesson, "NUMBER"),
            Command("review", "Review the questions that are due.", self._review),
            Command("step", "Build a text with the model, one token at a time.", self._stepper),
            Command("chat", "Chat with the model.", self._chat),
            Command("guess", "Guess the next tokens of a text against the model.", self._guess),
            Command("labs", "List all labs.", self._labs),
            Command("lab", "Open a lab by its name.", self._lab, "NAME"),
            Command(
                "progress",
                "Show what you have done and how much you remember.",
                self._progress_place,
            ),
            Command("term", "Explain a glossary term.", self._term, "WORDS"),
            Command("search", "Search the lessons and the glossary.", self._search, "WORDS"),
            Command("model", "Show which model is loaded.", self._model),
            *self._download_commands(),
        )

    def _download_commands(self) -> Iterator[Command]:
        keeper = self.services.model
        if keeper is not None and keeper.can_fetch:
            yield Command("download", "Download the full model (93 MB).", self._download)
        if keeper is not None and keeper.status.fetch is not None:
            yield Command("stop", "Stop the download of the model.", self._stop_download)

    async def _download(self, rest: str) -> None:
        assert self.services.model is not None
        self.services.model.fetch()

    async def _stop_download(self, rest: str) -> None:
        assert self.services.model is not None
        self.services.model.cancel_fetch()
        self.services.notices.append(_("Stopping the download."))

    async def _continue(self, rest: str) -> Place | None:
        return self.services.open.step(self._step())

    async def _lessons(self, rest: str) -> None:
        for each in self.services.course.outlines:
            said = self._progress(each).words or _("not started")
            self.say(
                _("Lesson {number}: {title} {said}.").format(
                    number=each.number, title=words.ended(each.title), said=said.capitalize()
                )
            )

    async def _lesson(self, rest: str) -> Place | None:
        found = [each for each in self.services.course.outlines if rest == str(each.number)]
        if not found:
            self.say(_("Type lesson and the number of a lesson, such as lesson 1."))
            return None
        state = self.services.progress.lesson(found[0].id)
        where = self._progress(found[0])
        screen = None if where.done else state.screen
        lesson = self.services.course.lesson(found[0].id)
        return self.services.open.lesson(lesson, screen) if lesson is not None else None

    async def _review(self, rest: str) -> Place:
        return self.services.open.review()

    async def _stepper(self, rest: str) -> Place:
        return self.services.open.stepper()

    async def _chat(self, rest: str) -> Place:
        return self.services.open.chat()

    async def _guess(self, rest: str) -> Place:
        return self.services.open.guess()

    async def _labs(self, rest: str) -> None:
        for each in registry.every():
            self.say(_("lab {name}: {about}").format(name=each.name, about=words.ended(each.about)))

    async def _lab(self, rest: str) -> Place:
        return self.services.open.live_lab(rest.replace(" ", "-"))

    async def _progress_place(self, rest: str) -> None:
        self.services.voice.all(progress_lines(self.services))

    async def _term(self, rest: str) -> None:
        say_term(self.services, rest)

    async def _search(self, rest: str) -> None:
        await say_search(self.services, rest)

    async def _model(self, rest: str) -> None:
        engine = self.services.engine
        if engine.model is not None:
            card = engine.model
            self.say(
                _("The model is {name}, with {parameters:,} parameters.").format(
                    name=card.name, parameters=card.parameters
                )
            )
        elif engine.state is EngineState.STOPPED and engine.failure is not None:
            self.say(words.error(engine.failure))
        else:
            self.say(_("The model is still loading."))
