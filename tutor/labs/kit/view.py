"""The base class of all lab views."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, TypeVar, cast

from textual.actions import parse
from textual.containers import VerticalScroll
from textual.message import Message

from tutor.app.key_scheme import LAB_KEYS
from tutor.app.widgets.copyable import Copy
from tutor.app.widgets.lines import Lines, first_said, follow_click
from tutor.labs.kit.actions import Adjust, Choose, MoveFocus, Run, ShowView, Toggle, cycled
from tutor.language import _

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from textual.app import ComposeResult
    from textual.content import Content
    from textual.events import Click, Resize

    from tutor.allowed import Allowed
    from tutor.app.explorer.document import Document

State = TypeVar("State")
Offered = Mapping[str, Callable[[State], bool]]
"""Maps an action to a function that returns True if the action's key is available in a state (see
`LabView.OFFERED`)."""

LEAST = 32
"""The minimum width to which a view's lines are laid out, in columns. The scrollbar, if any, takes
one of these columns."""

_FAR = 10_000
"""A number of steps that reaches the first or last item of every list."""

_SELECTING = ("move_focus", "move_row", "option", "step")
"""The names of the actions that move through the items of a list."""


@dataclass(frozen=True)
class TextField:
    """A field in which the learner edits a text of a lab.

    Attributes:
        name: The name under which tutor saves texts that the learner has not submitted. Each field
            of a lab has its own name, which is the same in every language. Never change it.
        label: The label above the field.
        text: The text that the learner edits.
        then: Turns the edited text into an action. Raises `TutorError` if the text is not valid.
        says: Returns a comment about the text, which the field shows after every key press.
        sample: An example, which an empty field shows. The up key inserts the example, or a text
            that the learner entered earlier.
    """

    name: str
    label: str
    text: str
    then: Callable[[str], Any]
    says: Callable[[str], str] | None = None
    sample: str = ""


class LabHost(Protocol):
    """The screen that contains a lab's view.

    The view calls these methods directly instead of posting messages. So each call takes effect
    before the next key press is handled, and keys that the learner types ahead reach the right
    field.
    """

    def act(self, action: Any) -> None:
        """Apply an action of the learner to the lab's state.

        If the action sends text to remote models, ask for the learner's consent first.
        """

    def reset(self) -> None:
        """Reset the settings or, if they are already reset, the whole lab."""

    @property
    def busy(self) -> bool:
        """Return True while the lab waits for a response from the engine."""

    def have_written(self, field: TextField) -> None:
        """Open a field in which the learner edits text."""

    def tell(self, said: str) -> None:
        """Show a notice below the view."""

    def follow(self, href: str) -> None:
        """Open a link from a lesson on top of the lab. Esc returns to the lab."""

    def open_live_lab(self, name: str) -> None:
        """Open another lab on top of this one."""

    @property
    def allowed(self) -> Allowed:
        """Return what the learner is allowed to do, such as adding servers or opening files."""


class LabView(VerticalScroll, can_focus=True):
    """A widget that draws a lab's state and turns key presses into actions.

    A view lists its keys in `BINDINGS`. Each key calls `self.did` with an action. Most views only
    override `lines`, which returns the text for a state and a size. A view that contains other
    widgets overrides `compose` and `draw`.
    """

    DEFAULT_CSS = """
    LabView { height: 1fr; scrollbar-size-vertical: 1; }
    """

    VIEWS: ClassVar[tuple[str, ...]] = ()
    """The values of `state.view`, in the order in which Tab cycles through them."""

    FIRST_KEYS: ClassVar[tuple[str, ...]] = LAB_KEYS
    """The keys that the key line shows first. `lab_keys` adds keys of the lab."""

    OFFERED: ClassVar[Offered[Any]] = {}
    """Maps an action to a function that returns True if the action's key is available in a state.

    A key of the mapping is the name of an action, or a name and the action's last parameter, as in
    `choose:example`. Actions without an entry are always available.
    """

    @dataclass
    class Stepper(Message):
        """A message that asks the app to open the stepper with a conversation."""

        begin: Document

    def __init__(self) -> None:
        super().__init__(id="view")
        self.state: Any = None

    def compose(self) -> ComposeResult:
        yield Lines(id="lines")

    def show(self, state: Any) -> None:
        """Draw `state` now, and draw it again whenever the view's size changes."""
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
        """Return True if a long-running computation that `r` can stop is in progress."""
        return bool(getattr(state, "running", False))

    def draw(self, state: Any) -> None:
        # Lay out the lines for the full width first. If they need a scrollbar, lay them out again
        # with one column less. A scrollbar that is visible now doesn't matter, since it belongs to
        # the previous state.
        width, height = self.columns, self.size.height
        lines = self.lines(state, width, height)
        if len(lines) > height:
            lines = self.lines(state, width - self.styles.scrollbar_size_vertical, height)
        self.put("#lines", lines)

    @property
    def columns(self) -> int:
        """The width to which lines are laid out, in columns: at least `LEAST`.

        On a narrower screen, the lines are truncated at the edge.
        """
        return max(LEAST, self.size.width)

    def put(self, where: str, lines: Sequence[Content]) -> None:
        """Show these lines in the `Lines` widget that matches the selector `where`.

        Long lines are truncated.
        """
        width = self.size.width
        if len(lines) > self.size.height:
            width -= self.styles.scrollbar_size_vertical
        shown = self.query_one(where, Lines)
        shown.show([_marked(line, max(1, width)) for line in lines])

    def lines(self, state: Any, width: int, height: int) -> Sequence[Content]:
        """Return the lines that show `state`, laid out for `width` columns.

        The view scrolls if there are more than `height` lines.
        """
        raise NotImplementedError

    def announcement(self) -> str | None:
        """Return a sentence about the selected row or, if there is none, the first line."""
        every = list(self.walk_children(Lines))
        selected = (lines.announcement() for lines in every)
        return next(filter(None, selected), None) or first_said(every)

    def copies(self) -> Iterator[Copy]:
        """Yield what the learner can copy: the selected row, and all text of the view."""
        everything = list(self.walk_children(Lines))
        for lines in everything:
            yield from lines.copies()
        yield Copy(_("the view"), "\n".join(lines.text for lines in everything if lines.plain))

    async def on_click(self, event: Click) -> None:
        await follow_click(self, event, lambda by, axis: self.did(MoveFocus(by, axis)))

    @property
    def host(self) -> LabHost:
        return cast("LabHost", self.screen)

    def did(self, action: Any) -> None:
        """Pass an action of the learner to the screen, which applies it."""
        self.host.act(action)

    def write(
        self,
        name: str,
        label: str,
        text: str,
        then: Callable[[str], Any],
        says: Callable[[str], str] | None = None,
        sample: str = "",
    ) -> None:
        """Open a field in which the learner edits `text` (see `TextField`)."""
        self.host.have_written(TextField(name, label, text, then, says, sample))

    # Keys in `BINDINGS` call the following actions by name. `tutor.labs.kit.keys.pair` binds two
    # keys to the same action.

    def action_move_focus(self, by: int, axis: str) -> None:
        self.did(MoveFocus(by, axis))

    def action_scroll_home(self) -> None:
        """Go to the top of a list. Without a list, scroll to the top."""
        if not self._went_far("up", "left"):
            super().action_scroll_home()

    def action_scroll_end(self) -> None:
        """Go to the end of a list. Without a list, scroll to the end."""
        if not self._went_far("down", "right"):
            super().action_scroll_end()

    def _went_far(self, *arrows: str) -> bool:
        """Move as far as possible with the first of these keys that moves through items.

        Return False if none of them does.
        """
        for arrow in arrows:
            active = self.screen.active_bindings.get(arrow)
            if active is None or active.node is not self:
                continue
            _, name, parameters = parse(active.binding.action)
            if name in _SELECTING:
                by, *axis = cast("tuple[int, str]", parameters)
                getattr(self, f"action_{name}")(by * _FAR, *axis)
                return True
        return False

    def action_choose(self, by: int, what: str) -> None:
        self.did(Choose(by, what))

    def action_adjust(self, by: int, dial: str) -> None:
        self.did(Adjust(by, dial))

    def action_switch(self, what: str) -> None:
        self.did(Toggle(what))

    def action_next_view(self, by: int = 1) -> None:
        """Show the view that is `by` positions after the current one in `VIEWS`."""
        self.did(ShowView(cycled(self.VIEWS, self.state.view, by)))

    def action_run(self) -> None:
        self.did(Run())

    def action_stop(self) -> None:
        self.did(Run())

    def action_reset(self) -> None:
        self.host.reset()

    def refresh_bindings(self) -> None:
        """Update the key line, because the state can determine which keys are available."""
        self.screen.refresh_bindings()


def does(make: Callable[[], Any]) -> Callable[[LabView], None]:
    """Return a key's action method, which performs the lab action that `make` returns."""
    return lambda view: view.did(make())


def writes(label: str, then: Callable[[str], Any]) -> Callable[[LabView], None]:
    """Return a key's action method, which opens the state's text for editing."""
    return lambda view: view.write("text", label, view.state.text, then)


def _marked(line: Content, width: int) -> Content:
    if line.cell_length <= width:
        return line
    return line.rstrip().truncate(width, ellipsis=True)
