"""The network: a Transformer decoder of the Llama family, by hand, from top to bottom.

A text of T tokens goes in as T numbers (their places in the vocabulary); T vectors come out, and
the last of them, multiplied with the vocabulary, scores every token that could come next:

    ids [T] -> embedding [T, width] -> block -> block -> ... -> norm -> logits [T, vocabulary]

Every block adds something to the vectors: attention lets each position look at the ones before
it, the feed-forward network then works on each position alone. This running sum, the residual
stream, is what the blocks read and write.

In the shapes, `...` is nothing for one text and a batch size for many texts of equal length (as
in training). Numbers are 32-bit floats. As it stands, with `nn.Linear` inside, the network can be
trained. To run a finished model fast, `tutor.lm.load` puts other modules in their place, which
compute the same product from fewer bits (`tutor.lm.fast.linear`).

Sources: Vaswani et al. 2017 (attention), Touvron et al. 2023 (Llama), Zhang & Sennrich 2019
(RMSNorm), Su et al. 2021 (rotary embedding), Ainslie et al. 2023 (grouped queries), Shazeer 2020
(SwiGLU).
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
    """The sizes that make one model of the family different from another."""

    vocabulary_size: int
    width: int  # numbers in the vector of one token
    layers: int
    heads: int  # questions that one block's attention asks at a time
    key_value_heads: int  # sets of keys and values; several heads share one set
    head_size: int
    hidden: int  # width inside the feed-forward network
    rope_base: float = 10_000.0
    norm_epsilon: float = 1e-5
    context: int = 2048  # longest text, in tokens
    tied: bool = True  # the output layer is the embedding table
    rope_factors: tuple[float, ...] | None = None  # slows each pair's turning, for long texts


class Part(nn.Module):
    """A part of the network: calling it is `forward` and nothing else. PyTorch looks for hooks
    first, which 300 times a token takes half a millisecond."""

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if "forward" in vars(cls):
            cls.__call__ = cls.forward  # type: ignore[method-assign]


class Mixed(NamedTuple):
    """Queries, keys and values of the tokens being read; all four are views of the same memory.

    `vectors` [..., T, (heads + 2 key_value_heads) head_size] is what the matrix product gives:
    for each token the queries, then keys, then values. `turning` [batch, T, heads +
    key_value_heads, head_size / 2] are the queries and keys, each pair of numbers as one complex
    number. `queries` [batch, heads, T, head_size]; `others` [batch, 2 key_value_heads, T,
    head_size] are keys, then values. One text is a batch of one.
    """

    vectors: Tensor
    turning: Tensor
    queries: Tensor
    others: Tensor

    @staticmethod
    def views(vectors: Tensor, heads: int, head_size: int) -> Mixed:
        apart = vectors.view(-1, vectors.shape[-2], vectors.shape[-1] // head_size, head_size)
        shared = (apart.shape[2] - heads) // 2
        pairs = apart[:, :, : heads + shared].unflatten(-1, (-1, 2))  # each pair (a, b)
        by_head = apart.transpose(1, 2)
        turning = torch.view_as_complex(pairs)  # is a + ib
        return Mixed(vectors, turning, by_head[:, :heads], by_head[:, heads:])


class Remembered(NamedTuple):
    """Where one layer's keys and values are kept, in the cache's memory.

    `new` [1, 2 key_value_heads, T, head_size] is the room for those of the tokens being read, keys
    first. `keys` and `values` [1, key_value_heads, length, head_size] are those of all tokens, the
    ones being read included. `mixed` is room to work in, the same for every layer.
    """

    mixed: Mixed
    new: Tensor
    keys: Tensor
    values: Tensor


class KeyValueCache:
    """The keys and values of every token read so far, so that none is computed twice.

    The next token needs only its own query; keys and values of the tokens before it do not
    change. Going back is forgetting the end: `truncate`. Grows by doubling.
    """

    def __init__(
        self, config: Config, capacity: int = 256, device: torch.device | str = "cpu"
    ) -> None:
        self.config = config
        self.length = 0
        self._store = self._allocate(capacity, device)

    def _allocate(self, capacity: int, device: torch.device | str) -> Tensor:
        # "empty", not "zeros": memory that is never written is never really taken
        config = self.config
        shape = (config.layers, 1, 2 * config.key_value_heads, capacity, config.head_size)
        return torch.empty(shape, device=device)

    @property
    def capacity(self) -> int:
        """Tokens there is room for before the cache must grow."""
        return self._store.shape[-2]

    def reserve(self, tokens: int) -> None:
        """Make room for `tokens` more."""
        needed = self.length + tokens
        if needed > self.capacity:
            old = self._store
            self._store = self._allocate(max(needed, 2 * self.capacity), old.device)
            self._store[..., : self.length, :] = old[..., : self.length, :]

    def layers(self, tokens: int) -> list[Remembered]:
        """By layer, where `tokens` more are kept. They count when `length` has been moved on."""
        self.reserve(tokens)
        config, length = self.config, self.length + tokens
        heads = config.key_value_heads
        everything = self._store[..., :length, :]
        width = (config.heads + 2 * heads) * config.head_size
        mixed = Mixed.views(everything.new_empty(tokens, width), config.heads, config.head_size)
        return [
            Remembered(mixed, *views)
            for views in zip(
                everything[..., self.length :, :].unbind(),
                everything[:, :, :heads].unbind(),
                everything[:, :, heads:].unbind(),
                strict=True,
            )
        ]

    def truncate(self, length: int) -> None:
        """Forget all but the first `length` tokens."""
        if not 0 <= length <= self.length:
            raise ValueError(f"cannot cut {self.length} tokens to {length}")
        self.length = length

    @contextmanager
    def rewound(self, length: int) -> Iterator[KeyValueCache]:
        """This cache as it was after `length` tokens, to read the next one once more; afterwards
        it is what it is now, to the last bit."""
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
        """An independent cache of the first `length` tokens."""
        if not 0 <= length <= self.length:
            raise ValueError(f"cannot copy {length} of {self.length} tokens")
        other = KeyValueCache(self.config, max(64, length), self._store.device)
        other._store[..., :length, :] = self._store[..., :length, :]
        other.length = length
        return other


class Trace:
    """What a forward pass leaves behind when asked to.

    `residuals`: the residual stream [..., T, width], first the embedding, then after each block.
    `attention`: for each block the weights [..., heads, T, length]; each row sums to 1.
    """

    def __init__(self) -> None:
        self.residuals: list[Tensor] = []
        self.attention: list[Tensor] = []


class RMSNorm(Part):
    """Scale each vector to a root mean square of 1, then each of its numbers by a learned weight:

    y = x / sqrt(mean(x^2) + epsilon) * weight
    """

    def __init__(self, width: int, epsilon: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))
        self.epsilon = epsilon

    def forward(self, x: Tensor) -> Tensor:
        mean_square = x.square().mean(dim=-1, keepdim=True)  # [..., 1]
        return x * torch.rsqrt(mean_square + self.epsilon) * self.weight


@lru_cache(maxsize=4)
@torch.inference_mode(False)  # what is kept must do for training too
def rotations(config: Config, length: int) -> Tensor:
    """The rotary embedding's turns at positions 0 to `length`: complex numbers of size 1
    [length, 1, head_size / 2].

    Pair i of a head's numbers turns by position * base^(-2i / head_size): the first pairs fast,
    like a second hand, the last ones slowly, like an hour hand.
    """
    pair = torch.arange(0, config.head_size, 2, dtype=torch.float64)
    speeds = config.rope_base ** (-pair / config.head_size)  # radians per token
    if config.rope_factors is not None:
        speeds = speeds / torch.tensor(config.rope_factors, dtype=torch.float64)
    angles = torch.outer(torch.arange(length, dtype=torch.float64), speeds)
    return torch.polar(torch.ones_like(angles), angles).to(torch.complex64).unsqueeze(1)


def turns(config: Config, start: int, end: int) -> Tensor:
    """The turns of positions `start` to `end`: [end - start, 1, head_size / 2]."""
    return rotations(config, 2 ** end.bit_length())[start:end]


def causal_mask(tokens: int, length: int, device: torch.device) -> Tensor:
    """Which of `length` positions each of the last `tokens` may look at: itself and those before.
    [T, length], True where it may."""
    allowed = torch.ones(tokens, length, dtype=torch.bool, device=device)
    return allowed.tril(length - tokens)


def attention_weights(queries: Tensor, keys: Tensor, mask: Tensor | None) -> Tensor:
    """softmax(Q K^T / sqrt(head_size)): [..., heads, T, length].

    queries [..., heads, T, head_size], keys [..., key_value_heads, length, head_size].
    """
    group = queries.shape[-3] // keys.shape[-3]
    keys = keys.repeat_interleave(group, dim=-3)
    scores = queries @ keys.transpose(-2, -1) / math.sqrt(queries.shape[-1])
    if mask is not None:
        scores = scores.masked_fill(~mask, -math.inf)
    return scores.softmax(dim=-1)


def attend(queries: Tensor, keys: Tensor, values: Tensor, mask: Tensor | None) -> Tensor:
    """softmax(Q K^T / sqrt(head_size)) V, [batch, heads, T, head_size], without ever storing the
    weights (Dao et al. 2022)."""
    grouped = queries.shape[1] != keys.shape[1]
    return F.scaled_dot_product_attention(queries, keys, values, attn_mask=mask, enable_gqa=grouped)


class Attention(Part):
    """Each position asks (query), every earlier one offers what it is (key) and what it says
    (value); the answer is the values, weighted by how well key and query match."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.heads, self.shared = config.heads, config.key_value_heads
        self.head_size = config.head_size
        # one matrix makes queries, keys and values: one large product is faster than three
        total = (self.heads + 2 * self.shared) * self.head_size
        self.query_key_value = nn.Linear(config.width, total, bias=False)
        self.output = nn.Linear(self.heads * self.head_size, config.width, bias=False)

    def forward(
        self,
        x: Tensor,
        rotation: Tensor,
        mask: Tensor | None = None,
        remembered: Remembered | None = None,
        trace: Trace | None = None,
    ) -> Tensor:
        vectors = self.query_key_value(x)  # [..., T, (heads + 2 key_value_heads) head_size]
        output: Tensor = self.output(self.look(vectors, rotation, mask, remembered, trace))
        return output

    def look(
        self,
        vectors: Tensor,
        rotation: Tensor,
        mask: Tensor | None = None,
        remembered: Remembered | None = None,
        trace: Trace | None = None,
    ) -> Tensor:
        """What lies between the two matrices: [..., T, heads head_size]."""
        if remembered is None:
            mixed = Mixed.views(vectors.float(), self.heads, self.head_size)
        else:
            mixed = remembered.mixed
            mixed.vectors.copy_(vectors)
        # rotary embedding: queries and keys turn by their position's angles, so that the product
        # of a query and a key depends on how far apart they are
        mixed.turning.mul_(rotation)
        if remembered is None:
            keys, values = mixed.others.chunk(2, dim=1)
        else:
            remembered.new.copy_(mixed.others)
            keys, values = remembered.keys, remembered.values
        if trace is not None:
            weights = attention_weights(mixed.queries, keys, mask)
            trace.attention.append(weights.view(*vectors.shape[:-2], *weights.shape[1:]))

        answer = attend(mixed.queries, keys, values, mask)  # [batch, heads, T, head_size]
        return answer.transpose(1, 2).reshape(*vectors.shape[:-1], -1)


