"""The table with the distribution of the next token, as numbers and bars."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import accumulate
from typing import TYPE_CHECKING

from textual.content import Content
from textual.message import Message

from tutor.app import theme
from tutor.app.spoken import percent, token
from tutor.app.widgets import bars, figures
from tutor.app.widgets.lines import Lines
from tutor.app.widgets.selection import MARK, mark
from tutor.language import _

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.events import Click

    from tutor.lm.distribution import Distribution, Row

TARGET = MARK
"""The symbol for the row whose token Enter takes."""
DRAW = "◆"
"""The symbol for the token that was sampled."""
GUESS = "●"
"""The symbol for the token that the learner guessed."""
TRUE = "✓"
"""The symbol for the token that follows in the text of a guessing game."""
LEGEND = _("█ kept  ▒ gained  ╌ lost")
"""The legend for the bars when sampler settings are in effect."""
ROOMY = 110
"""The minimum width of the table, in cells, at which all columns are shown."""
_LEAST_BAR = 6


@dataclass(frozen=True)
class Columns:
    """The widths of the table's columns, in cells. A column that does not fit has width 0.

    The token id is shown if the table is at least 46 cells wide, and the logit if it is at least 70
    cells wide. Tokens from a server have no id. With at least `ROOMY` cells, the table also shows
    the surprisal and cumulative probabilities.
    """

    rank: int
    token: int
    id: int
    after: int
    bar: int
    logit: int
    width: int
    """The total width of a row."""
    gap: int
    """The number of extra spaces before the probability, which make room for its column name."""
    partial: bool = False
    """Whether the rows come from a server.

    If so, their scores are log-probabilities, not logits.
    """
    total: int = 0
    bits: int = 0

    @classmethod
    def fitting(
        cls, width: int, *, sampled: bool, greatest_rank: int = 999, partial: bool = False
    ) -> Columns:
        """Choose the columns that fit into `width` cells.

        If `sampled` is true, there is a column for the probability after the sampler. `partial` is
        true if the rows come from a server, which returns only part of the distribution.
        """
        rank = max(3, len(figures.count(greatest_rank))) + 1
        identifier = 6 if width >= 46 and not partial else 0
        after = figures.PERCENT_WIDTH if sampled else 0
        logit = 6 if width >= 70 else 0
        token = max(8, min(20, width // 5))
        gap = 0 if width < 70 else 1 if sampled else 4
        total, bits = (12, 8) if width >= ROOMY else (0, 0)
        gaps = gap + 2 * bool(after) + bool(identifier) * 2 + 2 * bool(logit)
        fixed = 2 + rank + 2 + figures.PERCENT_WIDTH + 2 + identifier + after + logit + gaps
        fixed += total + bits
        if fixed + token + _LEAST_BAR > width:
            token = max(4, width - fixed - _LEAST_BAR)
        bar = max(0, width - fixed - token)
        return cls(rank, token, identifier, after, bar, logit, width, gap, partial, total, bits)

    @property
    def without_total(self) -> Columns:
        """The same columns without cumulative probabilities, for rows found by a search."""
        return replace(self, total=0, bar=self.bar + self.total)


@dataclass(frozen=True)
class RowMarks:
    """The marks of a row.

    They say whether Enter takes its token, and whether its token was sampled. In the guessing game,
    they say whether the learner guessed the token, and whether it is the true token.
    """

    target: bool = False
    drawn: bool = False
    guess: bool = False
    true: bool = False

    @property
    def first(self) -> tuple[str, str]:
        """The sign in the first cell of the row, and its style."""
        return (GUESS, theme.ACT) if self.guess else mark(self.target, TARGET)

    def second(self, *, cut: bool) -> tuple[str, str]:
        """Return the sign in the second cell of the row, and its style.

        `cut` is true if the sampler excludes the token.
        """
        if self.true:
            return TRUE, theme.RIGHT
        sign = DRAW if self.drawn else "×" if cut else " "
        return sign, theme.MUTED if cut else theme.ACT


@lru_cache(maxsize=1024)
def row_line(row: Row, columns: Columns, marks: RowMarks, total: float | None = None) -> Content:
    """Draw one row of the table.

    `total` is the cumulative probability, from rank 1 to this row. If the sampler excludes the
    token, the row is muted and names the setting that excludes it. Rows are cached, because most
    rows are the same after each key press.
    """
    cut = row.cut is not None
    weight = "bold" if marks.target or marks.guess else ""
    likely = theme.MUTED if cut else theme.likely(row.probability)
    parts: list[tuple[str, str]] = [
        marks.first,
        marks.second(cut=cut),
        (_rank(row.rank, columns.rank), theme.MUTED),
        ("  ", ""),
        (figures.fit(figures.shown(row.token), columns.token), theme.MUTED if cut else weight),
    ]
    if columns.id:
        parts.append((str(row.token.id).rjust(columns.id + 2), theme.MUTED))
    probability = figures.percent(row.probability).rjust(figures.PERCENT_WIDTH + columns.gap)
    parts.append((probability, weight))
    if columns.total:
        summed = "" if total is None else figures.percent(min(1.0, total))
        parts.append((summed.rjust(columns.total), theme.MUTED))
    if columns.after:
        after = "cut" if cut else figures.percent(row.sampled_probability)
        parts.append((after.rjust(columns.after + 2), theme.MUTED if cut else f"bold {likely}"))
    parts.append(("  ", ""))
    parts += _bar(row, columns, likely)
    if columns.bits:
        parts.append((figures.bits(row.surprisal_bits).rjust(columns.bits), theme.MUTED))
    if columns.logit:
        score = "?" if math.isnan(row.logit) else f"{row.logit:.2f}"
        parts.append((score.rjust(columns.logit + 2), theme.MUTED))
    return Content.assemble(*parts)


def _rank(rank: int, width: int) -> str:
    """Format a rank.

    A rank that is too long for its column is shown in thousands, such as "12k".
    """
    text = figures.count(rank)
    return (text if len(text) < width else f"{rank // 1000}k").rjust(width)


def _bar(row: Row, columns: Columns, likely: str) -> list[tuple[str, str]]:
    if not columns.after:
        return [(bars.bar(row.probability, columns.bar), likely)]
    if row.cut is not None:
        reason = _("cut by {cut} ").format(cut=row.cut) if columns.bar >= 14 else row.cut
        room = max(0, columns.bar - len(reason))
        __, __, lost = bars.change(row.probability, 0.0, room)
        return [(figures.fit(reason + lost, columns.bar), theme.MUTED)]
    solid, gained, lost = bars.change(row.probability, row.sampled_probability, columns.bar)
    return [(solid, likely), (gained, likely), (lost, theme.MUTED)]


def heading(columns: Columns) -> Content:
    """Draw the line with the column names."""
    cells = _("rank").rjust(2 + columns.rank) + "  " + figures.fit(_("token"), columns.token)
    if columns.id:
        cells += "id".rjust(columns.id + 2)
    name = _("model") if columns.after else _("probability") if columns.gap > 1 else _("prob.")
    cells += name.rjust(figures.PERCENT_WIDTH + columns.gap)
    if columns.total:
        cells += "cumulative".rjust(columns.total)
    if columns.after:
        cells += "sampled".rjust(columns.after + 2)
    cells += "  " + (_scale(columns.bar) if columns.bits else " " * columns.bar)
    if columns.bits:
        cells += "bits".rjust(columns.bits)
    if columns.logit:
        cells += (_("ln p") if columns.partial else _("logit")).rjust(columns.logit + 2)
    return Content.styled(cells, theme.MUTED)


def _scale(width: int) -> str:
    """Return a scale from 0 to 100 %, to show above bars of this width."""
    if width < 44:
        return ("0 %".ljust(width // 2) + "50 %").ljust(width - 5) + "100 %"
    marks = "0 %".ljust(width // 4) + "25 %".ljust(width // 2 - width // 4) + "50 %"
    return marks.ljust(3 * width // 4) + "75 %".ljust(width - 3 * width // 4 - 5) + "100 %"


def rest_line(distribution: Distribution, rows: Sequence[Row], columns: Columns) -> Content:
    """Draw the line for the tokens that are not shown, with their number and total probability."""
    if distribution.partial and not distribution.rows:
        return Content("")  # the server returned no tokens
    known = (row.probability for row in rows if not math.isnan(row.probability))
    left_out = max(0.0, 1.0 - sum(known))
    label = _("{vocabulary_size} more").format(
        vocabulary_size=figures.count(distribution.vocabulary_size - len(rows))
    )
    if distribution.partial:  # a server does not report its vocabulary size
        label = _("the rest")
    label = label.ljust(columns.token + (columns.id + 2 if columns.id else 0) + columns.gap)
    start = " " * (columns.rank + 4) + label
    total = figures.percent(left_out).rjust(figures.PERCENT_WIDTH)
    room = columns.width - len(start) - len(total)
    legend = LEGEND if columns.after and len(LEGEND) + 2 <= room else ""
    return Content.assemble((start, theme.MUTED), total, (legend.rjust(room), theme.MUTED))


@dataclass(frozen=True)
class TableView:
    """The content of the distribution table.

    `target` is the row whose token Enter takes. If that row would not be visible, it replaces the
    last visible row. If there is no target, the same applies to the sampled token. `cursor` is the
    index of the row that the learner selected, if any; the table scrolls to it. `marked` is False
    if the rows belong to another text; no token is then marked as sampled. If `named` is true,
    the table has column names.
    """

    distribution: Distribution | None
    target: Row | None
    cursor: int | None
    sampled: bool
    marked: bool
    named: bool


class DistributionTable(Lines, can_focus=True):
    """A table of tokens with their probabilities, most probable first, scrolled to the cursor."""

    DEFAULT_CSS = "DistributionTable { height: 1fr; }"

    @dataclass
    class Clicked(Message):
        """Posted when the learner clicks the row with this `rank`."""

        rank: int

    _ranks: Sequence[int] = ()
    _view: TableView | None = None

    def announcement(self) -> str | None:
        """Return a sentence about the row whose token Enter takes."""
        view = self._view
        if view is None or view.distribution is None or view.target is None:
            return None
        row, count = view.target, len(view.distribution.rows)
        return _("Row {rank:,} of {count}: {token}, {probability}.").format(
            rank=row.rank, count=count, token=token(row.token), probability=percent(row.probability)
        )

    def on_click(self, event: Click) -> None:
        row = event.y - (self._view is not None and self._view.named)
        if 0 <= row < len(self._ranks):
            self.post_message(self.Clicked(self._ranks[row]))

    def lay_out(self, view: TableView) -> None:
        self._view = view
        distribution, target, cursor = view.distribution, view.target, view.cursor
        if distribution is None:
            self.show([])
            return
        room = max(1, self.size.height - 1 - view.named)
        first = 0 if cursor is None else max(0, cursor - room + 1)
        rows = list(distribution.rows[first : first + room])
        needed = target or (distribution.drawn if view.marked else None)
        if needed is not None and all(row.rank != needed.rank for row in rows):
            rows[-1:] = [needed]
        self._ranks = [row.rank for row in rows]
        columns = Columns.fitting(
            self.size.width, sampled=view.sampled, partial=distribution.partial
        )
        totals: dict[int, float] = {}
        if columns.total:
            ranks = (row.rank for row in distribution.rows)
            sums = accumulate(row.probability for row in distribution.rows)
            totals = dict(zip(ranks, sums, strict=True))
        lines = [heading(columns)] if view.named else []
        for row in rows:
            marks = RowMarks(
                target=target is not None and row.rank == target.rank,
                drawn=view.marked and row.token.id == distribution.drawn.token.id,
            )
            lines.append(row_line(row, columns, marks, totals.get(row.rank)))
        lines += [Content("")] * (room - len(rows))
        lines.append(rest_line(distribution, rows, columns))
        self.show(lines)


def rows_block(
    rows: Sequence[Row], width: int, target: int | None, *, sampled: bool, partial: bool
) -> list[Content]:
    """Draw the rows that a search has found, below the column names.

    `partial` has the same meaning as in `Columns.fitting`.
    """
    greatest = max((row.rank for row in rows), default=1)
    columns = Columns.fitting(width, sampled=sampled, greatest_rank=greatest, partial=partial)
    columns = columns.without_total
    return [
        heading(columns),
        *(
            row_line(row, columns, RowMarks(target=index == target))
            for index, row in enumerate(rows)
        ),
    ]
