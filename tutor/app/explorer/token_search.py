"""The token search, which shows tokens with their probabilities at the current position."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content

from tutor.app import theme
from tutor.app.explorer.distribution_table import rows_block
from tutor.app.explorer.events import SearchTokens, ShowPanel, TakeFound
from tutor.app.explorer.panel import Send
from tutor.app.widgets.entry import Entry
from tutor.app.widgets.lines import Lines
from tutor.labs.kit.keys import UP_DOWN, pair
from tutor.language import _
from tutor.text import safe

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import ComposeResult
    from textual.widgets import Input

    from tutor.lm.distribution import Row


class SearchEntry(Entry):
    BINDINGS: ClassVar[list[BindingType]] = [
        *pair(UP_DOWN, "arrow(*)", "choose", "Choose a token."),
        Binding("enter", "submit", "take", tooltip="Take this token, however improbable it is."),
    ]
    NOT_FIRST = ""  # the learner may search for any token


class TokenSearch(Vertical):
    """A search field, and a table of the tokens found."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "close", "close", tooltip="Close the search without taking a token."),
    ]
    DEFAULT_CSS = """
    TokenSearch { height: 1fr; }
    TokenSearch Lines { height: 1fr; }
    """

    _rows: tuple[Row, ...] = ()
    _chosen = 0
    _sampled = False
    _partial = False
    _said = ""
    _searched: str | None = None
    """The query whose tokens are shown, or None while the search is opening."""
    _waiting = False
    """Whether Enter was pressed before the tokens for the query were found."""

    def compose(self) -> ComposeResult:
        yield SearchEntry(_("any text, such as “par”, or “ par” with its leading space"))
        yield Lines()

    def open(self) -> None:
        """Open the search with an empty field."""
        self.query_one(SearchEntry).value = ""
        self._rows, self._said = (), ""
        self._searched, self._waiting = None, False
        self._show()
        self.post_message(Send(SearchTokens("", self._limit)))

    def found(
        self,
        query: str,
        rows: Sequence[Row],
        said: str,
        *,
        sampled: bool,
        partial: bool = False,
    ) -> None:
        """Show the rows of the tokens found for `query`, and a sentence about the result.

        `partial` is true if the rows come from a server, which returns only part of the
        distribution. If the learner has already pressed Enter for this text, take the first token.
        """
        self._searched = query
        self._rows = tuple(rows)
        self._said = safe(said)
        self._sampled, self._partial = sampled, partial
        self._chosen = min(self._chosen, max(0, len(self._rows) - 1))
        self._show()
        if self._waiting and self._up_to_date:
            self._take()

    @property
    def _up_to_date(self) -> bool:
        """True if the rows belong to the text in the field."""
        return self._searched == self.query_one(SearchEntry).value

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        self._chosen, self._waiting = 0, False
        self.post_message(Send(SearchTokens(event.value, self._limit)))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        if self._up_to_date:
            self._take()
        else:  # the rows belong to an earlier text, so the first row is not what was typed
            self._waiting = True

    def _take(self) -> None:
        """Take the chosen token, if any was found."""
        self._waiting = False
        if self._rows:
            self.post_message(Send(ShowPanel(None)))
            self.post_message(Send(TakeFound(self._rows[self._chosen])))

    def on_entry_arrow(self, event: Entry.Arrow) -> None:
        event.stop()
        if self._rows:
            self._chosen = (self._chosen + event.by) % len(self._rows)
            self._show()

    def action_close(self) -> None:
        self.post_message(Send(ShowPanel(None)))

    @property
    def _limit(self) -> int:
        return max(5, self.query_one(Lines).size.height - 2)

    def _show(self) -> None:
        self.query_one(Lines).draw_with(self._lay_out)

    def _lay_out(self) -> None:
        view = self.query_one(Lines)
        said = Content.styled(self._said, theme.MUTED)
        lines = list(said.wrap(max(1, view.size.width))) if self._said else []
        if self._rows:
            lines += rows_block(
                self._rows,
                view.size.width,
                self._chosen,
                sampled=self._sampled,
                partial=self._partial,
            )
        view.show(lines[: max(1, view.size.height)])
