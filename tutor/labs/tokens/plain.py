"""Describes the state of the tokens lab in sentences, for plain mode."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tutor.plain.words import quoted
from tutor.text import counted

if TYPE_CHECKING:
    from tutor.labs.tokens.lab import Piece, State

_NAMES = {"model": "Token", "words": "Word", "characters": "Character", "bytes": "Byte"}
_MOST = 40


def describe(state: State) -> dict[str, list[str]]:
    """Return sentences about the parts of the text, for the current way of splitting it."""
    name = _NAMES[state.cut]
    shown = state.shown[:_MOST]
    lines = [f"The text has {counted(len(state.shown), name.lower())}."]
    lines += [f"{name} {number}: {_said(piece)}" for number, piece in enumerate(shown, 1)]
    focused = [f"{name} {state.focus + 1}: {_said(state.shown[state.focus])}"] if shown else []
    return {
        "cut": [f"Split into {name.lower()}s."],
        "focus": [f"Selected: {line}" for line in focused],
        "pieces": lines,
    }


def _said(piece: Piece) -> str:
    size = counted(len(piece.data), "byte")
    id_ = f", id {piece.id}" if piece.id is not None else ""
    return f"{quoted(piece.data)}{id_}, {size}."
