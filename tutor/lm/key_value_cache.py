"""Cache the keys and values of a network, so that none is computed twice."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import torch
from torch import Tensor

from tutor.lm.config import Config


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
        return list(map(LayerCache, new.unbind(), keys.unbind(), values.unbind()))

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
