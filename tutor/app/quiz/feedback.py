"""What came of an answer, below the question."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content
from textual.widgets import Static

from tutor.app.theme import MUTED, NOT_YET, RIGHT
from tutor.app.widgets.inline import inline
from tutor.text import safe

if TYPE_CHECKING:
    from tutor.course.questions.verdict import Verdict


class Feedback(Static):
    """Right or not, what the model says where it was asked, why, and what happens now."""

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id, markup=False)

    def say(self, verdict: Verdict, why: str, table: Content | None, afterword: str) -> None:
        """`why` is Markdown within a line; `afterword` may be empty."""
        mark = ("✓ ", f"bold {RIGHT}") if verdict.correct else ("× ", f"bold {NOT_YET}")
        lines = [Content.assemble(mark, (safe(verdict.message), "bold"))]
        if table is not None:
            lines += [table, Content("")]
        lines.append(inline(why))
        if afterword:
            lines.append(Content.styled(afterword, MUTED))
        self.update(Content("\n").join(lines))
