"""Checks on the sentence that the learner enters in a lab."""

from __future__ import annotations

from collections.abc import Container

from tutor.errors import TextError
from tutor.labs.kit.actions import EditText
from tutor.labs.kit.work import LONGEST
from tutor.language import _


def sentence(text: str) -> str:
    """Check the learner's text, and return it unchanged.

    Raises `TextError` if it is too long, is empty or contains only spaces.
    """
    if not text.strip():
        raise TextError("The text is empty.", "Write a sentence.")
    return short(text)


def short(text: str) -> str:
    """Return `text` unchanged. Raises `TextError` if it has more than `LONGEST` characters."""
    if len(text) > LONGEST:
        raise TextError(
            "The text is too long for this lab.",
            _("Use at most {longest:,} characters.").format(longest=LONGEST),
        )
    return text


def replaced(before: str, after: str, examples: Container[str]) -> str:
    """Return a message if an example has replaced the learner's own text, or ""."""
    if before in examples or after not in examples:
        return ""
    return _("An example has replaced your own text.")


def edit_sentence(text: str) -> EditText:
    """Return the action that sets the lab's text.

    Raises `TextError` if it is too long, is empty or contains only spaces.
    """
    return EditText(sentence(text))
