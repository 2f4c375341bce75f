"""The result of a quiz: which answers were right, and which lesson screens to read again."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from tutor.app.course_screen import Entry, MenuScreen
from tutor.app.theme import MUTED, NOT_YET, RIGHT
from tutor.app.widgets.layout import hanging
from tutor.app.widgets.menu import Menu
from tutor.app.widgets.prose import plain
from tutor.text import safe

if TYPE_CHECKING:
    from collections.abc import Set

    from textual.app import ComposeResult

    from tutor.app.services import Navigation, Services
    from tutor.course.lesson import Lab, Lesson
    from tutor.course.questions.question import Question


class ResultScreen(MenuScreen):
    """The questions of a quiz, each with its result.

    Choosing a question opens the lesson screen that it is about.
    """

    CSS_PATH = "result.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("l", "lab", "lab", tooltip="Open the lab for the selected question."),
        Binding("r", "again", "restart", tooltip="Restart the quiz, with newly shuffled choices."),
    ]

    def __init__(
        self, services: Services, navigation: Navigation, lesson: Lesson, unsure: Set[str]
    ) -> None:
        """Create the screen.

        `unsure` has the ids of the questions that the learner answered by a guess this time.
        """
        super().__init__(services, navigation)
        self.lesson = lesson
        self._unsure = unsure
        self._listed: list[Question] = []

    def compose_content(self) -> ComposeResult:
        with VerticalScroll(id="result", can_focus=False):
            yield Static(id="score", markup=False)
            yield Menu()

    def on_mount(self) -> None:
        self.place = f"{self.lesson.number} {safe(self.lesson.title)} · result"
        self.watch(self.query_one(Menu), "cursor", self.refresh_bindings)

    def fill(self) -> None:
        cards = self.services.progress.cards()
        right = {
            question.id
            for question in self.lesson.questions
            if (card := cards.get(question.id))
            and card.version == question.version
            and card.last_correct
        }
        open_ones = [each for each in self.lesson.questions if each.id not in right]
        guessed = [each for each in self.lesson.questions if each.id in right & self._unsure]
        sure = [each for each in self.lesson.questions if each.id in right - self._unsure]
        self._listed = [*open_ones, *guessed, *sure]
        total = len(self.lesson.questions)
        head = Content.assemble(
            (f"{len(right)} of {total} right. ", "bold"), _advice(open_ones, guessed)
        )
        self.query_one("#score", Static).update(head)
        self.show_entries([self._entry(question, right) for question in self._listed])

    def _entry(self, question: Question, right: Set[str]) -> Entry:
        look = partial(self.navigation.open_lesson, self.lesson, question.screen)
        return partial(self._row, question, right), look

    def _row(self, question: Question, right: Set[str], width: int) -> Content:
        if question.id not in right:
            mark, note, style = "×", "not yet", NOT_YET
        elif question.id in self._unsure:
            mark, note, style = "✓", "guessed", MUTED
        else:
            mark, note, style = "✓", "", RIGHT
        where = self.lesson.screen(question.screen or "")
        screen = f"screen “{safe(where.title)}”" if where else ""
        lab = "with a lab" if where and where.lab else ""
        tail = ", ".join(filter(None, (note, screen, lab)))
        first_line = Content(plain(question.ask))
        head = Content.assemble((mark, f"bold {style}"), " ")
        line = head + first_line.truncate(max(1, width - 2), ellipsis=True)
        if not note:
            return line
        return line + Content("\n") + hanging(Content("  "), Content.styled(tail, MUTED), width)

    @property
    def _lab(self) -> Lab | None:
        """The lab for the selected question, if any."""
        cursor = self.query_one(Menu).cursor
        if not 0 <= cursor < len(self._listed):
            return None
        screen = self.lesson.screen(self._listed[cursor].screen or "")
        return screen.lab if screen else None

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return self._lab is not None if action == "lab" else True

    def action_lab(self) -> None:
        if (lab := self._lab) is not None:
            self.navigation.open_lab(self.lesson, lab)

    def action_again(self) -> None:
        self.navigation.restart_quiz(self.lesson)


def _advice(open_ones: list[Question], guessed: list[Question]) -> Content:
    if open_ones:
        return Content("Look again at the questions marked ×. Enter opens the lesson screen.")
    if guessed:
        return Content("The questions you guessed come first. Enter opens the lesson screen.")
    return Content("No lesson screen needs another look.")
