"""Save and restore the learner's work in a lab.

A lab lists the fields of its state that are the learner's work, such as texts, settings and
positions. Only fields that differ from the initial state are saved. When they are restored, the
file is not trusted: a field that is unknown or invalid keeps its initial value. Everything else in
the state, such as the model's responses, starts empty, so that the lab asks for it again. So a
restored state is never shown with responses that belong to another state.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import cache
from typing import Any, Generic, TypeVar

import msgspec
from msgspec.structs import replace

from tutor.errors import TutorError

State = TypeVar("State")

LARGEST = 2_000_000
"""The maximum size of a lab's saved work, in bytes."""
HIGHEST = 10_000
"""The limit of a number without a limit of its own. It is higher than any index in a lab."""
LONGEST = 4_000
"""The limit of a text without a limit of its own, in characters."""

Limit = int | Callable[[Any], object]
"""The limit of a field: a number that is too high, the maximum length of a text, or a function that
returns the value to use, or raises `TutorError` to refuse the value."""


_INVALID = object()
"""The result of decoding invalid data."""


class Work(msgspec.Struct, Generic[State], frozen=True):
    """The fields that are the learner's work, with their limits.

    `mend` returns a restored state whose fields fit together, for example without an index beyond
    the end of a list. `bare` returns a state without responses that are part of the saved fields.
    """

    limits: Mapping[str, Limit] = {}
    mend: Callable[[State], State] = lambda state: state
    bare: Callable[[State], State] = lambda state: state

    def of(self, state: State, initial: State) -> dict[str, Any]:
        """Return the values of the fields that differ from the initial state."""
        state = self.bare(state)
        values = {name: getattr(state, name) for name in self.limits}
        return {name: value for name, value in values.items() if value != getattr(initial, name)}

    def encoded(self, state: State, initial: State) -> bytes:
        """Return the work as JSON. The result is empty if it doesn't differ from `initial`."""
        changed = self.of(state, initial)
        return msgspec.json.encode(changed, order="deterministic") if changed else b""

    def restored(self, data: bytes, initial: State) -> State:
        """Return the initial state with the work saved in `data`, which may be damaged."""
        found = self._decoded(data, type(initial))
        return self.mend(replace(initial, **found)) if found else initial  # type: ignore[type-var]

    def _decoded(self, data: bytes, kind: Any) -> dict[str, Any]:
        raw = decoded(data, dict[str, msgspec.Raw]) if 0 < len(data) <= LARGEST else None
        found: dict[str, Any] = {}
        if isinstance(raw, dict):
            for name in self.limits.keys() & raw:
                with suppress(TutorError):  # The field keeps its initial value.
                    value = decoded(raw[name], types_of(kind)[name])
                    found[name] = _within(value, self.limits[name])
        return found


def work(
    *fields: str,
    mend: Callable[[Any], Any] = lambda state: state,
    bare: Callable[[Any], Any] = lambda state: state,
    **limits: Limit,
) -> Work[Any]:
    """Return the work that consists of these fields, some of them with limits of their own."""
    usual: dict[str, Limit] = dict.fromkeys(fields, _usual)
    return Work(usual | limits, mend, bare)


def indexes(count: int) -> Callable[[tuple[int, ...]], tuple[int, ...]]:
    """Return a limit for a tuple of indexes below `count`."""
    return lambda values: tuple(_within(value, count) for value in values)


def one_of(values: tuple[Any, ...]) -> Callable[[Any], Any]:
    """Return a limit for a field that must have one of these values."""

    def known(value: Any) -> Any:
        if value not in values:
            raise Refused
        return value

    return known


class Refused(TutorError):
    """Raised when a saved value is invalid. The learner never sees it."""

    def __init__(self) -> None:
        super().__init__("A saved value is invalid.")


def is_invalid(value: Any) -> bool:
    return value is _INVALID


@cache
def types_of(kind: Any) -> dict[str, Any]:
    """Return the types of a struct's fields, by name."""
    return {field.name: field.type for field in msgspec.structs.fields(kind)}


def decoded(data: bytes | msgspec.Raw, kind: Any) -> Any:
    """Return the decoded value, for which `is_invalid` is True if it can't be decoded."""
    try:
        return msgspec.json.decode(data, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return _INVALID


def _usual(value: Any) -> Any:
    return _within(value, LONGEST if isinstance(value, str) else HIGHEST)


def _within(value: Any, limit: Limit) -> Any:
    """Return `value` if it is within `limit`. Raises `TutorError` otherwise."""
    if value is _INVALID:
        raise Refused
    if not isinstance(limit, int):
        return limit(value)
    allowed = True
    if isinstance(value, str):
        allowed = len(value) <= limit
    elif isinstance(value, int) and not isinstance(value, bool):
        allowed = 0 <= value < limit
    if not allowed:
        raise Refused
    return value
