"""The pane of the stepper and the chat, with the text and the distribution of the next token."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from textual.message import Message

from tutor.app.explorer import events
from tutor.app.explorer.chat.pane import chat_key
from tutor.app.explorer.controller import ExplorerController
from tutor.app.explorer.copies import copies
from tutor.app.explorer.distribution_table import DistributionTable
from tutor.app.explorer.keys import PANE_KEYS
from tutor.app.explorer.pane_layout import xray_room
from tutor.app.explorer.panel import BranchTree, Send
from tutor.app.explorer.readout import XRAY_WAITS
from tutor.app.explorer.saved_texts import SavedTexts
from tutor.app.explorer.share.opening import Restored
from tutor.app.explorer.share.pane import SharingPane
from tutor.app.explorer.stepping import marked_row
from tutor.app.explorer.text_view import TextView
from tutor.app.explorer.undoing import can_redo
from tutor.app.explorer.xray.view import XRayView
from tutor.app.widgets.copyable import Copy
from tutor.engine.api import EngineState
from tutor.language import _
from tutor.lm.distribution import PLAIN, SamplerSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator

    from textual.binding import BindingType
    from textual.events import DescendantBlur, DescendantFocus
    from textual.worker import Worker

    from tutor.app.explorer.document import Document, Mode
    from tutor.app.explorer.events import Event
    from tutor.app.explorer.state import State
    from tutor.course.goals import Evidence
    from tutor.course.lesson import Lab
    from tutor.engine.api import Engine
    from tutor.errors import TutorError
    from tutor.learner.background import BackgroundProgress
    from tutor.lm.distribution import Token
    from tutor.sharing.document import SharedXRay


class ExplorerPane(SharingPane):
    """A pane with a text or a conversation, to which the learner adds one token at a time.

    It posts `Stepped` after each action that could reach a goal of the lab.
    """

    BINDINGS: ClassVar[list[BindingType]] = PANE_KEYS

    @dataclass
    class Stepped(Message):
        """Posted after an action of the learner, with the evidence for checking the lab's goals."""

        evidence: Evidence

    @dataclass
    class Acted(Message):
        """Posted when the learner has changed something.

        `number` counts the changes in this pane.
        """

        number: int

    @dataclass
    class ModeChanged(Message):
        """Posted when the pane shows the other mode, or first shows a conversation."""

        mode: Mode

    @dataclass
    class SeedChanged(Message):
        """Posted when the seed of the current branch has changed. A new chat has no seed yet."""

        seed: int | None

    @dataclass
    class Compare(Message):
        """Posted to open the lab that compares two distributions, with this text as text A.

        `model` is the checksum of the model to which `tokens` belong, and `place` is the number of
        tokens before the position in focus. `steered` is True if a vector steers the network.
        """

        tokens: tuple[Token, ...]
        model: str
        sampler: SamplerSettings
        place: int
        steered: bool = False

    def __init__(
        self,
        engine: Engine,
        progress: BackgroundProgress,
        lab: Lab | None = None,
        *,
        mode: Mode | None = None,
        begin: Document | None = None,
        xray: SharedXRay | None = None,
        sampler: SamplerSettings = PLAIN,
    ) -> None:
        super().__init__()
        if begin is not None and xray is not None:
            self._to_reopen = Restored(begin, xray)
        self._controller = ExplorerController(
            engine,
            SavedTexts(progress, lab, mode, begin, sampler),
            work=self._work,
            show=self._show,
            report=lambda evidence: self.post_message(self.Stepped(evidence)),
            before_failure=self.keep_written,
        )
        self._seed: int | None = None
        self._xray_waits = False
        """Whether the x-ray opens as soon as the model has answered."""
        self.acts = 0
        """The number of changes that the learner has made."""

    def _work(self, task: Callable[[], Coroutine[Any, Any, None]], group: str) -> Worker[None]:
        return self.run_worker(task, group=group, exclusive=True)

    def on_mount(self) -> None:
        self._controller.start()

    def stop_receiving(self) -> None:
        self.say_if_saving()
        self.keep_written()
        self._controller.stop_receiving()

    async def on_unmount(self) -> None:
        await self._controller.close()

    def on_resize(self) -> None:
        if self._beside is not None and not self._fit_beside(self._beside):
            self.run_worker(self.action_close())
        self._draw(self.state)

    def on_descendant_focus(self, event: DescendantFocus | DescendantBlur) -> None:
        self._update_classes(self.state)
        if isinstance(event.widget, BranchTree):
            # With the focus, the list of branches has more rows. Without, it may have to be hidden.
            self._draw(self.state)

    on_descendant_blur = on_descendant_focus

    def copies(self) -> Iterator[Copy]:
        """Yield what can be copied from the text or conversation, and from the table."""
        yield from copies(self.state)
        table = self.query_one(DistributionTable)
        if table.display and not self.state.table_hidden:
            yield from table.copies()
            yield Copy(_("the table"), table.text)

    def say(self, note: TutorError | str | None) -> None:
        """Show a message in the pane until the learner's next action."""
        self._send(events.Say(note))

    def _send(self, event: Event) -> None:
        self.leave_field(event)
        before = self.state
        self._controller.send(event)
        now = self.state
        if (before.document, before.queue, before.panel) != (now.document, now.queue, now.panel):
            self._xray_waits = False
        if (before.document, before.cursor, before.queue) != (now.document, now.cursor, now.queue):
            self.acts += 1
            self.post_message(self.Acted(self.acts))

    def on_send(self, message: Send) -> None:
        message.stop()
        self._send(message.event)
        if isinstance(message.event, events.ShowPanel):
            self.focus()

    def _show(self, state: State) -> None:
        self._draw(state)
        if self._to_reopen is not None and state.answer is not None:
            self.call_after_refresh(self._reopen, self._to_reopen)
            self._to_reopen = None
        if self._xray_waits and state.ready and state.tree and state.question is None:
            self.call_after_refresh(self._open_xray)
            self._xray_waits = False
        self.save_soon()
        if (seed := state.tree.current.seed if state.tree else None) != self._seed:
            self._seed = seed
            self.post_message(self.SeedChanged(seed))

    def _change_panel(self, state: State) -> None:
        if state.mode != self._mode:
            self.post_message(self.ModeChanged(state.mode))
        super()._change_panel(state)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        state = self.state
        in_chat = chat_key(state, " ".join(map(str, (action, *parameters[:1]))))
        if in_chat is not None:
            return in_chat
        match action, *parameters:
            case "do", "retry":
                return state.engine.state is EngineState.STOPPED
            case "close", *_:
                unfolded = state.mode == "chat" and not state.folded
                return self._beside is not None or unfolded
            case ("stop_saving",):
                return self._controller.saving
            case "do", "redo":
                return state.tree is not None and can_redo(state, state.tree)
            case "do", "stop":
                return state.reading is not None
            case ("search",):
                # In these panels, the learner can type “/”.
                return state.panel not in ("search", "editor")
            case "mode", mode:
                return mode != state.mode
        return True

    def action_do(self, what: str) -> None:
        self._send(events.Signal(what))

    def action_panel(self, panel: events.Panel) -> None:
        self._send(events.ShowPanel(panel))

    def action_search(self) -> None:
        self.action_panel("search")

    def action_step(self) -> None:
        self._send(events.Signal.STEP)

    def action_take(self, number: int) -> None:
        self._send(events.TakeRow(number - 1))

    def action_cursor(self, by: int) -> None:
        self._send(events.MoveCursor(by))

    def action_focus_by(self, by: int) -> None:
        self._send(events.MoveToken(by))

    def action_dials(self) -> None:
        self._send(events.ShowPanel(None if self.state.panel == "dials" else "dials"))

    def action_branches(self) -> None:
        tree = self.state.tree
        if tree is None:
            return
        if len(tree.branches) == 1:
            self.say(_("There is only one branch. Press f to start another."))
            return
        self._send(events.Signal.INSPECT)
        branches = self.query_one(BranchTree)
        branches.display = True
        branches.open(tree.number)

    async def action_xray(self) -> None:
        tree = self.state.tree
        index = tree.last_looked_at if tree else None
        path = self.state.path
        if (tree is None or not self.state.ready) and (path or self.state.owed):
            self._xray_waits = True
            self.say(XRAY_WAITS)
            return
        if tree is None or index is None or index >= len(path):
            self.say(_("There is no token to look at here."))
            return
        self._send(events.Signal.INSPECT)
        if self.state.remote:
            self.say(
                _("There is no x-ray, because a server does not expose the inside of its model.")
            )
            return
        if xray_room(*self.size) is not None:
            await self._open_beside()
        else:
            self._open_above(path, index)

    async def _open_xray(self) -> None:
        """Open the x-ray that was waiting for the model, unless another screen is open."""
        self.say(None)
        if self.screen.is_current:
            await self.action_xray()

    def action_compare(self) -> None:
        tree, model = self.state.tree, self.state.engine.model
        if self.state.remote:
            self.say(
                _("There is nothing to compare, because a server returns only a few probabilities.")
            )
        elif tree is not None and model is not None and tree.tokens:
            sampler, steered = self.state.sampler, self.state.steering is not None
            self.post_message(self.Compare(tree.tokens, model.sha256, sampler, tree.focus, steered))

    async def _open_beside(self) -> XRayView:
        view = self._beside
        if view is None:
            self._send(events.ShowPanel(None))
            view = XRayView(self._controller.link)
            self._fit_beside(view)
            await self.mount(view)
            self._draw(self.state)
        view.focus()
        return view

    async def action_close(self) -> None:
        """Close the x-ray if it is open. Otherwise, hide the distribution of a conversation."""
        view = self._beside
        if view is None:
            self.action_hide_distribution()
        else:
            await view.remove()
            self.focus()
            self._draw(self.state)

    def on_text_view_clicked(self, event: TextView.Clicked) -> None:
        if (tree := self.state.tree) is not None:
            self._send(events.MoveFocus(event.position - tree.focus))

    def on_distribution_table_clicked(self, event: DistributionTable.Clicked) -> None:
        """Select the clicked row. If it is already selected, take its token."""
        answer = self.state.answer
        if answer is None or not event.rank <= len(answer.distribution.rows):
            return
        index = event.rank - 1
        if self.state.cursor == index:
            self.action_step()
        else:
            self._send(events.MoveCursor(index - marked_row(self.state)))

    def on_xray_view_wanted(self, event: XRayView.Wanted) -> None:
        tree = self.state.tree
        if tree is not None:
            self._send(events.MoveFocus(event.position - tree.focus))

    def on_xray_view_failed(self, event: XRayView.Failed) -> None:
        if event.error is not None:
            self.say(event.error)
