"""Inspect single neurons of a feed-forward network, and switch them off.

The feed-forward network of a block computes one number for each of its hidden neurons, the
activation a = silu(gate(x)) * up(x), or gelu(up(x)) in models without a gate. Each neuron has a
vector of its own, its column of the matrix `down`. What the network adds to the residual stream is
the sum of these vectors, each multiplied by its neuron's activation (Geva et al. 2021 interpret the
two matrices as the keys and values of a memory).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

from tutor.lm.inspect.contributions import through_norm
from tutor.lm.inspect.hooks import InputRecorder, Replacement, block_of, replaced
from tutor.lm.inspect.interventions import InputMask
from tutor.lm.network import Transformer

_AT_ONCE = 1024
"""The number of neurons whose vectors are computed at once. A limit is needed to save memory."""


@contextmanager
def recorded(network: Transformer, activations: list[Tensor]) -> Iterator[None]:
    """Append the activations of all blocks that run in the `with` block to `activations`.

    Each block appends a tensor [T, hidden].
    """
    changes: list[Replacement] = []
    for layer in range(network.config.layers):
        feed_forward = block_of(network, layer).feed_forward
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
        kept = torch.ones(network.config.hidden)
        kept[off] = 0
        feed_forward = block_of(network, layer).feed_forward
        changes.append((feed_forward, "down", InputMask(feed_forward.down, kept)))
    with replaced(changes):
        yield


@torch.inference_mode()
def vectors(network: Transformer, layer: int, neurons: Tensor, activations: Tensor) -> Tensor:
    """Return the vectors that neurons [N] add to the residual stream: [N, width].

    Each vector is for an activation of 1. At other activations, it is multiplied by the activation.
    `activations` [hidden] are those of all neurons. They matter only in models that normalize the
    output of the feed-forward network: there, all neurons together determine what each one adds.
    """
    feed_forward = block_of(network, layer).feed_forward
    one_hot = torch.nn.functional.one_hot(neurons, network.config.hidden).float()
    added: Tensor = feed_forward.down(one_hot).float()
    if feed_forward.output_norm is not None:
        whole = feed_forward.down(activations[None].float())[0].float()
        if feed_forward.down_bias is not None:
            whole = feed_forward.down_bias(whole)
        added = through_norm(network, feed_forward.output_norm, whole, added)
    return added.cpu()


@torch.inference_mode()
def strongest(network: Transformer, layer: int, activations: Tensor, count: int) -> Tensor:
    """Return the indices of the neurons with the longest output vectors: [count].

    A neuron's output is its vector multiplied by its entry in `activations` [hidden].
    """
    everyone = torch.arange(network.config.hidden)
    found = (vectors(network, layer, some, activations) for some in everyone.split(_AT_ONCE))
    lengths = [each.norm(dim=-1) for each in found]
    added = activations.float().cpu().abs() * torch.cat(lengths)
    return added.topk(min(count, len(added))).indices
