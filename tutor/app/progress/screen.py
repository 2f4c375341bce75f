"""The progress screens, for all lessons and for one lesson.

They show what the learner knows and when reviews are due.
"""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from tutor.app.course_screen import Entry, MenuScreen
from tutor.app.saving import on_disk
from tutor.app.theme import MUTED
from tutor.app.widgets import figures, plot
from tutor.app.widgets.layout import hanging
from tutor.app.widgets.menu import Menu
from tutor.app.widgets.meter import meter
from tutor.learner import review
from tutor.learner.clock import WEEKDAYS
from tutor.learner.records import Forgotten
from tutor.study.lesson_progress import lesson_progress
from tutor.study.prediction_summary import PredictionSummary, prediction_summary
from tutor.text import counted, safe

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import ComposeResult

    from tutor.app.services import Navigation, Services
    from tutor.course.outline import Outline
    from tutor.learner.records import GuessHistory
    from tutor.learner.review import Mastery

_BAR = 12
_NARROW = 60
_DAY = 4
"""The width of one day of the forecast, in columns."""
_SMOOTH = 5
_PLOT_HEIGHT = 9
_BARS = 2
"""The height of the forecast's bars, in lines."""


class ProgressScreen(MenuScreen):
    """A screen about all lessons.

    Enter opens a lesson's own screen, or the guessing game.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("r", "open('review')", "review", tooltip="Answer the questions that are due."),
        Binding(
            "t",
            "open('teacher')",
            "teacher",
            tooltip="See what the class report shows about you.",
        ),
    ]

    def compose_content(self) -> ComposeResult:
        with VerticalScroll(id="figures", can_focus=False):
            yield Static(id="memory", markup=False)
            yield Menu()
            yield Static(id="notices", markup=False)

    def on_mount(self) -> None:
        self.place = "tutor · progress"

    def on_resize(self) -> None:
        self.fill()

    def fill(self) -> None:
        course, asked, progress = self.services.course, self.services.asked, self.services.progress
        width = self.app.size.width - 3  # without the margins and the scroll bar
        state, now = progress.state(), progress.clock()
        known = review.mastery_of_lessons(state, asked, now)
        entries: list[Entry | None] = [
            (
                partial(_lesson_row, outline, known.get(outline.id)),
                partial(self.navigation.open_lesson_progress, outline),
            )
            for outline in course.outlines
        ]
        memory = _memory(review.retention(state, asked, now), review.streak(state, now))
        if state.cards:
            shown = review.forecast(state, asked, now, 14 if width >= _NARROW else 7)
            memory += [*forecast(shown, now), Content("")]
        memory += predictions(prediction_summary(state.lessons.values()))
        memory.append(Content.styled("How well you know each lesson", "bold"))
        self.query_one("#memory", Static).update(Content("\n").join(memory))
        row = partial(guesses, progress.guesses)
        self.show_entries([*entries, None, (row, partial(self.navigation.open_place, "guess"))])
        parts: list[Content] = []
        for notice in (*progress.notices, *course.problems):
            parts += [Content(""), hanging(Content("! "), Content(safe(str(notice))), width)]
        self.query_one("#notices", Static).update(Content("\n").join(parts))


def _memory(retention: float | None, streak: int) -> list[Content]:
    """Return lines with today's estimated score and, from two days on, the study streak."""
    if retention is None:
        said = (
            "You have not answered any questions yet. Once you have, this screen shows how well "
            "you know the answers."
        )
        return [Content.styled(said, MUTED), Content("")]
    text = f"If asked again today, you would get about {100 * retention:.0f} % right."
    if streak > 1:
        text += f" You have answered questions on {streak} days in a row."
    return [Content(text), Content("")]


def predictions(summary: PredictionSummary) -> list[Content]:
    """Say how close the learner's predictions came to the answers."""
    if not summary.predictions:
        return []
    said = [f"You made {counted(summary.predictions, 'prediction')}."]
    if summary.choices:
        said.append(f"You got {summary.right} of {summary.choices} choices and words right.")
    if summary.numbers:
        said.append(
            f"Your numbers were typically {100 * summary.distance:.0f} % of the range off: "
            f"{summary.high} too high, {summary.low} too low, "
            f"{summary.numbers - summary.high - summary.low} close."
        )
    return [Content.styled("Your predictions", "bold"), Content(" ".join(said)), Content("")]


def forecast(counts: Sequence[int], now: float) -> list[Content]:
    """Draw the number of reviews due on each of the next days, starting with today."""
    today = datetime.fromtimestamp(now).weekday()
    names = ["now", *(WEEKDAYS[(today + day) % 7] for day in range(1, len(counts)))]
    numbers, *bars = plot.columns(counts, _DAY, _BARS)
    return [
        Content.styled("Upcoming reviews", "bold"),
        Content(numbers),
        *(Content.styled(line, MUTED) for line in bars),
        Content.styled("".join(f"{name:>{_DAY}}" for name in names), MUTED),
    ]


