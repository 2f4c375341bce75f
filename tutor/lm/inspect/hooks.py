"""Temporarily replace modules of a network with modules that record or change their data.

The network in `tutor.lm.network` contains no code for inspection. To observe or change the data
that passes between two of its modules, replace one of them with your own module, and put the
original module back afterwards.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import cast

from torch import Tensor, nn

from tutor.lm.network import Block, FeedForward, MixtureOfExperts, Transformer

Replacement = tuple[nn.Module, str, nn.Module]
"""A parent module, the name of one of its child modules, and the module that replaces the child."""


def block_of(network: Transformer, layer: int) -> Block:
    """Return block number `layer` of the network, cast to the type `Block`."""
    block = network.blocks[layer]
    assert isinstance(block, Block)
    return block


def feed_forwards_of(network: Transformer, layer: int) -> list[FeedForward]:
    """Return the feed-forward networks of a block.

    A block has one feed-forward network or a mixture of experts. For a mixture, the result contains
    all experts, followed by the shared expert if there is one.
    """
    whole = block_of(network, layer).feed_forward
    if not isinstance(whole, MixtureOfExperts):
        return [whole]
    experts = [cast("FeedForward", expert) for expert in whole.experts]
    return experts if whole.shared is None else [*experts, whole.shared]


@contextmanager
def replaced(replacements: Sequence[Replacement]) -> Iterator[None]:
    """Replace modules of a network in the `with` block, and restore them afterwards.

    The modules are restored even after an error.

    No other code may use the network at the same time. The engine ensures this by handling one
    request at a time.
    """
    before = [
        (parent, name, getattr(parent, name), name in vars(parent))
        for parent, name, _ in replacements
    ]
    try:
        for parent, name, module in replacements:
            setattr(parent, name, module)
        yield
    finally:
        for parent, name, module, plain in reversed(before):
            setattr(parent, name, module)
            if plain:  # fast networks also store modules as plain attributes
                vars(parent)[name] = module


class InputRecorder(nn.Module):
    """A wrapper around a module that appends the module's inputs [..., inputs] to `recorded`."""

    def __init__(self, module: nn.Module, recorded: list[Tensor]) -> None:
        super().__init__()
        self.module, self.recorded = module, recorded

    def forward(self, x: Tensor) -> Tensor:
        self.recorded.append(x)
        output: Tensor = self.module(x)
        return output


class OutputRecorder(nn.Module):
    """A wrapper around a module that appends the module's outputs [..., outputs] to `recorded`."""

    def __init__(self, module: nn.Module, recorded: list[Tensor]) -> None:
        super().__init__()
        self.module, self.recorded = module, recorded

    def forward(self, *inputs: object) -> Tensor:
        output: Tensor = self.module(*inputs)
        self.recorded.append(output)
        return output


class AddedOutput(nn.Module):
    """A wrapper around a module that adds `vector` [width] to the module's output [..., width]."""

    def __init__(self, module: nn.Module, vector: Tensor) -> None:
        super().__init__()
        self.module, self.vector = module, vector

    def forward(self, x: Tensor) -> Tensor:
        output: Tensor = self.module(x)
        return output + self.vector.to(output.device)
