"""Run a forward pass over a text, a few blocks at a time.

A forward pass over a sentence can take most of a second. If it could not pause, other requests to
the engine would have to wait for it to end. Between two blocks, the residual stream is the complete
state of the pass, so the pass can pause there and continue later.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor

from tutor.lm.inspect.hooks import block_of
from tutor.lm.network import Trace, Transformer, masks_by_layer, rotations_by_layer


class ForwardPass:
    """A forward pass that can pause between blocks.

    `trace` contains the results of the blocks that have run. `changed` returns a context manager
    that is active while blocks run; it may replace parts of the network
    (`tutor.lm.inspect.interventions`). `positions` are the positions of the tokens, by default 0 to
    T - 1. They determine the rotations of queries and keys, or the learned vectors of the
    positions, but not which tokens the causal mask hides. `mask` [T, T] replaces the mask of every
    layer.
    """

    def __init__(
        self,
        network: Transformer,
        ids: Sequence[int],
        changed: Callable[[], AbstractContextManager[None]] = nullcontext,
        positions: Sequence[int] | None = None,
        mask: Tensor | None = None,
    ) -> None:
        self._network = network
        self._changed = changed
        with torch.inference_mode():
            tokens, config = len(ids), network.config
            positions = range(tokens) if positions is None else positions
            stream = network.embed(torch.tensor(ids), positions)
            self._rotations = rotations_by_layer(config, positions, stream.device)
            if mask is None:
                self._masks = masks_by_layer(config, tokens, tokens, stream.device)
            else:
                self._masks = [mask.to(stream.device)] * config.layers
        self.trace = Trace()
        self.trace.residuals.append(stream)

    @property
    def done(self) -> int:
        """Return the number of blocks that have run."""
        return len(self.trace.residuals) - 1

    @property
    def blocks(self) -> int:
        """Return the number of blocks in the network."""
        return self._network.config.layers

    @property
    def finished(self) -> bool:
        """Return True if all blocks have run."""
        return self.done == self.blocks

    @property
    def stream(self) -> Tensor:
        """Return the residual stream [T, width] after the last block that has run."""
        return self.trace.residuals[-1]

    def streams_at(self, tokens: int | Tensor) -> Tensor:
        """Return the residual stream at one or more tokens: [blocks run + 1, ..., width].

        `tokens` is an index, or a tensor of indices. The first vectors are embeddings, and the
        others are the stream after each block that has run. They are 32-bit floats on the CPU.
        """
        return torch.stack([x[tokens].float().cpu() for x in self.trace.residuals])

    def reuse(self, other: ForwardPass, layers: int) -> None:
        """Copy the results of the first `layers` blocks from a finished pass over the same text.

        Use this only if these blocks would compute the same results in this pass.
        """
        self.trace.residuals = other.trace.residuals[: layers + 1]
        self.trace.attention = other.trace.attention[:layers]

    @torch.inference_mode()
    def add(self, vector: Tensor) -> None:
        """Add a vector [width] to the residual stream after the last block that has run.

        The vector is added at every position. If no block has run yet, it is added to the
        embeddings.
        """
        self.trace.residuals[-1] = self.stream + vector.to(self.stream.device)

    @torch.inference_mode()
    def advance(self, seconds: float) -> None:
        """Run at least one block, then more until `seconds` have passed or all blocks have run."""
        until = time.perf_counter() + seconds
        with self._changed():
            while not self.finished:
                layer = self.done
                block, rotation = block_of(self._network, layer), self._rotations[layer]
                after = block(self.stream, rotation, self._masks[layer], None, self.trace)
                self.trace.residuals.append(after)
                if time.perf_counter() >= until:
                    return
