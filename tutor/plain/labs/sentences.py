"""Describe the state of a lab in sentences.

Each lab has a module `plain` with a function `describe(state)`, which returns lines by topic. The
module can also contain `HELP`, a mapping from the lab's commands to help texts, which replace the
general ones.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any, cast, get_args, get_origin

from tutor.errors import TutorError
from tutor.labs.kit.actions import ShowView

if TYPE_CHECKING:
    from tutor.labs.kit.registry import AnyLab

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


def changed(lab: AnyLab, before: Any, after: Any) -> list[str]:
    """Return the lines that describe how the state `after` differs from `before`.

    If the current view shows no difference, use the first view that shows one.
    """
    new = changes(describe(lab.name, before), describe(lab.name, after))
    views = iter(() if new or before == after else _views(lab))
    while not new and (view := next(views, None)) is not None:
        old_lines, new_lines = (_described_in(lab, state, view) for state in (before, after))
        new = changes(old_lines, new_lines)
    return new


def _described_in(lab: AnyLab, state: Any, view: ShowView[str]) -> Lines:
    """Describe a state as another view shows it, or return {} if it can't be shown there."""
    try:
        return describe(lab.name, lab.act(state, view))
    except TutorError:
        return {}


def _views(lab: AnyLab) -> Iterator[ShowView[str]]:
    """Yield the actions that show the views of a lab."""
    for kind in get_args(lab.actions):
        if get_origin(kind) is ShowView:
            for literal in get_args(kind):
                yield from map(ShowView, get_args(literal))


def own_help(lab: str) -> Mapping[str, str]:
    """Return the help texts that the lab defines for its commands."""
    return cast("Mapping[str, str]", getattr(_module(lab), "HELP", {}))


def _module(lab: str) -> Any:
    return import_module(f"tutor.labs.{lab.replace('-', '_')}.plain")
