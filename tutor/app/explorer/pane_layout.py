"""The layout of the explorer pane, which depends only on the explorer's state and the size."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Literal, cast, get_args

from textual.containers import Vertical
from textual.widget import Widget

from tutor.app.delay import call_after
from tutor.app.explorer import readout, side_by_side
from tutor.app.explorer.chat import lines as chat_lines
from tutor.app.explorer.chat import suggestions
from tutor.app.explorer.chat.editor import MessageEditor
from tutor.app.explorer.chat.first_messages import SUGGESTIONS
from tutor.app.explorer.chat.layout import conversation_of
from tutor.app.explorer.chat.messages import earlier_texts
from tutor.app.explorer.chat.unsent import written_in_field
from tutor.app.explorer.chat.view import ConversationView
from tutor.app.explorer.distribution_table import DistributionTable, TableView
from tutor.app.explorer.events import Panel
from tutor.app.explorer.panel import BranchTree, RecentTexts
from tutor.app.explorer.sampler_dials import SamplerDials
from tutor.app.explorer.side_by_side import SideBySide, column_widths
from tutor.app.explorer.text_view import TextView
from tutor.app.explorer.token_search import TokenSearch
from tutor.app.explorer.undoing import can_redo
from tutor.app.explorer.xray.view import XRayView
from tutor.app.widgets.lines import Lines, paint_together
from tutor.app.widgets.notice import Notice

if TYPE_CHECKING:
    from asyncio import TimerHandle
    from typing import Self

    from textual.app import ComposeResult
    from textual.layout import Layout

    from tutor.app.explorer.controller import ExplorerController
    from tutor.app.explorer.document import Mode
    from tutor.app.explorer.events import TokensFound
    from tutor.app.explorer.state import State
    from tutor.app.terminal.remote_terminal import RemoteTerminal

RightSide = Literal["question", "search", "recent", "table", "target"]
RIGHT: tuple[RightSide, ...] = ("question", "search", "recent", "table", "target")
"""The ids of the widgets that a wide terminal shows to the right of the text."""
_WIDE = 150
"""The minimum width, in columns, to show the x-ray next to the text."""
_TALL, _READABLE = 44, 60
"""The minimum height, in rows, and width, in columns, to show the x-ray below the table."""
CHAT_WIDTH = 104
"""The maximum width of a conversation whose distribution is collapsed. It must match the CSS."""
SHORT = 14
"""The height, in rows, below which the surprisal bars and the column names are hidden."""
CROWDED = 30
"""The height, in rows, below which an open panel hides the branches and most of the text.

