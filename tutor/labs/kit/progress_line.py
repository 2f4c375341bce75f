"""Draws the progress of long work in a lab."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from tutor.app.theme import MUTED
from tutor.app.widgets.meter import meter
from tutor.language import _

if TYPE_CHECKING:
    from tutor.labs.kit.progress import Progress

_METER = 20
_LEAST_METER = 4
_COUNTS = 34
"""The number of columns reserved for the counts next to the meter, so that the meter doesn't move
when the counts grow."""


def progress_line(progress: Progress, width: int, unit: str = "", doing: str = "") -> Content:
    """Return a line with a meter, the number of `unit` done, and the estimated time left.

    If `doing` is given, it comes before the meter.
    """
    lead = f"{doing}  " if doing else ""
    counts = _("  {done} of {total}{value}{left}").format(
        done=progress.done,
        total=progress.total,
        value=f" {unit}" if unit else "",
        left=_left(progress),
    )
    return Content.assemble(
        (lead, MUTED), _meter(progress, width - len(lead) - _COUNTS), (counts, MUTED)
    )


def reading_line(doing: str, progress: Progress | None, width: int) -> Content:
    """Return a line with the name of the current work and, if known, its progress.

    The progress consists of the current block of the network and the estimated time left.
    """
    if progress is None:
        return Content.styled(f"{doing} …", MUTED)
    said = _("{doing}  block {done:>2} of {total}  ").format(
        doing=doing, done=progress.done, total=progress.total
    )
    left = _left(progress)
    bar = _meter(progress, width - len(said) - len(left))
    return Content.assemble((said, MUTED), bar, (left, MUTED))


def _left(progress: Progress) -> str:
    return (
        ""
        if progress.seconds is None
        else _("  about {seconds:.0f} s").format(seconds=progress.seconds)
    )


def _meter(progress: Progress, room: int) -> Content:
    fraction = progress.done / progress.total if progress.total else 0.0
    return meter(fraction, min(_METER, max(_LEAST_METER, room)))
