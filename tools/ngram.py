"""What a 5-gram model makes of the text that the small model is measured on.

    python -m tools.ngram build/corpus assets/small-model/ngram.json

counts the whole training text of the corpus (a minute, some hundred MB) and measures the held-out
text. It is the yardstick: how far does one come by counting what followed the last four? Twice:
over bytes, and over the tokens of the small model, which gives the 5-gram the benefit of its
tokenizer, and about 17 bytes to look back on in place of 4. The network read the same texts.

Interpolated Kneser-Ney with three discounts (Chen & Goodman 1998, "modified Kneser-Ney"). With h
for the tokens (or bytes) before, h' for all of them but the first, c for counts:

    P(w | h) = max(c(h w) - D(c(h w)), 0) / c(h)  +  gamma(h) P(w | h')
    gamma(h) = (D1 N1(h) + D2 N2(h) + D3 N3(h)) / c(h)

N1, N2 and N3 are how many different tokens followed h once, twice, and more often. At the longest
order c counts occurrences; below it, how many different tokens stood before: what stood after one
word only ("Francisco") is improbable after any other. The last step down is to all tokens alike,
1 / V. So every distribution sums to 1. The discounts follow from how many n-grams were counted
once, twice, three and four times.
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
SEED = 1  # the order of the documents: which tokens follow each other where two meet

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


class Measured(msgspec.Struct, frozen=True):
    """In the record: what was counted (`unit`), how much of it there was to train on, and how
    surprising the held-out text is; `bits_per_byte` can be compared, whatever the unit."""

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
    """The n-grams of one length. `grams` [N] are the n-grams as numbers, in order, `counts` [N]
    how often each counts; `heads` [H] are what stands before their last tokens, in order, with
    `totals` [H] and `freed` [H], the mass that the discounts take from all that followed."""

    grams: Ints
    counts: Ints
    heads: Ints
    totals: Ints
    freed: Floats
    discounts: Floats  # for counts of 0, 1, 2, and more


class KneserNey:
    """The model of the tokens [N] below `vocabulary`; `order` tokens must fit in 63 bits."""

    def __init__(self, tokens: Ints, vocabulary: int, order: int = ORDER) -> None:
        if vocabulary**order > 2**63:
            raise ValueError(f"{order} tokens of {vocabulary} do not fit into 63 bits")
        self.vocabulary, self.order = vocabulary, order
        grams, counts = np.unique(_windows(tokens, order, vocabulary), return_counts=True)
        levels = [self._level(grams, counts)]
        for length in range(order - 1, 0, -1):
            # each different longer n-gram counts once for the shorter one at its end
            shorter = grams % vocabulary**length
            grams, counts = np.unique(shorter, return_counts=True)
            levels.append(self._level(grams, counts))
        self._levels = levels[::-1]  # by length, from 1 on

    def _level(self, grams: Ints, counts: Ints) -> Level:
        discounts = _discounts(counts)
        heads, places = np.unique(grams // self.vocabulary, return_inverse=True)
        totals = np.bincount(places, counts).astype(np.int64)
        freed = np.bincount(places, discounts[np.minimum(counts, 3)]).astype(np.float64)
        return Level(grams, counts, heads, totals, freed, discounts)

    def probabilities(self, tokens: Ints) -> Floats:
        """Of each token but the first, after those before it [N - 1]."""
        result = np.full(len(tokens) - 1, 1 / self.vocabulary)
        for length, level in enumerate(self._levels, 1):
            # the first tokens have fewer before them: they stay with the shorter n-grams
            windows = _windows(tokens[1:] if length == 1 else tokens, length, self.vocabulary)
            known = slice(max(0, length - 2), None)
            result[known] = self._with(level, windows, result[known])
        return result

    def _with(self, level: Level, grams: Ints, lower: Floats) -> Floats:
        """These n-grams' probabilities, given those of the tokens after one token less."""
        head, seen = _find(level.heads, grams // self.vocabulary)
        gram, found = _find(level.grams, grams)
        counts = np.where(found, level.counts[gram], 0)
        kept = counts - level.discounts[np.minimum(counts, 3)]
        mixed = (kept + level.freed[head] * lower) / level.totals[head]
        return np.where(seen, mixed, lower)


def _windows(tokens: Ints, length: int, vocabulary: int) -> Ints:
    """Every run of `length` tokens as one number, the last token in the lowest place."""
    count = len(tokens) - length + 1
    numbers = np.zeros(count, dtype=np.int64)
    for place in range(length):
        numbers = numbers * vocabulary + tokens[place : place + count]
    return numbers


def _find(sorted_: Ints, wanted: Ints) -> tuple[Ints, NDArray[np.bool_]]:
    """Where each of `wanted` is, and whether it is there at all."""
    places = np.minimum(np.searchsorted(sorted_, wanted), len(sorted_) - 1)
    return places, sorted_[places] == wanted


def _discounts(counts: Ints) -> Floats:
    """What is taken from counts of 0, 1, 2, and more; 0.75 where there is too little to tell."""
    n1, n2, n3, n4 = (int((counts == times).sum()) for times in (1, 2, 3, 4))
    if not (n1 and n2 and n3):
        return np.array([0, 0.75, 0.75, 0.75])
    y = n1 / (n1 + 2 * n2)
    found = [0, 1 - 2 * y * n2 / n1, 2 - 3 * y * n3 / n2, 3 - 4 * y * n4 / n3]
    return np.clip(found, 0, [0, 1, 2, 3])


def measure(corpus: Path) -> Record:
    """Both models of the corpus' training text on its held-out text."""
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
    """The bytes of all documents, each followed by a number of its own for the end."""
    pieces = (document.removesuffix(END).encode() for document in documents)
    numbers = [
        np.append(np.frombuffer(piece, np.uint8), np.int64(END_OF_BYTES)) for piece in pieces
    ]
    return np.concatenate(numbers).astype(np.int64)


def _measured(
    unit: str, training: Ints, held_out: Ints, vocabulary: int, byte_count: int
) -> Measured:
    nats = -np.log(KneserNey(training, vocabulary).probabilities(held_out))
    bits = float(nats.sum()) / math.log(2) / byte_count
    return Measured(unit, ORDER, len(training), round(float(nats.mean()), 4), round(bits, 4))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tools.ngram", description=__doc__)
    parser.add_argument("corpus", type=Path, help="what `python -m tools.corpus` wrote")
    parser.add_argument("file", type=Path, help="the record, which is written anew")
    options = parser.parse_args()
    record = measure(options.corpus)
    for measured in (record.tokens, record.bytes):
        print(f"{measured.order}-gram of {measured.unit}s: {measured.bits_per_byte} bits per byte")
    options.file.write_bytes(msgspec.json.format(msgspec.json.encode(record)) + b"\n")


if __name__ == "__main__":
    main()
