"""Learn word vectors with word2vec: skip-gram with negative sampling.

The vector of a word is learned from the words around it. Take a word of the text, the center c, and
a word near it, o. Each word of the vocabulary has two vectors: v is used when the word is the
center, and u when the word is near a center. These two tables of vectors are the whole network. It
learns to tell the true pair (c, o) from false pairs (c, k), in which the words k (the negative
samples) are drawn at random:

    loss(c, o) = -ln σ(u_o · v_c) - Σ_k ln σ(-u_k · v_c)            σ(x) = 1 / (1 + e^-x)

The gradients are short enough to write down. Define an error g for the true word and for each false
word:

    g_o = σ(u_o · v_c) - 1              g_k = σ(u_k · v_c)

Then the gradients are:

    d loss / d v_c = Σ g_i u_i          d loss / d u_i = g_i v_c          for i = o and all k

So a training step pulls the two vectors of a true pair together and pushes the two vectors of each
false pair apart. Words that are pulled in the same directions end up close to each other.

As in the paper, the number of words on each side of a center is drawn at random from 1 to `window`,
false words are drawn with probabilities proportional to count^0.75, and very frequent words are
skipped at random (subsampling).

Source: Mikolov, Sutskever, Chen, Corrado and Dean 2013, "Distributed Representations of Words and
Phrases and their Compositionality", sections 2.2 and 2.3.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import NamedTuple

import msgspec
import torch
from torch import Tensor

_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)*")


class Settings(msgspec.Struct, frozen=True):
    """The settings of a training run, which determine its result."""

    seed: int = 1
    window: int = 5
    width: int = 48  # length of a vector
    epochs: int = 8  # passes through the text
    false_words: int = 5  # negative samples for each true pair
    batch: int = 512  # pairs per step
    rate: float = 0.05  # initial learning rate; it falls linearly to 1 % of this value
    rarest: int = 5  # words with fewer occurrences are ignored
    keep: float = 1e-3  # words with a higher relative frequency are subsampled


class Text(NamedTuple):
    """A text as word ids.

    `words` is the vocabulary, most frequent word first, and `counts` [vocabulary] contains the
    number of occurrences of each word. `ids` [N] is the text without rare words, and `lines` [N]
    contains the line number of each word in `ids`.
    """

    words: tuple[str, ...]
    counts: Tensor
    ids: Tensor
    lines: Tensor


class Vectors(NamedTuple):
    """The two vectors of every word, in two tables [vocabulary, width].

    `center` contains the vectors v, and `other` the vectors u.
    """

    center: Tensor
    other: Tensor


def words_of(line: str) -> list[str]:
    """Return the words of a line in lowercase, without numbers and punctuation."""
    return _WORD.findall(line.lower())


def read_text(text: str, settings: Settings) -> Text:
    """Convert `text` to word ids, and build its vocabulary."""
    lines = [words_of(line) for line in text.splitlines()]
    counted = Counter(word for line in lines for word in line)
    kept = [word for word, count in counted.most_common() if count >= settings.rarest]
    id_of = {word: id_ for id_, word in enumerate(kept)}
    occurrences = [
        (id_of[word], number) for number, line in enumerate(lines) for word in line if word in id_of
    ]
    ids, numbers = torch.tensor(occurrences).unbind(dim=1)
    return Text(tuple(kept), torch.tensor([counted[word] for word in kept]), ids, numbers)


def first_vectors(text: Text, settings: Settings) -> Vectors:
    """Create the vectors before training: small random numbers in `center`, zeros in `other`."""
    generator = torch.Generator().manual_seed(settings.seed)
    size = (len(text.words), settings.width)
    center = (torch.rand(size, generator=generator) - 0.5) / settings.width
    return Vectors(center, torch.zeros(size))


def pairs_of_epoch(text: Text, epoch: int, settings: Settings) -> Tensor:
    """Return the true pairs (center, nearby word) of one epoch in random order: [pairs, 2]."""
    generator = torch.Generator().manual_seed(1000 * settings.seed + epoch)
    frequency = text.counts[text.ids] / len(text.ids)  # [N]
    keep_probability = (settings.keep / frequency).sqrt()
    kept = torch.rand(len(text.ids), generator=generator) < keep_probability
    ids, lines = text.ids[kept], text.lines[kept]
    reach = torch.randint(1, settings.window + 1, ids.shape, generator=generator)
    pairs = []
    for distance in range(1, settings.window + 1):
        near, far = slice(None, -distance), slice(distance, None)
        together = lines[near] == lines[far]
        for center, other in ((near, far), (far, near)):
            in_reach = together & (reach[center] >= distance)
            pairs.append(torch.stack([ids[center], ids[other]], dim=1)[in_reach])
    every = torch.cat(pairs)
    return every[torch.randperm(len(every), generator=generator)]


def false_word_chances(text: Text) -> Tensor:
    """Return the probability of each word as a negative sample: [vocabulary].

    It is proportional to count^0.75.
    """
    weights = text.counts.double().pow(0.75)
    return weights / weights.sum()


def loss_of(vectors: Vectors, pairs: Tensor, false: Tensor) -> Tensor:
    """Return the loss of each pair, in nats: [batch].

    `pairs` are [batch, 2], and `false` contains the negative samples of each pair [batch, k].
    """
    scores, signs = _scores(vectors, pairs, false)
    return -torch.nn.functional.logsigmoid(scores * signs).sum(dim=1)


def step(vectors: Vectors, pairs: Tensor, false: Tensor, rate: float) -> float:
    """Update the vectors with a gradient step on the sum of the pairs' losses.

    That is, v -= rate * d loss / d v, and the same for u. Returns the mean loss of a pair before
    the update, in nats.
    """
    scores, signs = _scores(vectors, pairs, false)  # [batch, 1 + k]
    loss = -torch.nn.functional.logsigmoid(scores * signs).sum(dim=1).mean()
    errors = torch.sigmoid(scores) - (signs > 0).float()  # g
    centers = pairs[:, 0]
    others = torch.cat([pairs[:, 1:], false], dim=1)  # [batch, 1 + k]
    v, u = vectors.center[centers], vectors.other[others]  # [batch, width], [batch, 1 + k, width]
    to_v = torch.bmm(errors[:, None], u)[:, 0]
    to_u = errors[..., None] * v[:, None]
    vectors.center.index_add_(0, centers, to_v, alpha=-rate)
    vectors.other.index_add_(0, others.flatten(), to_u.flatten(0, 1), alpha=-rate)
    return float(loss)


def _scores(vectors: Vectors, pairs: Tensor, false: Tensor) -> tuple[Tensor, Tensor]:
    """Return u · v for the true and the false words of each pair, and a sign for each word.

    Both tensors are [batch, 1 + k], with the true word first. The sign is +1 for true words and -1
    for false words.
    """
    others = torch.cat([pairs[:, 1:], false], dim=1)
    v, u = vectors.center[pairs[:, 0]], vectors.other[others]
    scores = torch.bmm(u, v[..., None])[..., 0]
    signs = -torch.ones_like(scores)
    signs[:, 0] = 1
    return scores, signs
