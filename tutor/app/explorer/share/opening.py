"""Turn a shared text back into what the explorer shows."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from msgspec import UNSET

from tutor.app.explorer.document import Document
from tutor.lm.token_tree import text_of

if TYPE_CHECKING:
    from tutor.sharing.document import SharedText, SharedXRay


class Restored(NamedTuple):
    """A document to open in the explorer, and the x-ray that was open beside it."""

    document: Document
    xray: SharedXRay | None = None


def restored(text: SharedText) -> Restored:
    """Return a document with the branches, position, seeds and settings of the text.

    The distributions and surprisals are computed again. If another model is loaded, the explorer
    tokenizes the text again and shows a message about it.
    """
    tree = text.tree()
    document = Document(
        model=text.model.key,
        mode=text.mode,
        sampler=text.sampler,
        chat_sampler=text.sampler,
        steering=UNSET if text.steering is None else text.steering,
        prompt=text_of(tree.steps),
        text=tree if text.mode == "text" else None,
        chat=tree if text.mode == "chat" else None,
    )
    return Restored(document, text.xray)
