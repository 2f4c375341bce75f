"""Compute the attention weights of all heads, and how well each head matches a pattern."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from tutor.labs.attention import lab
from tutor.labs.attention.lab import MOST_TOKENS, PATTERNS, Answer, Question
from tutor.labs.kit.backend import Tools
from tutor.labs.kit.sentence_ids import tokens_of
from tutor.lm.inspect import heads

if TYPE_CHECKING:
    from torch import Tensor


class AttentionBackend:
    """The lab's backend. It caches the attention weights of the latest text."""

    def __init__(self, tools: Tools) -> None:
        self._model = tools.model
        self._weights = lru_cache(maxsize=1)(self._read)

    def answer(self, question: Question) -> Answer:
        """Return a text's tokens and head scores, or the attention weights of one layer.

        Raises `TextError` if the text is invalid.
        """
        match question:
            case lab.Read(text=text):
                return self._sentence(text)
            case lab.Look(text=text, layer=layer):
                return lab.Weights(self._weights(text)[layer].contiguous().numpy().tobytes())

    def _read(self, text: str) -> Tensor:
        ids, _ = tokens_of(self._model, text, MOST_TOKENS)
        return heads.attention(self._model.network, ids).float()

    def _sentence(self, text: str) -> lab.Sentence:
        ids, left_out = tokens_of(self._model, text, MOST_TOKENS)
        weights = self._weights(text)
        scores = {name: heads.scores(weights, heads.PATTERNS[name](ids)) for name in PATTERNS}
        return lab.Sentence(
            tokens=self._model.tokenizer.tokens(ids),
            left_out=left_out,
            layers=weights.shape[0],
            heads=weights.shape[1],
            scores={
                name: tuple(of_heads.flatten().tolist())
                for name, of_heads in scores.items()
                if of_heads is not None
            },
        )


make_backend = AttentionBackend
