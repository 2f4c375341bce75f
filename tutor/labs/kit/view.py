"""The base class of all lab views."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, TypeVar, cast

from textual.containers import VerticalScroll
from textual.message import Message

from tutor.app.widgets.copyable import Copy
from tutor.app.widgets.lines import Lines
from tutor.labs.kit.actions import Adjust, Choose, MoveFocus, Run, ShowView, Toggle, cycled
from tutor.language import _

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from textual.app import ComposeResult
    from textual.content import Content
    from textual.events import Click, Resize

    from tutor.app.explorer.document import Document
    from tutor.labs.kit.registry import AnyLab
    from tutor.vendors.catalogue import RemoteModel


State = TypeVar("State")
Offered = Mapping[str, Callable[[State], bool]]
"""For each action, a function that returns whether the action's key is available in a state (see
`LabView.OFFERED`)."""

LEAST = 32
"""The minimum number of columns that a view draws in. A view that scrolls has one column less."""


class LabHost(Protocol):
    """The screen that shows a view.

    A view calls these methods directly instead of posting messages, so that they take effect before
    the next key is handled, and text that is typed ahead reaches the right field.
    """

    def act(self, action: Any) -> None:
        """Apply an action of the learner."""

    def reset(self) -> None:
        """Reset the settings, or the whole lab if they are in their initial state."""

    def have_written(
        self,
        label: str,
        text: str,
        then: Callable[[str], Any],
        says: Callable[[str], str] | None = None,
        sample: str = "",
    ) -> None:
        """Let the learner edit text (see `LabView.write`)."""

    def tell(self, said: str) -> None:
        """Show a notice below the view."""

    def follow(self, href: str) -> None:
        """Open the target of a lesson's link on top of the lab. Esc returns to the lab."""

    def open_live_lab(self, name: str) -> None:
        """Open another lab on top of this one."""

    @property
    def may_name_servers(self) -> bool:
        """Return whether the learner may add a server of remote models."""

    async def agreed(self, model: RemoteModel, what: str) -> bool:
        """Return whether the learner consents to sending text to the host of `model`.

        The learner is asked once for each host. `what` is a phrase that names the text to be sent.
        """


