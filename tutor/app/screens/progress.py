"""What the learner has done so far."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from tutor.app.screens.base import TutorScreen
from tutor.app.standing import Standing, standing
from tutor.app.theme import MUTED
from tutor.app.widgets.layout import hanging
from tutor.app.widgets.meter import meter
from tutor.text import safe

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.events import Resize

    from tutor.course.outline import Outline
    from tutor.learner.records import GuessHistory

_BAR = 20


class ProgressScreen(TutorScreen):
    """Figures for each lesson, and for the guessing game."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "scroll(-1)", "scroll", key_display="↑↓", tooltip="Scroll."),
        Binding("down", "scroll(1)", show=False),
    ]

    def compose_content(self) -> ComposeResult:
        with VerticalScroll(id="figures", can_focus=False):
            yield Static(id="text", markup=False)

    def on_mount(self) -> None:
        self.place = "tutor · progress"

    def on_resize(self, event: Resize) -> None:
        self._fill()

    def action_scroll(self, lines: int) -> None:
        self.query_one("#figures").scroll_relative(y=lines, animate=False)

    def _fill(self) -> None:
        progress = self.tutor.progress
        width = self.query_one("#figures").scrollable_content_region.width
        cards = progress.cards()
        parts: list[Content] = []
        for lesson in self.tutor.course.outlines:
            where = standing(lesson, progress.lesson(lesson.id), cards)
            parts += [_lesson(lesson, where), Content("")]
        parts += [_guesses(progress.guesses, width)]
        for notice in (*progress.notices, *self.tutor.course.problems):
            parts += [Content(""), hanging(Content("! "), Content(safe(str(notice))), width)]
        self.query_one("#text", Static).update(Content("\n").join(parts))


def _lesson(lesson: Outline, where: Standing) -> Content:
    lines = [
        Content.styled(f"{lesson.number} {safe(lesson.title)}", "bold"),
        _figure("screens", where.seen, where.screens),
        _figure("labs", where.goals, where.labs),
        _figure("questions", where.right, where.questions),
    ]
    return Content("\n").join(lines)


def _figure(name: str, count: int, total: int) -> Content:
    return Content.assemble(
        (f"  {name:<10}", MUTED),
        f"{count:>3} of {total:<3} ",
        meter(count / total if total else 0.0, _BAR),
    )


def _guesses(history: GuessHistory, width: int) -> Content:
    if not history.rounds:
        return Content.assemble(("Guessing game", "bold"), "\n", ("  not played yet", MUTED))
    you, model = history.learner_bits / history.rounds, history.model_bits / history.rounds
    said = Content.styled(
        "Bits per token: how surprised one is on average; fewer is better.", MUTED
    )
    lines = [
        Content.styled("Guessing game", "bold"),
        Content.assemble(("  rounds    ", MUTED), f"{history.rounds:>6}"),
        Content.assemble(("  you       ", MUTED), f"{you:>6.2f} bits per token"),
        Content.assemble(("  the model ", MUTED), f"{model:>6.2f} bits per token"),
        hanging(Content("  "), said, width),
    ]
    return Content("\n").join(lines)
