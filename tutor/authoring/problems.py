"""What is wrong with a lesson that is being written, in place of the lesson."""

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.events import Resize
from textual.widgets import Static

from tutor.app.base_screen import TutorScreen, scroll_keys
from tutor.app.theme import MUTED, NOT_YET
from tutor.app.widgets.layout import hanging
from tutor.authoring.lint import Finding
from tutor.text import safe


class ProblemsScreen(TutorScreen):
    """The linter's findings about one file, each with its line."""

    BINDINGS: ClassVar[list[BindingType]] = scroll_keys()
    SCROLLED = "#findings"
    DEFAULT_CSS = """
    ProblemsScreen #findings { height: 1fr; scrollbar-gutter: stable; }
    ProblemsScreen #list { height: auto; }
    """

    def __init__(self, file: str, findings: Sequence[Finding]) -> None:
        super().__init__()
        self._file = file
        self._findings = findings

    def compose_content(self) -> ComposeResult:
        with VerticalScroll(id="findings", can_focus=False):
            yield Static(id="list", markup=False)

    def on_mount(self) -> None:
        self.place = f"preview · {safe(self._file)}"

    def on_resize(self, event: Resize) -> None:
        width = self.query_one("#findings").scrollable_content_region.width
        lines = [Content("The lesson is shown when these lines are corrected and saved.")]
        for finding in self._findings:
            lines += [Content(""), _said(finding, width)]
        self.query_one("#list", Static).update(Content("\n").join(lines))


def _said(finding: Finding, width: int) -> Content:
    mark = "!" if finding.level == "error" else "·"
    head = Content.assemble((f"{mark} line {finding.line:<4} ", f"bold {NOT_YET}"))
    said = Content.assemble(safe(finding.message), " ", (safe(finding.next_step), MUTED))
    return hanging(head, said, max(20, width))
