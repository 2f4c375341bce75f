"""A lesson in plain mode, read section by section, with its predictions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tutor.language import _
from tutor.plain import markdown, words
from tutor.plain.place import Command, Place
from tutor.plain.prediction import Asking
from tutor.plain.reference import say_term
from tutor.study.place import save_place
from tutor.study.quiz_run import resumed
from tutor.study.results import results

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tutor.course.lesson import Lesson, Screen
    from tutor.plain.markdown import Text
    from tutor.plain.place import Services


class LessonPlace(Place):
    """A lesson that prints one section at a time.

    It begins with the section whose id is `screen_id`, or with the first section if `screen_id` is
    None.
    """

    def __init__(self, services: Services, lesson: Lesson, screen_id: str | None = None) -> None:
        super().__init__(services)
        self._lesson = lesson
        ids = [screen.id for screen in lesson.screens]
        self._index = ids.index(screen_id) if screen_id in ids else 0
        self._text: Text = markdown.read("")
        self._asking: Asking | None = None

    @property
    def title(self) -> str:
        return _("Lesson {number}: {title}").format(
            number=self._lesson.number, title=words.ended(self._lesson.title)
        )

    @property
    def _shown(self) -> Screen:
        return self._lesson.screens[self._index]

    async def begin(self) -> None:
        self.say(self.title)
        await self._read_section()

    async def resume(self) -> None:
        self.say(f"{self.title} {self._heading}")
        save_place(self.services.progress, self._lesson, self._shown.id)

    @property
    def _heading(self) -> str:
        count = len(self._lesson.screens)
        return _("Section {index} of {count}: {title}").format(
            index=self._index + 1, count=count, title=words.ended(self._shown.title)
        )

    async def _read_section(self) -> None:
        shown = self._shown
        self._text = markdown.read(shown.body)
        self.say(self._heading, *self._text.lines)
        save_place(self.services.progress, self._lesson, self._shown.id)
        if shown.lab is not None:
            done = shown.lab.id in self.services.progress.lesson(self._lesson.id).labs_done
            about = _(", which you have done") if done else ""
            self.say(_("This section has a lab{about}. Type lab to open it.").format(about=about))
            self.named.add("lab")
        self._asking = None
        if shown.prediction is not None:
            self._asking = Asking(self.services, self._lesson, shown.prediction)
            await self._asking.begin()

    # --- commands ----------------------------------------------------------------------------

    @property
    def takes_text(self) -> bool:  # type: ignore[override]
        return self._asking is not None and self._asking.open

    def asks(self) -> str:
        return self._asking.asks if self._asking is not None and self._asking.open else ""

    async def typed(self, text: str) -> None:
        if self._asking is not None:
            await self._asking.take(text)

    def on_enter(self) -> Command | None:
        if self._asking is not None and self._asking.open:
            return Command("skip", "Skip the prediction and show the answer.", self._skip)
        if self._index + 1 < len(self._lesson.screens):
            return Command("next", "Go to the next section.", self._next)
        if self._asks_more:
            return Command("next", "Answer the questions of this lesson.", self._questions)
        return Command("next", "Go to the end of the lesson.", self._end)

    def commands(self) -> Sequence[Command]:
        found = []
        if self._asking is not None and self._asking.open:
            found.append(Command("answer", "Give your prediction.", self._answer, "TEXT"))
            found.append(Command("next", "Leave the prediction for later.", self._next_anyway))
        if self._index > 0:
            found.append(Command("previous", "Go to the previous section.", self._previous))
        found.append(Command("repeat", "Repeat this section.", self._repeat))
        if self._shown.lab is not None:
            found.append(Command("lab", "Open the lab of this section.", self._lab))
        if self._lesson.questions:
            said = _("Answer the questions of this lesson.")
            found.append(Command("questions", said, self._questions))
        if self._text.links:
            found.append(Command("terms", "Show the terms of this section.", self._terms))
            found.append(Command("term", "Explain a term.", self._term, "WORDS"))
        if self._text.drawings:
            said = _("Show every drawing that was left out.")
            found.append(Command("drawing", said, self._drawing))
        said = _("Go to a section by its number.")
        return (*found, Command("section", said, self._section, "NUMBER"))

    async def _skip(self, rest: str) -> None:
        if self._asking is not None:
            await self._asking.take("")

    async def _answer(self, rest: str) -> None:
        await self.typed(rest)

    async def _next(self, rest: str) -> None:
        self._index += 1
        await self._read_section()

    async def _next_anyway(self, rest: str) -> Place | None:
        if self._index + 1 < len(self._lesson.screens):
            await self._next(rest)
            return None
        return await (self._questions if self._asks_more else self._end)(rest)

    async def _previous(self, rest: str) -> None:
        self._index -= 1
        await self._read_section()

    async def _section(self, rest: str) -> None:
        count = len(self._lesson.screens)
        if rest.isdecimal() and 1 <= int(rest) <= count:
            self._index = int(rest) - 1
            await self._read_section()
        else:
            self.say(_("Type section and a number from 1 to {count}.").format(count=count))

    async def _repeat(self, rest: str) -> None:
        await self._read_section()

    async def _lab(self, rest: str) -> Place | None:
        lab = self._shown.lab
        return self.services.open.lab(self._lesson, lab) if lab is not None else None

    @property
    def _asks_more(self) -> bool:
        progress, lesson = self.services.progress, self._lesson
        in_quiz = resumed(lesson, progress.lesson(lesson.id)) is not None
        return in_quiz or bool(results(lesson, progress.cards()).left)

    async def _questions(self, rest: str) -> Place:
        return self.services.open.quiz(self._lesson)

    async def _end(self, rest: str) -> Place:
        return self.services.open.end(self._lesson)

    async def _terms(self, rest: str) -> None:
        self.say(
            _("Terms in this section: {names}.").format(
                names=words.listed([*self._text.links], _("and"))
            )
        )

    async def _term(self, rest: str) -> None:
        href = self._text.links.get(rest, "")
        __, __, anchor = href.partition("#")
        say_term(self.services, anchor if anchor in self.services.course.glossary else rest)

    async def _drawing(self, rest: str) -> None:
        for drawing in self._text.drawings:
            self.say(drawing)
