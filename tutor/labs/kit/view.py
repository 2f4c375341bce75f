"""What the views of the labs have in common."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, TypeVar, cast

from textual.containers import VerticalScroll
from textual.message import Message

from tutor.app.widgets.lines import Lines
from tutor.labs.kit.actions import Adjust, Choose, MoveFocus, Reset, Run, ShowView, Toggle, cycled

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import ComposeResult
    from textual.content import Content
    from textual.events import Resize

    from tutor.app.explorer.document import Document
    from tutor.vendors.catalogue import RemoteModel


State = TypeVar("State")
Offered = Mapping[str, Callable[[State], bool]]
"""In which states a key is offered (see `LabView.OFFERED`)."""

LEAST = 32
"""Columns that every view can be drawn in, one more than that where it scrolls."""


class LabHost(Protocol):
    """The screen that a view is on. It acts before the next key, so that what is typed ahead finds
    the field that it is for; a message would come later."""

    def act(self, action: Any) -> None:
        """Carry out an action of the learner."""

    def have_written(
        self,
        label: str,
        text: str,
        then: Callable[[str], Any],
        says: Callable[[str], str] | None = None,
    ) -> None:
        """Ask the learner to write something (see `LabView.write`)."""

    def tell(self, said: str) -> None:
        """Say something calmly below the view."""

    def follow(self, href: str) -> None:
        """Open the target of a link in a lesson, over the lab; Esc leads back to it."""

    def open_live_lab(self, name: str) -> None:
        """Open another lab over this one."""

    @property
    def may_name_servers(self) -> bool:
        """Whether the learner may name a server whose models are asked."""

    async def agreed(self, model: RemoteModel, what: str) -> bool:
        """Return whether texts may be sent to the host of `model`: the learner is asked, once for
        each host, with `what` would be sent as a phrase."""


class LabView(VerticalScroll, can_focus=True):
    """Draws the state of a lab, and makes actions of keys.

    A view lists its keys in `BINDINGS`; what they do ends in `self.did(action)`. Most views only
    say which `lines` show a state in so many columns and rows. One with widgets of its own
    composes them and takes the state in `draw`.
    """

    DEFAULT_CSS = """
    LabView { height: 1fr; scrollbar-size-vertical: 1; }
    """

    VIEWS: ClassVar[tuple[str, ...]] = ()
    """What `state.view` can be, in the order in which a key goes through them."""

    OFFERED: ClassVar[Offered[Any]] = {}
    """In which states a key is offered, by its action, or by its action and last parameter with a
    colon between them. What is not listed always is."""

    @dataclass
    class Stepper(Message):
        """A conversation is to be opened in the stepper."""

        begin: Document

    def __init__(self) -> None:
        super().__init__(id="view")
        self.state: Any = None

    def compose(self) -> ComposeResult:
        yield Lines(id="lines")

    def show(self, state: Any) -> None:
        """Put this state on the screen, now and whenever the size changes."""
        self.state = state
        if self.size.width:
            self.draw(state)
            self.refresh_bindings()

    def on_resize(self, event: Resize) -> None:
        if self.state is not None:
            self.draw(self.state)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        rule = self.OFFERED.get(action)
        if parameters:
            rule = self.OFFERED.get(f"{action}:{parameters[-1]}", rule)
        return rule is None or (self.state is not None and rule(self.state))

    def draw(self, state: Any) -> None:
        # of the whole width, and of one column less only where a scrollbar will stand in it:
        # whether one stands there now says nothing, since it is of what was drawn before
        width, height = self.columns, self.size.height
        lines = self.lines(state, width, height)
        if len(lines) > height:
            lines = self.lines(state, width - self.styles.scrollbar_size_vertical, height)
        self.put("#lines", lines)

    @property
    def columns(self) -> int:
        """To draw in: those that there are, or as many as it needs at least; what is beyond the
        edge of a narrower screen is cut then."""
        return max(LEAST, self.size.width)

    def put(self, where: str, lines: Sequence[Content]) -> None:
        """Show these lines in one of the view's `Lines`; what is too long for it is cut with a
        mark that says so."""
        width = self.size.width
        if len(lines) > self.size.height:
            width -= self.styles.scrollbar_size_vertical
        self.query_one(where, Lines).show([_marked(line, max(1, width)) for line in lines])

    def lines(self, state: Any, width: int, height: int) -> Sequence[Content]:
        """What shows `state` in `width` columns; in more than `height` rows it scrolls."""
        raise NotImplementedError

    @property
    def host(self) -> LabHost:
        return cast("LabHost", self.screen)

    def did(self, action: Any) -> None:
        """The learner did something."""
        self.host.act(action)

    def write(
        self,
        label: str,
        text: str,
        then: Callable[[str], Any],
        says: Callable[[str], str] | None = None,
    ) -> None:
        """The learner is to write something: `label` says what, `text` is there to begin with,
        `then` makes an action of what was written. A `then` that raises `TutorError` refuses.
        `says` has something to say, with every key, of what is written so far."""
        self.host.have_written(label, text, then, says)

    # What the shared actions are called in `BINDINGS`; `tutor.labs.kit.keys.pair` binds two keys.

    def action_move_focus(self, by: int, axis: str) -> None:
        self.did(MoveFocus(by, axis))

    def action_choose(self, by: int, what: str) -> None:
        self.did(Choose(by, what))

    def action_adjust(self, by: int, dial: str) -> None:
        self.did(Adjust(by, dial))

    def action_switch(self, what: str) -> None:
        self.did(Toggle(what))

    def action_next_view(self, by: int = 1) -> None:
        """Show what comes `by` places further on in `VIEWS`."""
        self.did(ShowView(cycled(self.VIEWS, self.state.view, by)))

    def action_run(self) -> None:
        self.did(Run())

    def action_reset(self) -> None:
        self.did(Reset())

    def refresh_bindings(self) -> None:
        """Which keys there are may depend on the state (`check_action`)."""
        self.screen.refresh_bindings()


def does(make: Callable[[], Any]) -> Callable[[LabView], None]:
    """Return what a key does that carries out the action made by `make`, such as its class."""
    return lambda view: view.did(make())


def writes(label: str, then: Callable[[str], Any]) -> Callable[[LabView], None]:
    """Return what a key does that lets the learner edit the text of the state (see `write`)."""
    return lambda view: view.write(label, view.state.text, then)


def _marked(line: Content, width: int) -> Content:
    if line.cell_length <= width:
        return line
    return line.rstrip().truncate(width, ellipsis=True)
