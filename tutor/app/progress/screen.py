"""What the learner knows, how it holds, and what comes back when."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from tutor.app.base_screen import Entry, MenuScreen
from tutor.app.theme import MUTED
from tutor.app.widgets import figures, plot
from tutor.app.widgets.layout import hanging
from tutor.app.widgets.menu import Menu
from tutor.app.widgets.meter import meter
from tutor.learner import review
from tutor.learner.clock import WEEKDAYS
from tutor.text import counted, safe

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import ComposeResult
    from textual.events import Resize

    from tutor.course.outline import Outline
    from tutor.learner.records import GuessHistory
    from tutor.learner.review import Mastery

_BAR = 12
_NARROW = 60
_DAY = 4
"""Columns of one day of the forecast."""
_SMOOTH = 5
_PLOT_HEIGHT = 6


class ProgressScreen(MenuScreen):
    """Enter on a lesson shows its ideas one by one; on the guessing game, plays it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("r", "open('review')", "review", tooltip="Review what is due."),
        Binding(
            "t", "open('teacher')", "teacher", tooltip="What a teacher sees of you in a report."
        ),
    ]

    def compose_content(self) -> ComposeResult:
        with VerticalScroll(id="figures", can_focus=False):
            yield Static(id="memory", markup=False)
            yield Menu()
            yield Static(id="notices", markup=False)

    def on_mount(self) -> None:
        self.place = "tutor · progress"

    def on_resize(self, event: Resize) -> None:
        self._fill()

    def on_screen_resume(self) -> None:
        self._fill()

    def _fill(self) -> None:
        course, asked, progress = self.services.course, self.services.asked, self.services.progress
        width = self.app.size.width - 3  # what stands beside the text: margins and a scroll bar
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
        memory.append(Content.styled("How well each lesson is known", "bold"))
        self.query_one("#memory", Static).update(Content("\n").join(memory))
        row = partial(guesses, progress.guesses)
        self.show_entries([*entries, None, (row, partial(self.navigation.open, "guess"))])
        parts: list[Content] = []
        for notice in (*progress.notices, *course.problems):
            parts += [Content(""), hanging(Content("! "), Content(safe(str(notice))), width)]
        self.query_one("#notices", Static).update(Content("\n").join(parts))


def _memory(retention: float | None, streak: int) -> list[Content]:
    """What would be known now, and how many days in a row: said where there is something to say,
    and no word where there is not."""
    if retention is None:
        said = "Nothing answered yet. What you answer comes back here, and when it comes up again."
        return [Content.styled(said, MUTED), Content("")]
    text = f"Of what you have answered, about {100 * retention:.0f} % would be right today."
    if streak > 1:
        text += f" You have answered something on {streak} days in a row."
    return [Content(text), Content("")]


def forecast(counts: Sequence[int], now: float) -> list[Content]:
    """What comes up on each of the next days, today first."""
    today = datetime.fromtimestamp(now).weekday()
    names = ["now", *(WEEKDAYS[(today + day) % 7] for day in range(1, len(counts)))]
    numbers, bars = plot.columns(counts, _DAY)
    return [
        Content.styled("Coming up for review", "bold"),
        Content(numbers),
        Content.styled(bars, MUTED),
        Content.styled("".join(f"{name:>{_DAY}}" for name in names), MUTED),
    ]


def known_row(name: str, known: Mastery | None, width: int) -> Content:
    """A name, how well it is known as a bar, and how many of its questions were answered."""
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
    """The guessing game so far: in figures, and as two curves."""
    head = Content.styled("Guessing game", "bold")
    if not history.rounds:
        return head + Content.styled("\nnot played yet", MUTED)
    you, model = history.learner_bits / history.rounds, history.model_bits / history.rounds
    said = (
        f"{counted(history.rounds, 'token')}."
        f" You: {you:.2f} bits per token; the model: {model:.2f}."
        " Bits are surprise: fewer is better."
    )
    lines = [head, Content(said)]
    recent = history.recent[-max(8, width - 7) :]
    if len(recent) > 2:
        curves = plot.two_curves(
            plot.averaged([each.learner_bits for each in recent], _SMOOTH),
            plot.averaged([each.model_bits for each in recent], _SMOOTH),
            _PLOT_HEIGHT,
        )
        legend = f"{plot.YOU} you  {plot.MODEL} the model  {plot.BOTH} both, over {_SMOOTH} tokens"
        lines += [*map(Content, curves), Content.styled(f"{'bits':>5}  {legend}", MUTED)]
    return Content("\n").join(lines)
