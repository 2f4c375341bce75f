"""The stepper and chat pane: a text, the model's answer to what comes next, and the choice."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import work
from textual.message import Message

from tutor.app.explorer import readout
from tutor.app.explorer.branch_tree import BranchTree
from tutor.app.explorer.conductor import Conductor
from tutor.app.explorer.keys import PANE_KEYS
from tutor.app.explorer.memory import Memory
from tutor.app.explorer.pane_layout import SHORT, WIDE, Panel, PaneLayout, beside_width
from tutor.app.explorer.recent_texts import RecentTexts
from tutor.app.explorer.sampler_dials import SamplerDials
from tutor.app.explorer.token_search import TokenSearch
from tutor.app.explorer.xray.view import XRayView
from tutor.app.widgets.lines import Lines
from tutor.app.widgets.prompt_editor import PromptEditor
from tutor.engine.api import EngineState
from tutor.errors import RequestCancelled, TextError, TutorError

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.binding import BindingType
    from textual.events import Resize
    from textual.timer import Timer

    from tutor.app.explorer.state import Mode, State
    from tutor.course.goals import Evidence
    from tutor.course.lesson import Lab
    from tutor.engine.api import Engine
    from tutor.learner.background import BackgroundProgress

SAVE_AFTER = 0.5
"""Seconds after a change until the state is saved, at most; leaving saves at once."""


class ExplorerPane(PaneLayout):
    """Takes a text or a conversation apart, one token at a time.

    Posts `Stepped` for everything that the goal of a lab could be reached by.
    """

    BINDINGS: ClassVar[list[BindingType]] = PANE_KEYS

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
        begin: State | None = None,
    ) -> None:
        super().__init__()
        self._conductor = Conductor(
            engine,
            Memory(progress, lab, mode, begin),
            work=lambda work, group: self.run_worker(work, group=group, exclusive=True),
            changed=self._changed,
            on_evidence=lambda evidence: self.post_message(self.Stepped(evidence)),
        )
        self._engine = engine
        self._stepper = self._conductor.stepper
        self._invited = False
        self._save_timer: Timer | None = None
        self._seed: int | None = None
        self._forget_engine: Callable[[], None] = lambda: None

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
        if self._engine.model is not None and self._engine.model.remote:
            self.say("A server tells nothing of what goes on inside its model: there is no x-ray.")
            return
        if self.size.width >= WIDE:
            await self._open_beside()
            return
        from tutor.app.explorer.xray.screen import XRayScreen

        self.app.push_screen(XRayScreen(tree.tokens, index, self._conductor.xray))

    # --- the x-ray beside the text -----------------------------------------------------------

    async def _open_beside(self) -> None:
        if self._beside is None:
            self._close_panel()
            view = XRayView(self._conductor.xray)
            view.styles.width = beside_width(self.size.width)
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
        answer = self._stepper.answer
        told = answer is not None and answer.distribution.partial
        search.found(rows, said, sampled=sampled, partial=told)

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
