"""Save and restore a lab's results that took the model a long time to compute.

The results are saved in the same file as the learner's work, along with the checksum of the model.
They are valid only for this work. If the work cannot be restored exactly as it was saved, the
results are ignored.

The file is not trusted. Results that are invalid or inconsistent are ignored, and the lab computes
them again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, get_args, get_origin

import msgspec
from msgspec.structs import replace

from tutor.labs.kit import drafts
from tutor.labs.kit.work import (
    LARGEST,
    State,
    decoded,
    encoded_fields,
    fields_in,
    is_invalid,
    types_of,
)

_KEY = "results of the model"
"""The key of the results in the file. No state has a field with this name, and older versions of
tutor ignore it."""


class _Saved(msgspec.Struct, frozen=True):
    model: str
    fields: dict[str, msgspec.Raw]


class ModelResults(msgspec.Struct, Generic[State], frozen=True):
    """The fields of a lab's state whose results are saved.

    Attributes:
        fields: The names of the fields.
        fit: Returns True if restored results are consistent with each other and with the rest of
            the state.
        bare: Returns a copy of the state without the results that are not worth saving.
    """

    fields: tuple[str, ...] = ()
    fit: Callable[[State], bool] = lambda state: True
    bare: Callable[[State], State] = lambda state: state

    def added(self, work: bytes, state: State, initial: State, model: str) -> bytes:
        """Return the encoded `work` with the results added, unless the file would be too large."""
        state = self.bare(state)
        values = {name: getattr(state, name) for name in self.fields}
        found = {
            name: list(value.items()) if isinstance(value, dict) else value
            for name, value in values.items()
            if value != getattr(initial, name)
        }
        if not found or len(work) > LARGEST:
            return work
        results = {_KEY: {"model": model, "fields": found}}
        both = encoded_fields(fields_in(work) | results)
        return both if len(both) <= LARGEST else work

    def restored(self, data: bytes, work: bytes, state: State) -> tuple[State, str | None]:
        """Return `state` with the results saved in `data`, and the checksum of their model.

        Returns the unchanged state and None if `data` has no valid results, or if its work differs
        from `work`.
        """
        raw = fields_in(data)
        saved = decoded(raw.pop(_KEY, msgspec.Raw()), _Saved)
        raw.pop(drafts.KEY, None)  # The results don't depend on texts that were not submitted.
        found: dict[str, Any] = {}
        if not is_invalid(saved) and raw == fields_in(work):
            kinds = types_of(type(state))  # type: ignore[arg-type]
            for name in saved.fields.keys() & set(self.fields):
                found[name] = _decoded(saved.fields[name], kinds[name])
        if not found or any(map(is_invalid, found.values())):
            return state, None
        new: State = replace(state, **found)  # type: ignore[type-var]
        return (new, saved.model) if self.fit(new) else (state, None)


def _decoded(data: msgspec.Raw, kind: Any) -> Any:
    """Decode a field.

    A dictionary is stored as a list of pairs, because its keys may be structs.
    """
    if get_origin(kind) is not dict:
        return decoded(data, kind)
    pairs = decoded(data, list[tuple[get_args(kind)]])  # type: ignore[misc]
    return pairs if is_invalid(pairs) else dict(pairs)
