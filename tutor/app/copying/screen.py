"""The screen that lists what can be copied."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content

from tutor.app.base_screen import TutorScreen
from tutor.app.theme import ACT, MUTED
from tutor.app.widgets.layout import with_end
from tutor.app.widgets.menu import Menu, number_keys
from tutor.language import _
from tutor.text import counted, one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from textual.app import ComposeResult

    from tutor.app.widgets.copyable import Copy

_NUMBERED = 9
_NAME = 26


class CopyMenu(Menu):
    """A menu of what can be copied. The keys 1 to 9 also choose an entry."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "choose", "copy", tooltip="Copy the selected text."),
        *number_keys("copy", "Copy the text with this number."),
    ]


class CopyScreen(TutorScreen):
    """A screen on which the learner chooses what to copy."""

    def __init__(self, copies: Sequence[Copy], copy: Callable[[Copy], None]) -> None:
        """Create the screen. `copy` is called with the text that the learner chooses."""
        super().__init__()
        self._copies = copies
        self._copy = copy

    def compose_content(self) -> ComposeResult:
        with VerticalScroll(can_focus=False):
            yield CopyMenu()

    def on_mount(self) -> None:
        self.place = _("copy")
        menu = self.query_one(CopyMenu)
        menu.show([partial(row, n, each) for n, each in enumerate(self._copies, start=1)])
        menu.focus()

    @on(Menu.Chosen)
    def _chosen(self, event: Menu.Chosen) -> None:
        if self.leave():
            self._copy(self._copies[event.index])


def row(number: int, copy: Copy, width: int) -> Content:
    """Draw the row for a text: its number, its name, its beginning and its size."""
    size = Content.styled(f"  {counted(len(copy.text), 'character')}", MUTED)
    sign = str(number) if number <= _NUMBERED else " "
    name = Content.assemble((f"{sign}  ", ACT), (copy.what.ljust(_NAME), "bold"))
    begin = Content.styled(f"  {one_line(copy.text)}", MUTED)
    return with_end(name + begin, size, width)
