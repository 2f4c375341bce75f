"""Word vectors from the company that words keep: word2vec, skip-gram with negative sampling.

Take a word of the text, the center c, and one of the words around it, o. Each word has two
vectors: v as a center, u as one of the others. The network, if it is one, has no more than these
two tables. It is to tell the true pair (c, o) from false pairs (c, k), with words k drawn blindly:

    loss(c, o) = -ln σ(u_o · v_c) - Σ_k ln σ(-u_k · v_c)            σ(x) = 1 / (1 + e^-x)

Its gradients are short enough to be written down. With g_o = σ(u_o · v_c) - 1 for the true word and
g_k = σ(u_k · v_c) for a false one,

    d loss / d v_c = Σ g_i u_i          d loss / d u_i = g_i v_c          i over o and all k

so a step pulls the two vectors of a true pair together and pushes those of false ones apart. Words
that are pulled the same ways end up close to each other.

Three habits of the source: a window of 1 to `window` words to each side, drawn anew for each
center; false words drawn by count^0.75; and words that are everywhere skipped now and then.

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
    """Everything that decides what a training run does."""

    seed: int = 1
    window: int = 5
    width: int = 48  # numbers in a vector
    epochs: int = 8  # times through the text
    false_words: int = 5  # for each true pair
    batch: int = 512  # pairs in a step
    rate: float = 0.05  # how far a step goes at first; falls in a line to a hundredth of it
    rarest: int = 5  # words that occur less often are left out
    keep: float = 1e-3  # words more frequent than this share of the text are thinned out


class Text(NamedTuple):
    """`words` by id, the most frequent first, and their `counts` [vocabulary]. `ids` [N] is the
    text without the rarest words, `lines` [N] in which line each of them stands."""

    words: tuple[str, ...]
    counts: Tensor
    ids: Tensor
    lines: Tensor


class Vectors(NamedTuple):
    """`center` and `other` [vocabulary, width]: v and u of every word."""

    center: Tensor
    other: Tensor


def words_of(line: str) -> list[str]:
    """The words of a line in small letters; no figures, no punctuation."""
    return _WORD.findall(line.lower())


def read_text(text: str, settings: Settings) -> Text:
    lines = [words_of(line) for line in text.splitlines()]
    counted = Counter(word for line in lines for word in line)
    kept = [word for word, count in counted.most_common() if count >= settings.rarest]
    id_of = {word: id_ for id_, word in enumerate(kept)}
    places = [
        (id_of[word], number) for number, line in enumerate(lines) for word in line if word in id_of
    ]
    ids, numbers = torch.tensor(places).unbind(dim=1)
    return Text(tuple(kept), torch.tensor([counted[word] for word in kept]), ids, numbers)


def first_vectors(text: Text, settings: Settings) -> Vectors:
    """Small random numbers for the centers, zeros for the others: nothing is known."""
    generator = torch.Generator().manual_seed(settings.seed)
    size = (len(text.words), settings.width)
    center = (torch.rand(size, generator=generator) - 0.5) / settings.width
    return Vectors(center, torch.zeros(size))


def pairs_of_epoch(text: Text, epoch: int, settings: Settings) -> Tensor:
    """The true pairs of one time through the text, shuffled: [pairs, 2], center and other."""
    generator = torch.Generator().manual_seed(1000 * settings.seed + epoch)
    share = text.counts[text.ids] / len(text.ids)  # [N]
    chance = (settings.keep / share).sqrt()
    stays = torch.rand(len(text.ids), generator=generator) < chance
    ids, lines = text.ids[stays], text.lines[stays]
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
    """How often each word is drawn as a false one: [vocabulary], by count^0.75."""
    weights = text.counts.double().pow(0.75)
    return weights / weights.sum()


def loss_of(vectors: Vectors, pairs: Tensor, false: Tensor) -> Tensor:
    """The loss of each pair [batch], in nats, for its own false words [batch, k]."""
    scores, signs = _scores(vectors, pairs, false)
    return -torch.nn.functional.logsigmoid(scores * signs).sum(dim=1)


def step(vectors: Vectors, pairs: Tensor, false: Tensor, rate: float) -> float:
    """Moves the vectors down the gradient of the sum of all pairs' losses: v -= rate dloss/dv, and
    u likewise. Returns the mean loss of a pair before the step, in nats."""
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
    """u · v of the true and the false words of each pair [batch, 1 + k], the true one first; and
    +1 for the true, -1 for the false."""
    others = torch.cat([pairs[:, 1:], false], dim=1)
    v, u = vectors.center[pairs[:, 0]], vectors.other[others]
    scores = torch.bmm(u, v[..., None])[..., 0]
    signs = -torch.ones_like(scores)
    signs[:, 0] = 1
    return scores, signs
