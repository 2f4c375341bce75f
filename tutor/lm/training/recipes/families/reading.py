"""What each of the three small models says about a text, and where it looked to say it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from tutor.lm.network import Trace, Transformer
from tutor.lm.training.recipes.families.networks import Encoder, EncoderDecoder
from tutor.lm.training.recipes.families.text import BLANK, END, START, UNKNOWN, Vocabulary

Words = tuple[str, ...]
GUESSES = 5


class Said(NamedTuple):
    """`guesses` are the likeliest words at `row` of the attention, with their probabilities, and
    the word said is the first of them."""

    row: int
    guesses: tuple[tuple[str, float], ...]


class Looks(NamedTuple):
    """`weights` [layers, heads, rows, columns]: how much each row took from each column."""

    rows: Words
    columns: Words
    weights: Tensor


def filled(
    network: Encoder, vocabulary: Vocabulary, words: Sequence[str]
) -> tuple[list[Said], Looks]:
    """What could stand at each blank of `words`."""
    text = (START, *words)
    trace = Trace()
    with torch.inference_mode():
        logits = network.logits(network(torch.tensor(vocabulary.ids(text)), None, trace))
    said = [_said(vocabulary, logits, row) for row, word in enumerate(text) if word == BLANK]
    return said, Looks(text, text, torch.stack(trace.attention))


def gone_on(
    network: Transformer, vocabulary: Vocabulary, beginning: Sequence[str]
) -> tuple[list[Said], Looks]:
    """The likeliest words after `beginning`, each time, to the end."""
    text = (START, *go_on(network, vocabulary, beginning))
    trace = Trace()
    with torch.inference_mode():
        ids = torch.tensor(vocabulary.ids(text))
        logits = network.logits(network(ids, None, trace))
    said = [_said(vocabulary, logits, row) for row in range(len(beginning), len(text) - 1)]
    return said, Looks(text, text, torch.stack(trace.attention))


class Transformed(NamedTuple):
    """`reading` is the encoder's attention; `writing` the decoder's to what it has written, and
    `across` its attention to what was read: there, a row is the word it led to."""

    said: list[Said]
    reading: Looks
    writing: Looks
    across: Looks


def transformed(
    network: EncoderDecoder, vocabulary: Vocabulary, source: Sequence[str]
) -> Transformed:
    """What it makes of `source`."""
    written = transform(network, vocabulary, source)
    text, begun = (*source, END), (START, *written)
    reading, writing, across = Trace(), Trace(), Trace()
    with torch.inference_mode():
        read = network.read(torch.tensor(vocabulary.ids(text)), reading)
        ids = torch.tensor(vocabulary.ids(begun))
        logits = network.logits(network(read, ids, writing, across))
    said = [_said(vocabulary, logits, row) for row in range(len(begun))]
    return Transformed(
        said[: len(written)],
        Looks(text, text, torch.stack(reading.attention)),
        Looks(begun, begun, torch.stack(writing.attention)),
        Looks((*written, END), text, torch.stack(across.attention)),
    )


def next_words(
    network: Transformer, vocabulary: Vocabulary, before: Sequence[str]
) -> dict[str, float]:
    """Probability of every word after `before`, the likeliest first. A blank in it is a word that
    is not known."""
    text = [START, *(UNKNOWN if word == BLANK else word for word in before)]
    with torch.inference_mode():
        logits = network.logits(network(torch.tensor(vocabulary.ids(text)))[-1])
    order = logits.softmax(-1).sort(descending=True)
    pairs = zip(order.indices.tolist(), order.values.tolist(), strict=True)
    return {vocabulary.words[id_]: probability for id_, probability in pairs}


def go_on(network: Transformer, vocabulary: Vocabulary, beginning: Sequence[str]) -> Words:
    """`beginning` and the likeliest words after it, to the end."""
    words = list(beginning)
    with torch.inference_mode():
        while len(words) < network.config.context - 1:
            ids = torch.tensor(vocabulary.ids((START, *words)))
            word = vocabulary.words[int(network.logits(network(ids)[-1]).argmax())]
            if word == END:
                break
            words.append(word)
    return tuple(words)


def transform(network: EncoderDecoder, vocabulary: Vocabulary, source: Sequence[str]) -> Words:
    """What is written for `source`: the likeliest word each time, to the end."""
    written: list[str] = []
    with torch.inference_mode():
        read = network.read(torch.tensor(vocabulary.ids((*source, END))))
        while len(written) < network.config.context - 1:
            ids = torch.tensor(vocabulary.ids((START, *written)))
            word = vocabulary.words[int(network.logits(network(read, ids)[-1]).argmax())]
            if word == END:
                break
            written.append(word)
    return tuple(written)


def _said(vocabulary: Vocabulary, logits: Tensor, row: int) -> Said:
    best = logits[row].softmax(-1).topk(GUESSES)
    pairs = zip(best.indices.tolist(), best.values.tolist(), strict=True)
    return Said(row, tuple((vocabulary.words[id_], p) for id_, p in pairs))
