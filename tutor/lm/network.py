"""The network: a Transformer decoder of the Llama family. Read it from top to bottom.

The input is a text of T tokens, given as T token ids. The output is T vectors. The output layer
turns the last vector into a score for every token that could come next:

    ids [T] -> embedding [T, width] -> block -> block -> ... -> norm -> logits [T, vocabulary]

Every block adds something to the vectors: attention lets each position look at the positions before
it, and the feed-forward network then works on each position separately. The running sum is called
the residual stream. Every block reads it and adds to it.

In the shapes, `...` stands for the batch size if there are several texts of equal length (as in
training), and for nothing if there is a single text. All numbers are 32-bit floats. Training uses
this network directly. For a trained model, `tutor.lm.fast.network` replaces the modules with faster
ones that compute the same results.

Sources: Vaswani et al. 2017 (attention), Touvron et al. 2023 (Llama), Zhang & Sennrich 2019
(RMSNorm), Su et al. 2021 (rotary embedding), Ainslie et al. 2023 (grouped-query attention), Shazeer
2020 (SwiGLU).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import NamedTuple

import msgspec
import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Config(msgspec.Struct, frozen=True):
    """The configuration of a model: its sizes and constants."""

    vocabulary_size: int
    width: int  # length of a token's vector
    layers: int  # blocks
    heads: int  # attention heads in a block, each with its own queries
    key_value_heads: int  # key-value heads in a block; several heads share one
    head_size: int  # length of a query, key or value
    hidden: int  # width inside the feed-forward network
    rope_base: float = 10_000.0
    norm_epsilon: float = 1e-5
    context: int = 2048  # length of the context window, in tokens
    tied: bool = True  # the output layer uses the embedding table as its weights
    rope_factors: tuple[float, ...] | None = None  # factors that slow the rotations of the pairs


# --- Rotary position embedding (Su et al. 2021) ---


def rotations(config: Config, start: int, end: int) -> Tensor:
    """Return the rotations of positions `start` to `end` - 1: [end - start, head_size / 2].

    Rotations are complex numbers of absolute value 1. At each position, pair i of a head's numbers
    is rotated by the angle position * base^(-2i / head_size): the first pairs rotate fast, like the
    second hand of a clock, and the last pairs slowly, like the hour hand.
    """
    return _rotation_table(config, 2 ** end.bit_length())[start:end]


@lru_cache(maxsize=4)
@torch.inference_mode(False)  # training uses the cached tensor too
def _rotation_table(config: Config, length: int) -> Tensor:
    """Return the rotations of the first `length` positions: [length, head_size / 2]."""
    pair = torch.arange(0, config.head_size, 2, dtype=torch.float64)
    speeds = config.rope_base ** (-pair / config.head_size)  # radians per token
    if config.rope_factors is not None:
        speeds = speeds / torch.tensor(config.rope_factors, dtype=torch.float64)
    angles = torch.outer(torch.arange(length, dtype=torch.float64), speeds)
    return torch.polar(torch.ones_like(angles), angles).to(torch.complex64)


def rotate(x: Tensor, rotation: Tensor) -> Tensor:
    """Rotate each pair of numbers in x [..., T, head_size] by its angle.

    `rotation` is [T, head_size / 2]. The pair (a, b) is treated as the complex number a + ib;
    multiplying it by a complex number of absolute value 1 rotates it. The product of a rotated
    query and a rotated key depends only on the distance between their positions, not on the
    positions themselves.
    """
    pairs = torch.view_as_complex(x.unflatten(-1, (-1, 2)))  # [..., T, head_size / 2]
    return torch.view_as_real(pairs * rotation).flatten(-2)


# --- The layers ---


class RMSNorm(nn.Module):
    """Root mean square normalization (Zhang & Sennrich 2019).

    It scales each vector to a root mean square of 1 and then multiplies each number by a learned
    weight:

        y = x / sqrt(mean(x^2) + epsilon) * weight
    """

    def __init__(self, width: int, epsilon: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))
        self.epsilon = epsilon

    def forward(self, x: Tensor) -> Tensor:
        mean_square = x.square().mean(dim=-1, keepdim=True)  # [..., 1]
        return x * torch.rsqrt(mean_square + self.epsilon) * self.weight


def causal_mask(tokens: int, length: int, device: torch.device) -> Tensor:
    """Return the causal mask for the last `tokens` of `length` positions: [tokens, length]."""
    # each position may attend to itself and to earlier positions
    allowed = torch.ones(tokens, length, dtype=torch.bool, device=device)
    return allowed.tril(length - tokens)


def attention_weights(q: Tensor, k: Tensor, mask: Tensor | None = None) -> Tensor:
    """Return softmax(q k^T / sqrt(head_size)): how much each query attends to each position.

    `q` is [..., heads, T, head_size], `k` [..., key_value_heads, length, head_size], and `mask` [T,
    length]. The weights are [..., heads, T, length]; each row sums to 1.
    """
    # repeat each key for all query heads that share it
    k = k.repeat_interleave(q.shape[-3] // k.shape[-3], dim=-3)
    scores = q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])
    if mask is not None:
        scores = scores.masked_fill(~mask, -math.inf)
    return scores.softmax(dim=-1)


def attend(q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Return softmax(q k^T / sqrt(head_size)) v and the attention weights.

    Shapes are as in `attention_weights`; `v` has the shape of `k`. The output is
    [..., heads, T, head_size]. Source: Vaswani et al. 2017, section 3.2.1.
    """
    weights = attention_weights(q, k, mask)
    v = v.repeat_interleave(q.shape[-3] // v.shape[-3], dim=-3)
    return weights @ v, weights


class Attention(nn.Module):
    """The layer that lets each position collect information from the positions before it.

    Each position asks a question, its query. This position and every earlier position describe
    their content with a key and provide it as a value. The output is an average of the values,
    weighted by how well each key matches the query. Several heads do this in parallel; groups of
    heads share keys and values (Ainslie et al. 2023).
    """

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.heads, self.key_value_heads = config.heads, config.key_value_heads
        self.head_size = config.head_size
        # one matrix computes queries, keys and values, which are split afterwards
        rows = (self.heads + 2 * self.key_value_heads) * self.head_size
        self.query_key_value = nn.Linear(config.width, rows, bias=False)
        self.output = nn.Linear(self.heads * self.head_size, config.width, bias=False)

    def forward(
        self,
        x: Tensor,
        rotation: Tensor,
        mask: Tensor | None = None,
        cache: LayerCache | None = None,
        trace: Trace | None = None,
    ) -> Tensor:
        """Return what attention adds to the residual stream: [..., T, width], the shape of `x`."""
        q, k, v = self.project(x)
        q, k = rotate(q, rotation), rotate(k, rotation)
        if cache is not None:
            k, v = cache.append(k, v)
        answers, weights = attend(q, k, v, mask)  # [..., heads, T, head_size]
        if trace is not None:
            trace.attention.append(weights)
        output: Tensor = self.output(answers.transpose(-3, -2).flatten(-2))
        return output

    def project(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return the queries, keys and values of `x` [..., T, width].

        Queries are [..., heads, T, head_size]; keys and values are
        [..., key_value_heads, T, head_size].
        """
        qkv = self.query_key_value(x).float()  # some kernels return 16-bit floats
        by_head = qkv.unflatten(-1, (-1, self.head_size)).transpose(-3, -2)
        q, k, v = by_head.split([self.heads, self.key_value_heads, self.key_value_heads], dim=-3)
        return q, k, v


class FeedForward(nn.Module):
    """The feed-forward network, in the form of SwiGLU: down(silu(gate(x)) * up(x)).

    For each number, the gate decides how much of it passes through. Source: Shazeer 2020.
    """

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.gate_up = nn.Linear(config.width, 2 * config.hidden, bias=False)  # both matrices
        self.down = nn.Linear(config.hidden, config.width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        gate, up = self.gate_up(x).chunk(2, dim=-1)  # [..., T, hidden] each
        output: Tensor = self.down(F.silu(gate) * up)
        return output


class Block(nn.Module):
    """Attention, then a feed-forward network.

    Each takes a normalized copy of the residual stream as its input and adds its output to the
    stream.
    """

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.attention_norm = RMSNorm(config.width, config.norm_epsilon)
        self.attention = Attention(config)
        self.feed_forward_norm = RMSNorm(config.width, config.norm_epsilon)
        self.feed_forward = FeedForward(config)

    def forward(
        self,
        x: Tensor,
        rotation: Tensor,
        mask: Tensor | None = None,
        cache: LayerCache | None = None,
        trace: Trace | None = None,
    ) -> Tensor:
        x = x + self.attention(self.attention_norm(x), rotation, mask, cache, trace)
        x = x + self.feed_forward(self.feed_forward_norm(x))
        return x


class Transformer(nn.Module):
    """The whole network: embedding, blocks, final norm, and the output layer (`head`)."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        # one vector for each token of the vocabulary; training starts from small random numbers
        table = torch.empty(config.vocabulary_size, config.width).uniform_(-0.05, 0.05)
        self.embedding = nn.Embedding(config.vocabulary_size, config.width, _weight=table)
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.layers))
        self.norm = RMSNorm(config.width, config.norm_epsilon)
        self.head = nn.Linear(config.width, config.vocabulary_size, bias=False)
        if config.tied:
            self.head.weight = self.embedding.weight

    def forward(
        self, ids: Tensor, cache: KeyValueCache | None = None, trace: Trace | None = None
    ) -> Tensor:
        """Return the final vectors [..., T, width] of the tokens `ids` [..., T].

        A cache belongs to a single text, so with a cache `ids` must be [T]. The new tokens follow
        the tokens in the cache and are added to it.
        """
        start = 0 if cache is None else cache.length
        tokens = ids.shape[-1]
        length = start + tokens
        layers = [None] * self.config.layers if cache is None else cache.layers(tokens)
        x = self.embedding(ids)
        rotation = rotations(self.config, start, length).to(x.device)
        mask = self.mask(tokens, length, x.device) if tokens > 1 else None
        for block, layer_cache in zip(self.blocks, layers, strict=True):
            if trace is not None:
                trace.residuals.append(x)
            x = block(x, rotation, mask, layer_cache, trace)
        if trace is not None:
            trace.residuals.append(x)
        if cache is not None:
            cache.length = length
        final: Tensor = self.norm(x)
        return final

    def mask(self, tokens: int, length: int, device: torch.device) -> Tensor | None:
        """Return the mask for the last `tokens` of `length` positions, or None for no mask."""
        return causal_mask(tokens, length, device)

    def logits(self, hidden: Tensor) -> Tensor:
        """Return the logits [..., vocabulary] for final vectors [..., width]."""
        scores: Tensor = self.head(hidden)
        return scores

    def lens(self, residual: Tensor) -> Tensor:
        """Return the logits for the residual stream [..., width] between two blocks.

        These are the logits [..., vocabulary] that the network would compute if it had no more
        blocks. This method is known as the "logit lens" (nostalgebraist 2020).
        """
        return self.logits(self.norm(residual))


