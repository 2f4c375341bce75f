"""Lines that show the progress of a long-running computation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from tutor.app.theme import MUTED
from tutor.app.widgets.meter import meter
from tutor.labs.kit.progress import Progress
from tutor.language import _

if TYPE_CHECKING:
    from tutor.labs.kit.progress import Coming

_METER = 20
_LEAST_METER = 4
_COUNTS = 34
"""The number of columns reserved for the text after the meter. The width is fixed, so the meter
doesn't move when the numbers get longer."""


def progress_line(progress: Progress, width: int, unit: str = "", doing: str = "") -> Content:
    """Return a line with a meter, the number of items done, and the estimated time left.

    `unit` is the plural noun after the number, and `doing` is the text before the meter.
    """
    lead = f"{doing}  " if doing else ""
    counts = _("  {done} of {total}{value}{left}").format(
        done=progress.done,
        total=progress.total,
        value=f" {unit}" if unit else "",
        left=time_left(progress.seconds),
    )
    return Content.assemble(
        (lead, MUTED), _meter(progress, width - len(lead) - _COUNTS), (counts, MUTED)
    )


def reading_line(doing: str, progress: Progress | None, width: int) -> Content:
    """Return a line about a forward pass: what it is for, the current block, and the time left.

    If the progress is unknown, the line contains only `doing`, the purpose of the pass.
    """
    if progress is None:
        return Content.styled(f"{doing} …", MUTED)
    said = _("{doing}  block {done:>2} of {total}  ").format(
        doing=doing, done=progress.done, total=progress.total
    )
    left = time_left(progress.seconds)
    bar = _meter(progress, width - len(said) - len(left))
    return Content.assemble((said, MUTED), bar, (left, MUTED))


def coming_line(coming: Coming, width: int) -> Content:
    """Return a line about work that has stages: the current stage, and how much of it is done."""
    if not coming.total:
        return Content.styled(f"{coming.doing} …", MUTED)
    progress = Progress(coming.done, coming.total, coming.seconds)
    return progress_line(progress, width, doing=coming.doing)


def time_left(seconds: float | None) -> str:
    """Return the estimated time left, or an empty string if there is no estimate."""
    return "" if seconds is None else _("  about {seconds:.0f} s").format(seconds=seconds)


def _meter(progress: Progress, room: int) -> Content:
    fraction = progress.done / progress.total if progress.total else 0.0
    return meter(fraction, min(_METER, max(_LEAST_METER, room)))
