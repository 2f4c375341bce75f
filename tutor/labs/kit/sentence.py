"""Checks the sentence that the learner gives to a lab."""

from __future__ import annotations

from tutor.errors import TextError
from tutor.labs.kit.actions import EditText


def sentence(text: str) -> str:
    """Return `text` unchanged. Raises `TextError` if it is empty or only spaces."""
    if not text.strip():
        raise TextError("The text is empty.", "Write a sentence.")
    return text


def edit_sentence(text: str) -> EditText:
    """Return the action that makes `text` the lab's sentence. Raises `TextError` if it is empty."""
    return EditText(sentence(text))
