"""Byte pair encoding, one merge at a time.

A BPE tokenizer is a list of merges, each of which joins two tokens into one. Training the tokenizer
produced them in this order: the most frequent pair of neighbors in the training text became merge
1, the most frequent pair after that became merge 2, and so on (Gage 1994; Sennrich et al. 2016). To
tokenize a text, start with its bytes and apply the merges in the same order:

    bytes          t  h  e     ␣  t  h  e
    merge 1 ␣+t    t  h  e     ␣t  h  e
    merge 4 h+e    t  he       ␣t  he
    ...

So a string is one token because each merge on the way to it was frequent enough, and not because
anyone looked for words. Before the first merge, the text is split into chunks (words with their
space, runs of punctuation, digits). No merge joins tokens of two chunks.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise

import msgspec

Chunk = tuple[bytes, ...]
"""The tokens of one chunk of text, in order."""

Rules = Mapping[tuple[bytes, bytes], int]
"""The rank of each merge, from 1, by the two tokens that it joins."""


class Merge(msgspec.Struct, frozen=True, array_like=True):
    """A merge that was applied: its rank, the tokens it joined, and how many times in the text."""

    rank: int
    left: bytes
    right: bytes
    times: int


def in_bytes(chunks: Iterable[bytes]) -> tuple[Chunk, ...]:
    """Split each chunk into single bytes."""
    return tuple(tuple(bytes([byte]) for byte in chunk) for chunk in chunks)


def next_rule(chunks: Iterable[Chunk], rules: Rules) -> tuple[bytes, bytes] | None:
    """Return the first merge that joins two neighbors in these chunks; None if no merge does."""
    pairs = {pair for chunk in chunks for pair in pairwise(chunk) if pair in rules}
    return min(pairs, key=lambda pair: rules[pair], default=None)


def joined(chunk: Chunk, pair: tuple[bytes, bytes]) -> Chunk:
    """Return the chunk with every occurrence of this pair joined, from the left."""
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
    """Yield every merge in order, with the chunks after it."""
    while (pair := next_rule(chunks, rules)) is not None:
        before = sum(map(len, chunks))
        chunks = tuple(joined(chunk, pair) for chunk in chunks)
        yield Merge(rules[pair], *pair, before - sum(map(len, chunks))), chunks
