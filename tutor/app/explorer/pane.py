"""The stepper and chat pane: a text, the model's answer to what comes next, and the choice."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, ClassVar, Literal

from textual import work
from textual.containers import Vertical
from textual.message import Message

from tutor.app.explorer import readout, status
from tutor.app.explorer.branch_tree import BranchTree
from tutor.app.explorer.conductor import Conductor
from tutor.app.explorer.distribution_table import DistributionTable
from tutor.app.explorer.keys import PANE_KEYS
from tutor.app.explorer.lines import Lines
from tutor.app.explorer.memory import Memory
from tutor.app.explorer.prompt_editor import PromptEditor
from tutor.app.explorer.recent_texts import RecentTexts
from tutor.app.explorer.sampler_dials import SamplerDials
from tutor.app.explorer.text_view import TextView
from tutor.app.explorer.token_search import TokenSearch
from tutor.app.explorer.xray_view import XRayView
from tutor.app.widgets.notice import Notice
from tutor.engine.client import EngineState
from tutor.errors import RequestCancelled, TextError, TutorError

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.app import ComposeResult
    from textual.binding import BindingType
    from textual.events import Resize
    from textual.timer import Timer

    from tutor.app.explorer.state import Mode, State
    from tutor.course.goals import Evidence
    from tutor.course.lesson import Lab
    from tutor.engine.client import Engine
    from tutor.learner.background import BackgroundProgress

SAVE_AFTER = 0.5
"""Seconds after a change until the state is saved, at most; leaving saves at once."""
PAINT_EVERY = 0.1
"""Seconds between two paintings of the table while the model runs by itself."""
WIDE = 150
"""From so many columns on, the x-ray stands beside the text."""
SHORT = 14
"""With fewer rows than this, bars below the text and column names make room for figures."""
CROWDED = 30
"""With fewer rows than this, an open panel leaves one line of text and no branches."""

Panel = Literal["search", "dials", "editor", "recent"]


def _beside_width(width: int) -> int:
    """Columns of the x-ray beside the text, with the space between them."""
    return min(82, 9 * width // 20)


class ExplorerPane(Vertical):
    """Takes a text or a conversation apart, one token at a time.

    Posts `Stepped` for everything that the goal of a lab could be reached by.
    """

    BINDINGS: ClassVar[list[BindingType]] = PANE_KEYS
    DEFAULT_CSS = """
    ExplorerPane {
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

    class Stepped(Message):
        """The learner did something; `evidence` is what a goal is checked against."""

        def __init__(self, evidence: Evidence) -> None:
            super().__init__()
            self.evidence = evidence

    class SeedChanged(Message):
        """The branch looked at draws with this seed."""

        def __init__(self, seed: int) -> None:
            super().__init__()
            self.seed = seed

    def __init__(
        self,
        engine: Engine,
        progress: BackgroundProgress,
        lab: Lab | None = None,
        *,
        mode: Mode | None = None,
    ) -> None:
        super().__init__()
        self._conductor = Conductor(
            engine,
            Memory(progress, lab, mode),
            work=lambda work, group: self.run_worker(work, group=group, exclusive=True),
            changed=self._changed,
            on_evidence=lambda evidence: self.post_message(self.Stepped(evidence)),
        )
        self._engine = engine
        self._stepper = self._conductor.stepper
        self._panel: Panel | None = None
        self._invited = False
        self._save_timer: Timer | None = None
        self._painted = 0.0
        self._seed: int | None = None
        self._situation: object = None
        self._forget_engine: Callable[[], None] = lambda: None

    @property
    def _state(self) -> State:
        return self._conductor.state

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

    def on_mount(self) -> None:
        self._forget_engine = self._engine.watch(lambda _: self._engine_changed())
        self._engine_changed()

    async def on_unmount(self) -> None:
        self._forget_engine()
        self._conductor.save()
        await self._conductor.close()

    def on_resize(self, event: Resize) -> None:
        self.set_class(event.size.height < SHORT, "-short")
        if self._beside is not None and event.size.width < WIDE:
            self.run_worker(self.action_close_beside())
        self._show()

    def on_descendant_focus(self) -> None:
        self._follow_focus()

    def on_descendant_blur(self) -> None:
        self._follow_focus()

    def _follow_focus(self) -> None:
        """Where Enter means something else, the line that says what it takes goes away."""
        focused = self.screen.focused
        self.set_class(focused is not None and self in focused.ancestors, "-here")
        self.set_class(isinstance(focused, BranchTree), "-tree")

    def focus(self, scroll_visible: bool = True) -> ExplorerPane:
        """Put the keys where they are used: into the open panel, or on the table."""
        inside = "#search SearchEntry" if self._panel == "search" else f"#{self._panel or 'table'}"
        self.screen.set_focus(self.query_one(inside), scroll_visible)
        return self

    def say(self, message: TutorError | str | None) -> None:
        """Say something calmly in the pane until something else happens."""
        self._stepper.note = message
        self._show()

    # --- what changed ----------------------------------------------------------------------

    def _engine_changed(self) -> None:
        if self.is_attached:
            self._conductor.engine_changed()

    def _changed(self) -> None:
        self._show()
        if self._save_timer is None:  # one under way is not put off: a run changes all the time
            self._save_timer = self.set_timer(SAVE_AFTER, self._save)
        tree = self._stepper.tree
        if tree is not None and tree.current.seed != self._seed:
            self._seed = tree.current.seed
            self.post_message(self.SeedChanged(self._seed))
        possible = self._engine.model is None or self._conductor.chat_possible
        if tree is None and self._state.mode == "chat" and possible:
            self._invite()

    def _invite(self) -> None:
        """A conversation that has not begun asks for the first message, once."""
        if not self._invited and self._panel is None and not self._conductor.begins_by_itself:
            self._invited = True
            self.action_edit()

    def _save(self) -> None:
        self._save_timer = None
        self._conductor.save()
        self._show_notice()

    # --- showing ---------------------------------------------------------------------------

    def _show(self) -> None:
        if not self.is_mounted or not self.size:
            return
        self._show_text()
        self._show_notice()
        now = time.monotonic()
        if self._stepper.running and now - self._painted < PAINT_EVERY:
            return
        self._painted = now
        self._show_table()
        self._show_panels()
        self._show_beside()

    @property
    def _room(self) -> tuple[int, int]:
        """Columns and rows for everything but an x-ray beside it."""
        width, height = self.size
        return width - (_beside_width(width) if self._beside else 0), height

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
            self.query_one(Notice).said = status.said(self._engine, self._stepper)
            tree, reading = self._stepper.tree, self._stepper.reading
            situation = (self._engine.state, self._state.mode, tree is None, reading is None)
            if situation != self._situation:  # What the keys can do depends on nothing else.
                self._situation = situation
                self.refresh_bindings()

    # --- keys ------------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        match action:
            case "retry":
                return self._engine.state is EngineState.STOPPED
            case "close_beside":
                return self._beside is not None
            case "stop_reading":
                return self._stepper.reading is not None
            case "run":
                return self._stepper.reading is None
            case "marks":
                return self._state.mode == "chat"
            case "mode":
                return parameters != (self._state.mode,)
        return True

    def action_step(self) -> None:
        if self._state.mode == "chat" and (self._stepper.tree is None or self._stepper.ended):
            self.action_edit()
        else:
            self._conductor.do(self._stepper.step)

    def action_take(self, number: int) -> None:
        self._conductor.do(lambda: self._stepper.take(number - 1))

    def action_cursor(self, by: int) -> None:
        self._conductor.do(lambda: self._stepper.move_cursor(by))

    def action_focus_by(self, by: int) -> None:
        self._conductor.do(lambda: self._stepper.move_focus(by))

    def action_step_back(self) -> None:
        self._conductor.do(self._stepper.back)

    def action_fork(self) -> None:
        self._conductor.do(self._stepper.fork)

    def action_run(self) -> None:
        self._conductor.do(self._stepper.toggle_run)

    def action_stop_reading(self) -> None:
        self._conductor.stop_reading()

    def action_seed(self) -> None:
        self._conductor.do(self._stepper.new_seed)

    def action_marks(self) -> None:
        self._state.marks = not self._state.marks
        self._conductor.sync()

    def action_mode(self, mode: Mode) -> None:
        self._invited = False
        self._conductor.change_mode(mode)

    def action_retry(self) -> None:
        self._conductor.restart_engine()

    async def action_xray(self) -> None:
        tree = self._stepper.tree
        index = tree.last_looked_at if tree else None
        if tree is None or index is None or not self._conductor.ready:
            return
        self._stepper.pause()
        if self.size.width >= WIDE:
            await self._open_beside()
            return
        from tutor.app.explorer.xray import XRayScreen

        self.app.push_screen(XRayScreen(tree.tokens, index, self._conductor.xray))

    # --- the x-ray beside the text -----------------------------------------------------------

    @property
    def _beside(self) -> XRayView | None:
        """The x-ray, where it stands beside the text."""
        return next(iter(self.query(XRayView)), None)

    async def _open_beside(self) -> None:
        if self._beside is None:
            self._close_panel()
            view = XRayView(self._conductor.xray)
            view.styles.width = _beside_width(self.size.width)
            await self.mount(view)
            view.focus()
            self._show()
        else:
            self._beside.focus()

    async def action_close_beside(self) -> None:
        view = self._beside
        if view is not None:
            await view.remove()
            self.focus()
            self._show()

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

    def on_xray_view_wanted(self, event: XRayView.Wanted) -> None:
        tree = self._stepper.tree
        if tree is not None:
            by = event.position - tree.focus
            self._conductor.do(lambda: self._stepper.move_focus(by))

    def on_xray_view_failed(self, event: XRayView.Failed) -> None:
        if event.error is not None:
            self.say(event.error)

    # --- panels ----------------------------------------------------------------------------

    def _open_panel(self, panel: Panel | None) -> None:
        self._panel = panel
        for widget in self.query(".panel"):  # at once, so that the next key finds it in focus
            widget.display = widget.id == panel or (widget.id, panel) == ("label", "editor")
        for name in ("search", "dials", "editor", "recent"):
            self.set_class(name == panel, f"-{name}")
        self.focus()
        self._conductor.sync()

    def _close_panel(self) -> None:
        self._open_panel(None)

    def action_dials(self) -> None:
        self._open_panel(None if self._panel == "dials" else "dials")

    def on_sampler_dials_turned(self, event: SamplerDials.Turned) -> None:
        self._conductor.do(lambda: self._stepper.set_sampler(event.settings))

    def on_sampler_dials_closed(self) -> None:
        self._close_panel()

    def action_branches(self) -> None:
        tree = self._stepper.tree
        if tree is None:
            return
        if len(tree.branches) == 1:
            self.say("There is one branch. f starts another from here; so does choosing earlier.")
            return
        self._stepper.pause()
        branches = self.query_one(BranchTree)
        branches.display = True
        branches.open(tree.current.number)

    def on_branch_tree_chosen(self, event: BranchTree.Chosen) -> None:
        self._conductor.do(lambda: self._stepper.switch(event.number))
        self._close_panel()

    def on_branch_tree_removed(self, event: BranchTree.Removed) -> None:
        self._conductor.do(lambda: self._stepper.remove(event.number))
        if self._stepper.tree and len(self._stepper.tree.branches) > 1:
            self._conductor.sync()
        else:
            self._close_panel()

    def on_branch_tree_closed(self) -> None:
        self._close_panel()

    def action_recent(self) -> None:
        self._stepper.pause()
        self._conductor.save()
        self.query_one(RecentTexts).open(self._conductor.recent(), self._conductor.open_id)
        self._open_panel("recent")

    def on_recent_texts_chosen(self, event: RecentTexts.Chosen) -> None:
        self._invited = False
        self._conductor.change_text(event.info)
        self._close_panel()
        if event.info is None and self._state.mode == "text":
            self.action_edit()

    def on_recent_texts_starred(self, event: RecentTexts.Starred) -> None:
        self._conductor.star(event.info)

    def on_recent_texts_closed(self) -> None:
        self._close_panel()

    def action_search(self) -> None:
        if self._stepper.answer is not None:
            self._stepper.pause()
            self._open_panel("search")
            self.query_one(TokenSearch).open()

    def on_token_search_wanted(self, event: TokenSearch.Wanted) -> None:
        self._find(event.query, event.limit)

    @work(exclusive=True, group="search")
    async def _find(self, query: str, limit: int) -> None:
        search = self.query_one(TokenSearch)
        sampled = not self._stepper.sampler.plain
        try:
            rows, said = await self._conductor.find(query, limit)
        except RequestCancelled:
            return
        except TutorError as error:
            rows, said = (), f"{error.happened} {error.next_step}"
        search.found(rows, said, sampled=sampled)

    def on_token_search_taken(self, event: TokenSearch.Taken) -> None:
        self._close_panel()
        self._conductor.do(lambda: self._stepper.take_found(event.row))

    def on_token_search_closed(self) -> None:
        self._close_panel()

    def action_edit(self) -> None:
        chat = self._state.mode == "chat"
        if chat and self._conductor.ready and not self._conductor.chat_possible:
            return
        self._stepper.pause()
        self.query_one("#label", Lines).show([readout.editor_label(chat=chat)])
        given = "" if chat else self._state.prompt
        self.query_one(PromptEditor).load(self._state.drafts.get(self._state.mode, given))
        self._open_panel("editor")

    def on_prompt_editor_left(self) -> None:
        """The text in use stays as it is; what was written is there when the editor opens again."""
        self._state.drafts[self._state.mode] = self.query_one(PromptEditor).text
        self._close_panel()

    def on_prompt_editor_accepted(self, event: PromptEditor.Accepted) -> None:
        if not event.text:
            self.say(TextError("There is nothing to begin with.", "Write at least one character."))
            return
        state, mode = self._state, self._state.mode
        state.drafts[mode] = event.text  # until the model has taken it

        def heard(accepted: bool) -> None:
            if accepted:
                state.drafts.pop(mode, None)
            elif (state, mode) == (self._state, self._state.mode) and self.is_attached:
                self.action_edit()

        self._stepper.note = None
        going_on = mode == "chat" and self._stepper.tree is not None
        self._close_panel()
        if going_on:
            self._conductor.send(event.text, heard)
        else:
            self._conductor.begin(event.text, heard)
