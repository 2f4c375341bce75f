"""The first messages that an empty chat suggests."""

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
"""First messages that a small model can answer well."""


def picked(state: State, text: str) -> str:
    """Return the message to send after the learner has pressed Enter.

    In an empty chat, an empty text selects the highlighted suggestion, and a number selects the
    suggestion with that number. Any other text is the message itself.
    """
    if not state.suggests:
        return text
    if not text.strip():
        return SUGGESTIONS[state.suggestion]
    number = text.strip()
    names = [str(index + 1) for index in range(len(SUGGESTIONS))]
    return SUGGESTIONS[names.index(number)] if number in names else text
