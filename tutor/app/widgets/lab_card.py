"""The task and goals of a lab, as a card in a lesson and as a line above the lab itself."""

from __future__ import annotations

from collections.abc import Sequence, Set
from typing import TYPE_CHECKING

from textual.content import Content
from textual.widgets import Static

from tutor.app.theme import ACT, KEY, MUTED, RIGHT
from tutor.app.widgets.key_names import with_keys
from tutor.app.widgets.prose import plain
from tutor.course.goals import description
from tutor.course.lesson import Lab

if TYPE_CHECKING:
    from tutor.labs.kit.registry import AnyLab


class LabCard(Static):
    """A card with the task, each goal and its state, and the key that opens the lab."""

    def show(self, lab: Lab | None, reached: Set[int], *, done: bool) -> None:
        """Show a lab, or no lab if None. `reached` has the indexes of the goals reached."""
        self.display = lab is not None
        self.set_class(done, "-done")
        if lab is None:
            return
        lines = [Content.assemble(("Lab  ", "bold"), with_keys(plain(lab.task)))]
        for place, goal in enumerate(lab.goals):
            lines.append(_goal(description(goal, lab), done or place in reached, muted=True))
        if done:
            lines.append(Content.assemble(("✓ ", RIGHT), plain(lab.done)))
        lines.append(Content.assemble(("l", KEY), (" opens the lab", MUTED)))
        self.update(Content("\n").join(lines))


class LabTask(Static):
    """A line with the next goal or, if `open_` is true, the task and all goals.

    The goals named in `first` come before the other goals.
    """

    DEFAULT_CSS = """
    LabTask { height: auto; margin-bottom: 1; }
    Screen.-low LabTask { margin-bottom: 0; }
    """

    def __init__(self, lab: AnyLab, task: str, first: Sequence[str] = ()) -> None:
        super().__init__(markup=False)
        self._goals = sorted(lab.goals, key=lambda goal: goal.name not in first)
        self._wanted = task
        self._reached: Set[str] = frozenset()
        self.open = False

    def show(self, reached: Set[str], *, open_: bool) -> None:
        """Show the goals.

        `reached` has the names of the goals reached, now or in earlier sessions. This is called
        after every key press, so it updates the layout only if something has changed.
        """
        if (reached, open_) == (self._reached, self.open) and self.content:
            return
        self._reached, self.open = reached, open_
        goals = self._goals
        left = [goal for goal in goals if goal.name not in reached]
        if open_:
            task = with_keys(plain(self._wanted), "bold")
            lines = [_goal(goal.says, goal.name in reached) for goal in goals]
            self.update(Content("\n").join([task, *lines]))
            return
        done = len(goals) - len(left)
        said = _goal(left[0].says, False) if left else _goal("all goals reached", True)
        count = f"  {done} of {len(goals)}"
        self.update(Content.assemble(said, (count, MUTED)) if goals else Content(""))


def _goal(words: str, reached: bool, *, muted: bool = False) -> Content:
    """Draw a goal. Unless `muted`, a goal that is not reached stands out."""
    sign = ("✓ ", RIGHT) if reached else ("○ ", MUTED if muted else ACT)
    return Content.assemble(sign, with_keys(words, MUTED if reached or muted else ""))
