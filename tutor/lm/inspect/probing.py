"""Train linear probes: classifiers that read a property of a text from the residual stream.

A probe is a logistic regression on the residual stream x at one position (Alain and Bengio 2016):

    probability = sigmoid(w . (x - mean) / scale + b)

A high accuracy on new texts shows that the property can be read from x. It does not show that the
network uses it (Belinkov 2022).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor, nn

from tutor.lm.inspect.forward_pass import ForwardPass
from tutor.lm.network import Transformer

PENALTY = 1.0
"""The weight of the penalty on long weight vectors."""

_STEPS = 50
_CLOSE = 1e-8
"""Training stops when a step changes no coefficient by more than this."""
_HALVINGS = 30
_SHORTEST = 1e-20
"""A lower bound for the squared length of a weight vector, which prevents a division by 0."""
_FLATTEST = 1e-12
"""A lower bound for the curvature of the loss in a Newton step."""


class ManyTexts(ForwardPass):
    """A forward pass over several texts at once.

    The texts are concatenated, but no token attends to another text. A pass over ten short texts
    takes little longer than a pass over one text, since reading the weights takes most of the time.
    """

    def __init__(self, network: Transformer, texts: Sequence[Sequence[int]]) -> None:
        lengths = torch.tensor([len(ids) for ids in texts])
        ids = [id_ for each in texts for id_ in each]
        positions = [at for each in texts for at in range(len(each))]
        text_of = torch.arange(len(texts)).repeat_interleave(lengths)
        mask = (text_of[:, None] == text_of).tril()  # [tokens, tokens]
        super().__init__(network, ids, positions=positions, mask=mask)
        self._last = lengths.cumsum(0) - 1

    def last_vectors(self) -> Tensor:
        """Return the residual stream at each text's last token: [layers + 1, texts, width]."""
        return self.streams_at(self._last)


def in_batches(lengths: Sequence[int], most: int) -> list[range]:
    """Group consecutive texts into batches of at most `most` tokens, as ranges of text indices.

    `lengths` are the lengths of the texts in tokens. A longer text forms a separate batch.
    """
    cuts, size = [0], 0
    for at, length in enumerate(lengths):
        if size and size + length > most:
            cuts.append(at)
            size = 0
        size += length
    return [range(a, b) for a, b in pairwise([*cuts, len(lengths)]) if a < b]


class Probes(NamedTuple):
    """Trained probes, one for each layer.

    `mean` is [layers, width], and `weight` [layers, width] includes the scaling of the inputs, so
    the score of a vector x is `weight . (x - mean) + bias`. A score of 0 or more means True.
    """

    mean: Tensor
    weight: Tensor
    bias: Tensor

    def direction(self, layer: int, x: Tensor, labels: Tensor) -> Tensor:
        """Return a layer's weight vector, scaled to the distance between two classes: [width].

        `x` [N, width] are examples with boolean labels [N]. Adding the result to the mean
        of the False examples gives a vector with the same score as the mean of the True examples.
        """
        weight = self.weight[layer]
        apart = x[labels].mean(dim=0) - x[~labels].mean(dim=0)
        return weight * (weight @ apart) / weight.square().sum().clamp_min(_SHORTEST)

    def scores(self, x: Tensor) -> Tensor:
        """Return the score of each vector in x [layers, N, width]: [layers, N]."""
        inputs = (x - self.mean[:, None]).double()
        return (inputs @ self.weight.double()[..., None])[..., 0] + self.bias.double()[:, None]


@torch.inference_mode()
def train(x: Tensor, labels: Tensor, penalty: float = PENALTY) -> Probes:
    """Train a probe for each layer on vectors x [layers, N, width] with boolean labels [N].

    The inputs are centered and divided by their root mean square, so that the penalty has the same
    effect at all layers. The probe minimizes

        mean over examples of  log(1 + exp(-y (w . x + b)))  +  penalty / 2 |w|^2,   y = 1 or -1.

    The best w is a combination of the examples, w = sum of a_n x_n. There are fewer examples than
    numbers in a vector, so Newton's method finds a and b quickly, from the examples' dot products.
    """
    x = x.double()
    mean = x.mean(dim=1)
    centered = x - mean[:, None]
    scale = centered.square().mean(dim=(1, 2)).sqrt().clamp_min(1e-12)[:, None]  # [layers, 1]
    inputs = centered / scale[..., None]
    sign = torch.where(labels, 1.0, -1.0).double()
    fit = _fit(inputs @ inputs.transpose(1, 2), sign, penalty)
    weight = (fit.a[:, None] @ inputs)[:, 0] / scale
    return Probes(mean.float(), weight.float(), fit.bias.float())


class _Fit(NamedTuple):
    """The coefficients a [layers, N] of the examples and the biases [layers] of probes."""

    a: Tensor
    bias: Tensor


def _fit(products: Tensor, sign: Tensor, penalty: float) -> _Fit:
    """Return the probes that minimize the loss, by Newton's method.

    `products` [layers, N, N] are the dot products of the examples. Each step solves

        S K S c + penalty c + S b = S z   and   sum of S c = 0

    for c and the bias b, where K are the products, S^2 is the curvature of the loss at each
    example's score, and z is the score that the Newton step aims for. The coefficients of the
    examples are then a = S c. At layers where the full step would raise the loss, the step is
    halved until it does not.
    """
    layers, count, _ = products.shape
    fit = _Fit(torch.zeros(layers, count).double(), torch.zeros(layers).double())
    identity = torch.eye(count).double()
    for _step in range(_STEPS):
        scores = _scores(products, fit)
        probability = scores.sigmoid()  # [layers, N]
        curvature = (probability * (1 - probability) / count).clamp_min(_FLATTEST)
        aim = scores - (probability - (sign + 1) / 2) / count / curvature
        root = curvature.sqrt()
        matrix = torch.zeros(layers, count + 1, count + 1).double()
        matrix[:, :-1, :-1] = root[:, :, None] * products * root[:, None] + penalty * identity
        matrix[:, :-1, -1] = matrix[:, -1, :-1] = root
        solved = torch.linalg.solve(matrix, nn.functional.pad(root * aim, (0, 1)))
        step = _Fit(root * solved[:, :-1] - fit.a, solved[:, -1] - fit.bias)
        fit = _stepped(products, sign, penalty, fit, step)
        if float(step.a.abs().max()) < _CLOSE:
            break
    return fit


def _stepped(products: Tensor, sign: Tensor, penalty: float, fit: _Fit, step: _Fit) -> _Fit:
    """Return `fit` plus the step, halved at each layer until it does not raise the loss."""
    before = _loss(products, sign, penalty, fit) + _CLOSE
    size = torch.ones_like(fit.bias)
    for _halving in range(_HALVINGS):
        new = _Fit(fit.a + size[:, None] * step.a, fit.bias + size * step.bias)
        worse = _loss(products, sign, penalty, new) > before
        if not worse.any():
            break
        size = torch.where(worse, size / 2, size)
    return new


def _scores(products: Tensor, fit: _Fit) -> Tensor:
    """Return the score of each example: [layers, N]."""
    return (products @ fit.a[..., None])[..., 0] + fit.bias[:, None]


def _loss(products: Tensor, sign: Tensor, penalty: float, fit: _Fit) -> Tensor:
    """Return the loss that `train` minimizes: [layers]."""
    scores = _scores(products, fit)
    length = (fit.a * (scores - fit.bias[:, None])).sum(dim=1)  # the square of the length of w
    return nn.functional.softplus(-sign * scores).mean(dim=1) + penalty / 2 * length
