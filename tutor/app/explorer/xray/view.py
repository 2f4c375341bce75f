"""The x-ray of one token: its attention, what each layer would predict, and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from textual import work
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message

from tutor.app import theme
from tutor.app.explorer.events import SearchTokens, ShowPanel, TakeFound
from tutor.app.explorer.panel import Send
from tutor.app.explorer.text_view import TextView
from tutor.app.explorer.token_search import TokenSearch
from tutor.app.explorer.xray.inside import AskAttribution, Findings, following
from tutor.app.explorer.xray.keys import XRAY_KEYS
from tutor.app.explorer.xray.rows import rows_with_heading
from tutor.app.explorer.xray.tabs import Tabs
from tutor.app.explorer.xray.why import EXPLAIN
from tutor.app.widgets.lines import Lines, follow_click
from tutor.errors import RequestCancelled, TutorError
from tutor.labs.kit.columns import Room
from tutor.labs.kit.tabs import tabs
from tutor.language import _
from tutor.lm.token_tree import Step

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import ComposeResult
    from textual.binding import BindingType
    from textual.events import Click

    from tutor.app.explorer.xray.inside import Inside, Request
    from tutor.app.explorer.xray.tab import Tab
    from tutor.lm.attribution import Attribution
    from tutor.lm.distribution import Token
    from tutor.sharing.document import SharedXRay


_LOW = 19
"""The height, in rows, below which the text has only one line."""


class XRayView(Vertical, can_focus=True):
    """A view of one token in its text, with one of several tabs below the text.

    The current tab determines which request is needed next. The requests are sent to `inside` one
    at a time. If a different request is needed, the running request is canceled.
    """

    BINDINGS: ClassVar[list[BindingType]] = XRAY_KEYS
    DEFAULT_CSS = """
    XRayView {
        height: 1fr;
        & > #rows { height: 1fr; }
        & > #words { margin-bottom: 1; }
        & > TokenSearch { display: none; }
        &.-search > TokenSearch { display: block; }
        &.-search > #rows { display: none; }
        &.-low > #words { margin-bottom: 0; }
    }
    """

    @dataclass
    class Wanted(Message):
        """Posted when the learner asks for the x-ray of the token at `position`."""

        position: int

    @dataclass
    class Failed(Message):
        """Posted with an error when the x-ray has failed, and with None when it works again."""

        error: TutorError | None

    def __init__(self, inside: Inside, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._inside = inside
        self._tabs = Tabs()
        self._found: Findings | None = None
        """The findings about the token that the learner last selected."""
        self._shown: Findings | None = None
        """The findings on the screen, which stay until enough is known about the selected token."""
        self._text: tuple[tuple[Token, ...], int, int] | None = None
        """The text, the position and the number of rows that were drawn last."""
        self._situation: object = None
        """The values that determined the available keys when the key line was last updated."""
        self._asked: tuple[Findings, Request] | None = None
        """The running request, and the findings in which its result is stored."""
        self._failed = False
        """Whether the last request has failed. It is sent again when the learner presses a key."""
        self._against = False
        """Whether the token search is for the token to compare with, not the token to explain."""

    def compose(self) -> ComposeResult:
        yield TextView(id="words")
        yield Lines(id="tabs")
        yield from rows_with_heading()
        yield TokenSearch(id="token")

    def on_resize(self) -> None:
        self.set_class(self.size.height < _LOW, "-low")

    def on_mount(self) -> None:
        self.query_one("#rows", Lines).draw_with(self._redraw)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if self.has_class("-search"):
            return action == "leave"
        name = str(parameters[1]) if action == "move" else action
        # The keys that choose the target token work before the explanation is computed.
        found = self._found if name in EXPLAIN else self._ready()
        return self._tabs.open.applies(name, found)

    async def on_click(self, event: Click) -> None:
        await follow_click(self, event, self.action_move)

    def on_text_view_clicked(self, event: TextView.Clicked) -> None:
        event.stop()
        self.post_message(self.Wanted(event.position))

    @property
    def shared(self) -> tuple[SharedXRay, Attribution | None] | None:
        """The description of this x-ray for a saved text, or None before it shows a token.

        The second item contains what contributes to the target logit, if that has been computed.
        """
        found = self._found
        return None if found is None else (self._tabs.to_share(found), found.attribution)

    def restore(self, shared: SharedXRay) -> None:
        """Open the view that a saved text describes, for the token that is already shown."""
        self._tabs.restore(shared)
        if self._found is not None:
            target = following(self._found.path, self._found.position)
            target = target if shared.target is None else shared.target
            self._found = self._found.explaining(target, shared.against)
        self._continue()

    def look(self, path: Sequence[Token], position: int) -> None:
        """Show the x-ray of the token at `position` of `path`.

        The previous x-ray stays on the screen until the new one has been computed.
        """
        found, network = self._found, self._inside.network
        wanted = tuple(path), position, network
        if found is not None and wanted == (found.path, found.position, found.network):
            return
        if self._shown is not None and self._shown.network.model != network.model:
            self._shown = None
        self._found = Findings.at(path, position, network, before=found)
        self._tabs.begin()
        self._continue()

    def _redraw(self) -> None:
        """Draw the findings, and send the next request unless the last request has failed."""
        if self._failed:
            self._show()
        else:
            self._continue()

    def _continue(self) -> None:
        """Draw the findings, and send the next request even if the last request has failed."""
        self._show()
        if self._needed() != self._asked:
            self._ask()

    def _needed(self) -> tuple[Findings, Request] | None:
        """Return the next request and the findings for its result, or None if none is needed."""
        found = self._found
        request = None if found is None else self._tabs.open.missing(found)
        return None if found is None or request is None else (found, request)

    @work(exclusive=True, group="xray")
    async def _ask(self) -> None:
        """Send one request after another, until the tab has all its results."""
        self._asked, self._failed = None, False
        while (needed := self._needed()) is not None and needed != self._asked:
            self._asked = needed
            found, request = needed
            try:
                await request.run(self._inside, found)
            except TutorError as error:
                if self._asked is needed:
                    self._asked, self._failed = None, True
                    self._show()
                if not isinstance(error, RequestCancelled):
                    self.post_message(self.Failed(error))
                return
            self.post_message(self.Failed(None))
            if self._inside.network != found.network:
                self.look(found.path, found.position)
                return
            if found.xray is not None:
                self._tabs.chosen.fit(found.xray.layers, found.xray.heads)
            if isinstance(request, AskAttribution) and found.attribution is not None:
                self._tabs.chosen.suggest(found.attribution)
            self._show()
        self._asked = None

    def _ready(self) -> Findings | None:
        """Return the newest findings that are complete enough to draw the tab, or None."""
        every = (self._found, self._shown)
        return next((each for each in every if each and self._tabs.open.ready(each)), None)

    def _show(self) -> None:
        self._show_rows()
        self._show_keys()

    def _show_rows(self) -> None:
        view, about = self.query_one("#rows", Lines), self.query_one("#about", Lines)
        width = self.query_one("#tabs", Lines).size.width
        self.query_one("#tabs", Lines).show([tabs(self._tabs.names(self._found), width)])
        found = self._ready()
        if found is None:
            said = "" if self._failed else _("computing the x-ray…")
            about.show([Content.styled(said, theme.MUTED)])
            view.show([])
            return
        self._shown = found
        self._show_text(found)
        if self.has_class("-search"):
            said = _("Rather than which token?") if self._against else _("Explain which token?")
            about.show([Content.styled(said, "bold")])
            return
        room = Room(view.size.width, max(1, view.size.height))
        about.show([self._tabs.open.heading(found, room.width)])
        view.show(self._tabs.open.lines(found, room))

    def _show_text(self, found: Findings) -> None:
        rows = 1 if self.size.height < _LOW else 2
        if (found.path, found.position, rows) == self._text:
            return
        self._text = found.path, found.position, rows
        steps = tuple(Step(token, "prompt") for token in found.path)
        words = self.query_one("#words", TextView)
        words.update(steps, found.position, marks=True, rows=rows, barred=False)

    def _show_keys(self) -> None:
        """Update the key line if the available keys have changed."""
        found = self._found
        chosen = None if found is None else (found.against, found.explains_another)
        opens = self._tabs.open.applies("open", self._ready())
        situation = (self._tabs.open, self.has_class("-search"), chosen, opens)
        if situation != self._situation:
            self._situation = situation
            self.refresh_bindings()

    def action_next_view(self, by: int) -> None:
        self._open(self._tabs.next(by, self._found))

    def _open(self, tab: Tab) -> None:
        self._tabs.open = tab
        tab.scroll.reset()
        self._continue()

    def action_open(self) -> None:
        found = self._ready()
        part = None if found is None else self._tabs.open.head(found)
        if found is None or part is None or part.layer is None or part.head is None:
            return
        self._open(self._tabs.attention(part.layer, part.head))

    def action_ignore(self) -> None:
        """Do nothing, so that Enter does not reach the pane."""

    def action_move(self, by: int, what: str) -> None:
        found = self._ready()
        if what == "position":
            self.action_token(by)
        elif found is not None:
            self._tabs.open.move(found, what, by)
            self._continue()

    def action_token(self, by: int) -> None:
        found = self._found
        if found is not None:
            position = min(max(found.position + by, 0), len(found.path) - 1)
            if position != found.position:
                self.post_message(self.Wanted(position))
            else:
                self._continue()

    def action_explain(self, against: bool = False) -> None:
        self._against = against
        self.add_class("-search")
        self._show()
        search = self.query_one(TokenSearch)
        search.open()
        search.query_one("SearchEntry").focus()

    def action_remove(self) -> None:
        if self._found is not None:
            self._explain(self._found.explained[0], None)

    def action_reset(self) -> None:
        if self._found is not None:
            self._explain(following(self._found.path, self._found.position), None)

    def _explain(self, target: int | None, against: int | None) -> None:
        if self._found is not None:
            self._found = self._found.explaining(target, against)
            self._tabs.open.begin()
            self._continue()

    def on_send(self, message: Send) -> None:
        """Handle the events of this view's token search, so that they do not reach the pane."""
        message.stop()
        match message.event:
            case SearchTokens(query, limit):
                # The search has no size before it has been drawn.
                self._find(query, max(limit, self.query_one("#rows").size.height - 3))
            case ShowPanel(None):
                self.action_leave()
            case TakeFound(row) if self._found is not None:
                target, against = self._found.explained
                chosen = row.token.id
                if self._against:
                    self._explain(target, None if chosen == target else chosen)
                else:
                    self._explain(chosen, None if chosen == against else against)

    def action_leave(self) -> None:
        """Leave the search, as Tab does in other fields."""
        self.remove_class("-search")
        self.focus()
        self._continue()

    @work(exclusive=True, group="search")
    async def _find(self, query: str, limit: int) -> None:
        found = self._found
        if found is None:
            return
        try:
            rows, said = await self._inside.candidates(found.path, found.position, query, limit)
        except RequestCancelled:
            return
        except TutorError as error:
            self.post_message(self.Failed(error))
            return
        self.query_one(TokenSearch).found(query, rows, said, sampled=False)
