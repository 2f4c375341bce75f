"""Finding passages by their meaning: one vector for each, and one for the question.

A language model was trained to go on with texts, not to compare them. Still, the vectors inside it
know more of a text than which words it has, and three steps make them comparable:

    1. read the text with the first two fifths of the network's blocks; further up, vectors are more
       and more about the token that comes next, and less about what was read
    2. the mean of its tokens' vectors, where a token counts the less the more passages have it
       (after Arora et al. 2017, "A simple but tough-to-beat baseline for sentence embeddings")
    3. take away what all passages have in common, and divide each number by how much it varies:
       otherwise a few large numbers that are alike in every vector decide (Mu and Viswanath 2018)

Questions have something in common too, which passages have not: they are asked. So from a
question's vector the mean of other questions is taken away. Then the cosine decides, as for words.

An encoder that was trained for it (Karpukhin et al. 2020; Reimers and Gurevych 2019) does this
better, and is another model to fetch. This one is there.
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
"""Tokens of a text that are read; a passage has about 200."""


def blocks_read(network: Transformer) -> int:
    return max(1, 2 * network.config.layers // 5)


@torch.inference_mode()
def halfway(network: Transformer, ids: Sequence[int]) -> Tensor:
    """The residual stream [tokens, width] after the first blocks. Those above are not computed."""
    x = network.embedding(torch.tensor(ids))
    tokens = len(ids)
    rotation = rotations(network.config, 0, tokens).to(x.device)
    mask = causal_mask(tokens, tokens, x.device) if tokens > 1 else None
    for block in network.blocks[: blocks_read(network)]:
        x = block(x, rotation, mask)
    return x.float().cpu()


class Reader:
    """Makes vectors of texts, weighing tokens by in how many of `passages` they stand."""

    def __init__(self, network: Transformer, tokenizer: Tokenizer, passages: Iterable[str]) -> None:
        self._network = network
        self._tokenizer = tokenizer
        self._counts = Counter(id_ for text in passages for id_ in set(self._ids(text)))

    def vector(self, text: str) -> Tensor:
        """The vector [width] of a text. The first token is left out where there are others: in most
        models its vector is far longer than the rest, and says nothing (Xiao et al. 2023). Raises
        `TextError`."""
        ids = self._ids(text)
        if not ids:
            return torch.zeros(self._network.config.width)
        first = 1 if len(ids) > 1 else 0
        weights = torch.tensor([1 / (self._counts[id_] + RARE) for id_ in ids[first:]])
        return weights @ halfway(self._network, ids)[first:] / weights.sum()

    def _ids(self, text: str) -> list[int]:
        return self._tokenizer.encode(text)[:LONGEST]


Placing = Callable[[Tensor], Tensor]
"""What makes vectors comparable by their products."""


def placings(passages: Tensor, questions: Tensor) -> tuple[Placing, Placing]:
    """Return what makes the vectors of passages comparable, and those of questions, from all
    `passages` [N, width] and some `questions` [M, width]."""
    mean, mean_question = passages.mean(dim=0), questions.mean(dim=0)
    spread = passages.std(dim=0, correction=0).clamp(min=1e-6)

    def unit(vectors: Tensor) -> Tensor:
        return F.normalize(vectors / spread, dim=-1)

    return lambda vectors: unit(vectors - mean), lambda vector: unit(vector - mean_question)
