"""Record which experts the router of a mixture of experts chooses for each token."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

import torch
from torch import Tensor, nn

from tutor.lm.distribution import RoutedExpert
from tutor.lm.inspect.hooks import AddedOutput, OutputRecorder, Replacement, block_of, replaced
from tutor.lm.network import MixtureOfExperts, Transformer


class RouterScores:
    """The scores of all routers in one forward pass, with one tensor per block.

    `chosen` contains the scores of the experts [T, experts]. `shared` contains the scores of the
    shared expert [T, 1], and is empty if there is none. In a model without experts, both are empty.
    """

    def __init__(self) -> None:
        self.chosen: list[Tensor] = []
        self.shared: list[Tensor] = []


def mixture_of(network: Transformer, layer: int) -> MixtureOfExperts | None:
    """Return the mixture of experts of a block, or None if it has none."""
    module = cast("nn.Module", block_of(network, layer).feed_forward)
    while isinstance(module, AddedOutput):  # steering has wrapped the mixture
        module = module.module
    return module if isinstance(module, MixtureOfExperts) else None


@contextmanager
def recorded(network: Transformer, scores: RouterScores) -> Iterator[None]:
    """Record the scores of all routers in `scores` while the `with` block runs."""
    changes: list[Replacement] = []
    for layer in range(network.config.layers):
        mixture = mixture_of(network, layer)
        if mixture is not None:
            recorder = OutputRecorder(mixture.router, scores.chosen)
            changes.append((mixture, "router", recorder))
            if mixture.shared_router is not None:
                recorder = OutputRecorder(mixture.shared_router, scores.shared)
                changes.append((mixture, "shared_router", recorder))
    with replaced(changes):
        yield


@torch.inference_mode()
def routes(network: Transformer, scores: RouterScores) -> tuple[tuple[RoutedExpert, ...], ...]:
    """Return the experts that processed the last token, for each block.

    The experts that the router chose come first, the highest weight first. The shared expert, if
    there is one, comes last.
    """
    found = []
    for layer, of_block in enumerate(scores.chosen):
        mixture = mixture_of(network, layer)
        assert mixture is not None  # the layer has recorded scores
        chosen, weights = mixture.choose(of_block[-1])
        routed = [
            RoutedExpert(expert, weight)
            for expert, weight in zip(chosen.tolist(), weights.tolist(), strict=True)
        ]
        if scores.shared:
            routed.append(RoutedExpert(None, float(scores.shared[layer][-1].sigmoid())))
        found.append(tuple(routed))
    return tuple(found)
