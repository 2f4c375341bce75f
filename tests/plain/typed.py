"""Write an action of a lab as the command that a learner types."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from tutor.plain.labs.grammar import action_words

if TYPE_CHECKING:
    from tutor.labs.kit.registry import AnyLab


def typed(lab: AnyLab, action: Any) -> str:
    """Return the command for an action that `lab` accepts."""
    word = next(each for each in action_words(lab) if each.type is type(action))
    values = _values(action)
    options, parts, texts = [], [], []
    inner = [field for _, _, fields in word.inner for field in fields]
    for field in (*word.fields, *inner):
        value = values[field.name]
        if field.optional:
            if value not in ("", False):
                options.append(f"{field.name}={value}")
        elif field.kind is str and not field.names:
            texts.append(value)
        elif field.name != "cursor":
            parts.append(str(value))
    return " ".join((word.word, *options, *parts, *texts))


def _values(action: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for field in msgspec.structs.fields(action):
        value = getattr(action, field.name)
        if isinstance(value, msgspec.Struct):
            found |= _values(value)
        else:
            found[field.name] = value
    return found
