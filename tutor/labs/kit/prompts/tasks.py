"""The tasks for scoring prompts, each with 20 items and an exact check of the answers.

The check classifies an answer as right, wrong, or in the wrong form. It compares the whole answer,
ignoring surrounding spaces, a final period, and case. A correct answer inside a sentence is in the
wrong form, because a program that expects only the answer could not parse the sentence.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import cache
from typing import Any, Literal

import msgspec

from tutor import paths

Outcome = Literal["right", "wrong", "form"]


class Item(msgspec.Struct, frozen=True, array_like=True):
    """A test item: an input text and its right answer."""

    text: str
    answer: str


class Task(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A task with test items, and the texts that a prompt for it can contain.

    Attributes:
        checker: The form that an answer must have.
        input: The label of the input in a prompt, such as "Review".
        output: The label of the answer in a prompt, such as "Sentiment".
        instruction: The full instruction.
        short: A short instruction.
        constraint: A rule about the form of the answer.
        begin: The first words of the answer, which a prompt can supply.
        items: The test items.
        examples: Items to show in a prompt. None of them is a test item.
        labels: The classes, if the task is a classification.
    """

    name: str
    title: str
    checker: Literal["label", "word", "number", "month", "iso-date", "json"]
    input: str
    output: str
    instruction: str
    short: str
    constraint: str
    begin: str
    items: tuple[Item, ...]
    examples: tuple[Item, ...]
    labels: tuple[str, ...] = ()

    @property
    def most_tokens(self) -> int:
        """Return the maximum length of an answer, in tokens.

        It is enough for every right answer.
        """
        return {"json": 24, "iso-date": 12}.get(self.checker, 8)


@cache
def tasks() -> dict[str, Task]:
    """Return all tasks by name, in the order in which the labs list them."""
    data = (paths.assets_folder() / "prompts" / "tasks.json").read_bytes()
    return {task.name: task for task in msgspec.json.decode(data, type=tuple[Task, ...])}


def outcome(task: Task, item: Item, answer: str) -> Outcome:
    """Classify an answer as right, wrong, or in the wrong form."""
    bare = answer.strip()
    if task.checker == "json":
        return _json(bare, item.answer)
    bare = bare.removesuffix(".").casefold()
    if not _IN_FORM[task.checker](task, bare):
        return "form"
    return "right" if bare == item.answer.casefold() else "wrong"


_MONTHS = (
    "january", "february", "march", "april", "may", "june",
    "july", "august", "september", "october", "november", "december",
)  # fmt: skip

_IN_FORM: dict[str, Callable[[Task, str], bool]] = {
    "label": lambda task, bare: bare in task.labels,
    "word": lambda _, bare: re.fullmatch(r"[\w'’-]+", bare) is not None,
    "number": lambda _, bare: re.fullmatch(r"[0-9]+", bare) is not None,
    "month": lambda _, bare: bare in _MONTHS,
    "iso-date": lambda _, bare: re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", bare) is not None,
}


def _json(bare: str, wanted: str) -> Outcome:
    """Check a JSON answer.

    It is in the right form if it has the keys and value types of `wanted`.
    """
    right: dict[str, Any] = json.loads(wanted)
    try:
        found = json.loads(bare)
    except (ValueError, RecursionError):
        return "form"
    if not isinstance(found, dict) or found.keys() != right.keys():
        return "form"
    if any(type(found[key]) is not type(value) for key, value in right.items()):
        return "form"
    return "right" if found == right else "wrong"
