"""The task and goals of a lab, as a card in a lesson and as a line above the lab itself."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.content import Content
from textual.widgets import Static

from tutor.app.theme import ACT, MUTED, RIGHT
from tutor.app.widgets.layout import hanging
from tutor.app.widgets.lines import Lines
from tutor.app.widgets.prose import plain
from tutor.course.goals import description
from tutor.course.lesson import Lab
from tutor.text import counted

if TYPE_CHECKING:
    from tutor.labs.kit.registry import AnyLab

ROOM = 20
"""The minimum height of the screen, in rows, for the task above the next goal."""


class LabCard(Static):
    """A card with the task, each goal and its state, and the key that opens the lab."""

    def show(self, lab: Lab | None, reached: Set[int], *, done: bool) -> None:
        """Show a lab, or no lab if None. `reached` has the indexes of the goals reached."""
        self.display = lab is not None
        self.set_class(done, "-done")
        if lab is None:
            return
        lines = [Content.assemble(("Lab  ", "bold"), plain(lab.task))]
        for place, goal in enumerate(lab.goals):
            lines.append(_goal(description(goal, lab), done or place in reached, muted=True))
        if done:
            lines.append(Content.assemble(("✓ ", RIGHT), plain(lab.done)))
        lines.append(Content.assemble(("l", f"bold {ACT}"), (" opens the lab", MUTED)))
        self.update(Content("\n").join(lines))


@dataclass(frozen=True)
class GoalLine:
    """A goal: its name, and the words that describe it."""

    name: str
    says: str


def goals_of(lab: AnyLab, first: Sequence[str] = ()) -> list[GoalLine]:
    """Return the goals of a lab from `tutor.labs`. Those named in `first` come first."""
    goals = sorted(lab.goals, key=lambda goal: goal.name not in first)
    return [GoalLine(goal.name, goal.says) for goal in goals]


class LabTask(Lines):
    """The task of a lab in up to `rows` lines, and its next goal.

    When a goal is reached, it is shown instead of the task, above the next goal. If `open_` is
    true, the whole task and all goals are shown.
    """

    DEFAULT_CSS = """
    LabTask { height: auto; }
    Screen.-high LabTask.-roomy { margin-bottom: 1; }
    """

    def __init__(self, task: str, goals: Sequence[GoalLine], *, rows: int = 1) -> None:
        super().__init__()
        self._wanted = plain(task)
        self._goals = goals
        self._rows = rows
        self._shown: tuple[Set[str], Sequence[str], bool] = (frozenset(), (), False)

    def show_goals(
        self, reached: Set[str], *, news: Sequence[str] = (), open_: bool = False
    ) -> None:
        """Show the goals.

        `reached` has the names of the goals reached, now or in earlier sessions, and `news` those
        that the learner has just reached.
        """
        self._shown = (reached, news, open_)
        self.draw_with(self._lay_out)

    def on_mount(self) -> None:
        self.draw_with(self._lay_out)

    def _lay_out(self) -> None:
        reached, news, open_ = self._shown
        width, height = self.size.width, self.screen.size.height
        self.set_class(height >= ROOM + 10, "-roomy")
        if open_:
            task = Content.styled(self._wanted, ACT).wrap(width)
            goals = (_goal(goal.says, goal.name in reached) for goal in self._goals)
            lines = [*task, *(line for goal in goals for line in goal.wrap(width))]
            self.show([*lines, Content("")] if height >= ROOM else lines)
            return
        if news:
            lines = self._news(reached, news, width)
        else:
            lines = self._task_lines(width) if height >= ROOM else []
        self.show([*lines, *self._next(reached, width, announced=bool(news))])

    def _task_lines(self, width: int) -> list[Content]:
        """Return the beginning of the task, with the key that shows all of it."""
        lines = Content.styled(self._wanted, MUTED).wrap(width)
        if len(lines) <= self._rows:
            return list(lines)
        more = Content.assemble(("… ", MUTED), ("g", f"bold {ACT}"), (" more", MUTED))
        room = width - more.cell_length
        last = Content(" ").join(lines[self._rows - 1 :]).truncate(room).plain
        cut = last.rpartition(" ")[0].rstrip(" ,;:.")
        return [*lines[: self._rows - 1], Content.styled(cut, MUTED) + more]

    def _count(self, reached: Set[str]) -> str:
        every = len(self._goals)
        done = sum(goal.name in reached for goal in self._goals)
        return f"{done} of {counted(every, 'goal')} reached"

    def _news(self, reached: Set[str], news: Sequence[str], width: int) -> list[Content]:
        """Return the lines that say which goals have just been reached."""
        says = "; ".join(goal.says for goal in self._goals if goal.name in news)
        text = Content.assemble((f"{self._count(reached)}: ", f"bold {RIGHT}"), says)
        return hanging(Content.styled("✓ ", RIGHT), text, width).split()

    def _next(self, reached: Set[str], width: int, *, announced: bool) -> list[Content]:
        """Return the lines for the next goal, with the number of goals reached."""
        left = [goal for goal in self._goals if goal.name not in reached]
        if not left:
            done = "All goals are reached." if announced else f"{self._count(reached)}."
            return [_goal(done, True)] if self._goals else []
        head = Content.styled("○ ", ACT)
        if announced:
            return hanging(
                head, Content.assemble(("Next goal: ", "bold"), left[0].says), width
            ).split()
        lines = hanging(head, Content(left[0].says), width).split()
        count = Content.styled(self._count(reached), MUTED)
        gap = width - lines[-1].cell_length - count.cell_length
        if gap < 2:
            return [*lines, Content("  ") + count]
        return [*lines[:-1], Content.assemble(lines[-1], " " * gap, count)]


def _goal(words: str, reached: bool, *, muted: bool = False) -> Content:
    """Draw a goal. Unless `muted`, a goal that is not reached stands out."""
    sign = ("✓ ", RIGHT) if reached else ("○ ", MUTED if muted else ACT)
    return Content.assemble(sign, (words, MUTED if reached or muted else ""))
