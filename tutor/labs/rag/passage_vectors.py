"""Compute the vectors of passages and questions that semantic search compares.

A language model was trained to continue text, not to compare texts. Still, its hidden states
represent more of a text than its words, and three steps make them comparable:

1. Process the text with the first two fifths of the network's blocks. In later blocks, the hidden
   states represent more of the next token, and less of the text so far.
2. Take the weighted mean of the tokens' hidden states. The more passages contain a token, the
   lower its weight (after Arora et al. 2017, "A simple but tough-to-beat baseline for sentence
   embeddings").
3. Subtract the mean of all passages, and divide each component by its standard deviation. Otherwise
   the result depends mostly on a few large components that are similar in every vector (Mu and
   Viswanath 2018).

Questions share features that passages don't have. So a question's vector is centered with the mean
of other questions instead. Vectors are compared by their cosine, as in the labs about words.

An encoder that was trained to compare texts gives better results (Karpukhin et al. 2020; Reimers
and Gurevych 2019), but it would be another model to download. This model is already loaded.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from tutor.lm.inspect.forward_pass import ForwardPass
from tutor.lm.network import Transformer
from tutor.lm.tokenizer import Tokenizer

RARE = 5
"""A token that occurs in n passages has the weight 1 / (n + RARE)."""

LONGEST = 512
"""The maximum number of tokens processed for a text. A passage has about 200."""


def blocks_read(network: Transformer) -> int:
    return max(1, 2 * network.config.layers // 5)


@torch.inference_mode()
def halfway(network: Transformer, ids: Sequence[int]) -> Tensor:
    """Run only the first blocks, and return the residual stream after them, [tokens, width]."""
    passage = ForwardPass(network, ids)
    for _ in range(blocks_read(network)):
        passage.advance(0)
    return passage.stream.float().cpu()


class Reader:
    """An encoder for texts. Tokens that occur in many of the `passages` get a lower weight."""

    def __init__(self, network: Transformer, tokenizer: Tokenizer, passages: Iterable[str]) -> None:
        self._network = network
        self._tokenizer = tokenizer
        self._counts = Counter(id_ for text in passages for id_ in set(self._ids(text)))

    def vector(self, text: str) -> Tensor:
        """Return the vector [width] of a text.

        The first token is left out, unless it is the only one. In most models, its hidden state
        has a far larger norm than all others and carries no information (Xiao et al. 2023). Raises
        `TextError` if the vocabulary cannot express the text.
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
"""A function that centers and scales vectors, so that their dot products are cosines."""


def placings(passages: Tensor, questions: Tensor) -> tuple[Placing, Placing]:
    """Return two functions that center and scale vectors: one for passages, one for questions.

    The first subtracts the mean of all `passages` [N, width], and the second the mean of example
    `questions` [M, width]. Both divide by the standard deviation of the passages.
    """
    mean, mean_question = passages.mean(dim=0), questions.mean(dim=0)
    spread = passages.std(dim=0, correction=0).clamp(min=1e-6)

    def unit(vectors: Tensor) -> Tensor:
        return F.normalize(vectors / spread, dim=-1)

    return lambda vectors: unit(vectors - mean), lambda vector: unit(vector - mean_question)
