"""One training step with all of its intermediate results, from the text to the new weights.

    ids [B, T], targets [B, T] -> logits [B, T, 256] -> losses [B, T] -> gradients -> weights

The network is a small Transformer (`tutor.lm.network`) with a vocabulary of 256 bytes. The
optimizer is Adam without weight decay (`tutor.labs.one_step.adam`).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from msgspec.structs import replace
from torch import Tensor

from tutor.labs.one_step.adam import BETAS, RATE, adam_move
from tutor.labs.one_step.lab import Weights
from tutor.lm.network import Config, Transformer
from tutor.lm.training.train import Settings, initialize, make_optimizer

WINDOW = 16
"""The maximum length of a window, in bytes."""
CONFIG = Config(
    vocabulary_size=256,
    width=32,
    layers=2,
    heads=2,
    key_value_heads=2,
    head_size=16,
    hidden=64,
    context=WINDOW,
)


def windows_of(data: bytes) -> tuple[Tensor, Tensor]:
    """Split the bytes of a text into windows. Return the ids and the targets, both [B, T].

    The target of each position is the next byte. All windows have the same length, so the last
    window can overlap the one before. `data` must have at least two bytes.
    """
    length = min(WINDOW, len(data) - 1)  # T
    last = len(data) - 1 - length
    starts = [min(start, last) for start in range(0, len(data) - 1, length)]
    ids = torch.tensor(list(data))
    return (
        torch.stack([ids[start : start + length] for start in starts]),
        torch.stack([ids[start + 1 : start + length + 1] for start in starts]),
    )


class Step(NamedTuple):
    """The results of one training step.

    `losses` and `losses_after` are the losses [B, T] before and after the step, in nats.
    """

    logits: Tensor  # [B, T, 256]
    losses: Tensor
    weights: list[Weights]
    losses_after: Tensor


class SlowTraining:
    """A small network that is trained on one text, step by step.

    The seed is fixed, so all numbers depend only on the text.
    """

    def __init__(self, data: bytes) -> None:
        self.ids, self.targets = windows_of(data)
        self.network = Transformer(CONFIG)
        initialize(self.network, seed=1)
        self.optimizer = make_optimizer(
            self.network, Settings(weight_decay=0.0, momentum=BETAS, learning_rate=RATE)
        )
        for group in self.optimizer.param_groups:
            group["lr"] = RATE
        self.done = 0

    def step(self) -> Step:
        logits = self.network.logits(self.network(self.ids))
        losses = _losses(logits, self.targets)
        self.optimizer.zero_grad()
        losses.mean().backward()
        before = [self._largest(name, weight) for name, weight in self._weights()]
        self.optimizer.step()
        self.done += 1
        with torch.no_grad():
            after = _losses(self.network.logits(self.network(self.ids)), self.targets)
        moved = [
            replace(each, after=float(weight[each.place]))
            for each, (_, weight) in zip(before, self._weights(), strict=True)
        ]
        return Step(logits.detach(), losses.detach(), moved, after)

    def _weights(self) -> list[tuple[str, Tensor]]:
        return [(name, weight.detach()) for name, weight in self.network.named_parameters()]

    def _largest(self, name: str, weight: Tensor) -> Weights:
        parameter = self.network.get_parameter(name)
        gradient = parameter.grad
        assert gradient is not None
        flat = int(gradient.abs().argmax())
        # `torch.unravel_index` would import sympy, which takes a second.
        place = tuple(int(i) for i in np.unravel_index(flat, gradient.shape))
        memory = self.optimizer.state.get(parameter, {})
        mean, square = (
            float(memory[key][place]) if memory else 0.0 for key in ("exp_avg", "exp_avg_sq")
        )
        move = adam_move(
            float(weight[place]), float(gradient[place]), mean, square, self.done + 1, RATE
        )
        return Weights(name, tuple(weight.shape), float(gradient.norm()), place, *move, after=0.0)


def _losses(logits: Tensor, targets: Tensor) -> Tensor:
    """Return the loss at each position [B, T], which is -ln of the target's probability."""
    return F.cross_entropy(logits.flatten(0, 1), targets.flatten(), reduction="none").view(
        targets.shape
    )
