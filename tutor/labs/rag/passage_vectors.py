"""Computes vectors of passages and questions, which a search by meaning compares.

A language model was trained to continue texts, not to compare them. Still, the vectors inside it
contain more about a text than its words, and three steps make them comparable:

    1. Process the text with the first two fifths of the network's blocks. In later blocks, vectors
       are more and more about the next token, and less about the text so far.
    2. Take the mean of the tokens' vectors, where a token has less weight the more passages contain
       it (after Arora et al. 2017, "A simple but tough-to-beat baseline for sentence embeddings").
    3. Subtract the mean of all passages, and divide each number by its standard deviation.
       Otherwise the result depends mostly on a few large numbers that are similar in every vector
       (Mu and Viswanath 2018).

Questions have something in common that passages don't: they are questions. So the mean of other
questions is subtracted from a question's vector. Then the cosine is compared, as with words.

An encoder that was trained for this (Karpukhin et al. 2020; Reimers and Gurevych 2019) does it
better, but it is another model to download. This model is already loaded.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from tutor.lm.network import Transformer, causal_mask, rotations
from tutor.lm.tokenizer import Tokenizer

RARE = 5
"""A token in n passages has the weight 1 / (n + RARE)."""

LONGEST = 512
"""The most tokens of a text that are processed; a passage has about 200."""


def blocks_read(network: Transformer) -> int:
    return max(1, 2 * network.config.layers // 5)


@torch.inference_mode()
def halfway(network: Transformer, ids: Sequence[int]) -> Tensor:
    """Return the residual stream [tokens, width] after the first blocks, skipping later ones."""
    x = network.embedding(torch.tensor(ids))
    tokens = len(ids)
    rotation = rotations(network.config, 0, tokens).to(x.device)
    mask = causal_mask(tokens, tokens, x.device) if tokens > 1 else None
    for block in network.blocks[: blocks_read(network)]:
        x = block(x, rotation, mask)
    return x.float().cpu()


class Reader:
    """Computes vectors of texts, with less weight for tokens that many `passages` contain."""

    def __init__(self, network: Transformer, tokenizer: Tokenizer, passages: Iterable[str]) -> None:
        self._network = network
        self._tokenizer = tokenizer
        self._counts = Counter(id_ for text in passages for id_ in set(self._ids(text)))

    def vector(self, text: str) -> Tensor:
        """Return the vector [width] of a text.

        The first token is left out if there are others: in most models its vector is far longer
        than the rest, and carries no information (Xiao et al. 2023). Raises `TextError`.
        """
        ids = self._ids(text)
        if not ids:
            return torch.zeros(self._network.config.width)
        first = 1 if len(ids) > 1 else 0
        weights = torch.tensor([1 / (self._counts[id_] + RARE) for id_ in ids[first:]])
        return weights @ halfway(self._network, ids)[first:] / weights.sum()

    def _ids(self, text: str) -> list[int]:
        return self._tokenizer.encode(text)[:LONGEST]


Placing = Callable[[Tensor], Tensor]
"""A function that makes vectors comparable by their dot products."""


def placings(passages: Tensor, questions: Tensor) -> tuple[Placing, Placing]:
    """Return the functions that make vectors of passages, and of questions, comparable.

    They are computed from all `passages` [N, width] and some `questions` [M, width].
    """
    mean, mean_question = passages.mean(dim=0), questions.mean(dim=0)
    spread = passages.std(dim=0, correction=0).clamp(min=1e-6)

    def unit(vectors: Tensor) -> Tensor:
        return F.normalize(vectors / spread, dim=-1)

    return lambda vectors: unit(vectors - mean), lambda vector: unit(vector - mean_question)
