"""Show the problems of a lesson instead of the lesson, while an author writes it."""

from collections.abc import Sequence
from typing import ClassVar

from textual.binding import BindingType
from textual.content import Content

from tutor.app.base_screen import TextScreen, scroll_keys
from tutor.app.theme import MUTED, NOT_YET
from tutor.app.widgets.layout import hanging
from tutor.authoring.lint import Finding
from tutor.text import safe


class ProblemsScreen(TextScreen):
    """A screen with the linter's findings about one file."""

    BINDINGS: ClassVar[list[BindingType]] = scroll_keys()

    def __init__(self, file: str, findings: Sequence[Finding]) -> None:
        super().__init__()
        self._file = file
        self._findings = findings

    def on_mount(self) -> None:
        self.place = f"preview · {safe(self._file)}"

    def text(self, width: int) -> list[Content]:
        lines = [Content("To see the lesson, correct these problems and save the file.")]
        for finding in self._findings:
            lines += [Content(""), _said(finding, width)]
        return lines


def _said(finding: Finding, width: int) -> Content:
    mark = "!" if finding.level == "error" else "·"
    head = Content.assemble((f"{mark} line {finding.line:<4} ", f"bold {NOT_YET}"))
    said = Content.assemble(safe(finding.message), " ", (safe(finding.next_step), MUTED))
    return hanging(head, said, max(20, width))
