"""Steer a network: add a vector to its residual stream to change a property of the output.

A steering vector is the difference between two means. Run the network on two lists of sentences
that differ in one property, and take the residual stream x after a block at each sentence's last
token:

    vector = mean of x over the first list - mean of x over the second list

Added to the residual stream after the same block, at every position, the vector moves the output
toward the first list. Subtracting it moves the output toward the second list.

Turner et al. 2023 ("activation addition") use one pair of short texts. They take the difference at
each token, and add it only at the first positions of the prompt. Rimsky et al. 2024 ("contrastive
activation addition") average over many pairs of answers to a question, as we do over sentences, but
they use the residual stream at the letter of the answer, and add the vector only at the positions
after the prompt. We add it at all positions, including the first token, so the perplexity of a
steered text includes the effect on its first tokens.

Instead of the last token, the mean over all tokens of a sentence could be used. The resulting
vector is shorter and less precise, because the first tokens of the sentences don't differ. We
measured praise and blame with SmolLM2-135M after block 17. With the last token, strength -1 lowers
the probability of ten words of praise from 0.364 to 0.027, and raises the perplexity of neutral
text by 21 %. With the mean, strength -2 is needed for a similar effect (0.022), and the perplexity
rises by 33 %.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from tutor.errors import ModelError
from tutor.lm.inspect.hooks import AddedOutput, block_of, replaced
from tutor.lm.language_model import LanguageModel
from tutor.lm.network import Transformer
from tutor.lm.saved_steering import LARGEST_NUMBER, STRONGEST


@dataclass(frozen=True, eq=False)
class Steering:
    """A vector [width] that is added after block `layer` (from 0), multiplied by `strength`."""

    vector: Tensor
    layer: int
    strength: float


def steering_of(model: LanguageModel, values: bytes, layer: int, strength: float) -> Steering:
    """Return a `Steering` with the vector in `values`, which are little-endian 32-bit floats.

    Raises `ModelError` if the model has no such layer or has vectors of a different length, or if
    the vector or the strength is not finite or too large.
    """
    config = model.network.config
    if len(values) != 4 * config.width or not 0 <= layer < config.layers:
        raise ModelError(
            f"This steering vector doesn't fit {model.card.name}.",
            "Make a vector with this model in the `steer` lab.",
        )
    numbers = np.frombuffer(values, "<f4").astype(np.float32)
    # Comparisons with NaN are false.
    if not (abs(strength) <= STRONGEST and np.abs(numbers).max() <= LARGEST_NUMBER):
        raise ModelError(
            "The network can't be steered with these numbers, because they are too large.",
            f"Use a strength from -{STRONGEST:g} to {STRONGEST:g}, or make the vector again.",
        )
    return Steering(torch.from_numpy(numbers), layer, strength)


def same_steering(one: Steering | None, other: Steering | None) -> bool:
    """Return True if `one` and `other` change the network in the same way."""
    if one is None or other is None:
        return one is other
    same = (one.layer, one.strength) == (other.layer, other.strength)
    return same and torch.equal(one.vector, other.vector)


@contextmanager
def steered(network: Transformer, vector: Tensor, layer: int, strength: float) -> Iterator[None]:
    """Add `strength` * `vector` to the residual stream after block `layer` in the `with` block.

    The vector [width] is added at every position that the network processes. It is added to the
    output of the feed-forward network, which is the last part of the block.
    """
    block = block_of(network, layer)
    added = AddedOutput(block.feed_forward, strength * vector)
    with replaced([(block, "feed_forward", added)]):
        yield


def steered_by(steering: Steering | None, network: Transformer) -> AbstractContextManager[None]:
    """Return a context manager that steers the network, or does nothing if `steering` is None."""
    if steering is None:
        return nullcontext()
    return steered(network, steering.vector, steering.layer, steering.strength)


def mean_difference(first: Sequence[Tensor], second: Sequence[Tensor]) -> Tensor:
    """Return the mean of the first tensors minus the mean of the second tensors.

    All tensors have the same shape, and neither list is empty.
    """
    return torch.stack(list(first)).mean(dim=0) - torch.stack(list(second)).mean(dim=0)


def random_vectors(count: int, width: int, length: float) -> Iterator[Tensor]:
    """Yield `count` vectors [width] of the given length that point in random directions.

    They are the same in every run. An effect that these vectors also have is not due to the
    direction of a steering vector.
    """
    for seed in range(count):
        drawn = torch.randn(width, generator=torch.Generator().manual_seed(seed))
        yield drawn * length / drawn.norm()
