"""Find what can be copied from a screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.widgets import Input, Markdown

from tutor.app.widgets.copyable import Copy, Copyable
from tutor.app.widgets.lines import Lines
from tutor.app.widgets.menu import Menu
from tutor.app.widgets.static import Static
from tutor.language import _

if TYPE_CHECKING:
    from collections.abc import Iterator

    from textual.screen import Screen
    from textual.widget import Widget


def copies_of(screen: Screen[object]) -> list[Copy]:
    """Return what can be copied now. The selection and the focused widget come first."""
    found: dict[str, Copy] = {}
    for each in _all_copies(screen):
        if each.text.strip():
            found.setdefault(each.what, each)
    return list(found.values())


def _all_copies(screen: Screen[object]) -> Iterator[Copy]:
    """Yield everything that can be copied, including empty items and items with the same name."""
    focused = screen.focused
    yield Copy(_("the selection"), screen.get_selected_text() or "")
    if isinstance(focused, Input):
        yield Copy(_("the text in the field"), focused.value)
    for node in (*(focused.ancestors_with_self if focused else ()), screen):
        if isinstance(node, Copyable):
            yield from node.copies()
    yield Copy(_("everything on the screen"), visible_text(screen))


def visible_text(screen: Screen[object]) -> str:
    """Return the visible text of a screen, without its status line and key line."""
    content = screen.query("#content")
    texts = [_text_of(each) for root in content for each in _leaves(root)]
    return "\n".join(text for text in texts if text.strip())


def _leaves(widget: Widget) -> Iterator[Widget]:
    """Yield the displayed widgets that draw text themselves, from top to bottom."""
    if not widget.display:
        return
    if isinstance(widget, Lines | Menu | Markdown | Input) or not widget.children:
        yield widget
        return
    for child in widget.children:
        yield from _leaves(child)


def _text_of(widget: Widget) -> str:
    match widget:
        case Lines():
            return widget.text
        case Menu():
            return widget.render().plain
        case Markdown():
            return widget.source
        case Input():
            return widget.value
        case Static():
            return str(widget.content)
    return ""
