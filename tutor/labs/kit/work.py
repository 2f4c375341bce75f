"""Save and restore the learner's work in a lab.

A lab lists the fields of its state that are the learner's work, such as texts, settings and
positions. Only fields that differ from the initial state are saved.

The file is not trusted. A field that is unknown or invalid keeps its initial value.

All other fields, such as the model's responses, keep their initial values when the work is
restored. So a restored state never contains responses to other texts or settings, and the lab
requests them again.
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
"""The default limit for numbers. It is higher than any index in a lab."""
LONGEST = 4_000
"""The default maximum length of a text, in characters."""

Limit = int | Callable[[Any], object]
"""The limit of a saved field, in one of three forms: an exclusive upper bound for a number, a
maximum length for a text, or a function. The function returns a valid value, or raises `TutorError`
to reject the value."""


_INVALID = object()
"""The result of decoding invalid data."""


class Work(msgspec.Struct, Generic[State], frozen=True):
    """The fields of a lab's state that are the learner's work.

    Attributes:
        limits: The limit of each field, by the field's name.
        mend: Returns a copy of a restored state whose fields are consistent, for example without an
            index beyond the end of a list.
        bare: Returns a copy of the state without the parts of these fields that are not the
            learner's work.
    """

    limits: Mapping[str, Limit] = {}
    mend: Callable[[State], State] = lambda state: state
    bare: Callable[[State], State] = lambda state: state

    def of(self, state: State, initial: State) -> dict[str, Any]:
        """Return the saved fields whose values differ from those in `initial`, by field name."""
        state = self.bare(state)
        values = {name: getattr(state, name) for name in self.limits}
        return {name: value for name, value in values.items() if value != getattr(initial, name)}

    def encoded(self, state: State, initial: State) -> bytes:
        """Encode the work as JSON. Returns b"" if the work doesn't differ from `initial`."""
        changed = self.of(state, initial)
        return encoded_fields(changed) if changed else b""

    def restored(self, data: bytes, initial: State) -> State:
        """Return `initial` with the work saved in `data`, which may be damaged."""
        found = self._decoded(data, type(initial))
        return self.mend(replace(initial, **found)) if found else initial  # type: ignore[type-var]

    def _decoded(self, data: bytes, kind: Any) -> dict[str, Any]:
        raw = decoded(data, dict[str, msgspec.Raw]) if 0 < len(data) <= LARGEST else None
        found: dict[str, Any] = {}
        if isinstance(raw, dict):
            for name in self.limits.keys() & raw:
                with suppress(TutorError):  # A rejected value is ignored.
                    value = decoded(raw[name], types_of(kind)[name])
                    found[name] = _within(value, self.limits[name])
        return found


def work(
    *fields: str,
    mend: Callable[[Any], Any] = lambda state: state,
    bare: Callable[[Any], Any] = lambda state: state,
    **limits: Limit,
) -> Work[Any]:
    """Return a `Work` with these fields.

    Fields without an entry in `limits` have the default limits.
    """
    usual: dict[str, Limit] = dict.fromkeys(fields, _usual)
    return Work(usual | limits, mend, bare)


def indexes(count: int) -> Callable[[tuple[int, ...]], tuple[int, ...]]:
    """Return a limit that accepts tuples of indexes from 0 to `count` - 1."""
    return lambda values: tuple(_within(value, count) for value in values)


def one_of(values: tuple[Any, ...]) -> Callable[[Any], Any]:
    """Return a limit that accepts only these values."""

    def known(value: Any) -> Any:
        if value not in values:
            raise Refused
        return value

    return known


class Refused(TutorError):
    """Raised if a saved value is invalid. The learner never sees this error."""

    def __init__(self) -> None:
        super().__init__("A saved value is invalid.")


def is_invalid(value: Any) -> bool:
    return value is _INVALID


@cache
def types_of(kind: Any) -> dict[str, Any]:
    """Return the types of a struct's fields, by field name."""
    return {field.name: field.type for field in msgspec.structs.fields(kind)}


def decoded(data: bytes | msgspec.Raw, kind: Any) -> Any:
    """Decode JSON data as a value of type `kind`. Returns a marker for invalid data.

    Use `is_invalid` to recognize the marker.
    """
    try:
        return msgspec.json.decode(data, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return _INVALID


def fields_in(data: bytes) -> dict[str, msgspec.Raw]:
    """Return the encoded fields of a file, by key, or {} if the file is damaged or too large."""
    found = decoded(data, dict[str, msgspec.Raw]) if len(data) <= LARGEST else {}
    return {} if is_invalid(found) else found


def encoded_fields(fields: Mapping[str, Any]) -> bytes:
    """Encode the fields of a file as JSON."""
    return msgspec.json.encode(fields, order="deterministic")


def _usual(value: Any) -> Any:
    return _within(value, LONGEST if isinstance(value, str) else HIGHEST)


def _within(value: Any, limit: Limit) -> Any:
    """Return `value`, or the replacement that `limit` returns.

    Raises `TutorError` if it is rejected.
    """
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
