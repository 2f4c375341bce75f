"""Inspect single neurons of a feed-forward network, and switch them off.

The feed-forward network of a block computes one number for each of its hidden neurons, the
activation a = silu(gate(x)) * up(x), or gelu(up(x)) in models without a gate. Each neuron also has
a vector, its column of the matrix `down`. The network multiplies each vector by its neuron's
activation, and adds the sum to the residual stream (Geva et al. 2021 interpret the two matrices as
the keys and values of a memory).

A mixture of experts works like one wide network that consists of all experts, most of which the
router switches off. Its neurons are the neurons of the first expert, then those of the second, and
so on. The neurons of the shared expert come last. A neuron's activation is multiplied by the weight
of its expert, so it is 0 if the expert was not chosen.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from tutor.lm.inspect.contributions import through_norm
from tutor.lm.inspect.hooks import (
    InputRecorder,
    Replacement,
    block_of,
    feed_forwards_of,
    replaced,
)
from tutor.lm.inspect.interventions import InputMask
from tutor.lm.network import Config, FeedForward, MixtureOfExperts, Transformer

_AT_ONCE = 1024
"""The number of neurons whose vectors are computed at once, to limit memory use."""


def count(config: Config) -> int:
    """Return the number of neurons in a block."""
    return sum(_sizes(config))


def _sizes(config: Config) -> list[int]:
    """Return the number of neurons in each feed-forward network of a block."""
    if not config.experts:
        return [config.hidden]
    shared = [config.shared_hidden] if config.shared_hidden else []
    return [config.hidden] * config.experts + shared


class MixtureRecorder(nn.Module):
    """A wrapper that appends the activations of a mixture's neurons [T, neurons] to `recorded`."""

    def __init__(self, mixture: MixtureOfExperts, config: Config, recorded: list[Tensor]) -> None:
        super().__init__()
        self.mixture, self.config, self.recorded = mixture, config, recorded

    def forward(self, x: Tensor) -> Tensor:
        output: Tensor = self.mixture(x)
        mixture, hidden = self.mixture, self.config.hidden
        activations = x.new_zeros(len(x), count(self.config))
        chosen, weights = mixture.choose(mixture.router(x))  # [T, used] each
        for expert in chosen.unique().tolist():
            here = chosen == expert
            tokens = here.any(dim=-1)
            own = _activations(mixture.experts[expert], x[tokens])
            start = expert * hidden
            activations[tokens, start : start + hidden] = weights[here][:, None] * own
        if mixture.shared is not None and mixture.shared_router is not None:
            weight = torch.sigmoid(mixture.shared_router(x))
            start = self.config.experts * hidden
            activations[:, start:] = weight * _activations(mixture.shared, x)
        self.recorded.append(activations)
        return output


def _activations(feed_forward: nn.Module, x: Tensor) -> Tensor:
    assert isinstance(feed_forward, FeedForward)
    gate, up = feed_forward.project(x)
    return (feed_forward.activation(gate) * up).float()


@contextmanager
def recorded(network: Transformer, activations: list[Tensor]) -> Iterator[None]:
    """Record the activations of all neurons in `activations` while the `with` block runs.

    Each block of the network appends a tensor [T, neurons].
    """
    changes: list[Replacement] = []
    for layer in range(network.config.layers):
        block = block_of(network, layer)
        feed_forward = block.feed_forward
        if isinstance(feed_forward, MixtureOfExperts):
            recorder = MixtureRecorder(feed_forward, network.config, activations)
            changes.append((block, "feed_forward", recorder))
        else:
            changes.append((feed_forward, "down", InputRecorder(feed_forward.down, activations)))
    with replaced(changes):
        yield


@contextmanager
def switched_off(network: Transformer, neurons: Iterable[tuple[int, int]]) -> Iterator[None]:
    """Set the activations of some neurons to 0 in the `with` block.

    `neurons` contains pairs (layer, neuron).
    """
    by_layer: dict[int, list[int]] = {}
    for layer, neuron in neurons:
        by_layer.setdefault(layer, []).append(neuron)
    changes: list[Replacement] = []
    for layer, off in by_layer.items():
        kept = torch.ones(count(network.config))
        kept[off] = 0
        own = kept.split(_sizes(network.config))
        for feed_forward, mask in zip(feed_forwards_of(network, layer), own, strict=True):
            if not mask.all():
                changes.append((feed_forward, "down", InputMask(feed_forward.down, mask)))
    with replaced(changes):
        yield


@torch.inference_mode()
def vectors(network: Transformer, layer: int, neurons: Tensor, activations: Tensor) -> Tensor:
    """Return the vectors [N, width] that the given `neurons` [N] add to the residual stream.

    The vectors are for an activation of 1: multiply a vector by the neuron's activation to get what
    the neuron adds. `activations` [neurons] are the activations of all neurons in the layer. They
    are needed only in models that normalize the output of the feed-forward network, because the
    normalization depends on all neurons.
    """
    config = network.config
    found = torch.zeros(len(neurons), config.width)
    start = 0
    for feed_forward, size in zip(feed_forwards_of(network, layer), _sizes(config), strict=True):
        own = (neurons >= start) & (neurons < start + size)
        if own.any():
            one_hot = torch.nn.functional.one_hot(neurons[own] - start, size).float()
            added = feed_forward.down(one_hot).float()
            if feed_forward.output_norm is not None:
                whole = feed_forward.down(activations[None].float())[0].float()
                if feed_forward.down_bias is not None:
                    whole = feed_forward.down_bias(whole)
                added = through_norm(network, feed_forward.output_norm, whole, added)
            found[own] = added.cpu()
        start += size
    return found


@torch.inference_mode()
def strongest(network: Transformer, layer: int, activations: Tensor, most: int) -> Tensor:
    """Return the indices of the neurons with the longest output vectors: at most `most`.

    A neuron's output is its vector multiplied by its entry in `activations` [neurons].
    """
    active = activations.float().cpu().nonzero()[:, 0]  # in a mixture, few are active
    found = [vectors(network, layer, some, activations) for some in active.split(_AT_ONCE)]
    added = activations.float().cpu()[active].abs() * torch.cat(found).norm(dim=-1)
    return active[added.topk(min(most, len(added))).indices]
