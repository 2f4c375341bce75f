"""The view of the "scale ladder" lab."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, ClassVar

from tutor.labs.kit import remote
from tutor.labs.kit.actions import Choose, EditText
from tutor.labs.kit.keys import LEFT_RIGHT, UP_DOWN, key, pair, tab
from tutor.labs.kit.remote import Add, Remove
from tutor.labs.kit.view import LabView, Offered, does
from tutor.labs.scale.lab import PARAGRAPH, VIEWS, Agree, State
from tutor.labs.scale.lines import ladder_lines, text_lines
from tutor.labs.scale.remote_reading import with_server
from tutor.language import _

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.binding import BindingType
    from textual.content import Content


class ScaleView(LabView):
    """A view of each model's results for a text, or of the models in order of size."""

    VIEWS = VIEWS
    BINDINGS: ClassVar[list[BindingType]] = [
        *tab("next_view(*)", "view", "Show the ladder or the text."),
        key("e", "edit", "edit", "Write a text of your own."),
        key("z", "reset", "reset", "Reset to the text that no model was trained on."),
        key("o", "other", "open model", "Add the next installed or remote model, or none."),
        key("a", "add", "add", "Add a remote model by its name and address."),
        key("d", "remove", "remove", "Remove the remote model."),
        key("r,enter", "again", "ask again", "Send the request to the server again."),
        *pair(LEFT_RIGHT, "move_focus(*, 'quantity')", "bars", "Change what the bars show."),
        *pair(
            UP_DOWN, "move_focus(*, 'rung')", "model", "Go to another model and show its source."
        ),
    ]

    OFFERED: ClassVar[Offered[State]] = {
        "move_focus": lambda state: state.view == "ladder",
        "other": lambda state: bool(state.reachable) or state.other is not None,
        "remove": lambda state: state.remote.server is not None,
        "again": lambda state: state.remote.refused is not None,
        "reset": lambda state: state.text != PARAGRAPH,
    }

    def action_edit(self) -> None:
        text = "" if self.state.text == PARAGRAPH else self.state.text
        sample = "Once upon a time there was a little girl."
        self.write("text", _("A text for all models:"), text, EditText, sample=sample)

    def action_other(self) -> None:
        self.did(Choose(1, "other"))
        self._ask_to_agree()

    def action_add(self) -> None:
        self.write(remote.NAME, remote.LABEL, "", self._named, sample=remote.EXAMPLE)

    def _named(self, written: str) -> Add:
        """Parse the text into an action that adds a model.

        Raises `TutorError` if the text is invalid or the model can't be used in this lab.
        """
        added = remote.named(written)
        with_server(self.state.remote, added.model)
        self.call_after_refresh(self._ask_to_agree)
        return added

    def _ask_to_agree(self) -> None:
        if self.state.remote.undecided:
            self.action_again()

    action_again = does(partial(Agree, yes=True))
    action_remove = does(Remove)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "add" and not self.host.allowed.other_servers:
            return False
        return super().check_action(action, parameters)

    def lines(self, state: State, width: int, height: int) -> Sequence[Content]:
        if state.view == "ladder":
            return ladder_lines(state, width)
        return text_lines(state, width, height)


VIEW = ScaleView
