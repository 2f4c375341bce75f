"""The view of the "Tokens" lab."""

from __future__ import annotations

from typing import ClassVar

from textual.content import Content

from tutor.app.theme import MUTED
from tutor.labs.kit.actions import EditText
from tutor.labs.kit.columns import Room
from tutor.labs.kit.keys import LEFT_RIGHT, SIDEWAYS, UP_DOWN, Keys, key, pair, tab
from tutor.labs.kit.view import LabView, Offered, does, writes
from tutor.labs.tokens.lab import VIEWS, RemoveTokenizer, State
from tutor.labs.tokens.one_tokenizer import one_tokenizer
from tutor.labs.tokens.several_tokenizers import in_languages, under_each_other
from tutor.language import _


class TokensView(LabView):
    """A view of a text's parts, and of the same text with several tokenizers."""

    VIEWS = VIEWS

    BINDINGS: ClassVar[Keys] = [
        key("e", "edit", "edit", "Edit the text, or paste a new one."),
        key("c", "next_view", "compare", "Compare tokenizers on this text, or on eight languages."),
        *tab(
            "choose(*, 'cut')",
            "split",
            "Split the text into tokens, words, characters or bytes.",
        ),
        *pair(LEFT_RIGHT, "move_focus(*, 'piece')", "part", "Choose a part."),
        *pair(UP_DOWN, "move_focus(*, 'tokenizer')", "row", "Choose a tokenizer."),
        key("a", "open_tokenizer", "add", "Add the tokenizer of a file or a folder."),
        key("d", "remove", "remove", "Remove this tokenizer."),
        *pair(SIDEWAYS, "move_focus(*, 'text')", "text", "Go back or forward in a long text."),
    ]
    OFFERED: ClassVar[Offered[State]] = {
        "choose": lambda state: state.view == "split",
        "move_focus:piece": lambda state: state.view == "split",
        "move_focus:tokenizer": lambda state: state.view != "split",
        "move_focus:text": lambda state: state.view == "compare",
        "remove": lambda state: state.removable,
    }

    action_edit = writes(_("Text to split:"), EditText)
    action_remove = does(RemoveTokenizer)

    def action_open_tokenizer(self) -> None:
        label = _("GGUF file, tokenizer.json, tokenizer.model, or folder:")
        self.write("tokenizer", label, "", lambda path: EditText(path, "tokenizer"))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "open_tokenizer" and not self.host.allowed.opening_files:
            return False
        return super().check_action(action, parameters)

    def lines(self, state: State, width: int, height: int) -> list[Content]:
        room = Room(width, height)
        match state.view:
            case "split":
                return one_tokenizer(state, room)
            case "compare" if state.installed is not None:
                return under_each_other(state, room)
            case "languages" if state.installed is not None:
                return in_languages(state, room)
        return [Content.styled(_("Waiting for the tokenizers…"), MUTED)]


VIEW = TokensView
