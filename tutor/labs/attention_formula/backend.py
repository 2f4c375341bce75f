"""Takes the vectors of one head out of the network."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tutor.labs.attention_formula.head_vectors import head_vectors
from tutor.labs.attention_formula.lab import MOST_TOKENS, Answer, Question
from tutor.labs.kit.backend import Tools
from tutor.labs.kit.sentence_ids import tokens_of

if TYPE_CHECKING:
    from torch import Tensor


class AttentionFormulaBackend:
    def __init__(self, tools: Tools) -> None:
        self._model = tools.model

    def answer(self, question: Question) -> Answer:
        """Of a layer or head that this model lacks, the last. Raises `TextError`."""
        config = self._model.network.config
        ids, left_out = tokens_of(self._model, question.text, MOST_TOKENS)
        layer, head = min(question.layer, config.layers - 1), min(question.head, config.heads - 1)
        found = head_vectors(self._model.network, ids, layer, head)
        return Answer(
            tokens=self._model.tokenizer.tokens(ids),
            left_out=left_out,
            layers=config.layers,
            heads=config.heads,
            size=config.head_size,
            queries=_bytes(found.queries),
            keys=_bytes(found.keys),
            values=_bytes(found.values),
            weights=_bytes(found.weights),
            answers=_bytes(found.answers),
        )


def _bytes(values: Tensor) -> bytes:
    return values.cpu().float().contiguous().numpy().tobytes()


def make_backend(tools: Tools) -> AttentionFormulaBackend:
    return AttentionFormulaBackend(tools)
