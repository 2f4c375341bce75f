"""Draws how many letters one token holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content

from tutor.labs.kit.actions import EditText
from tutor.labs.kit.view import LabView

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tutor.labs.letters.lab import State


class LettersView(LabView):
    """The text, and one figure."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("e", "edit", "write", tooltip="Write another text."),
    ]

    def action_edit(self) -> None:
        self.write("A text:", self.state.text, EditText)

    def lines(self, state: State, width: int, height: int) -> Sequence[Content]:
        found = state.letters_a_token
        said = "counting …" if found is None else f"{found:.2f} letters a token"
        return [Content(state.text), Content(said)]


VIEW = LettersView
