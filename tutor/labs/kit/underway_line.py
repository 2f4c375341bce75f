"""How labs show that a long reading is under way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from tutor.app.theme import MUTED
from tutor.app.widgets.meter import meter

if TYPE_CHECKING:
    from tutor.labs.kit.underway import Underway

_METER = 20


def underway(doing: str, far: Underway | None, width: int) -> Content:
    """`doing` says what is being done; how far it is, once that is known."""
    if far is None:
        return Content.styled(f"{doing} …", MUTED)
    said = f"{doing}  block {far.done:>2} of {far.total}  "
    bar = meter(far.done / far.total, max(4, min(_METER, width - len(said))))
    return Content.assemble((said, MUTED), bar)
