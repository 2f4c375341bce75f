"""Describe the state of a lab in sentences.

Each lab has a module `plain` with a function `describe(state)`, which returns lines by topic. The
module can also contain `HELP`, a mapping from the lab's commands to help texts, which replace the
general ones.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any, cast

Lines = dict[str, tuple[str, ...]]


def describe(lab: str, state: Any) -> Lines:
    """Describe a lab's state in one or more lines for each topic, leaving out empty topics."""
    describe_ = cast("Callable[[Any], Mapping[str, Sequence[str]]]", _module(lab).describe)
    return {topic: tuple(lines) for topic, lines in describe_(state).items() if lines}


def changes(before: Lines, after: Lines) -> list[str]:
    """Return the lines of `after` that are not in `before`."""
    return [
        line
        for topic, lines in after.items()
        for line in lines
        if line not in before.get(topic, ())
    ]


def own_help(lab: str) -> Mapping[str, str]:
    """Return the help texts that the lab defines for its commands."""
    return cast("Mapping[str, str]", getattr(_module(lab), "HELP", {}))


def _module(lab: str) -> Any:
    return import_module(f"tutor.labs.{lab.replace('-', '_')}.plain")
