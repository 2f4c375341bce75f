"""Measure a 5-gram model on the held-out text of the small model.

    python -m tools.ngram build/corpus assets/small-model/ngram.json

This counts all n-grams in the training text of the corpus, which takes a minute and a few hundred
MB, and measures the loss on the held-out text. The result is a baseline for the network, which was
trained on the same texts: a 5-gram model predicts only from counts of what followed the last four
tokens. There are two models. One predicts bytes. The other predicts the tokens of the small model,
which gives it the benefit of the tokenizer, and a context of about 17 bytes instead of 4.

The method is interpolated Kneser-Ney smoothing with three discounts (Chen & Goodman 1998, "modified
Kneser-Ney"). Let h be the preceding tokens (or bytes), h' the same without the first token, and c
the counts:

    P(w | h) = max(c(h w) - D(c(h w)), 0) / c(h)  +  gamma(h) P(w | h')
    gamma(h) = (D1 N1(h) + D2 N2(h) + D3 N3(h)) / c(h)

N1, N2 and N3 are the numbers of different tokens that followed h once, twice, and more often. For
the longest n-grams, c counts occurrences. For shorter n-grams, c counts the different tokens before
them, because a token that follows only one word ("Francisco") is improbable after any other word.
The last distribution is uniform, 1 / V, so every distribution sums to 1. The discounts follow from
the numbers of n-grams that were counted once, twice, three and four times.
"""

from __future__ import annotations

import argparse
import hashlib
import math
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from tutor.lm.training.train import END, HELD_OUT, held_out_text, read_documents, training_tokens

ORDER = 5
END_OF_BYTES = 256
SEED = 1  # determines the order of the documents, and so the n-grams across their ends

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


class Measured(msgspec.Struct, frozen=True):
    """The result for one model.

    `unit` is "token" or "byte", and `training_units` is the size of the training text in this unit.
    The other fields are the mean surprisal of the held-out text. `bits_per_byte` can be compared
    between units.
    """

    unit: str
    order: int
    training_units: int
    nats_per_unit: float
    bits_per_byte: float


class Record(msgspec.Struct, frozen=True):
    held_out_sha256: str
    tokens: Measured
    bytes: Measured


@dataclass(frozen=True)
class Level:
    """The n-grams of one length.

    `grams` [N] are the different n-grams as sorted numbers, and `counts` [N] are their counts.
    `heads` [H] are the different n-grams without their last token, also sorted. `totals` [H] is the
    sum of the counts of all continuations of a head, and `freed` [H] is the mass that the discounts
    take from these counts.
    """

    grams: Ints
    counts: Ints
    heads: Ints
    totals: Ints
    freed: Floats
    discounts: Floats  # for counts of 0, 1, 2, and at least 3


