"""The widget that displays a conversation and scrolls it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from rich.cells import cell_len
from textual.content import Content

from tutor.app import theme
from tutor.app.explorer.chat.layout import (
    INDENT,
    Conversation,
    cursor,
    drawn,
    lay_out,
    top_line,
    version_note,
)
from tutor.app.explorer.events import MoveFocus, Scroll
from tutor.app.explorer.panel import Send
from tutor.app.widgets.lines import Lines
from tutor.language import _
from tutor.text import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from textual.events import Click, MouseScrollDown, MouseScrollUp

    from tutor.app.explorer.chat.layout import ChatLine

WHEEL = 3
"""The number of lines to scroll for each step of the mouse wheel."""


NARROW = 60
"""The width, in columns, below which the line at the bottom does not name the scroll keys."""
WIDEST = 100
"""The maximum width of the text, in columns. Longer lines are hard to read."""


class ConversationView(Lines, can_focus=True):
    """A scrolling view of a conversation.

    It shows the token in focus, or the lines to which the learner has scrolled. At first, it shows
    the end of the conversation if the token in focus is there. While an answer is being
    generated, the answer's end stays visible unless the learner has scrolled up.
    """

    DEFAULT_CSS = "ConversationView { height: 1fr; }"
    FOCUS_ON_CLICK = False  # a click must not take the keyboard focus from the editor

    _conversation = Conversation()
    _all: Sequence[ChatLine] = ()
    _top = 0
    _ends = True
    """Whether the last line is visible. It stays visible if the room for the text changes."""

    def update(self, conversation: Conversation, scroll: int | None) -> None:
        """Show a conversation. `scroll` is the first line to show, or None to show the focus."""
        self._conversation = conversation
        self.draw_with(partial(self._lay_out, scroll))

    def introduce(self, lines: Callable[[int, int], Sequence[Content]]) -> None:
        """Show an empty chat. `lines` returns its lines for a width and a height."""
        self._all, self._top, self._ends = (), 0, True

        def draw() -> None:
            width, height = self.size
            self.show(lines(width, height)[: max(1, height)])

        self.draw_with(draw)

    def scrolled(self, by: int) -> int | None:
        """Return the first line to show after scrolling by `by` lines.

        At the end of the conversation, return None, so that the view follows the focus again.
        """
        last, shown = max(0, len(self._all) - self._room), self._conversation
        top = max(0, self._top + by)
        if top < last:
            return top
        return None if shown.focus >= len(shown.steps) else last

    @property
    def page(self) -> int:
        """The number of lines to scroll for a page. One line of the old page stays visible."""
        return max(1, self._room - 1)

    @property
    def _room(self) -> int:
        """The number of rows for text. The row below them says how many lines are hidden."""
        return max(1, self.size.height - 1)

    def on_mouse_scroll_down(self, event: MouseScrollDown) -> None:
        event.stop()
        self.post_message(Send(Scroll(self.scrolled(WHEEL))))

    def on_mouse_scroll_up(self, event: MouseScrollUp) -> None:
        event.stop()
        self.post_message(Send(Scroll(self.scrolled(-WHEEL))))

    def on_click(self, event: Click) -> None:
        """Move the focus to the clicked token."""
        place = self._top + event.y
        line = self._all[place] if place < len(self._all) else None
        if line is None or line.line is None:
            return
        left = INDENT
        for run in line.line.runs:
            left += cell_len(run.text)
            if event.x < left:
                by = run.index + line.start - self._conversation.focus
                self.post_message(Send(MoveFocus(by)))
                return

    def _lay_out(self, scroll: int | None) -> None:
        shown, room = self._conversation, self._room
        self._all = lay_out(shown, min(WIDEST, self.size.width - 1))
        count = len(self._all)
        at = next((n for n, line in enumerate(self._all) if line.holds(shown.focus)), count - 1)
        if scroll is None:
            before = max(0, count - room) if self._ends else self._top
            self._top = top_line(before, at, count, room)
        else:
            self._top = min(scroll, max(0, count - room))
        visible = self._all[self._top : self._top + room]
        lines = [
            drawn(line, shown, self._looked_at(line) if self._top + place == at else None)
            for place, line in enumerate(visible)
        ]
        below = max(0, count - self._top - room)
        self._ends = not below
        grows = shown.open and shown.focus >= len(shown.steps) and shown.pending is None
        if grows and lines and not below:
            lines[-1] += cursor()
        if self._top or below:
            lines += [Content("")] * (room - len(lines))
            lines.append(_hidden(self._top, below, self.size.width, self._hidden_version()))
        self.show(lines)

    def _hidden_version(self) -> list[Content]:
        """Return a note about a message whose heading is hidden, in a long and a short form.

        If one message fills the view, the note says which version of it is shown. Otherwise, if
        the keys for versions apply to a message that is not in view, it names this message.
        """
        heads = [line for line in self._all[: self._top] if line.speaker]
        visible = self._all[self._top :][: self._room]
        if heads and heads[-1].version and all(line.line for line in visible):
            return [version_note(heads[-1])]
        chosen = self._conversation.chosen
        keys = self._conversation.keys
        if chosen is None or not keys or any(line.keys for line in visible):
            return []
        starts = [line.start for line in visible if line.line]
        if starts and chosen.message.stop <= starts[0]:
            notes = (_("message {turn}, further up, has {several}:"), _("↑ message {turn}:"))
        elif starts and starts[-1] < chosen.message.first:
            notes = (_("message {turn}, further down, has {several}:"), _("↓ message {turn}:"))
        else:
            notes = (_("message {turn} has {several}:"), _("message {turn}:"))
        count = len(chosen.branches)
        is_answer = chosen.kind == "answer"
        several = counted(count, "answer") if is_answer else counted(count, "version")
        return [
            Content.assemble(
                ("  " + note.format(turn=chosen.turn, several=several), theme.MUTED),
                (f"  {keys}", f"{theme.ACT} bold"),
            )
            for note in notes
        ]

    def _looked_at(self, line: ChatLine) -> int | None:
        """Return the position of the token to highlight.

        This is the token in focus or, if that token is hidden, the next visible one.
        """
        focus, runs = self._conversation.focus, line.line.runs if line.line else ()
        positions = (run.index + line.start for run in runs if run.width)
        return next((at for at in positions if at >= focus), None)


def _hidden(above: int, below: int, width: int, versions: Sequence[Content]) -> Content:
    """Draw the line that says how many lines are hidden above and below.

    It begins with the first of `versions` for which there is room, if there is one. These are
    notes about a message whose heading is hidden.
    """
    parts = [(f"↑ {counted(above, 'line')}", theme.MUTED)] if above else []
    parts += [(f"↓ {counted(below, 'more line')}", theme.ACT)] if below else []
    said = Content("  ").join(Content.styled(*part) for part in parts)
    keys = Content.styled(_("PgUp PgDn  "), theme.MUTED) if width >= NARROW else Content("")
    line = keys + said
    room = max(0, width - 1 - line.cell_length)
    version = next((each for each in versions if each.cell_length <= room), Content(""))
    return version + " " * (room - version.cell_length) + line
