"""A text on its way through the network, some blocks at a time.

A forward pass over a sentence can take the better part of a second, in which nothing else is
answered. Between two blocks all there is of it is the residual stream: so it can stop there, and
go on from there later.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor

from tutor.lm.inspect.hooks import block_of
from tutor.lm.network import Trace, Transformer, causal_mask, rotations


class Passage:
    """`trace` is what the forward pass has left behind so far. While blocks are passed, `changed`
    is entered: it may put other parts into the network (`tutor.lm.inspect.interventions`)."""

    def __init__(
        self,
        network: Transformer,
        ids: Sequence[int],
        changed: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> None:
        self._network = network
        self._changed = changed
        with torch.inference_mode():
            stream: Tensor = network.embedding(torch.tensor(ids))
            tokens = len(ids)
            self._rotation = rotations(network.config, 0, tokens).to(stream.device)
            self._mask = causal_mask(tokens, tokens, stream.device) if tokens > 1 else None
        self.trace = Trace()
        self.trace.residuals.append(stream)

    @property
    def done(self) -> int:
        """Blocks that are passed."""
        return len(self.trace.residuals) - 1

    @property
    def blocks(self) -> int:
        """Those there are."""
        return self._network.config.layers

    @property
    def through(self) -> bool:
        return self.done == self.blocks

    @property
    def stream(self) -> Tensor:
        """The residual stream [T, width] behind the last block that was passed."""
        return self.trace.residuals[-1]

    def begin_like(self, other: Passage, layers: int) -> None:
        """Take over what another passage of the same text, which is through, left behind in the
        first `layers` blocks: where nothing differs up to there, it is the same."""
        self.trace.residuals = other.trace.residuals[: layers + 1]
        self.trace.attention = other.trace.attention[:layers]

    @torch.inference_mode()
    def go_on(self, seconds: float) -> None:
        """Pass one block, and more of them until that time is over."""
        until = time.perf_counter() + seconds
        with self._changed():
            while not self.through:
                block = block_of(self._network, self.done)
                after = block(self.stream, self._rotation, self._mask, None, self.trace)
                self.trace.residuals.append(after)
                if time.perf_counter() >= until:
                    return
