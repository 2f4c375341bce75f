"""The texts that are kept: a place to go back to one, or to begin another."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content

from tutor.app import theme
from tutor.app.explorer.events import OpenText, ToggleStar
from tutor.app.explorer.panel import ListPanel, mark
from tutor.app.widgets import figures
from tutor.app.widgets.lines import centered
from tutor.learner.texts import MOST
from tutor.text import counted, safe

if TYPE_CHECKING:
    from tutor.learner.texts import TextInfo

STAR = "*"


def ago(seconds: float) -> str:
    """How long ago something was, in a few letters."""
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{int(seconds // size)} {unit} ago"
    return "just now"


def text_line(info: TextInfo, now: float, width: int, *, chosen: bool, is_open: bool) -> Content:
    """One text: how it ends, how long it is, when it was changed."""
    size = counted(info.tokens, "token")
    if width >= 60:
        size += ago(now - info.at).rjust(11)
    room = max(4, width - len(size) - 7)
    title = " ".join(safe(info.title).split()) or "(nothing yet)"
    if len(title) > room:
        title = "…" + title[len(title) - room + 1 :]
    return Content.assemble(
        mark(chosen),
        (STAR if info.starred else " ", theme.ACT),
        ("● " if is_open else "  ", theme.ACT),
        (figures.fit(title, room), "bold" if is_open else ""),
        "  ",
        (size, theme.MUTED),
    )


class RecentTexts(ListPanel):
    """Lists texts, the one changed last first."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "choose(-1)", "choose", key_display="↑↓", tooltip="Choose a text."),
        Binding("down", "choose(1)", show=False),
        Binding("enter", "open", "go there", tooltip="Go on with this text."),
        Binding("n", "new", "new text", tooltip="Begin another text; the one you are on is kept."),
        Binding("k", "star", "star", tooltip="Star this text: it is never dropped."),
        Binding("escape", "close", "close", tooltip="Stay with the text you are on."),
    ]
    DEFAULT_CSS = "RecentTexts { height: 1fr; }"
    entries: tuple[TextInfo, ...] = ()
    _open_id = ""

    def update(self, infos: tuple[TextInfo, ...], open_id: str) -> None:
        """Show these texts, of which one is open."""
        self.entries, self._open_id = infos, open_id
        self.draw_with(self.lay_out)

    def lay_out(self) -> None:
        width, room = self.size.width, max(1, self.size.height - 2)
        first = centered(self.chosen, len(self.entries), room)
        now = time.time()
        rule = f"  {len(self.entries)} of {MOST} texts kept; the oldest without a star makes room"
        if width < 60:
            rule = f"  {len(self.entries)} of {MOST}; the oldest goes, {STAR} stays"
        lines = [Content.styled(rule, theme.MUTED)]
        for place, info in enumerate(self.entries[first : first + room], start=first):
            chosen = place == self.chosen
            is_open = info.id == self._open_id
            lines.append(text_line(info, now, width, chosen=chosen, is_open=is_open))
        hidden = len(self.entries) - room
        if hidden > 0:
            lines.append(Content.styled(f"  {hidden} more, ↑↓ scroll", theme.MUTED))
        self.show(lines)

    def action_open(self) -> None:
        if self.entries:
            self.send(OpenText(self.entries[self.chosen]))
        else:
            self.action_close()

    def action_new(self) -> None:
        self.send(OpenText(None))

    def action_star(self) -> None:
        if self.entries:
            self.send(ToggleStar(self.entries[self.chosen]))
