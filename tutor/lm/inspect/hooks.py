"""Replace modules of a network for a while.

The network stays as it is written in `tutor.lm.network`: to see or to change what passes between
two of its modules, put one of your own in between, and take it out again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from torch import Tensor, nn

from tutor.lm.network import Block, Transformer

Replacement = tuple[nn.Module, str, nn.Module]
"""A parent module, the name of a module in it, and the one that takes its place."""


def block_of(network: Transformer, layer: int) -> Block:
    """Return a block of the network, typed as a block."""
    block = network.blocks[layer]
    assert isinstance(block, Block)
    return block


@contextmanager
def replaced(replacements: Sequence[Replacement]) -> Iterator[None]:
    """Put these modules into the network for a while; on exit it is restored, even after an error.

    Nothing else may use the network meanwhile: the engine does one thing at a time.
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
            if plain:  # in a fast network, modules are plain attributes too
                vars(parent)[name] = module


class InputRecorder(nn.Module):
    """A module that also keeps its last input, `recorded` [..., inputs]."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module
        self.recorded: Tensor | None = None

    def forward(self, x: Tensor) -> Tensor:
        self.recorded = x
        answer: Tensor = self.module(x)
        return answer
