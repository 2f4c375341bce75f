"""What the pane shows, and where: everything on it follows from the stepper and the open panel."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Literal, cast

from textual.containers import Vertical

from tutor.app.explorer import readout, status
from tutor.app.explorer.branch_tree import BranchTree
from tutor.app.explorer.distribution_table import DistributionTable
from tutor.app.explorer.recent_texts import RecentTexts
from tutor.app.explorer.sampler_dials import SamplerDials
from tutor.app.explorer.text_view import TextView
from tutor.app.explorer.token_search import TokenSearch
from tutor.app.explorer.xray.view import XRayView
from tutor.app.widgets.lines import Lines
from tutor.app.widgets.notice import Notice
from tutor.app.widgets.prompt_editor import PromptEditor

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from tutor.app.explorer.conductor import Conductor
    from tutor.app.explorer.state import State
    from tutor.app.explorer.stepper import Stepper
    from tutor.app.terminal.remote_terminal import RemoteTerminal
    from tutor.engine.api import Engine

WIDE = 150
"""From so many columns on, the x-ray stands beside the text."""
SHORT = 14
"""With fewer rows than this, bars below the text and column names make room for figures."""
CROWDED = 30
"""With fewer rows than this, an open panel leaves one line of text and no branches."""

Panel = Literal["search", "dials", "editor", "recent"]


def beside_width(width: int) -> int:
    """Columns of the x-ray beside the text, with the space between them."""
    return min(82, 9 * width // 20)


class PaneLayout(Vertical):
    """The parts of the pane. Its subclass makes the conductor and carries out keys."""

    DEFAULT_CSS = """
    PaneLayout {
        width: 1fr; height: 1fr;
        & > .panel { display: none; }
        & > XRayView { dock: right; padding-left: 2; }
        & #question { margin-top: 1; }
        & #target { visibility: hidden; }
        &.-here #target { visibility: visible; }
        &.-short #question { margin-top: 0; }
        &.-short PromptEditor { max-height: 2; }
        &.-search DistributionTable, &.-search BranchTree { display: none; }
        &.-recent DistributionTable, &.-recent BranchTree, &.-recent #question { display: none; }
        &.-search #target, &.-recent #target, &.-editor #target, &.-tree #target { display: none; }
        &.-short.-dials #text, &.-short.-dials #focus { display: none; }
    }
    """

    _conductor: Conductor
    _stepper: Stepper
    _engine: Engine

    def __init__(self) -> None:
        super().__init__()
        self._panel: Panel | None = None
        self._painted = 0.0
        self._situation: object = None

    def compose(self) -> ComposeResult:
        yield TextView(id="text")
        yield Lines(id="focus")
        yield Lines(id="label", classes="panel")
        yield PromptEditor(id="editor", classes="panel")
        yield SamplerDials(id="dials", classes="panel")
        yield Lines(id="question")
        yield TokenSearch(id="search", classes="panel")
        yield RecentTexts(id="recent", classes="panel")
        yield DistributionTable(id="table")
        yield Lines(id="target")
        yield BranchTree(id="branches")
        yield Notice()

    @property
    def _state(self) -> State:
        return self._conductor.state

    @property
    def _beside(self) -> XRayView | None:
        """The x-ray, where it stands beside the text."""
        return next(iter(self.query(XRayView)), None)

    def _show(self) -> None:
        if not self.is_mounted or not self.size:
            return
        self._show_text()
        self._show_notice()
        now = time.monotonic()
        begun = self._stepper.running and self._stepper.stale is not None
        if begun and now - self._painted < cast("RemoteTerminal", self.app).line.figures:
            return
        self._painted = now
        self._show_table()
        self._show_panels()
        self._show_beside()

    @property
    def _room(self) -> tuple[int, int]:
        """Columns and rows for everything but an x-ray beside it."""
        width, height = self.size
        return width - (beside_width(width) if self._beside else 0), height

    @property
    def _crowded(self) -> bool:
        """True while an open panel needs the room that text and branches would take."""
        return self._panel is not None and self.size.height < CROWDED

    def _show_text(self) -> None:
        width, height = self._room
        tree = self._stepper.tree
        view, focus = self.query_one(TextView), self.query_one("#focus", Lines)
        rows = 1 if self._crowded else min(8, max(1, (height - 10) // 3))
        if tree is None:
            view.plain_text(self._state.prompt if self._state.mode == "text" else "", rows)
            focus.show([])
            return
        # Special tokens are part of a text; in a conversation they can be hidden.
        marks = self._state.marks or self._state.mode == "text"
        view.update(tree.steps, tree.focus, marks=marks, rows=rows, barred=height >= SHORT)
        focus.show([readout.focus_line(tree, self._stepper.context, width)])

    def _show_table(self) -> None:
        stepper, (width, height) = self._stepper, self._room
        self.query_one("#question", Lines).show([readout.question_line(stepper, width)])
        self.query_one("#target", Lines).show(readout.target_lines(stepper, width))
        latest = stepper.stale if stepper.running else stepper.answer or stepper.stale
        unasked = stepper.tree is None or stepper.tree.focus == 0 or stepper.reading is not None
        self.query_one(DistributionTable).update(
            None if unasked or latest is None else latest.distribution,
            target=stepper.target.row if stepper.target and not stepper.running else None,
            cursor=stepper.cursor,
            sampled=not stepper.sampler.plain,
            fresh=stepper.answer is not None and not stepper.running,
            named=height >= SHORT,
        )

    def _show_panels(self) -> None:
        stepper, height = self._stepper, self.size.height
        branches = self.query_one(BranchTree)
        branches.rows = 3 if height < SHORT else max(2, min(9, height // 6))
        several = stepper.tree is not None and len(stepper.tree.branches) > 1
        room = height >= SHORT and not self._crowded
        branches.display = several and (room or branches.has_focus)
        branches.update(stepper.tree)
        if self._panel == "dials":
            latest = stepper.answer or stepper.stale
            dials = self.query_one(SamplerDials)
            dials.compact = height < SHORT
            dials.update(stepper.sampler_to_come, latest.distribution if latest else None)

    def _show_notice(self) -> None:
        if self.is_mounted:
            self.query_one(Notice).said = status.said(self._engine, self._stepper, self._room[0])
            tree, reading = self._stepper.tree, self._stepper.reading
            situation = (self._engine.state, self._state.mode, tree is None, reading is None)
            if situation != self._situation:  # What the keys can do depends on nothing else.
                self._situation = situation
                self.refresh_bindings()

    def _show_beside(self) -> None:
        """The x-ray follows the focus; not a run, whose tokens come too fast to be looked into."""
        view, tree, stepper = self._beside, self._stepper.tree, self._stepper
        index = tree.last_looked_at if tree else None
        still = stepper.answer is not None and not stepper.running
        if (
            view is not None
            and view.is_mounted
            and tree is not None
            and index is not None
            and still
        ):
            view.look(tree.tokens, index)