class Trace:
    """A record of one forward pass.

    `residuals` contains the residual stream [..., T, width]: first the embedding, then the stream
    after each block. `attention` contains the attention weights [..., heads, T, length] of each
    block; each row sums to 1.
    """

    def __init__(self) -> None:
        self.residuals: list[Tensor] = []
        self.attention: list[Tensor] = []


# --- The key-value cache, so that nothing is computed twice ---


class LayerCache(NamedTuple):
    """Views of one layer's keys and values in a `KeyValueCache`, as a batch of one text.

    `new` [1, 2 * key_value_heads, T, head_size] is the memory for the keys, then the values, of the
    tokens being processed. `keys` and `values` [1, key_value_heads, length, head_size] cover all
    tokens, including the ones being processed.
    """

    new: Tensor
    keys: Tensor
    values: Tensor

    def append(self, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
        """Store new keys and values, and return the keys and values of all tokens.

        `k` and `v` are [key_value_heads, T, head_size]. The returned tensors are [key_value_heads,
        length, head_size].
        """
        self.new.copy_(torch.cat([k, v]))
        return self.keys[0], self.values[0]


class KeyValueCache:
    """The keys and values of every token processed so far.

    A new token doesn't change the keys and values of earlier tokens, so only its own keys and
    values need to be computed. To go back in the text, call `truncate`. When the memory is full,
    its size is doubled.
    """

    def __init__(
        self, config: Config, capacity: int = 256, device: torch.device | str = "cpu"
    ) -> None:
        self.config = config
        self.length = 0
        self._store = self._allocate(capacity, device)

    def _allocate(self, capacity: int, device: torch.device | str) -> Tensor:
        # `empty` instead of `zeros`, so that the system provides the memory only when it is used
        config = self.config
        shape = (config.layers, 1, 2 * config.key_value_heads, capacity, config.head_size)
        return torch.empty(shape, device=device)

    @property
    def capacity(self) -> int:
        """Return the number of tokens that fit before the memory must grow."""
        return self._store.shape[-2]

    def reserve(self, tokens: int) -> None:
        """Make room for `tokens` more tokens."""
        needed = self.length + tokens
        if needed > self.capacity:
            old = self._store
            self._store = self._allocate(max(needed, 2 * self.capacity), old.device)
            self._store[..., : self.length, :] = old[..., : self.length, :]

    def layers(self, tokens: int) -> list[LayerCache]:
        """Make room for `tokens` more tokens, and return views of each layer's keys and values.

        The new tokens become part of the cache when the caller increases `length`.
        """
        self.reserve(tokens)
        heads = self.config.key_value_heads
        everything = self._store[..., : self.length + tokens, :]
        new = everything[..., self.length :, :]
        keys, values = everything[:, :, :heads], everything[:, :, heads:]
        views = zip(new.unbind(), keys.unbind(), values.unbind(), strict=True)
        return [LayerCache(*layer) for layer in views]

    def truncate(self, length: int) -> None:
        """Remove all tokens except the first `length`."""
        if not 0 <= length <= self.length:
            raise ValueError(f"cannot truncate {self.length} tokens to {length}")
        self.length = length

    @contextmanager
    def rewound(self, length: int) -> Iterator[KeyValueCache]:
        """Shorten the cache to `length` tokens for the duration of a `with` block.

        One more token can be processed in the block. When the block ends, the cache is restored, so
        it contains all its tokens again.
        """
        if not 0 <= length <= self.length:
            raise ValueError(f"cannot go back to {length} of {self.length} tokens")
        before = self.length
        self.length = length
        self.reserve(1)
        kept = self._store[..., length : length + 1, :].clone()
        try:
            yield self
        finally:
            self._store[..., length : length + 1, :] = kept
            self.length = before

    def copy(self, length: int) -> KeyValueCache:
        """Return a copy of the cache for the first `length` tokens."""
        if not 0 <= length <= self.length:
            raise ValueError(f"cannot copy {length} of {self.length} tokens")
        other = KeyValueCache(self.config, max(64, length), self._store.device)
        other._store[..., :length, :] = self._store[..., :length, :]
        other.length = length
        return other
