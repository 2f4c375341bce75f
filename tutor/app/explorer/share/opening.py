"""Turn a shared text back into a document of the explorer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import UNSET

from tutor.app.explorer.document import Document
from tutor.lm.token_tree import text_of

if TYPE_CHECKING:
    from tutor.sharing.document import SharedText


def restored(text: SharedText) -> Document:
    """Return a document with the branches, position, seeds and settings of the text.

    The distributions and surprisals are computed again. If another model is loaded, the explorer
    tokenizes the text again and shows a message about it.
    """
    tree = text.tree()
    return Document(
        model=text.model.key,
        mode=text.mode,
        sampler=text.sampler,
        chat_sampler=text.sampler,
        steering=UNSET if text.steering is None else text.steering,
        prompt=text_of(tree.steps),
        text=tree if text.mode == "text" else None,
        chat=tree if text.mode == "chat" else None,
    )
