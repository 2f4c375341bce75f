"""Checks on the sentence that the learner enters in a lab."""

from __future__ import annotations

from tutor.errors import TextError
from tutor.labs.kit.actions import EditText


def sentence(text: str) -> str:
    """Return `text` unchanged. Raises `TextError` if it is empty or contains only spaces."""
    if not text.strip():
        raise TextError("The text is empty.", "Write a sentence.")
    return text


def edit_sentence(text: str) -> EditText:
    """Return the action that sets the lab's text. Raises `TextError` if `text` is empty."""
    return EditText(sentence(text))