Below it, a conversation hides the branches as well, and there is no gap above the distribution.
"""


def xray_room(width: int, height: int) -> tuple[int, int] | None:
    """Return the width and height of the x-ray, or None if the pane is too small to show it.

    `width` and `height` are the size of the pane. All sizes are in columns and rows. If the pane is
    wide, the x-ray takes its full height, at one side. If the pane is tall, the x-ray takes its
    full width, at the bottom.
    """
    if width >= _WIDE:
        return min(82, 9 * width // 20), height
    if height >= _TALL and width >= _READABLE:
        return width, height // 2
    return None


def _next_of_run(drawn: State | None, state: State) -> bool:
    """Return True if `state` differs from `drawn` only by tokens that a run has added."""
    return (
        drawn is not None
        and drawn.running
        and state.running
        and state.stale is not None
        and (drawn.engine, drawn.panel, drawn.note, drawn.mode, drawn.reading, drawn.sampler)
        == (state.engine, state.panel, state.note, state.mode, state.reading, state.sampler)
        and (drawn.folded, drawn.scroll, drawn.document.marks, drawn.steering)
        == (state.folded, state.scroll, state.document.marks, state.steering)
    )


def _classes(state: State, focused: Widget | None, pane: Widget, apart: bool) -> dict[str, bool]:
    """Return all CSS classes of `pane`. `apart` is True if the table is beside the text."""
    open_panel = {f"-{panel}": panel == state.panel for panel in get_args(Panel)}
    return {
        **open_panel,
        "-chat": state.mode == "chat",
        "-folded": state.folded,
        "-short": pane.size.height < SHORT,
        "-low": pane.size.height < CROWDED,
        "-apart": apart,
        "-here": focused is not None and pane in focused.ancestors,
        "-tree": isinstance(focused, BranchTree),
    }


def _compact_dials(pane: PaneLayout) -> bool:
    """Return True if there is room for only one sampler setting.

    Between a conversation and its distribution, all settings would hide most of the conversation.
    """
    state, height = pane.state, pane.size.height
    between = state.mode == "chat" and not (state.table_hidden or pane._sides.apart)
    return height < SHORT or (between and height < CROWDED)


class PaneLayout(Vertical):
    """The base class of the explorer pane, which lays out and draws the widgets.

    A subclass creates the controller and handles the keys.
    """

    DEFAULT_CSS = """
    PaneLayout {
        width: 1fr; height: 1fr;
        & > .inset, & > ConversationView { display: none; }
        &.-chat.-folded { align-horizontal: center; }
        &.-chat.-folded > * { max-width: 104; }
        &.-chat.-folded > XRayView { max-width: 100%; }
        &.-chat > ConversationView { display: block; height: 3fr; }
        &.-chat > #table { height: 2fr; }
        &.-chat.-short > ConversationView { height: 2fr; }
        &.-chat.-low.-dials > ConversationView { height: 4.5fr; }
        &.-chat > #text, &.-chat.-folded > #table, &.-chat.-folded > #question { display: none; }
        &.-chat.-editor > #table, &.-chat.-editor > #question { display: none; }
        &.-chat.-search > ConversationView, &.-chat.-recent > ConversationView { height: 3; }
        & > XRayView { dock: right; padding-left: 1; border-left: solid $rule; }
        & > XRayView:focus { border-left: heavy $accent; }
        & > XRayView.-below {
            dock: bottom; padding-left: 0; border-left: none; border-top: solid $rule;
        }
        & > XRayView.-below:focus { border-top: heavy $accent; }
        & #question { margin-top: 1; }
        &.-apart #question { margin-top: 0; }
        &.-apart BranchTree { margin-top: 1; }
        &.-apart > ConversationView { height: 1fr; }
        & #target { visibility: hidden; }
        &.-here #target { visibility: visible; }
        &.-short #question, &.-chat.-low #question { margin-top: 0; }
        &.-short PromptEditor { max-height: 2; }
        &.-search DistributionTable, &.-search BranchTree { display: none; }
        &.-recent DistributionTable, &.-recent BranchTree, &.-recent #question { display: none; }
        &.-search #target, &.-recent #target, &.-editor #target, &.-tree #target { display: none; }
        &.-short.-dials #text, &.-short.-dials #focus { display: none; }
    }
    """

    _controller: ExplorerController

    beside_text = False
    """Whether the pane is next to a text that initially has the keyboard focus."""

    def __init__(self) -> None:
        super().__init__()
        self._sides = SideBySide(right=RIGHT, below=("note",))
        self._painted = 0.0
        """The time at which the pane was last drawn, on the monotonic clock."""
        self._drawn: State | None = None
        """The state that was drawn last."""
        self._draw_timer: TimerHandle | None = None
        """A timer that draws the latest state of a run, if drawing it was postponed."""
        self._situation: object = None
        self._mode: Mode = "text"
        self._panel: Panel | None = None
        """The open panel, or None."""
        self._found: TokensFound | None = None

    def compose(self) -> ComposeResult:
        yield TextView(id="text")
        yield ConversationView(id="conversation")
        yield Lines(id="focus")
        yield Lines(id="label", classes="inset")
        yield MessageEditor(id="editor", classes="inset")
        yield SamplerDials(id="dials", classes="inset")
        yield Lines(id="question")
        yield TokenSearch(id="search", classes="inset")
        yield RecentTexts(id="recent", classes="inset")
        yield DistributionTable(id="table")
        yield Lines(id="target")
        yield BranchTree(id="branches")
        yield Notice(id="note")

    @property
    def layout(self) -> Layout:
        return self._sides

    @property
    def state(self) -> State:
        return self._controller.state

    @property
    def _beside(self) -> XRayView | None:
        """The x-ray, if it is next to the text or below the table."""
        return next((child for child in self.children if isinstance(child, XRayView)), None)

    @property
    def _room(self) -> tuple[int, int]:
        """The numbers of columns and rows available to all widgets except the x-ray."""
        width, height = self.size
        taken = xray_room(width, height) if self._beside else None
        if taken is None:
            return width, height
        return (width, height - taken[1]) if taken[0] == width else (width - taken[0], height)

    def _fit_beside(self, view: XRayView) -> bool:
        """Set the x-ray's position in the pane. Return False if there is no room for the x-ray."""
        room = xray_room(*self.size)
        if room is not None:
            view.styles.width, view.styles.height = room
            view.set_class(room[0] == self.size.width, "-below")
        return room is not None

    @property
    def _columns(self) -> tuple[int, int]:
        """The widths of the text and the table, in columns."""
        width, _ = self._room
        if self._sides.apart:
            return column_widths(width)
        if self.state.mode == "chat" and self.state.folded:
            width = min(width, CHAT_WIDTH)
        return width, width

    def _choose_layout(self, state: State) -> None:
        """Show the table to the right of the text if there is room, or below the text if not."""
        both = not state.table_hidden or state.panel in ("search", "recent")
        if state.mode == "chat" and state.panel == "editor":
            both = False  # the editor hides the table
        apart = both and self._room[0] >= side_by_side.WIDE
        if apart != self._sides.apart:
            self._sides.apart = apart
            self.refresh(layout=True)

    @property
    def _crowded(self) -> bool:
        """True if a panel or a conversation leaves too little room for the branches."""
        return self.size.height < CROWDED and bool(self.state.panel or self.state.mode == "chat")

    def focus(self, scroll_visible: bool = True) -> Self:
        """Focus the open panel. If no panel is open, focus the conversation or the table."""
        panel = self.state.panel
        rest = "conversation" if self.state.mode == "chat" else "table"
        inside = "#search SearchEntry" if panel == "search" else f"#{panel or rest}"
        self.screen.set_focus(self.query_one(inside), scroll_visible)
        return self

    def _draw(self, state: State) -> None:
        """Draw a state. All widgets are updated at once, so they always show the same token.

        A run can change the state faster than a terminal can draw it. Some states are then skipped,
        but never the last one. Nothing is drawn while the pane is being removed.
        """
        if not self.is_mounted or self._controller.left:
            return
        if self.size:
            self._choose_layout(state)
        self._update_classes(state)
        if (state.panel, state.mode) != (self._panel, self._mode):
            self._change_panel(state)
        if not self.size:
            return
        now = time.monotonic()
        wait = self._painted + cast("RemoteTerminal", self.app).line.figures - now
        if wait > 0 and _next_of_run(self._drawn, state):
            if self._draw_timer is None:
                self._draw_timer = call_after(wait, self, self._draw_latest)
            return
        self._painted, self._drawn = now, state
        self._draw_text(state)
        self._draw_notice(state)
        self._draw_table(state)
        self._draw_panels(state)
        self._draw_beside(state)
        paint_together(self.query(Widget))

    def _draw_latest(self) -> None:
        self._draw_timer = None
        self._painted = 0.0
        self._draw(self.state)

    def _update_classes(self, state: State) -> None:
        """Update all CSS classes at once, because Textual styles the whole pane for each update."""
        self.update_classes(_classes(state, self.screen.focused, self, self._sides.apart))

    def _change_panel(self, state: State) -> None:
        """Show the open panel immediately, so that it has the focus at the next key press."""
        self._mode, self._panel = state.mode, state.panel
        panel = state.panel
        if panel == "editor":
            editor = self.query_one(MessageEditor)
            editor.chat = state.mode == "chat"
            ended = self._drawn is not None and self._drawn.running and state.complete
            editor.note_end(ended=ended)
            editor.show(written_in_field(state), earlier_texts(state))
        for widget in self.query(".inset"):
            widget.display = widget.id == panel or (widget.id, panel) == ("label", "editor")
        if self.has_focus_within or not self.beside_text:
            self.focus()
        if panel == "search":
            self.query_one(TokenSearch).open()
        elif panel == "recent":
            self.query_one(RecentTexts).choose(state.texts, state.open_id)

    def _draw_text(self, state: State) -> None:
        width, height = self._columns[0], self.size.height
        tree = state.tree
        view, focus = self.query_one(TextView), self.query_one("#focus", Lines)
        if state.mode == "chat":
            self._draw_conversation(state)
            focus.show([chat_lines.focus_line(state, tree, width)] if tree else [])
            return
        rows = 1 if self._crowded else min(8, max(1, (height - 10) // 3))
        if self._sides.apart:
            rows = max(rows, (height - 16) // 2)
        if tree is None:
            view.plain_text(state.document.prompt, rows)
            focus.show([])
            return
        view.update(tree.steps, tree.focus, marks=True, rows=rows, barred=height >= SHORT)
        focus.show([readout.focus_line(tree, state.context, width)])

    def _draw_conversation(self, state: State) -> None:
        view = self.query_one(ConversationView)
        if state.tree is None and state.handed_in is None and state.to_rebuild is None:
            view.introduce(partial(suggestions.empty_chat, state))
        else:
            view.update(conversation_of(state), state.scroll)

    def _draw_table(self, state: State) -> None:
        width, height = self._columns[1], self.size.height
        self.query_one("#question", Lines).show([readout.question_line(state, width)])
        lines_of = chat_lines if state.mode == "chat" else readout
        self.query_one("#target", Lines).show(lines_of.target_lines(state, width))
        shown, target = state.shown, state.target
        table = self.query_one(DistributionTable)
        view = TableView(
            shown.answer.distribution if shown else None,
            target=target.row if target and not state.running else None,
            cursor=state.cursor,
            sampled=shown is not None and not shown.sampler.plain,
            marked=shown is not None and shown.position is not None,
            named=height >= SHORT,
        )
        table.draw_with(lambda: table.lay_out(view))

    def _draw_panels(self, state: State) -> None:
        height, latest = self.size.height, state.answer or state.stale
        branches = self.query_one(BranchTree)
        several = state.tree is not None and len(state.tree.branches) > 1
        room = height >= SHORT and not self._crowded and not state.table_hidden
        branches.display = several and (room or branches.has_focus)
        rows = 3 if height < SHORT else max(2, min(9, height // (3 if branches.has_focus else 6)))
        branches.update(state.tree, rows, chat=state.mode == "chat")
        if state.panel == "editor":
            chat, width = state.mode == "chat", self._columns[0]
            text_label = readout.editor_label(history=bool(state.document.earlier))
            label = chat_lines.editor_label(state, width) if chat else text_label
            self.query_one("#label", Lines).show([label])
            number = len(SUGGESTIONS) if state.suggests else 0
            self.query_one(MessageEditor).suggests = number
        elif state.panel == "dials":
            seen = latest.distribution if latest else None
            dials = self.query_one(SamplerDials)
            dials.steer(state.fitting_vectors, state.steering_to_come)
            dials.update(state.sampler_to_come, seen, compact=_compact_dials(self))
        elif state.panel == "recent":
            self.query_one(RecentTexts).update(state.texts, state.open_id, state.mode)
        elif state.panel == "search" and state.found and state.found is not self._found:
            self._found = found = state.found
            partial = state.answer is not None and state.answer.distribution.partial
            self.query_one(TokenSearch).found(
                found.query,
                found.rows,
                found.said,
                sampled=not state.sampler.plain,
                partial=partial,
            )

    def _draw_notice(self, state: State) -> None:
        self.query_one(Notice).said = readout.said(state, self._room[0])
        tree, reading = state.tree, state.reading
        situation: tuple[object, ...] = (
            state.engine.state,
            state.mode,
            tree is None,
            (reading is None, state.panel == "recent"),
            (tree is not None and can_redo(state, tree), self._controller.saving),
        )
        if state.mode == "chat":
            plain = state.sampler_to_come.plain
            writes = chat_lines.opens_editor(state), state.complete
            several = tree is not None and len(tree.branches) > 1
            situation += (state.folded, state.running, plain, state.suggests, writes, several)
        if situation != self._situation:  # the available keys depend only on these values
            self._situation = situation
            self.refresh_bindings()

    def _draw_beside(self, state: State) -> None:
        """Update the x-ray after the focus has moved.

        Do nothing during a run, because the focus then moves too fast.
        """
        view, tree = self._beside, state.tree
        index = tree.last_looked_at if tree else None
        still = state.answer is not None and not state.running
        if view and view.is_mounted and tree and index is not None and still:
            view.look(state.path, index)