class LabView(VerticalScroll, can_focus=True):
    """A widget that draws the state of a lab and turns keys into actions.

    A view lists its keys in `BINDINGS`, and each key leads to a call of `self.did(action)`. Most
    views only define `lines`, which returns the text for a state at a given size. A view with its
    own widgets composes them and overrides `draw`.
    """

    DEFAULT_CSS = """
    LabView { height: 1fr; scrollbar-size-vertical: 1; }
    """

    VIEWS: ClassVar[tuple[str, ...]] = ()
    """The values of `state.view`, in the order in which a key cycles through them."""

    OFFERED: ClassVar[Offered[Any]] = {}
    """For each action, a function that returns whether the action's key is available in a state.

    An entry is named after an action, or after an action and its last parameter, joined with a
    colon. Actions without an entry are always available."""

    @dataclass
    class Stepper(Message):
        """A request to open a conversation in the stepper."""

        begin: Document

    def __init__(self) -> None:
        super().__init__(id="view")
        self.state: Any = None

    def compose(self) -> ComposeResult:
        yield Lines(id="lines")

    def show(self, state: Any) -> None:
        """Draw this state now, and again whenever the size changes."""
        self.state = state
        if self.size.width:
            self.draw(state)
            self.refresh_bindings()

    def on_resize(self, event: Resize) -> None:
        if self.state is not None:
            self.draw(self.state)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action in ("run", "stop"):
            running = self.state is not None and self.runs(self.state)
            if running or action == "stop":
                return running and action == "stop"
        rule = self.OFFERED.get(action)
        if parameters:
            rule = self.OFFERED.get(f"{action}:{parameters[-1]}", rule)
        return rule is None or (self.state is not None and rule(self.state))

    def runs(self, state: Any) -> bool:
        """Return whether long work is running that `r` can stop."""
        return bool(getattr(state, "running", False))

    def draw(self, state: Any) -> None:
        # Try the full width first. Draw again with one column less only if the lines need a
        # scrollbar. Ignore a visible scrollbar, since it belongs to the previous state.
        width, height = self.columns, self.size.height
        lines = self.lines(state, width, height)
        if len(lines) > height:
            lines = self.lines(state, width - self.styles.scrollbar_size_vertical, height)
        self.put("#lines", lines)

    @property
    def columns(self) -> int:
        """The number of columns to draw in, at least `LEAST`.

        On a narrower screen, text beyond the edge is cut.
        """
        return max(LEAST, self.size.width)

    def put(self, where: str, lines: Sequence[Content]) -> None:
        """Show these lines in one of the view's `Lines`. Long lines are cut with an ellipsis."""
        width = self.size.width
        if len(lines) > self.size.height:
            width -= self.styles.scrollbar_size_vertical
        self.query_one(where, Lines).show([_marked(line, max(1, width)) for line in lines])

    def lines(self, state: Any, width: int, height: int) -> Sequence[Content]:
        """Return the lines that show `state` in `width` columns.

        If there are more than `height` lines, the view scrolls.
        """
        raise NotImplementedError

    def copies(self) -> Iterator[Copy]:
        """Yield the selected row and the text of the view."""
        everything = list(self.query(Lines))
        for lines in everything:
            yield from lines.copies()
        plain = "\n".join(line.rstrip() for lines in everything for line in lines.plain)
        yield Copy(_("the view"), plain)

    async def on_click(self, event: Click) -> None:
        """Select the row that was clicked, by as many presses of the arrow keys as it takes."""
        clicked = event.widget
        if not isinstance(clicked, Lines) or (at := clicked.selected) is None:
            return
        for _press in range(abs(event.y - at)):
            key = "down" if event.y > at else "up"
            active = self.screen.active_bindings.get(key)
            if active is None or active.node is not self:
                return
            await self.app.run_action(active.binding.action, self)
            before, at = at, clicked.selected
            if at is None or at == before or (at - event.y) * (before - event.y) <= 0:
                return

    @property
    def host(self) -> LabHost:
        return cast("LabHost", self.screen)

    def did(self, action: Any) -> None:
        """Pass an action of the learner on to the screen."""
        self.host.act(action)

    def did_if_agreed(self, lab: AnyLab, action: Any, refused: str = "") -> None:
        """Ask for the learner's consent if `action` sends text to a remote model, then act.

        If nothing is sent in the end, the notice `refused` is shown.
        """
        if lab.sends(self.state, action):
            asking = self._did_if_agreed(lab, action, refused)
            self.run_worker(asking, group="agreed", exclusive=True)
        else:
            self.did(action)

    async def _did_if_agreed(self, lab: AnyLab, action: Any, refused: str) -> None:
        sends = lab.sends(self.state, action)
        without = [model for model, what in sends if not await self.host.agreed(model, what)]
        instead = lab.declined(self.state, action, without) if without else action
        if instead is not None:
            self.did(instead)
        elif refused:
            self.host.tell(refused)

    def write(
        self,
        label: str,
        text: str,
        then: Callable[[str], Any],
        says: Callable[[str], str] | None = None,
        sample: str = "",
    ) -> None:
        """Open a field in which the learner edits `text`, with `label` above it.

        `then` turns the edited text into an action, or raises `TutorError` to refuse it. If given,
        `says` is called after every key and returns a comment on the text. The empty field shows
        `sample` as an example of what works. The up key recalls it, and earlier texts.
        """
        self.host.have_written(label, text, then, says, sample)

    # `BINDINGS` use these names. `tutor.labs.kit.keys.pair` binds two keys to the same name.

    def action_move_focus(self, by: int, axis: str) -> None:
        self.did(MoveFocus(by, axis))

    def action_choose(self, by: int, what: str) -> None:
        self.did(Choose(by, what))

    def action_adjust(self, by: int, dial: str) -> None:
        self.did(Adjust(by, dial))

    def action_switch(self, what: str) -> None:
        self.did(Toggle(what))

    def action_next_view(self, by: int = 1) -> None:
        """Show the view that is `by` steps further in `VIEWS`."""
        self.did(ShowView(cycled(self.VIEWS, self.state.view, by)))

    def action_run(self) -> None:
        self.did(Run())

    def action_stop(self) -> None:
        self.did(Run())

    def action_reset(self) -> None:
        self.host.reset()

    def refresh_bindings(self) -> None:
        """Update the key line, since the available keys can depend on the state."""
        self.screen.refresh_bindings()


def does(make: Callable[[], Any]) -> Callable[[LabView], None]:
    """Return a view method for a key. The method sends the action that `make` creates."""
    return lambda view: view.did(make())


def writes(label: str, then: Callable[[str], Any]) -> Callable[[LabView], None]:
    """Return a view method for a key. The method opens the state's text for editing."""
    return lambda view: view.write(label, view.state.text, then)


def _marked(line: Content, width: int) -> Content:
    if line.cell_length <= width:
        return line
    return line.rstrip().truncate(width, ellipsis=True)
