"""Implement byte pair encoding (BPE), one merge at a time.

A BPE tokenizer is a list of merges, each of which joins two tokens into one. The order of the list
comes from training: the most frequent pair of adjacent tokens in the training text became merge 1,
the most frequent pair after that became merge 2, and so on (Gage 1994; Sennrich et al. 2016). To
tokenize a text, start with its bytes and apply the merges in the same order:

    bytes          t  h  e     ␣  t  h  e
    merge 1 ␣+t    t  h  e     ␣t  h  e
    merge 4 h+e    t  he       ␣t  he
    ...

So a string is a single token because its parts occurred next to each other often enough, not
because someone chose it as a word. Before the first merge, the text is split into chunks: words
with their leading space, runs of punctuation, and digits. Merges never join tokens from two chunks.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise

import msgspec

Chunk = tuple[bytes, ...]
"""The tokens of one chunk of text, in order."""

Rules = Mapping[tuple[bytes, bytes], int]
"""Maps the two tokens that a merge joins to the merge's rank, counted from 1."""


class Merge(msgspec.Struct, frozen=True, array_like=True):
    """A merge that was applied to a text.

    `rank` is its rank in the tokenizer's list. The merge joined `left` and `right` at `times`
    positions in the text.
    """

    rank: int
    left: bytes
    right: bytes
    times: int


def in_bytes(chunks: Iterable[bytes]) -> tuple[Chunk, ...]:
    """Split each chunk into single bytes."""
    return tuple(tuple(bytes([byte]) for byte in chunk) for chunk in chunks)


def next_rule(chunks: Iterable[Chunk], rules: Rules) -> tuple[bytes, bytes] | None:
    """Return the first merge in the tokenizer's list that applies to these chunks, or None."""
    pairs = {pair for chunk in chunks for pair in pairwise(chunk) if pair in rules}
    return min(pairs, key=lambda pair: rules[pair], default=None)


def joined(chunk: Chunk, pair: tuple[bytes, bytes]) -> Chunk:
    """Return the chunk with every occurrence of `pair` joined, from left to right."""
    pieces: list[bytes] = []
    at = 0
    while at < len(chunk):
        if chunk[at : at + 2] == pair:
            pieces.append(pair[0] + pair[1])
            at += 2
        else:
            pieces.append(chunk[at])
            at += 1
    return tuple(pieces)


def play(chunks: tuple[Chunk, ...], rules: Rules) -> Iterator[tuple[Merge, tuple[Chunk, ...]]]:
    """Apply all merges in order. Yield each merge with the resulting chunks."""
    while (pair := next_rule(chunks, rules)) is not None:
        before = sum(map(len, chunks))
        chunks = tuple(joined(chunk, pair) for chunk in chunks)
        yield Merge(rules[pair], *pair, before - sum(map(len, chunks))), chunks
