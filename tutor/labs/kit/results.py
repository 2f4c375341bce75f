"""Save and restore the results of a lab that took the model long to compute.

They are saved next to the learner's work, with the checksum of the model that they are from. They
are restored only together with exactly the work that they belong to. Like the work, the file is not
trusted: results that are invalid or don't fit together are computed again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, get_args, get_origin

import msgspec
from msgspec.structs import replace

from tutor.labs.kit.work import LARGEST, State, decoded, is_invalid, types_of

_KEY = "results of the model"
"""The key of the results in the file. No field of a state has this name, and older versions ignore
it."""


class _Saved(msgspec.Struct, frozen=True):
    model: str
    fields: dict[str, msgspec.Raw]


class ModelResults(msgspec.Struct, Generic[State], frozen=True):
    """The fields with results that are worth saving.

    `bare` returns a state without the part of these results that is not saved. `fit` returns
    whether restored results fit together, and to the rest of the state.
    """

    fields: tuple[str, ...] = ()
    fit: Callable[[State], bool] = lambda state: True
    bare: Callable[[State], State] = lambda state: state

    def added(self, work: bytes, state: State, initial: State, model: str) -> bytes:
        """Return the saved `work` together with the results, unless they are too large."""
        state = self.bare(state)
        values = {name: getattr(state, name) for name in self.fields}
        found = {
            name: list(value.items()) if isinstance(value, dict) else value
            for name, value in values.items()
            if value != getattr(initial, name)
        }
        if not found:
            return work
        results = {_KEY: {"model": model, "fields": found}}
        both = msgspec.json.encode(_raw(work) | results, order="deterministic")
        return both if len(both) <= LARGEST else work

    def restored(self, data: bytes, work: bytes, state: State) -> tuple[State, str | None]:
        """Return `state` with the results saved in `data`, and the checksum of their model.

        If there are none, or `data` doesn't have the same `work`, the state is unchanged.
        """
        raw = _raw(data)
        saved = decoded(raw.pop(_KEY, msgspec.Raw()), _Saved)
        found: dict[str, Any] = {}
        if not is_invalid(saved) and raw == _raw(work):
            kinds = types_of(type(state))  # type: ignore[arg-type]
            for name in saved.fields.keys() & set(self.fields):
                found[name] = _decoded(saved.fields[name], kinds[name])
        if not found or any(map(is_invalid, found.values())):
            return state, None
        new: State = replace(state, **found)  # type: ignore[type-var]
        return (new, saved.model) if self.fit(new) else (state, None)


def _raw(data: bytes) -> dict[str, msgspec.Raw]:
    found = decoded(data, dict[str, msgspec.Raw]) if len(data) <= LARGEST else {}
    return {} if is_invalid(found) else found


def _decoded(data: msgspec.Raw, kind: Any) -> Any:
    """Decode a value. A dictionary is saved as a list of pairs, since its keys may be structs."""
    if get_origin(kind) is not dict:
        return decoded(data, kind)
    pairs = decoded(data, list[tuple[get_args(kind)]])  # type: ignore[misc]
    return pairs if is_invalid(pairs) else dict(pairs)
