"""Describes the state of the tokens lab in sentences, for plain mode."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tutor.language import _
from tutor.plain.words import quoted, quoted_text
from tutor.text import counted

if TYPE_CHECKING:
    from tutor.labs.tokens.lab import Piece, State

_NAMES = {"model": _("Token"), "words": _("Word"), "characters": _("Character"), "bytes": _("Byte")}
_SPLIT = {
    "model": _("Split into tokens."),
    "words": _("Split into words."),
    "characters": _("Split into characters."),
    "bytes": _("Split into bytes."),
}
_MOST = 40


def describe(state: State) -> dict[str, list[str]]:
    """Return sentences about the parts of the text, for the current way of splitting it."""
    name = _NAMES[state.cut]
    shown = state.shown[:_MOST]
    lines = [_("The text has {parts}.").format(parts=counted(len(state.shown), "part"))]
    lines += [f"{name} {number}: {_said(piece)}" for number, piece in enumerate(shown, 1)]
    focused = [f"{name} {state.focus + 1}: {_said(state.shown[state.focus])}"] if shown else []
    return {
        "text": [_("Text: {text}").format(text=quoted_text(state.text))],
        "cut": [_SPLIT[state.cut]],
        "focus": [_("Selected: {line}").format(line=line) for line in focused],
        "pieces": lines,
    }


def _said(piece: Piece) -> str:
    size = counted(len(piece.data), "byte")
    id_ = _(", id {id}").format(id=piece.id) if piece.id is not None else ""
    return f"{quoted(piece.data)}{id_}, {size}."
