"""The messages that an empty chat suggests, and how one of them is picked."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tutor.app.explorer.state import State

SUGGESTIONS = (
    "Why is the sky blue?",
    "Give me three tips for sleeping well.",
    "Tell me a short story about a dragon.",
    "What is a language model?",
)
"""First messages that a small model answers well."""


def picked(state: State, text: str) -> str:
    """Return the message to send for what the learner has entered.

    In an empty chat, an empty text picks the selected suggestion, and a number picks the suggestion
    with that number.
    """
    if not state.suggests:
        return text
    if not text.strip():
        return SUGGESTIONS[state.suggestion]
    number = text.strip()
    names = [str(index + 1) for index in range(len(SUGGESTIONS))]
    return SUGGESTIONS[names.index(number)] if number in names else text
