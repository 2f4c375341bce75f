"""Process the next token of one or several texts with one block, in few operations.

Generation processes one vector at a time. The arithmetic on one vector takes less than a
microsecond, but every operation costs several microseconds, because its code and data are no longer
in the processor's caches: the weights have pushed them out. So a `BlockStep` computes the same
results as the modules of a block with about half as many operations, most of which write to
existing buffers. `tutor.lm.network.Block` shows the same computation step by step.

A `BlockStep` supports only Llama blocks in which all matrices have 4 bits. Other blocks call their
modules one by one.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tutor.lm.fast.attention import QueriesKeysValues
from tutor.lm.fast.linear import GROUP, Int4Linear
from tutor.lm.fast.norm import FrozenNorm
from tutor.lm.network import Block, Config, FeedForward, LayerCache

# Looking these functions up in their modules would take a tenth of a millisecond per token.
mul, vector_norm = torch.mul, torch.linalg.vector_norm
multiply, attend, silu = torch._weight_int4pack_mm_for_cpu, F.scaled_dot_product_attention, F.silu


class Workspace:
    """Buffers for a pass over one token of each text. All blocks of a network share them.

    `rounded` [texts, width] and `joined` [texts, heads * head_size] contain bfloat16 numbers, which
    the 4-bit kernel requires. `by_text` contains three views for each text: its queries [1,
    key_value_heads, heads / key_value_heads, head_size], its keys and values [1, 2 key_value_heads,
    1, head_size], and its part of `joined` in the shape of the queries.
    """

    def __init__(self, config: Config, texts: int) -> None:
        rows = (config.heads + 2 * config.key_value_heads) * config.head_size
        with torch.inference_mode(False):  # training can then write to the buffers
            self.qkv = QueriesKeysValues.of(config, torch.empty(texts, rows))
            self.rounded = torch.empty(texts, config.width, dtype=torch.bfloat16)
            width = config.heads * config.head_size
            self.joined = torch.empty(texts, width, dtype=torch.bfloat16)
        shape = (1, config.key_value_heads, -1, config.head_size)
        self.by_text = [
            (
                self.qkv.queries[:, :, text : text + 1].view(shape),
                self.qkv.keys_values[:, :, text : text + 1],
                self.joined[text].view(shape),
            )
            for text in range(texts)
        ]


class Workspaces(dict[int, Workspace]):
    """The workspaces of a network, one for each number of texts, created on first use."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self._config = config

    def __missing__(self, texts: int) -> Workspace:
        self[texts] = Workspace(self._config, texts)
        return self[texts]


def modules_of(block: Block) -> tuple[nn.Module, ...]:
    """Return the modules of a block that a `BlockStep` computes itself."""
    attention, feed_forward = block.attention, block.feed_forward
    inside: tuple[nn.Module, ...] = ()
    if isinstance(feed_forward, FeedForward):
        inside = (feed_forward.gate_up, feed_forward.down)
    return (
        block.attention_norm,
        attention,
        attention.query_key_value,
        attention.output,
        block.feed_forward_norm,
        feed_forward,
        *inside,
    )


class BlockStep:
    """A callable that computes the output of a block for one token of each text.

    `modules` are the modules whose weights it uses. If one of them is replaced in the block, for
    example to record its output, the block must not use this `BlockStep`.
    """

    def __init__(self, block: Block, workspaces: Workspaces) -> None:
        self.modules = modules_of(block)
        self._workspaces = workspaces
        self._attention = (
            *_norm(block.attention_norm),
            *_matrix(block.attention.query_key_value),
            *_matrix(block.attention.output),
        )
        feed_forward = block.feed_forward
        assert isinstance(feed_forward, FeedForward)
        self._feed_forward = (
            *_norm(block.feed_forward_norm),
            *_matrix(feed_forward.gate_up),
            *_matrix(feed_forward.down),
        )

    def __call__(
        self,
        x: Tensor,
        rotation: Tensor,
        masks: Sequence[Tensor | None],
        caches: Sequence[LayerCache],
    ) -> Tensor:
        """Return the residual stream [texts, width] after the block.

        `x` [texts, width] is the stream before the block, and `rotation` [texts, head_size / 2]
        contains the rotation for each token's position. The keys and values of the tokens are added
        to the caches.
        """
        space = self._workspaces[len(x)]
        rounded, qkv = space.rounded, space.qkv
        gain, floor, first, first_scales, second, second_scales = self._attention
        mul(x / vector_norm(x, 2, -1, True).hypot_(floor), gain, out=rounded)
        qkv.product.copy_(multiply(rounded, first, GROUP, first_scales))
        qkv.pairs.mul_(rotation)
        for text, cache in enumerate(caches):
            queries, new, joined = space.by_text[text]
            cache.new.copy_(new)
            joined.copy_(attend(queries, cache.keys, cache.values, masks[text]))
        x = x + multiply(space.joined, second, GROUP, second_scales)

        gain, floor, first, first_scales, second, second_scales = self._feed_forward
        mul(x / vector_norm(x, 2, -1, True).hypot_(floor), gain, out=rounded)
        gate, up = multiply(rounded, first, GROUP, first_scales).view(len(x), 2, -1).unbind(1)
        return x + multiply(silu(gate).mul_(up), second, GROUP, second_scales)


def _norm(norm: nn.Module) -> tuple[Tensor, Tensor]:
    """Return the precomputed constants of a `FrozenNorm`: `gain` and `floor`."""
    assert isinstance(norm, FrozenNorm)
    return norm.gain, norm.floor


def _matrix(linear: nn.Module) -> tuple[Tensor, Tensor]:
    """Return the tensors of a 4-bit matrix: its packed integers and its scales."""
    assert isinstance(linear, Int4Linear)
    return linear.packed, linear.scales