class FeedForward(Part):
    """SwiGLU: down(silu(gate(x)) * up(x)). The gate decides, number by number, what passes."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.gate_up = nn.Linear(config.width, 2 * config.hidden, bias=False)  # both in one product
        self.down = nn.Linear(config.hidden, config.width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        gate, up = self.gate_up(x).chunk(2, dim=-1)  # [..., T, hidden] each
        output: Tensor = self.down(F.silu(gate) * up)
        return output


class Block(Part):
    """Attention, then feed-forward; each reads a normed copy of the stream and adds to it."""

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
        remembered: Remembered | None = None,
        trace: Trace | None = None,
    ) -> Tensor:
        x = x + self.attention(self.attention_norm(x), rotation, mask, remembered, trace)
        x = x + self.feed_forward(self.feed_forward_norm(x))
        return x


class Transformer(nn.Module):
    """The whole network: embedding, blocks, final norm, and the head that scores the vocabulary."""

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
        """Read `ids` [..., T]; returns the final vectors [..., T, width], one for each of them.

        With a cache (of one text: ids [T]) the new tokens come after those that it holds, and
        are added to it.
        """
        start = 0 if cache is None else cache.length
        tokens = ids.shape[-1]
        length = start + tokens
        layers = [None] * self.config.layers if cache is None else cache.layers(tokens)
        x = self.embedding(ids)
        rotation = turns(self.config, start, length).to(x.device)
        mask = causal_mask(tokens, length, x.device) if tokens > 1 else None
        for block, remembered in zip(self.blocks, layers, strict=True):
            if trace is not None:
                trace.residuals.append(x)
            x = block(x, rotation, mask, remembered, trace)
        if trace is not None:
            trace.residuals.append(x)
        if cache is not None:
            cache.length = length
        final: Tensor = self.norm(x)
        return final

    def logits(self, hidden: Tensor) -> Tensor:
        """Scores of every token of the vocabulary [..., vocabulary] for final vectors
        [..., width]; their softmax are the probabilities."""
        scores: Tensor = self.head(hidden)
        return scores

    def lens(self, residual: Tensor) -> Tensor:
        """The logits if the network stopped here: the "logit lens" (nostalgebraist 2020) on the
        residual stream [..., width] between two blocks."""
        return self.logits(self.norm(residual))
