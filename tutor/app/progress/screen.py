"""The progress screen, which shows how well the learner remembers each lesson."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content

from tutor.app.course_screen import Entry, MenuScreen
from tutor.app.theme import MUTED
from tutor.app.widgets import figures, plot
from tutor.app.widgets.key_names import with_keys
from tutor.app.widgets.layout import hanging
from tutor.app.widgets.menu import MARGIN, Menu
from tutor.app.widgets.meter import meter
from tutor.app.widgets.more_below import MoreBelow
from tutor.app.widgets.static import Static
from tutor.language import _, ngettext
from tutor.learner import review
from tutor.learner.clock import midnights
from tutor.study.memory_words import (
    JUST_SEEN,
    RECALL,
    RECALL_IS,
    STRENGTH,
    STRENGTH_IS,
    bring_back,
    daily_limit,
    lasting,
    percent,
)
from tutor.study.prediction_summary import CLOSE, PredictionSummary, prediction_summary
from tutor.text import counted, safe

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import ComposeResult

    from tutor.course.outline import Outline
    from tutor.learner.records import GuessHistory
    from tutor.learner.review import Memory

_NARROW = 60
"""The width, in columns, below which a row contains only the name and the probability of recall."""
_BAR, _BARRED = 12, 84
"""The width of a bar, and the minimum width of a row that contains a bar, in columns."""
_FIGURE, _RECALL = 10, 8
_NAME = 44
_WIDE = 120
"""The minimum width, in columns, to show the summary next to the lessons."""
_OTHERS = 24
"""The number of lines outside the list of lessons, if blank lines separate the lessons."""
_DAY = 4
"""The width of a day in the forecast, in columns."""
_LABEL, _VALUE = 16, 11
_BESIDE = 60
"""The minimum width, in columns, to explain a figure on the same line."""
_CLOSE_IS = _(
    "Each prediction of a number has a range of possible answers, such as 0 to 100. “Close” "
    "means within {close:.0f} % of this range. A range such as 1 to 49,152 is logarithmic, so that "
    "20,000 is close to 12,500."
)
_EACH = _("What you remember of each lesson")
_SMOOTH = 5
_PLOT_HEIGHT = 9
_BARS, _TALL_BARS = 2, 6
"""The height of the bars in the forecast, in lines, on a normal and on a tall screen."""


class ProgressScreen(MenuScreen):
    """A screen with a row for each lesson and the guessing game. Enter opens the selected row."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("r", "open('review')", "review", tooltip="Answer the questions that are due."),
        Binding(
            "t",
            "open('teacher')",
            "teacher",
            tooltip="See what the class report shows about you.",
        ),
        Binding(
            "z",
            "open('suspended')",
            "bring back",
            tooltip="Bring back questions that reviews no longer ask.",
            id="suspended",
        ),
    ]

    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (_WIDE, "-panels")]  # noqa: RUF012 (Textual's own type)
    DEFAULT_CSS = """
    ProgressScreen {
        #columns, #lessons, #side { height: 1fr; }
        #lessons { width: 1fr; }
        #side { width: 1fr; display: none; }
        #all, #overview, #heading, #notices { height: auto; }
        &.-panels #lessons { min-width: 78; max-width: 100; }
        &.-panels #side { display: block; }
        &.-panels #all { display: none; }
    }
    """

    def compose_content(self) -> ComposeResult:
        with Horizontal(id="columns"):
            with Vertical(id="lessons", classes="panel") as lessons:
                lessons.border_title = Content(_EACH)
                with VerticalScroll(id="figures", can_focus=False):
                    yield Static(id="all", markup=False)
                    yield Static(id="heading", markup=False)
                    yield Menu()
                    yield Static(id="notices", markup=False)
                yield MoreBelow("#figures")
            with VerticalScroll(id="side", classes="panel", can_focus=False) as side:
                side.border_title = Content(_("All lessons together"))
                yield Static(id="overview", markup=False)

    def on_mount(self) -> None:
        self.place = _("tutor · progress")

    def on_resize(self) -> None:
        self.call_after_refresh(self.fill)  # the widths are known only after the layout

    def fill(self) -> None:
        state, now = self.services.progress.state(), self.services.progress.clock()
        memory = review.memory_of_lessons(state, self.services.asked, now)
        entries: list[Entry | None] = [
            (
                partial(_lesson_row, outline, memory.get(outline.id)),
                partial(self.navigation.open_lesson_progress, outline),
            )
            for outline in self.services.course.outlines
        ]
        if self.app.size.height >= 2 * len(entries) + _OTHERS:
            entries = [row for entry in entries for row in (entry, None)][:-1]
        row = partial(guesses, self.services.progress.guesses)
        self.show_entries([*entries, None, (row, partial(self.navigation.open_place, "guess"))])
        if self.query_one(Menu).size.width:  # the width is zero before the first layout
            self._show_figures()

    def _show_figures(self) -> None:
        """Redraw the parts whose width depends on the layout."""
        wide = self.app.size.width >= _WIDE
        shown = self.query_one("#overview" if wide else "#all", Static)
        width = self.query_one("#side" if wide else "#figures").scrollable_content_region.width
        shown.update(Content("\n").join(self._overview(width)))
        columns = headings("Lesson", self.query_one(Menu).size.width)
        if not wide:
            columns = Content.styled(f"{_EACH}\n", "bold") + columns
        self.query_one("#heading", Static).update(columns)
        self._show_notices()

    def _overview(self, width: int) -> list[Content]:
        """Return the summary of all lessons: recall, upcoming reviews, and predictions."""
        state, now = self.services.progress.state(), self.services.progress.clock()
        asked = self.services.asked
        lines = _memory(review.memory(state, asked, now), review.streak(state, now), width)
        if any(not card.last_correct for card in state.cards.values()):
            lines.insert(-1, _paragraph(JUST_SEEN, width, MUTED))
        if suspended := self._suspended:
            said = f"{counted(suspended, 'question')}. {bring_back(suspended)}"
            lines.insert(-1, _labeled(_("No longer asked"), said, width))
        if state.cards:
            days = min(14, max(1, width // _DAY))
            limits = self.services.limits
            counts = review.forecast(state, asked, now, days, retention=limits.retention)
            lines += forecast(counts, now, _TALL_BARS if self.has_class("-tall") else _BARS)
            queue = self.services.review_queue()
            if queue.held:
                over = ngettext(
                    "{count} of these is due now, over {limit}",
                    "{count} of these are due now, over {limit}",
                    queue.held_back,
                ).format(count=queue.held_back, limit=daily_limit(queue, limits))
                said = _("{over}. To change it, press , on the course map.").format(over=over)
                lines.append(_paragraph(said, width, MUTED))
            elif review.exceeds_limits(state, asked, now, days, limits):
                said = _tomorrow(review.due_on(state, asked, midnights(now, 1)[1], limits), limits)
                lines.append(_paragraph(said or _limits(limits), width, MUTED))
            lines.append(Content(""))
        return lines + predictions(prediction_summary(state.lessons.values()), width)

    @property
    def _suspended(self) -> int:
        return self.services.review_queue().suspended

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if (action, parameters) == ("open", ("suspended",)):
            return self._suspended > 0
        return super().check_action(action, parameters)

    def _show_notices(self) -> None:
        width = self.query_one("#figures").scrollable_content_region.width
        parts: list[Content] = []
        for notice in (*self.services.progress.notices, *self.services.course.problems):
            parts += [Content(""), hanging(Content("! "), Content(safe(str(notice))), width)]
        shown = self.query_one("#notices", Static)
        shown.update(Content("\n").join(parts))
        shown.display = bool(parts)


def _limits(limits: review.Limits) -> str:
    """Explain why fewer questions can be asked on a day than are due."""
    said = _("This is when questions are due. Reviews ask you at most {cap} questions a day.")
    if limits.new < limits.cap:
        said += " " + _(
            "At most {new} of these {cap} are questions that you review for the first time."
        )
    said += " " + _("The other questions wait for the next day.")
    return said.format(cap=limits.cap, new=limits.new)


def _tomorrow(queue: review.Queue, limits: review.Limits) -> str:
    """Say how many of the questions that are due tomorrow are asked, or return "" if all are."""
    if not queue.held_back:
        return ""
    count, due = len(queue.due), len(queue.due) + queue.held_back
    again = sum(not each.new for each in queue.due)
    said = _(
        "Tomorrow, reviews ask you {count} of these {due} questions for the first time (your limit "
        "for one day). The rest wait for later days."
    )
    if again:
        said = _(
            "Tomorrow, reviews ask you {count} of these {due} questions: {new} for the first time "
            "(your limit for one day) and {again} again. The rest wait for later days."
        )
    if count == limits.cap:
        said = _(
            "Tomorrow, reviews ask you {count} of these {due} questions, the most for one day. The "
            "rest wait for later days."
        )
    return said.format(count=count, due=due, new=count - again, again=again)


def _paragraph(text: str, width: int, style: str = "") -> Content:
    return hanging(Content(""), with_keys(text, style), width)


def _labeled(label: str, text: str, width: int, meaning: str = "") -> Content:
    """Draw a labeled figure, with an explanation in a muted color."""
    head = Content.styled(f"{label:<{_LABEL}}", MUTED)
    if not meaning:
        return hanging(head, with_keys(text), width)
    if width < _BESIDE:
        below = hanging(Content("  "), Content.styled(meaning, MUTED), width)
        return Content("\n").join([hanging(head, with_keys(text), width), below])
    return hanging(head + Content(f"{text:<{_VALUE}}"), Content.styled(meaning, MUTED), width)


def _memory(memory: Memory, streak: int, width: int) -> list[Content]:
    """Draw a summary of the learner's memory. A streak of less than two days is hidden."""
    if memory.recall is None or memory.strength is None:
        said = _(
            "You have not answered any questions yet. Once you have, this screen shows how well "
            "you remember the answers."
        )
        return [_paragraph(said, width, MUTED), Content("")]
    answered = _("{answered} of {questions}").format(
        answered=memory.answered, questions=counted(memory.questions, "question")
    )
    if streak > 1:
        answered += _(", on {streak} days in a row").format(streak=streak)
    return [
        Content.styled(_("Your memory"), "bold"),
        _labeled(RECALL, percent(memory.recall), width, RECALL_IS),
        _labeled(STRENGTH, lasting(memory.strength), width, STRENGTH_IS),
        _labeled(_("Answered"), answered, width),
        Content(""),
    ]


def predictions(summary: PredictionSummary, width: int) -> list[Content]:
    """Draw a summary of the learner's predictions and their accuracy."""
    if not summary.predictions:
        return []
    lines = [
        Content.styled(_("Your predictions"), "bold"),
        _labeled(_("Made"), counted(summary.predictions, "prediction"), width),
    ]
    if summary.choices:
        said = _("{right} of {choices} right").format(right=summary.right, choices=summary.choices)
        lines.append(_labeled(_("Choices, words"), said, width))
    if own := summary.predictions - summary.choices - summary.numbers:
        lines.append(
            _labeled(
                _("Own words"), _("{own}, not compared with the answer").format(own=own), width
            )
        )
    if summary.numbers:
        close = summary.numbers - summary.high - summary.low
        said = _("{high} too high, {low} too low, {close} close").format(
            high=summary.high, low=summary.low, close=close
        )
        off = _("{distance:.0f} % of the range of possible answers").format(
            distance=100 * summary.distance
        )
        lines += [
            _labeled(_("Numbers"), said, width),
            _labeled(_("Median error"), off, width),
            _paragraph(_CLOSE_IS.format(close=100 * CLOSE), width, MUTED),
        ]
    return [*lines, Content("")]


def forecast(counts: Sequence[int], now: float, height: int = _BARS) -> list[Content]:
    """Draw a bar chart of the number of reviews due on each of the next days, beginning today.

    The longest bar has `height` lines.
    """
    names = [figures.day_name(now, day) for day in range(len(counts))]
    numbers, *bars = plot.columns(counts, _DAY, height)
    return [
        Content.assemble((_("Upcoming reviews"), "bold"), (_("  questions per day"), MUTED)),
        Content(numbers),
        *(Content.styled(line, MUTED) for line in bars),
        Content.styled("".join(f"{name:>{_DAY}}" for name in names), MUTED),
    ]


def headings(name: str, width: int) -> Content:
    """Return the column names above rows of `known_row`, for a list of `width` columns."""
    cells = (
        (_("recall"), "", "")
        if width - MARGIN < _NARROW
        else (_("recall"), _("strength"), _("answered"))
    )
    row = _columns(Content(name), Content(" " * _BAR), cells, width - MARGIN)
    return Content.styled(" " * MARGIN + row.plain.rstrip(), MUTED)


def known_row(name: str, memory: Memory | None, width: int) -> Content:
    """Draw a row with a name, recall, strength, and the number of answered questions."""
    if memory is None or memory.recall is None or memory.strength is None:
        return _columns(Content(name), meter(0.0, _BAR), ("", "", ""), width)
    answered = _("{answered} of {questions}").format(
        answered=memory.answered, questions=memory.questions
    )
    cells = (percent(memory.recall), lasting(memory.strength), answered)
    return _columns(Content(name), meter(memory.recall, _BAR), cells, width)


def _columns(name: Content, bar: Content, cells: tuple[str, str, str], width: int) -> Content:
    """Arrange a name, a bar and three figures in columns. Those that do not fit are left out."""
    recall, strength, answered = cells
    if width < _NARROW:
        return Content(f"{figures.fit(name.plain, max(8, width - _RECALL))}{recall:>{_RECALL}}")
    bars = _BAR + 2 if width >= _BARRED else 0
    room = min(_NAME, width - bars - _RECALL - 2 * _FIGURE)
    parts = [Content(figures.fit(name.plain, room))]
    if bars:
        parts += [Content("  "), bar]
    row = Content.assemble(*parts, f"{recall:>{_RECALL}}{strength:>{_FIGURE}}")
    return Content.assemble(row, (f"{answered:>{_FIGURE}}", MUTED))


def _lesson_row(outline: Outline, memory: Memory | None, width: int) -> Content:
    return known_row(f"{outline.number:>2}  {safe(outline.title)}", memory, width)


def guesses(history: GuessHistory, width: int) -> Content:
    """Draw the results of all guessing games, in numbers and as two curves."""
    head = Content.styled(_("Guessing game"), "bold")
    if not history.rounds:
        return head + Content.styled(_("\nnot played yet"), MUTED)
    you, model = history.learner_bits / history.rounds, history.model_bits / history.rounds
    said = _(
        "{tokens}. You: {you:.2f} bits per token; the model: {model:.2f}. Lower is better."
    ).format(tokens=counted(history.rounds, "token"), you=you, model=model)
    lines = [head, Content(said)]
    recent = history.recent
    if len(recent) > 2:
        yours = plot.averaged([each.learner_bits for each in recent], _SMOOTH)
        its = plot.averaged([each.model_bits for each in recent], _SMOOTH)
        unit = (
            _("bits")
            if width < _NARROW
            else _("bits, mean of up to {smooth} tokens").format(smooth=_SMOOTH)
        )
        drawn = plot.curves(
            list(enumerate(yours, start=1)),
            list(enumerate(its, start=1)),
            plot.Axis(1, len(recent), _("tokens")),
            plot.up_to(max(*yours, *its)),
            width,
            _PLOT_HEIGHT,
        )
        lines += [plot.legend((_("you"), _("model")), drawn, unit=unit), *drawn]
    return Content("\n").join(lines)