class KneserNey:
    """An n-gram model of `tokens` [N], whose ids are less than `vocabulary`.

    Raises `ValueError` if a number for `order` tokens does not fit into 63 bits.
    """

    def __init__(self, tokens: Ints, vocabulary: int, order: int = ORDER) -> None:
        if vocabulary**order > 2**63:
            raise ValueError(f"{order} tokens of {vocabulary} do not fit into 63 bits")
        self.vocabulary, self.order = vocabulary, order
        grams, counts = np.unique(_windows(tokens, order, vocabulary), return_counts=True)
        levels = [self._level(grams, counts)]
        for length in range(order - 1, 0, -1):
            # Each different longer n-gram adds 1 to the count of the shorter n-gram at its end.
            shorter = grams % vocabulary**length
            grams, counts = np.unique(shorter, return_counts=True)
            levels.append(self._level(grams, counts))
        self._levels = levels[::-1]  # by length, from 1 to `order`

    def _level(self, grams: Ints, counts: Ints) -> Level:
        discounts = _discounts(counts)
        heads, places = np.unique(grams // self.vocabulary, return_inverse=True)
        totals = np.bincount(places, counts).astype(np.int64)
        freed = np.bincount(places, discounts[np.minimum(counts, 3)]).astype(np.float64)
        return Level(grams, counts, heads, totals, freed, discounts)

    def probabilities(self, tokens: Ints) -> Floats:
        """Return the probability [N - 1] of each token except the first in its context."""
        result = np.full(len(tokens) - 1, 1 / self.vocabulary)
        for length, level in enumerate(self._levels, 1):
            # The first tokens have a shorter context, so only shorter n-grams apply to them.
            windows = _windows(tokens[1:] if length == 1 else tokens, length, self.vocabulary)
            known = slice(max(0, length - 2), None)
            result[known] = self._with(level, windows, result[known])
        return result

    def _with(self, level: Level, grams: Ints, lower: Floats) -> Floats:
        """Return the probabilities of n-grams. `lower` contains those with a shorter context."""
        head, seen = _find(level.heads, grams // self.vocabulary)
        gram, found = _find(level.grams, grams)
        counts = np.where(found, level.counts[gram], 0)
        kept = counts - level.discounts[np.minimum(counts, 3)]
        mixed = (kept + level.freed[head] * lower) / level.totals[head]
        return np.where(seen, mixed, lower)


def _windows(tokens: Ints, length: int, vocabulary: int) -> Ints:
    """Return each run of `length` tokens as a number, in which the last token is the last digit."""
    count = len(tokens) - length + 1
    numbers = np.zeros(count, dtype=np.int64)
    for place in range(length):
        numbers = numbers * vocabulary + tokens[place : place + count]
    return numbers


def _find(sorted_: Ints, wanted: Ints) -> tuple[Ints, NDArray[np.bool_]]:
    """Return the index of each of `wanted` in `sorted_`, and whether `sorted_` contains it."""
    places = np.minimum(np.searchsorted(sorted_, wanted), len(sorted_) - 1)
    return places, sorted_[places] == wanted


def _discounts(counts: Ints) -> Floats:
    """Return the discounts for counts of 0, 1, 2, and at least 3.

    If there are too few n-grams to estimate them, the discounts are 0.75, except for the count 0.
    """
    n1, n2, n3, n4 = (int((counts == times).sum()) for times in (1, 2, 3, 4))
    if not (n1 and n2 and n3):
        return np.array([0, 0.75, 0.75, 0.75])
    y = n1 / (n1 + 2 * n2)
    found = [0, 1 - 2 * y * n2 / n1, 2 - 3 * y * n3 / n2, 3 - 4 * y * n4 / n3]
    return np.clip(found, 0, [0, 1, 2, 3])


def measure(corpus: Path) -> Record:
    """Measure both models of the corpus's training text on its held-out text."""
    tokenizer = Tokenizer.from_file(str(corpus / "tokenizer.json"))
    held_out = held_out_text(corpus / HELD_OUT, tokenizer)
    paths = [path for path in sorted(corpus.glob("*.txt")) if path.name != HELD_OUT]
    documents = [document for path in paths for document in read_documents(path)]
    return Record(
        hashlib.sha256((corpus / HELD_OUT).read_bytes()).hexdigest(),
        _measured(
            "token",
            training_tokens(corpus, tokenizer, SEED).numpy(),
            held_out.tokens.numpy(),
            tokenizer.get_vocab_size(),
            held_out.byte_count,
        ),
        _measured(
            "byte",
            _bytes(documents),
            _bytes(read_documents(corpus / HELD_OUT)),
            END_OF_BYTES + 1,
            held_out.byte_count,
        ),
    )


def _bytes(documents: list[str]) -> Ints:
    """Return the bytes of all documents, each followed by a separate number for the end."""
    encoded = (document.removesuffix(END).encode() for document in documents)
    numbers = [np.append(np.frombuffer(each, np.uint8), np.int64(END_OF_BYTES)) for each in encoded]
    return np.concatenate(numbers).astype(np.int64)


def _measured(
    unit: str, training: Ints, held_out: Ints, vocabulary: int, byte_count: int
) -> Measured:
    nats = -np.log(KneserNey(training, vocabulary).probabilities(held_out))
    bits = float(nats.sum()) / math.log(2) / byte_count
    return Measured(unit, ORDER, len(training), round(float(nats.mean()), 4), round(bits, 4))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tools.ngram", description=__doc__)
    parser.add_argument("corpus", type=Path, help="the folder written by `python -m tools.corpus`")
    parser.add_argument("file", type=Path, help="the record to write")
    options = parser.parse_args()
    record = measure(options.corpus)
    for measured in (record.tokens, record.bytes):
        print(f"{measured.order}-gram of {measured.unit}s: {measured.bits_per_byte} bits per byte")
    options.file.write_bytes(msgspec.json.format(msgspec.json.encode(record)) + b"\n")


if __name__ == "__main__":
    main()
