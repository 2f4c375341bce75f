"""The view of the "Merge player" lab."""

from __future__ import annotations

from typing import ClassVar, Literal

from rich.cells import cell_len
from textual.content import Content

from tutor.app.theme import LIKELY, MUTED
from tutor.app.widgets import figures
from tutor.labs.kit.actions import EditText
from tutor.labs.kit.columns import ROOMY, Room, around, cursor
from tutor.labs.kit.keys import LEFT_RIGHT, Keys, key, pair
from tutor.labs.kit.view import LabView, Offered, writes
from tutor.labs.merges.lab import Jump, State
from tutor.labs.merges.merging import Chunk, Merge
from tutor.language import _
from tutor.text import counted, visible

_STROKE = "│"
_BETWEEN_CHUNKS = "  "
_LEAST_RULES = 3


class MergesView(LabView):
    """A view of the current tokens, and of the list of applied and remaining merges."""

    BINDINGS: ClassVar[Keys] = [
        *pair(LEFT_RIGHT, "move_focus(*, 'merge')", "merge", "Apply or undo one merge."),
        key("enter", "jump('tokens')", "all", "Apply all merges to get the final tokens."),
        key("z", "reset", "reset", "Undo all merges to return to the bytes."),
        key("e", "edit", "edit", "Edit the text."),
    ]
    OFFERED: ClassVar[Offered[State]] = {
        "jump": lambda state: bool(state.merges),
    }

    def action_jump(self, to: Literal["bytes", "tokens"]) -> None:
        self.did(Jump(to))

    action_edit = writes(_("Text to tokenize:"), EditText)

    def lines(self, state: State, width: int, height: int) -> list[Content]:
        if not state.played:
            return [Content.styled(_("Loading the merges…"), MUTED)]
        pieces = _pieces(state, width)
        gap = [] if Room(width, height).low else [Content("")]
        above = [_count(state), *gap, *pieces, *gap]
        rows = max(_LEAST_RULES, height - len(above) - 1)
        return [*above, _heading(state, width), *_rules(state, width, rows)]


def _count(state: State) -> Content:
    count = sum(map(len, state.chunks))
    parts = [
        (counted(count, "token"), "bold"),
        (
            _("  after {at} of {merges}").format(
                at=state.at, merges=counted(len(state.merges), "merge")
            ),
            MUTED,
        ),
    ]
    if state.ended:
        parts.append((_("   no merges left: final tokens"), ""))
    if state.left_out:
        more = counted(state.left_out, "character")
        parts.append((_("   {more} left out at the end").format(more=more), ""))
    return Content.assemble(*parts)


def _pieces(state: State, width: int) -> list[Content]:
    """Return the tokens, separated by vertical bars.

    Tokens that the last merge created are highlighted. Tokens that the next merge will join are
    underlined.
    """
    made = state.last.left + state.last.right if state.last else None
    lines: list[list[tuple[str, str]]] = [[]]
    used = 0
    for number, chunk in enumerate(state.chunks):
        if number and used:
            lines[-1].append((_BETWEEN_CHUNKS, ""))
            used += len(_BETWEEN_CHUNKS)
        waiting = _waiting(chunk, state.following)
        for place, piece in enumerate(chunk):
            text = visible(piece)
            stroke = _STROKE if place < len(chunk) - 1 else ""
            size = cell_len(text) + len(stroke)
            if used + size > width and lines[-1]:
                lines.append([])
                used = 0
            style = "reverse" if piece == made else LIKELY[3] if place % 2 else ""
            if place in waiting:
                style = f"{style} underline".strip()
            lines[-1] += [(text, style), (stroke, MUTED)]
            used += size
    return [Content.assemble(*line) for line in lines]


def _waiting(chunk: Chunk, following: Merge | None) -> set[int]:
    """Return the indexes of the tokens that the next merge will join."""
    if following is None:
        return set()
    pair = (following.left, following.right)
    first = [at for at in range(len(chunk) - 1) if chunk[at : at + 2] == pair]
    return {at + more for at in first for more in (0, 1)}


def _heading(state: State, width: int) -> Content:
    every = figures.count(state.rules)
    order = _(", most frequent first") if width >= ROOMY else ""
    return Content.styled(f"  {_('merge'):>8}  {_('joins    (of')} {every}{order})", MUTED)


def _rules(state: State, width: int, rows: int) -> list[Content]:
    """Return the merges for this text in order, scrolled to the last applied merge."""
    if not state.merges:
        return [Content(_("  No merge joins any of these bytes, so each byte stays a token."))]
    return [
        _rule(state.merges[number], number < state.at, number == state.at - 1, width)
        for number in around(state.at, len(state.merges), rows)
    ]


def _rule(merge: Merge, done: bool, last: bool, width: int) -> Content:
    joined = visible(merge.left + merge.right)
    times = _("   {times} times").format(times=merge.times) if merge.times > 1 else ""
    style = "" if done else MUTED
    return Content.assemble(
        cursor(last),
        (f"{figures.count(merge.rank):>8}  ", style),
        (f"{visible(merge.left)} + {visible(merge.right)}", style),
        (" → ", MUTED),
        (joined, "bold" if last else style),
        (times, MUTED),
    ).truncate(width, ellipsis=True)


VIEW = MergesView
