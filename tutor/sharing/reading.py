"""Read a shared text from an untrusted file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tutor.errors import TutorError
from tutor.language import _
from tutor.lm.token_tree import MAXIMUM_TOKENS
from tutor.regular_file import NotRegular, read_regular
from tutor.sharing.document import FORMAT, VERSION, SharedText
from tutor.text import one_line

if TYPE_CHECKING:
    from pathlib import Path

LARGEST = 64 * 2**20
"""The maximum size of a file, in bytes."""


class SharedTextError(TutorError, title="This file cannot be opened"):
    """Raised when a file is not a shared text that this version of tutor can open."""


class _Head(msgspec.Struct):
    format: str = ""
    version: int = 0


def read_file(path: Path) -> SharedText:
    """Return the text in a file. Raises `SharedTextError`."""
    name = one_line(str(path))
    try:
        data = read_regular(path, LARGEST + 1)
    except NotRegular as error:
        raise SharedTextError(
            _("{name} is not a file.").format(name=name), "Check the file name."
        ) from error
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise SharedTextError(
            _("{name} cannot be read: {why}.").format(name=name, why=why), "Check the file name."
        ) from error
    if len(data) > LARGEST:
        raise SharedTextError(
            _("{name} is larger than {most} MB.").format(name=name, most=LARGEST // 2**20),
            "Save a shorter text.",
        )
    return from_json(data, name)


def from_json(data: bytes, name: str) -> SharedText:
    """Return the text that `data` contains. Raises `SharedTextError`, which mentions `name`."""
    try:
        head = msgspec.json.decode(data, type=_Head)
        if head.format != FORMAT:
            raise SharedTextError(
                _("{name} is not a text that tutor has saved.").format(name=name),
                "Choose a JSON file that the stepper has saved with ctrl+s.",
            )
        if head.version > VERSION:
            raise SharedTextError(
                _("{name} was saved by a newer version of tutor.").format(name=name),
                "Update tutor to open it.",
            )
        found = msgspec.json.decode(data, type=SharedText)
        _check(found)
    except SharedTextError:
        raise
    except (ValueError, RecursionError, TutorError) as error:
        raise SharedTextError(
            _("{name} is damaged: {why}").format(name=name, why=_sentence(error)),
            "Ask for the file again, or open another one.",
        ) from error
    return found


def _check(text: SharedText) -> None:
    """Raise `ValueError` if the parts of the text contradict each other, or if it is too long."""
    numbers = [each.number for each in text.branches]
    if len(set(numbers)) != len(numbers):
        raise ValueError("Two branches have the same number.")
    if text.branch not in numbers:
        raise ValueError(f"There is no branch {text.branch}.")
    if text.position > len(text.current.tokens):
        raise ValueError(f"Position {text.position} is after the end of the text.")
    if text.xray is not None and text.xray.position > len(text.current.tokens):
        raise ValueError(
            f"Position {text.xray.position} of the x-ray is after the end of the text."
        )
    steering = text.steering
    if steering is not None and steering.vector.model != text.model.sha256:
        raise ValueError("The steering vector belongs to another model.")
    if sum(len(each.tokens) for each in text.branches) > MAXIMUM_TOKENS:
        raise ValueError(f"The branches have more than {MAXIMUM_TOKENS} tokens.")


def _sentence(error: Exception) -> str:
    said = error.happened if isinstance(error, TutorError) else str(error)
    return one_line(said).rstrip(".") + "."
