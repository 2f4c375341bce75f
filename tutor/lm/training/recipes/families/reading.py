"""Run the small encoder, decoder and encoder-decoder, and return predictions and attention."""

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


class Prediction(NamedTuple):
    """The most probable words at one position, with their probabilities.

    `row` is the row of the attention map that belongs to this position. The first of the `guesses`
    is the model's answer.
    """

    row: int
    guesses: tuple[tuple[str, float], ...]


class AttentionMap(NamedTuple):
    """Attention weights [layers, heads, rows, columns], with the words of the rows and columns.

    A weight measures how strongly the word of a row attends to the word of a column.
    """

    rows: Words
    columns: Words
    weights: Tensor


def filled(
    network: Encoder, vocabulary: Vocabulary, words: Sequence[str]
) -> tuple[list[Prediction], AttentionMap]:
    """Return a prediction for each blank in `words`, and the attention."""
    text = (START, *words)
    trace = Trace()
    with torch.inference_mode():
        logits = network.logits(network(torch.tensor(vocabulary.ids(text)), None, trace))
    blanks = [row for row, word in enumerate(text) if word == BLANK]
    predictions = [_prediction(vocabulary, logits, row) for row in blanks]
    return predictions, AttentionMap(text, text, torch.stack(trace.attention))


def continued(
    network: Transformer, vocabulary: Vocabulary, beginning: Sequence[str]
) -> tuple[list[Prediction], AttentionMap]:
    """Return a prediction for each word of the greedy continuation, and the attention."""
    text = (START, *continuation(network, vocabulary, beginning))
    trace = Trace()
    with torch.inference_mode():
        ids = torch.tensor(vocabulary.ids(text))
        logits = network.logits(network(ids, None, trace))
    rows = range(len(beginning), len(text) - 1)
    predictions = [_prediction(vocabulary, logits, row) for row in rows]
    return predictions, AttentionMap(text, text, torch.stack(trace.attention))


class Transformed(NamedTuple):
    """The output of the encoder-decoder, with its attention weights.

    `reading` is the encoder's self-attention, `writing` the decoder's self-attention, and `across`
    the cross-attention to the source. Each row of `across` belongs to the word that is predicted at
    that position.
    """

    predictions: list[Prediction]
    reading: AttentionMap
    writing: AttentionMap
    across: AttentionMap


def transformed(
    network: EncoderDecoder, vocabulary: Vocabulary, source: Sequence[str]
) -> Transformed:
    """Return the encoder-decoder's greedy output for `source`, with its attention."""
    written = transform(network, vocabulary, source)
    text, begun = (*source, END), (START, *written)
    reading, writing, across = Trace(), Trace(), Trace()
    with torch.inference_mode():
        encoded = network.encode(torch.tensor(vocabulary.ids(text)), reading)
        ids = torch.tensor(vocabulary.ids(begun))
        logits = network.logits(network(encoded, ids, writing, across))
    return Transformed(
        [_prediction(vocabulary, logits, row) for row in range(len(written))],
        AttentionMap(text, text, torch.stack(reading.attention)),
        AttentionMap(begun, begun, torch.stack(writing.attention)),
        AttentionMap((*written, END), text, torch.stack(across.attention)),
    )


def next_words(
    network: Transformer, vocabulary: Vocabulary, before: Sequence[str]
) -> dict[str, float]:
    """Return the probability of every word of the vocabulary after `before`, highest first.

    A blank in `before` is treated as an unknown word.
    """
    text = [START, *(UNKNOWN if word == BLANK else word for word in before)]
    with torch.inference_mode():
        logits = network.logits(network(torch.tensor(vocabulary.ids(text)))[-1])
    order = logits.softmax(-1).sort(descending=True)
    pairs = zip(order.indices.tolist(), order.values.tolist(), strict=True)
    return {vocabulary.words[id_]: probability for id_, probability in pairs}


def continuation(network: Transformer, vocabulary: Vocabulary, beginning: Sequence[str]) -> Words:
    """Return `beginning`, followed by its greedy continuation up to the end token."""
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
    """Return the greedy output of the encoder-decoder for `source`."""
    written: list[str] = []
    with torch.inference_mode():
        encoded = network.encode(torch.tensor(vocabulary.ids((*source, END))))
        while len(written) < network.config.context - 1:
            ids = torch.tensor(vocabulary.ids((START, *written)))
            word = vocabulary.words[int(network.logits(network(encoded, ids)[-1]).argmax())]
            if word == END:
                break
            written.append(word)
    return tuple(written)


def _prediction(vocabulary: Vocabulary, logits: Tensor, row: int) -> Prediction:
    best = logits[row].softmax(-1).topk(GUESSES)
    pairs = zip(best.indices.tolist(), best.values.tolist(), strict=True)
    return Prediction(row, tuple((vocabulary.words[id_], p) for id_, p in pairs))
