"""Describe the state of the tokens lab in sentences, for plain mode."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tutor.labs.tokens.side_by_side import LANGUAGES, bytes_each
from tutor.language import _
from tutor.plain.words import quoted, quoted_text
from tutor.text import counted, one_line

if TYPE_CHECKING:
    from tutor.labs.tokens.lab import Piece, State
    from tutor.labs.tokens.side_by_side import Side, Source

_NAMES = {"model": _("Token"), "words": _("Word"), "characters": _("Character"), "bytes": _("Byte")}
_SPLIT = {
    "model": _("Split into tokens."),
    "words": _("Split into words."),
    "characters": _("Split into characters."),
    "bytes": _("Split into bytes."),
}
_MOST = 40
_MOST_COMPARED = 12


HELP = {
    "edit": _("Change the text. With field=tokenizer: add a tokenizer from a file or folder."),
    "remove-tokenizer": _("Remove the selected tokenizer, if you added it."),
}


def describe(state: State) -> dict[str, list[str]]:
    """Return sentences about the parts of the text, or about several tokenizers."""
    match state.view:
        case "compare":
            return {
                "text": [_("Text: {text}").format(text=quoted_text(state.text))],
                "tokenizers": [_compared(state, *each) for each in state.rows],
            }
        case "languages":
            return {"languages": [_in_languages(state, *each) for each in state.rows]}
    return _split(state)


def _compared(state: State, source: Source, side: Side | None) -> str:
    """Return a sentence about how a tokenizer splits the text, with the first tokens."""
    name = _tokenizer(state, source, side)
    if side is None:
        return _("{name}: not computed yet.").format(name=name)
    if side.problem:
        return _("{name}: {problem}").format(name=name, problem=one_line(side.problem))
    shown = ", ".join(quoted(piece) for piece in side.pieces[:_MOST_COMPARED])
    more = len(side.pieces) - _MOST_COMPARED
    return _("{name}: {tokens}, {each:.2f} bytes each: {shown}{more}.").format(
        name=name,
        tokens=counted(len(side.pieces), "token"),
        each=bytes_each(state.text, side) or 0,
        shown=shown,
        more=_(" and {more} more").format(more=more) if more > 0 else "",
    )


def _in_languages(state: State, source: Source, side: Side | None) -> str:
    """Return a sentence about the number of tokens in each language's sample."""
    name = _tokenizer(state, source, side)
    if side is None or not side.samples:
        return _("{name}: no counts.").format(name=name)
    counts = ", ".join(
        f"{_(language)} {count if count >= 0 else _('not possible')}"
        for language, count in zip(LANGUAGES.values(), side.samples, strict=True)
    )
    return _("Tokens in one sentence with {name}: {counts}.").format(name=name, counts=counts)


def _tokenizer(state: State, source: Source, side: Side | None) -> str:
    name = side.label if side is not None else source.name or _("the loaded model")
    here = _(" (selected)") if source == state.selected else ""
    return one_line(name) + here


def _split(state: State) -> dict[str, list[str]]:
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
