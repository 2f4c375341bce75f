"""Key bindings that only apply to conversations."""

from __future__ import annotations

from textual.binding import Binding, BindingType

from tutor.app.explorer.chat.first_messages import SUGGESTIONS
from tutor.app.key_scheme import VIEW
from tutor.labs.kit.keys import P_N, UP_DOWN, Pair, key, pair
from tutor.language import _

PAGES = Pair("pageup", "pagedown", "PgUp/PgDn")

COMMANDS = ("r", "e", "d")
"""The letters that are commands while an answer is being generated."""

MESSAGE = _("Write a message. In the empty field, ↑ edits your last one.")
AGAIN = _("Let the model answer again, with a new seed. The earlier answer is kept.")
NEW_CHAT = _("Start a new chat. This one is saved, and o opens it. Press Shift+n.")

PLAIN_SAMPLING = _("Sample without temperature, top-p or other settings, or switch them on again.")

SUGGESTION_KEYS: list[BindingType] = [
    key("enter", "send_suggestion", "send", "Send the selected suggestion."),
    *pair(UP_DOWN, "choose_suggestion(*)", "choose", "Choose a suggestion."),
    *(
        Binding(
            str(number),
            f"suggestion({number})",
            "suggestion",
            show=number == 1,
            key_display=f"1-{len(SUGGESTIONS)}",
            tooltip="Send the suggestion with this number.",
        )
        for number in range(1, len(SUGGESTIONS) + 1)
    ),
]
"""The bindings that only apply while an empty chat suggests first messages."""

ANSWER_KEYS: list[BindingType] = [
    key("enter", "next_message", "message", MESSAGE),
    key("e", "message", "message", MESSAGE),
    Binding("e", "next_message", show=False),
    key("r", "do('pause')", "stop", "Stop the answer. The text so far is kept."),
    key("r", "do('start')", "continue", "Let the model continue its answer."),
    Binding("r", "complete", show=False),
    *pair(P_N, "version(*)", "version", "Go to the previous or next version of a message."),
    Binding(
        "d",
        "do('fold')",
        "distribution",
        tooltip="Show the distribution for the token in focus.",
        group=VIEW,
    ),
    Binding(
        "d",
        "hide_distribution",
        show=False,
        tooltip="Hide the distribution.",
        group=VIEW,
        id="distribution",
    ),
    key("s", "another_answer('early')", "another answer", AGAIN),
]
"""The bindings whose keys are shown first in a conversation."""

NEW_CHAT_EARLY = key("N", "new_chat('early')", "new chat", NEW_CHAT)
"""The binding that follows the arrow keys. The line below the chat names it, too."""

READING_KEYS: list[BindingType] = [
    key("s", "another_answer('late')", "another answer", AGAIN),
    key("N", "new_chat('late')", "new chat", NEW_CHAT),
    *pair(UP_DOWN, "scroll(*)", "scroll", "Scroll the conversation by a line."),
    *pair(PAGES, "page(*)", "page", "Scroll the conversation by a page."),
    key("i", "plain_sampling", "plain sampling", PLAIN_SAMPLING),
    Binding("home", "page(-1000000)", show=False),
    Binding("end", "page(1000000)", show=False),
]
