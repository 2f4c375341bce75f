"""Describe the state of the merge player in sentences, for plain mode."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tutor.language import _
from tutor.plain.words import quoted, quoted_text

if TYPE_CHECKING:
    from tutor.labs.merges.lab import State


def describe(state: State) -> dict[str, list[str]]:
    """Return sentences about the current chunks, the last merge and the next merge."""
    pieces = ", ".join(quoted(piece) for chunk in state.chunks for piece in chunk)
    said = (
        [
            _("After {at} of {count} merges: {pieces}.").format(
                at=state.at, count=len(state.merges), pieces=pieces
            )
        ]
        if pieces
        else []
    )
    for head, merge in ((_("Last merge"), state.last), (_("Next merge"), state.following)):
        if merge is not None:
            left, right = quoted(merge.left), quoted(merge.right)
            said.append(
                _("{head}: {left} and {right}, rule {rank:,}.").format(
                    head=head, left=left, right=right, rank=merge.rank
                )
            )
    return {"text": [_("Text: {text}").format(text=quoted_text(state.text))], "merges": said}
