"""Measure how the vectors of one word in two sentences move apart, layer by layer.

The residual stream of a token starts as its row of the embedding table, which is the same in every
text. Each layer adds something that depends on the earlier tokens. So the vectors of one word in
two sentences are equal at first, and then move apart. The cosine similarity after each layer shows
how far.

There are three ways to see what a vector represents after a layer, and none of them is exact. The
first is the logit lens: which token would come next if the network ended there (nostalgebraist
2020). The second is the rows of the embedding table that are nearest to the vector. The third is
the rows that are nearest to the difference between this vector and the other sentence's vector.

Ethayarajh (2019) measured the same similarity in other models, and compared it with the cosine
similarity of different words.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import accumulate

import torch
from torch import Tensor

from tutor.labs.kit.backend import Tools
from tutor.labs.word_in_context import lab
from tutor.labs.word_in_context.lab import Answer, By, Question
from tutor.labs.word_in_context.sentence_pair import Sentence
from tutor.lm.embeddings.neighbors import EmbeddingTable, nearest
from tutor.lm.network import Trace, Transformer
from tutor.lm.tokenizer import Tokenizer


@torch.inference_mode()
def streams(network: Transformer, ids: Sequence[int]) -> Tensor:
    """Return the residual stream of every token after each layer, with the embedding first.

    The shape is [layers + 1, tokens, width].
    """
    trace = Trace()
    network(torch.tensor(ids), None, trace)
    return torch.stack([residual.float() for residual in trace.residuals])


def last_token_of(tokenizer: Tokenizer, text: str, end: int) -> int:
    """Return the position of the token that completes the first `end` characters of `text`.

    If a word ends there, this is the first token whose vector can represent the whole word.
    """
    size = len(text[:end].encode())
    ends = accumulate(len(token.data) for token in tokenizer.tokens(tokenizer.encode(text)))
    return next(place for place, reached in enumerate(ends) if reached >= size)


@torch.inference_mode()
def cosines(first: Tensor, second: Tensor) -> list[float]:
    """Return the cosine similarity of two vectors after each layer.

    Both arguments have the shape [layers + 1, width].
    """
    found: list[float] = torch.cosine_similarity(first, second, dim=-1).tolist()
    return found


@torch.inference_mode()
def cosines_of_others(
    first: Tensor, second: Tensor, first_ids: Sequence[int], second_ids: Sequence[int]
) -> list[float]:
    """Return the mean cosine similarity of different tokens in two texts, after each layer.

    The list has `layers + 1` values. It is empty if no two tokens are different. The first token of
    each text is left out. In most models, its vector has a far larger norm than all others and
    carries no information (Xiao et al. 2023).
    """
    ids, others = torch.tensor(first_ids[1:]), torch.tensor(second_ids[1:])
    differ = ids[:, None] != others[None]  # [tokens - 1, others - 1]
    if not differ.any():
        return []
    one = torch.nn.functional.normalize(first[:, 1:], dim=-1)
    other = torch.nn.functional.normalize(second[:, 1:], dim=-1)
    found: list[float] = (one @ other.transpose(1, 2))[:, differ].mean(dim=-1).tolist()
    return found


class WordInContextBackend:
    def __init__(self, tools: Tools) -> None:
        self._network = tools.model.network
        self._tokenizer = tools.model.tokenizer
        self._check_cancelled = tools.check_cancelled
        self._table = EmbeddingTable(tools.model.network, tools.check_cancelled)
        self._read = lru_cache(maxsize=2)(self._read_uncached)

    def answer(self, question: Question) -> Answer:
        """Compare the sentences, or find the tokens that match their vectors after one layer.

        Raises `TextError` if the vocabulary has no tokens for a sentence.
        """
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

    def _read_uncached(self, sentence: Sentence) -> tuple[list[int], Tensor, int]:
        """Return the token ids, the residual stream, and the position of the marked word.

        The residual stream has the shape [layers + 1, tokens, width].
        """
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