def known_row(name: str, known: Mastery | None, width: int) -> Content:
    """Draw a name, a bar for its mastery, and the number of its questions answered."""
    answered = known.answered if known else 0
    share = f"{100 * known.value:3.0f} %" if known and answered else ""
    words = f"{answered} of {known.questions}" if known and answered else ""
    if width < _NARROW:
        return Content(f"{figures.fit(name, max(8, width - 6))}{share:>6}")
    bar = meter(known.value if known else 0.0, _BAR)
    name = figures.fit(name, max(8, width - _BAR - 18))
    return Content.assemble(name, "  ", bar, f"{share:>6}", (f"{words:>10}", MUTED))


def _lesson_row(outline: Outline, known: Mastery | None, width: int) -> Content:
    return known_row(f"{outline.number:>2}  {safe(outline.title)}", known, width)


def guesses(history: GuessHistory, width: int) -> Content:
    """Draw the results of all guessing games so far, in numbers and as two curves."""
    head = Content.styled("Guessing game", "bold")
    if not history.rounds:
        return head + Content.styled("\nnot played yet", MUTED)
    you, model = history.learner_bits / history.rounds, history.model_bits / history.rounds
    said = (
        f"{counted(history.rounds, 'token')}."
        f" You: {you:.2f} bits per token; the model: {model:.2f}."
        " Lower is better."
    )
    lines = [head, Content(said)]
    recent = history.recent
    if len(recent) > 2:
        yours = plot.averaged([each.learner_bits for each in recent], _SMOOTH)
        its = plot.averaged([each.model_bits for each in recent], _SMOOTH)
        unit = "bits" if width < _NARROW else f"bits, mean of {_SMOOTH} tokens"
        lines += [
            plot.legend(("you", "model"), unit=unit),
            *plot.curves(
                list(enumerate(yours, start=1)),
                list(enumerate(its, start=1)),
                plot.Axis(1, len(recent), "tokens"),
                plot.up_to(max(*yours, *its)),
                width,
                _PLOT_HEIGHT,
            ),
        ]
    return Content("\n").join(lines)


_ASK = (
    "Forget all your answers in this lesson? Its questions will count as never asked. This cannot"
    " be undone. Press y to forget, Esc to keep them."
)


class LessonProgressScreen(MenuScreen):
    """A screen about one lesson, with a row for each lesson screen that has questions."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "forget", "forget", tooltip="Forget all your answers in this lesson."),
        Binding(
            "f",
            "ask_forget",
            "forget",
            tooltip="Forget all your answers in this lesson. You have to confirm.",
        ),
    ]

    def __init__(self, services: Services, navigation: Navigation, outline: Outline) -> None:
        super().__init__(services, navigation)
        self._outline = outline
        self._asked = False
        """Whether the learner is being asked to confirm."""

    def compose_content(self) -> ComposeResult:
        with VerticalScroll(id="figures", can_focus=False):
            yield Static(id="summary", markup=False)
            yield Menu()

    def on_mount(self) -> None:
        self.place = f"progress · {self._outline.number} {safe(self._outline.title)}"

    def on_resize(self) -> None:
        self.fill()

    def fill(self) -> None:
        outline, progress = self._outline, self.services.progress
        state, now = progress.state(), progress.clock()
        where = lesson_progress(outline, progress.lesson(outline.id), progress.cards())
        known = review.mastery_of_screens(state, self.services.asked, now)
        said = (
            f"{where.seen} of {counted(where.screens, 'screen')} seen,"
            f" {where.goals} of {counted(where.labs, 'lab')} done,"
            f" {where.right} of {counted(where.questions, 'question')} right last time."
        )
        head = Content(said)
        title = Content.styled("How well you know each idea", "bold")
        self.query_one("#summary", Static).update(Content("\n").join([head, Content(""), title]))
        about = {question.screen for question in outline.questions}
        open_at = partial(self.navigation.open_outline, outline)
        self.show_entries(
            [
                (
                    partial(known_row, safe(screen.title), known.get((outline.id, screen.id))),
                    partial(open_at, screen.id),
                )
                for screen in outline.screens
                if screen.id in about
            ]
        )

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        match action:
            case "forget":
                return self._asked
            case "ask_forget":
                cards = self.services.progress.cards()
                answered = any(each.id in cards for each in self._outline.questions)
                return answered and not self._asked
        return True

    def action_ask_forget(self) -> None:
        self._ask(True)
        self.tell(_ASK)

    def action_back(self) -> None:
        """Cancel the confirmation if it is open, or else leave the screen."""
        if self._asked:
            self._ask(False)
            self.tell(None)
        else:
            super().action_back()

    async def action_forget(self) -> None:
        self._ask(False)
        progress = self.services.progress
        questions = tuple(question.id for question in self._outline.questions)
        event = Forgotten(at=progress.clock(), lesson=self._outline.id, questions=questions)
        recording = progress.record(event)
        self.fill()
        self.tell("Your answers are forgotten." if await on_disk(recording) else None)

    def _ask(self, asked: bool) -> None:
        self._asked = asked
        self.refresh_bindings()
