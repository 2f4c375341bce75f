"""A line for screen readers that says what is selected."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from textual.widget import Widget
from textual.widgets import Input, TextArea

from tutor.app.widgets.static import Static
from tutor.language import _

if TYPE_CHECKING:
    from textual.screen import Screen

_OFTEN = 0.2
"""The interval, in seconds, at which the line is compared with the screen."""


@runtime_checkable
class Announced(Protocol):
    """A widget that can say which of its rows is selected."""

    def announcement(self) -> str | None:
        """Return a sentence about the selected row, or None if no row is selected."""
        ...


class FocusLine(Static):
    """A line that describes the focused field or the selected row.

    It changes only when the focus or the selection does.
    """

    DEFAULT_CSS = """
    FocusLine { height: 1; padding: 0 1; text-wrap: nowrap; text-overflow: ellipsis; }
    """

    def __init__(self) -> None:
        super().__init__(markup=False)
        self.said = ""

    def on_mount(self) -> None:
        self.set_interval(_OFTEN, self._follow)

    def _follow(self) -> None:
        said = announcement(self.screen)
        if said != self.said:
            self.said = said
            self.update(said)


def announcement(screen: Screen[object]) -> str:
    """Return a sentence about what is selected on a screen, or ""."""
    match screen.focused:
        case Input() as field:
            return _("Field: {text}").format(text=field.value or field.placeholder)
        case TextArea() as field:
            line = field.document.get_line(field.cursor_location[0])
            return _("Text field: {text}").format(text=line)
    found = (each.announcement() for each in _announced(screen))
    return next((said for said in found if said), "")


def _announced(screen: Screen[object]) -> Iterator[Announced]:
    """Yield the widgets that may have a selected row, beginning with the focused widget."""
    roots = [screen.focused] if screen.focused is not None else []
    for root in (*roots, screen):
        for widget in root.walk_children(Widget, with_self=True):
            if isinstance(widget, Announced) and widget.is_on_screen and widget.size:
                yield widget
