"""Draw a text that is split into tokens, words, characters or bytes."""

from __future__ import annotations

from rich.cells import cell_len
from textual.content import Content

from tutor.app.theme import MUTED
from tutor.app.widgets import bars, figures
from tutor.labs.kit.columns import Column, Room, around, heading, row
from tutor.labs.tokens.lab import CUTS, Cut, Piece, State
from tutor.language import _
from tutor.text import visible

NAMES: dict[Cut, str] = {
    "model": _("tokens"),
    "words": _("words"),
    "characters": _("characters"),
    "bytes": _("bytes"),
}
_IDS: dict[Cut, str] = {"model": _("id"), "characters": _("code point"), "bytes": _("value")}
_ROOMY = (
    Column(_("split into"), 14),
    Column(_("parts"), 8, right=True),
    Column(_("characters each"), 20, right=True),
)
_NARROW = (
    Column(_("split into"), 12),
    Column(_("parts"), 7, right=True),
    Column(_("characters each"), 16, right=True),
)
_BAR = "│"
_LONGEST_BYTES = 16


def one_tokenizer(state: State, room: Room) -> list[Content]:
    """Return a table that compares four ways to split a text, and the parts of the text."""
    summary, focused = _summary(state, room), _focused(state)
    if room.low:  # Show only the selected row, to leave room for the parts.
        summary = [summary[0], summary[1 + CUTS.index(state.cut)]]
        return [*summary, *_pieces(state, room.width, max(2, room.height - 4)), *focused]
    rows = max(3, room.height - len(summary) - len(focused) - 2)
    return [*summary, Content(""), *_pieces(state, room.width, rows), Content(""), *focused]


def _summary(state: State, room: Room) -> list[Content]:
    """Return a table with the number of parts and their mean length, for each way of splitting."""
    most = max((len(pieces) for pieces in state.pieces.values()), default=1) or 1
    bar = max(0, min(24, room.width - 48))
    columns = _ROOMY if room.roomy else _NARROW
    size = (
        _("   {byte_count} bytes").format(byte_count=figures.count(state.byte_count))
        if room.roomy
        else ""
    )
    lines = [Content.styled(heading(columns).plain + size, MUTED)]
    for cut in CUTS:
        known = state.pieces.get(cut)
        count = "…" if known is None else figures.count(len(known))
        each = state.characters_per_piece(cut)
        here = cut == state.cut
        cells = (
            (NAMES[cut], "bold" if here else ""),
            count,
            "" if each is None else f"{each:.2f}",
            (f"   {bars.bar(len(known or ()) / most, bar)}" if bar else "", MUTED),
        )
        lines.append(row(columns, cells, here=here))
    return lines


def _pieces(state: State, width: int, rows: int) -> list[Content]:
    """Return the parts, separated by vertical bars and scrolled to the selected part."""
    lines: list[list[tuple[str, str]]] = [[]]
    used, at = 0, 0
    for place, piece in enumerate(state.shown):
        text = visible(piece.data)
        size = cell_len(text) + 1
        if used + size > width and lines[-1]:
            lines.append([])
            used = 0
        if place == state.focus:
            at = len(lines) - 1
        style = "reverse" if place == state.focus else "" if place % 2 else "$likely-4"
        lines[-1] += [(text, style), (_BAR, MUTED)]
        used += size
    shown = [Content.assemble(*lines[line]) for line in around(at, len(lines), rows)]
    if state.left_out:
        shown.append(
            Content(
                _("{left_out} more characters are left out.").format(
                    left_out=figures.count(state.left_out)
                )
            )
        )
    return shown


def _focused(state: State) -> list[Content]:
    if not state.shown:
        return [Content("")]
    piece = state.shown[state.focus]
    number = "" if piece.id is None else f"   {_IDS[state.cut]} {figures.count(piece.id)}"
    return [
        Content.assemble(
            (
                _("{focus} of {count}  ").format(focus=state.focus + 1, count=len(state.shown)),
                MUTED,
            ),
            (visible(piece.data), "bold"),
            (number, ""),
        ),
        Content.assemble((_("bytes  "), MUTED), _bytes(piece)),
    ]


def _bytes(piece: Piece) -> str:
    shown = piece.data[:_LONGEST_BYTES].hex(" ")
    more = len(piece.data) - _LONGEST_BYTES
    return (
        _("{shown} … {more} more").format(shown=shown, more=more)
        if more > 0
        else f"{shown}   ({len(piece.data)})"
    )
