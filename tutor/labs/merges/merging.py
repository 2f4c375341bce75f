"""Byte pair encoding, one merge at a time.

A tokenizer of this kind is a list of rules, each of which joins two pieces to one. They were found
in this order when the tokenizer was made: the pair that occurred most often in its training text
became rule 1, the most frequent pair after that rule 2, and so on (Gage 1994; Sennrich et al.
2016). To cut a text, begin with its bytes and apply the rules in the same order:

    bytes         t  h  e     ␣  t  h  e
    rule 1 ␣+t    t  h  e     ␣t  h  e
    rule 4 h+e    t  he       ␣t  he
    ...

So a piece is one token because every step towards it was frequent enough to become a rule, not
because anybody looked for words. Before the first merge the text is split into chunks (words with
their space, runs of punctuation, digits); no rule joins across them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise

import msgspec

Chunk = tuple[bytes, ...]
"""The pieces of one chunk of text, in order."""

Rules = Mapping[tuple[bytes, bytes], int]
"""The rank of each rule, from 1, by the two pieces that it joins."""


class Merge(msgspec.Struct, frozen=True, array_like=True):
    """One rule at work: its rank, what it joined, and how often in this text."""

    rank: int
    left: bytes
    right: bytes
    times: int


def in_bytes(chunks: Iterable[bytes]) -> tuple[Chunk, ...]:
    """Where every text begins: one piece a byte."""
    return tuple(tuple(bytes([byte]) for byte in chunk) for chunk in chunks)


def next_rule(chunks: Iterable[Chunk], rules: Rules) -> tuple[bytes, bytes] | None:
    """The earliest rule that joins two neighbors anywhere in these chunks; None where no rule
    does, which is the end."""
    pairs = {pair for chunk in chunks for pair in pairwise(chunk) if pair in rules}
    return min(pairs, key=lambda pair: rules[pair], default=None)


def joined(chunk: Chunk, pair: tuple[bytes, bytes]) -> Chunk:
    """The chunk with this pair joined wherever it stands, from the left."""
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
    """Every merge in its order, with the chunks as they are after it."""
    while (pair := next_rule(chunks, rules)) is not None:
        before = sum(map(len, chunks))
        chunks = tuple(joined(chunk, pair) for chunk in chunks)
        yield Merge(rules[pair], *pair, before - sum(map(len, chunks))), chunks
