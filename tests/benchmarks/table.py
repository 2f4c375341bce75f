"""The benchmark table."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple


class Measured(NamedTuple):
    """A row of the table: the medians `ours` and `peer` in `unit`, from the same run.

    `target_ratio` is the largest value of `ours / peer` that meets the target. If tutor is not
    compared with a peer, `peer` is a limit.
    """

    what: str
    unit: str
    ours: float
    peer: float
    target_ratio: float

    @property
    def ratio(self) -> float:
        return self.ours / self.peer

    @property
    def met(self) -> bool:
        return self.ratio <= self.target_ratio

    def cells(self) -> tuple[str, str, str, str]:
        """Return the four cells: ours, the peer's, their ratio, and the target."""
        return (
            f"{_figure(self.ours)} {self.unit}",
            f"{_figure(self.peer)} {self.unit}",
            f"{self.ratio:.2f}",
            f"≤ {self.target_ratio:g}",
        )


def _figure(value: float) -> str:
    """Return a number with three significant digits: 0.0123, 45.6, 1,630."""
    return f"{float(f'{value:.3g}'):,.0f}" if value >= 999.5 else f"{value:.3g}"


HEADINGS = ("what", "ours", "peer", "ratio", "target", "met")


def markdown(rows: Iterable[Measured]) -> str:
    """Return the table as aligned Markdown, ready for docs/benchmarks.md."""
    lines: list[Sequence[str]] = [HEADINGS]
    lines += [(row.what, *row.cells(), "yes" if row.met else "no") for row in rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEADINGS))]
    written = [
        "| "
        + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        + " |"
        for line in lines
    ]
    written.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(written)
