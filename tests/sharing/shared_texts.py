"""Make shared texts from the fake model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.engine.fake_engine import CARD, distribution, split
from tutor.lm.distribution import PLAIN, SamplerSettings, Token
from tutor.lm.saved_steering import Applied, SavedVector, packed
from tutor.lm.token_tree import Step, TokenTree
from tutor.sharing.document import SharedText, shared_text

if TYPE_CHECKING:
    from collections.abc import Sequence

PROMPT = "The capital of France is"
KIND = Applied(
    SavedVector(
        name="kind",
        model=CARD.sha256,
        model_name=CARD.name,
        layer=16,
        first=("So kind",),
        second=("So mean",),
        values=packed([1.0, 2.0]),
    ),
    -1.5,
)


def shared(tokens: Sequence[Token] = (), sampler: SamplerSettings = PLAIN) -> SharedText:
    """Return a shared text of these tokens, of which the last one was chosen by the user."""
    path = tuple(tokens or split(f"{PROMPT} Paris"))
    tree = TokenTree.from_prompt(path[:-1] or path, 7)
    if len(path) > 1:
        tree = tree.extend([Step(path[-1], "taken", 1.5)])
    found = [distribution(path[:end], sampler, 7, 8) for end in range(1, len(path) + 1)]
    return shared_text(tree, CARD, found, mode="text", sampler=sampler, tutor="1.0")
