"""Reads two sentences and compares the vectors of a word."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import torch

from tutor.labs.kit.backend import Tools
from tutor.labs.word_in_context import lab
from tutor.labs.word_in_context.in_context import cosines, cosines_of_others, last_token_of, streams
from tutor.labs.word_in_context.lab import Answer, By, Question
from tutor.labs.word_in_context.sentence_pair import Sentence
from tutor.lm.embeddings.neighbors import EmbeddingTable, nearest

if TYPE_CHECKING:
    from torch import Tensor


class WordInContextBackend:
    def __init__(self, tools: Tools) -> None:
        self._network = tools.model.network
        self._tokenizer = tools.model.tokenizer
        self._check_cancelled = tools.check_cancelled
        self._table = EmbeddingTable(tools.model.network, tools.check_cancelled)
        self._read = lru_cache(maxsize=2)(self._read_anew)

    def answer(self, question: Question) -> Answer:
        """Raises `TextError` for a sentence that the vocabulary cannot say."""
        ids, stream, at = self._read(question.first)
        others, other_stream, other_at = self._read(question.second)
        first, second = stream[:, at], other_stream[:, other_at]  # [layers + 1, width]
        match question:
            case lab.Compare():
                return lab.Compared(
                    tokens=(
                        self._tokenizer.token(ids[at]),
                        self._tokenizer.token(others[other_at]),
                    ),
                    cosines=tuple(cosines(first, second)),
                    others=tuple(cosines_of_others(stream, other_stream, ids, others)),
                )
            case lab.Name(layer=layer, by=by):
                return self._names(first[layer], second[layer], by)

    def _read_anew(self, sentence: Sentence) -> tuple[list[int], Tensor, int]:
        """The sentence's tokens, the stream [layers + 1, tokens, width], the word's place."""
        self._check_cancelled()
        ids = self._tokenizer.encode(sentence.text)
        at = last_token_of(self._tokenizer, sentence.text, sentence.end)
        return ids, streams(self._network, ids), at

    @torch.inference_mode()
    def _names(self, first: Tensor, second: Tensor, by: By) -> lab.Names:
        match by:
            case "lens":
                scores = self._network.lens(torch.stack([first, second])).softmax(dim=-1)
            case "rows":
                scores = self._table.cosines(torch.stack([first, second]))
            case "difference":
                scores = self._table.cosines(torch.stack([first - second, second - first]))
        return lab.Names(*(self._named(row) for row in scores))

    def _named(self, scores: Tensor) -> tuple[lab.Named, ...]:
        return tuple(
            lab.Named(self._tokenizer.token(found.id), found.cosine)
            for found in nearest(scores, lab.MOST_NAMED)
        )


make_backend = WordInContextBackend
