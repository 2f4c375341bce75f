"""The text of the items view: all items with their outcomes, and the answers to one item."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from tutor.app.theme import ACT, MUTED, NOT_YET, RIGHT, likely
from tutor.app.widgets import bars, figures
from tutor.labs.kit.columns import around, cursor
from tutor.labs.kit.heat import percent
from tutor.labs.kit.prompts.scores import outcome_of, outcomes
from tutor.language import _
from tutor.text import safe, visible

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tutor.labs.kit.prompts.scores import Tried
    from tutor.labs.kit.prompts.tasks import Outcome
    from tutor.labs.prompting.lab import State

GLYPHS: dict[Outcome | None, tuple[str, str]] = {
    "right": ("✓", RIGHT),
    "wrong": ("×", NOT_YET),
    "form": ("!", NOT_YET),
    None: ("·", MUTED),
}
_BARS = 4
"""The number of rows for the first-token distributions of A and B."""


def items(state: State, width: int, rows: int) -> list[Content]:
    """Return all items with their outcomes, and both answers to the selected item."""
    wanted = _BARS if rows >= 10 else max(0, rows - 6)
    both = [_wrote(state, side, width) for side in (0, 1)]
    focus = [*both, *_bars(state, width, wanted)]
    legend = _("     A B  ✓ right  × wrong  ! wrong form")
    head = [Content.styled(figures.fit(legend, width), MUTED)] if rows > len(focus) + 2 else []
    shown = around(state.item, len(state.about.items), max(1, rows - len(focus) - len(head)))
    marks = [outcomes(state.results, trial) for trial in state.trials]
    return [*head, *(_item(state, at, marks, width) for at in shown), *focus]


def _item(state: State, at: int, marks: list[tuple[Outcome | None, ...]], width: int) -> Content:
    item = state.about.items[at]
    here = at == state.item
    answer = figures.fit(item.answer, min(20, max(8, width // 5)))
    return Content.assemble(
        cursor(here),
        (f"{at + 1:>2} ", MUTED),
        GLYPHS[marks[0][at]],
        " ",
        GLYPHS[marks[1][at]],
        "  ",
        (figures.fit(item.text, max(4, width - len(answer) - 12)), "bold" if here else ""),
        "  ",
        (answer, MUTED),
    )


def _wrote(state: State, side: int, width: int) -> Content:
    tried = state.tried(side, state.item)
    mark = ("AB"[side] + " ", f"{ACT} bold" if side == state.side else MUTED)
    if tried is None:
        return Content.assemble(mark, (pending(state, side), MUTED))
    glyph = GLYPHS[outcome_of(state.trials[side], state.item, tried)]
    text = safe(" ".join(tried.written.replace("\n", " ⏎ ").split()))
    text += "" if tried.ended else " …"
    return Content.assemble(mark, glyph, " ", figures.fit(text, width - 4))


def _bars(state: State, width: int, rows: int) -> list[Content]:
    """Return the distributions of an answer's first token, for A and for B."""
    both = [tried for side in (0, 1) if (tried := state.tried(side, state.item)) is not None]
    if rows < 2 or len(both) < 2:
        return []
    if not all(tried.rows for tried in both):
        return [Content.styled(_("The server returns no probabilities."), MUTED)]
    shares = [{row.piece: row.probability for row in tried.rows} for tried in both]
    hidden = _hidden(both, width)
    least = [min(found.values()) for found in shares]
    pieces = sorted(
        {*shares[0], *shares[1]}, key=lambda piece: -max(found.get(piece, 0.0) for found in shares)
    )
    name = max(9, min(24, width // 4))
    bar = max(0, (width - name - 22) // 2)
    head = figures.fit(_("first token"), name + 2)
    lines = [Content.styled(f"{head}{'A':>8} {'':{bar}} {'B':>8}", MUTED)]
    for piece in pieces[: rows - 1 - len(hidden)]:
        cells: list[tuple[str, str]] = [(f"  {figures.fit(visible(piece), name)}", "")]
        for side, found in enumerate(shares):
            share = found.get(piece)
            figure = f"<{percent(least[side])}" if share is None else percent(share)
            cells.append((f"{figure:>8} ", "bold" if side == state.side else MUTED))
            cells.append((bars.bar(share or 0.0, bar) + " ", likely(share or 0.0)))
        lines.append(Content.assemble(*cells))
    return [*lines, *hidden]


def _hidden(both: Sequence[Tried], width: int) -> list[Content]:
    """Return a line about the total probability of the tokens that a remote model didn't report."""
    shares = [tried.hidden for tried in both if tried.hidden is not None]
    if len(shares) < len(both):
        return []
    said = _("not reported: A {percent}, B {percent2}").format(
        percent=percent(shares[0]), percent2=percent(shares[1])
    )
    return [Content.styled(figures.fit(f"  {said}", width), MUTED)]


def pending(state: State, side: int) -> str:
    """Return the reason why an item has no answer yet.

    A local model answers the selected item immediately. A remote model answers items only during a
    run.
    """
    sent = state.sent is not None and state.sent.trial == state.trials[side]
    if state.server is None or (sent and state.sent is not None and state.sent.item == state.item):
        return _("asking…")
    return _("not asked")
