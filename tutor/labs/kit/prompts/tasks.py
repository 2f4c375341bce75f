"""The tasks that prompts are scored on, each with 20 items and an exact checker.

The checker decides whether an answer is right, wrong, or in the wrong form. It compares the whole
answer, ignoring only surrounding spaces, a final period, and the case of letters. A correct answer
inside a sentence has the wrong form, because a program that parses the answer would not find it.
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
    """A text and the right answer for it."""

    text: str
    answer: str


class Task(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A task for prompts, with its items.

    `input` and `output` name the given text and the wanted answer ("Review", "Sentiment").
    `instruction`, `short` and `constraint` are texts that a prompt can contain, and `begin` is a
    beginning that a prompt can supply for the answer. If the task is a classification, `labels` are
    its classes. None of the `examples` is one of the `items`.
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
        """Return the maximum number of tokens in an answer. No right answer is longer."""
        return {"json": 24, "iso-date": 12}.get(self.checker, 8)


@cache
def tasks() -> dict[str, Task]:
    """Return all tasks by name, in the order in which the lab lists them."""
    data = (paths.assets_folder() / "prompts" / "tasks.json").read_bytes()
    return {task.name: task for task in msgspec.json.decode(data, type=tuple[Task, ...])}


def outcome(task: Task, item: Item, answer: str) -> Outcome:
    """Return whether an answer is right, wrong, or in the wrong form."""
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
    """Check an answer that must be a JSON object with the keys and value types of `wanted`."""
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
