"""A lab as it stands in a lesson: what to do, and whether it is done."""

from __future__ import annotations

from collections.abc import Set

from textual.content import Content
from textual.widget import Widget

from tutor.app.theme import ACT, MUTED, RIGHT
from tutor.app.widgets.prose import plain
from tutor.course.goals import description
from tutor.course.lesson import Lab


class LabCard(Widget):
    """Shows the task, each goal with its state, and the key that opens the lab."""

    def __init__(self) -> None:
        super().__init__()
        self._lab: Lab | None = None
        self._reached: Set[int] = frozenset()
        self._done = False
        self._key = ""
        self.display = False

    def show(self, lab: Lab | None, reached: Set[int], *, done: bool, key: str) -> None:
        """`reached` are the places of the goals reached; `key` opens the lab."""
        self._lab, self._reached, self._done, self._key = lab, reached, done, key
        self.display = lab is not None
        self.set_class(done, "-done")
        self.refresh(layout=True)

    def render(self) -> Content:
        lab = self._lab
        if lab is None:
            return Content("")
        lines = [Content.assemble(("Lab  ", "bold"), plain(lab.task))]
        for place, goal in enumerate(lab.goals):
            lines.append(_goal(description(goal, lab), self._done or place in self._reached))
        if self._done:
            lines.append(Content.assemble(("✓ ", RIGHT), plain(lab.done)))
        lines.append(Content.assemble((self._key, f"bold {ACT}"), (" opens the lab", MUTED)))
        return Content("\n").join(lines)


def _goal(words: str, reached: bool) -> Content:
    mark = ("✓ ", RIGHT) if reached else ("○ ", MUTED)
    return Content.assemble(mark, (words, MUTED))
