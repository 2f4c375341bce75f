"""Other parts in the place of a network's own, for a while.

The network stays as it is written in `tutor.lm.network`: whoever wants to see or to change what
passes between two of its parts puts a part of their own in between, and takes it out again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from torch import Tensor, nn

from tutor.lm.network import Block, Transformer

Replacement = tuple[nn.Module, str, nn.Module]
"""Where, the name of the part there, and what takes its place."""


def block_of(network: Transformer, layer: int) -> Block:
    """A block, with the type that it has."""
    block = network.blocks[layer]
    assert isinstance(block, Block)
    return block


@contextmanager
def replaced(replacements: Sequence[Replacement]) -> Iterator[None]:
    """The network with these parts in it; afterwards it is what it was, whatever happened.

    Nothing else may use the network meanwhile: the engine does one thing at a time.
    """
    before = [
        (where, name, getattr(where, name), name in vars(where)) for where, name, _ in replacements
    ]
    try:
        for where, name, part in replacements:
            setattr(where, name, part)
        yield
    finally:
        for where, name, part, plain in reversed(before):
            setattr(where, name, part)
            if (
                plain
            ):  # a finished model has its parts as plain attributes too (`tutor.lm.fast.network`)
                vars(where)[name] = part


class Listening(nn.Module):
    """Keeps what goes into a part: `heard` [..., inputs] is the last of it."""

    def __init__(self, part: nn.Module) -> None:
        super().__init__()
        self.part = part
        self.heard: Tensor | None = None

    def forward(self, x: Tensor) -> Tensor:
        self.heard = x
        answer: Tensor = self.part(x)
        return answer
