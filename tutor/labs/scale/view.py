"""The scale ladder: its two views, and their keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding

from tutor.labs.kit import remote
from tutor.labs.kit.actions import Choose, EditText
from tutor.labs.kit.keys import key
from tutor.labs.kit.remote import Add, Remove
from tutor.labs.kit.view import LabView, Offered, does
from tutor.labs.scale.lab import PARAGRAPH, VIEWS, Agree, ReadParagraph, State
from tutor.labs.scale.lines import ladder_lines, text_lines
from tutor.labs.scale.remote_reading import with_server

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.binding import BindingType
    from textual.content import Content

    from tutor.vendors.catalogue import RemoteModel

_SENT = "The text that is read, and each that you write while this model reads along"


class ScaleView(LabView):
    """What a text costs each model, side by side; or the ladder of what the models were made of."""

    VIEWS = VIEWS
    BINDINGS: ClassVar[list[BindingType]] = [
        key("tab", "next_view", "ladder / text", "The text as it is read, or the ladder."),
        key("e", "edit", "write", "Let them read a text of your own."),
        key("p", "paragraph", "the paragraph", "The text that none was trained on."),
        key("o", "other", "other model", "Let another model read it too, or none."),
        key("a", "add", "add a server", "A model elsewhere: its name and address."),
        key("d", "remove", "remove", "Take away the server that reads."),
        key("enter", "again", "ask it again", "Ask the server once more."),
        Binding(
            "right",
            "move_focus(1, 'quantity')",
            "bars of",
            key_display="←→",
            tooltip="What the bars show.",
        ),
        Binding("left", "move_focus(-1, 'quantity')", show=False),
        Binding(
            "down", "move_focus(1, 'rung')", "source", key_display="↑↓", tooltip="Where it is from."
        ),
        Binding("up", "move_focus(-1, 'rung')", show=False),
    ]

    OFFERED: ClassVar[Offered[State]] = {
        "move_focus": lambda state: state.view == "ladder",
        "other": lambda state: bool(state.reachable) or state.other is not None,
        "remove": lambda state: state.elsewhere.server is not None,
        "again": lambda state: state.elsewhere.refused is not None,
        "paragraph": lambda state: state.text != PARAGRAPH,
    }

    def action_edit(self) -> None:
        text = "" if self.state.text == PARAGRAPH else self.state.text
        self.write("A text, to be read by all of them:", text, EditText)

    action_paragraph = does(ReadParagraph)

    def action_other(self) -> None:
        self.did(Choose(1, "other"))
        self._ask_to_agree()

    def action_add(self) -> None:
        self.write(remote.LABEL, remote.EXAMPLE, self._named)

    def _named(self, written: str) -> Add:
        """Raises `TutorError` for what cannot read here."""
        added = remote.named(written)
        with_server(self.state.elsewhere, added.model)
        self.call_after_refresh(self._ask_to_agree)
        return added

    def _ask_to_agree(self) -> None:
        if self.state.elsewhere.undecided:
            self.action_again()

    def action_again(self) -> None:
        self.run_worker(self._ask_where_agreed(), group="agreed", exclusive=True)

    async def _ask_where_agreed(self) -> None:
        """Nothing is sent to a host that the learner has not agreed to."""
        server: RemoteModel = self.state.elsewhere.server
        self.did(Agree(await self.host.agreed(server, _SENT)))

    action_remove = does(Remove)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "add" and not self.host.may_name_servers:
            return False
        return super().check_action(action, parameters)

    def lines(self, state: State, width: int, height: int) -> Sequence[Content]:
        if state.view == "ladder":
            return ladder_lines(state, width)
        return text_lines(state, width, height)


VIEW = ScaleView
