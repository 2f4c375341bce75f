"""Replace an activation of one run with the activation of another run (activation patching).

Two texts with the same number of tokens are processed: text A and text B. The run on A is then
repeated, but at one layer and position, its activation is replaced with the activation from the run
on B. If the prediction is now the same as for B, this activation carries the difference between the
texts.

The method is also called causal tracing or interchange intervention (Vig et al. 2020, Meng et al.
2022; Heimersheim & Nanda 2024 explain how to read its results).

A patch at a position changes neither earlier positions nor, at its own layer and below, any other
position. So a patched run only processes the later blocks, and only from the patched position on.
The keys and values of earlier positions come from the run on A. Many patched runs share one pass:
each run joins the batch after the block that it patches, and the pass uses every weight matrix once
for the whole batch.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from tutor.lm.fast.attention import fused_attend
from tutor.lm.fast.linear import FEW_VECTORS_4_BIT
from tutor.lm.inspect.hooks import block_of
from tutor.lm.network import (
    Block,
    Config,
    KeyValueCache,
    Transformer,
    masks_by_layer,
    rotate,
    rotations_by_layer,
)
from tutor.lm.patch import Column, Patched

_ENOUGH = FEW_VECTORS_4_BIT + 1
"""The minimum number of vectors in a matrix multiplication. Some kernels round their input to 16
bits if it has fewer vectors. With this minimum, the results of all runs can be compared."""

_LOGITS_AT_ONCE = 64
"""The number of runs whose logits are computed at once, to limit memory use."""


class Activations(NamedTuple):
    """The activations of all blocks at all positions of a text.

    `residual` is the residual stream after each block, and `attention` and `feed_forward` are what
    each block adds to it: [layers, T, width]. `heads` are the concatenated outputs of the heads
    before the output matrix: [layers, T, heads * head_size].
    """

    residual: Tensor
    attention: Tensor
    feed_forward: Tensor
    heads: Tensor

    def zeros(self) -> Activations:
        """Return activations of the same shape that are all 0."""
        return Activations(*map(torch.zeros_like, self))


class _Group:
    """Runs that process the same positions, from `first` to `end` - 1."""

    def __init__(self, config: Config, first: int, end: int, device: torch.device) -> None:
        self.tokens = end - first
        self._rotations = rotations_by_layer(config, range(first, end), device)
        self._masks = masks_by_layer(config, self.tokens, end, device)
        self._score_cap = config.score_cap

    def attend(
        self, layer: int, parts: Sequence[Tensor], before: tuple[Tensor, Tensor] | None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return the outputs of the heads [runs * T, heads * head_size], the keys and the values.

        `parts` are the queries, keys and values of all runs: [heads, runs * T, head_size] each.
        `before` are the keys and values of earlier positions, which all runs share: [1,
        key_value_heads, earlier, head_size] each. The returned keys and values belong to the new
        positions: [runs, key_value_heads, T, head_size] each.
        """
        q, k, v = (part.unflatten(1, (-1, self.tokens)).transpose(0, 1) for part in parts)
        if (rotation := self._rotations[layer]) is not None:
            q, k = rotate(q, rotation), rotate(k, rotation)
        keys, values = k, v
        if before is not None:
            keys, values = (
                torch.cat([earlier.expand(len(new), -1, -1, -1), new], dim=-2)
                for earlier, new in zip(before, (k, v), strict=True)
            )
        # [runs, T, heads * head_size]
        heads = fused_attend(q, keys, values, self._masks[layer], self._score_cap)
        return heads.flatten(0, 1), k, v


class _Step(NamedTuple):
    """The results of one block for several texts or runs, N vectors in total.

    `residual`, `attention` and `feed_forward` are [N, width], and `heads` [N, heads * head_size].
    `keys` and `values` contain a tensor [runs, key_value_heads, T, head_size] for each group.
    """

    residual: Tensor
    attention: Tensor
    feed_forward: Tensor
    heads: Tensor
    keys: tuple[Tensor, ...]
    values: tuple[Tensor, ...]


def _step(
    network: Transformer,
    layer: int,
    x: Tensor,
    groups: Sequence[_Group],
    runs: Sequence[int],
    before: Sequence[tuple[Tensor, Tensor] | None],
) -> _Step:
    """Run a block on the residual stream `x` [N, width] of several groups of runs.

    `runs` is the number of runs in each group.
    """
    block, count = block_of(network, layer), len(x)
    x = _padded(x)
    projected = block.attention.project(block.attention_norm(x))
    sizes = [group.tokens * number for group, number in zip(groups, runs, strict=True)]
    pieces = zip(*(part[:, :count].split(sizes, dim=1) for part in projected), strict=True)
    attended = [
        group.attend(layer, parts, earlier)
        for group, parts, earlier in zip(groups, pieces, before, strict=True)
    ]
    heads = torch.cat([each[0] for each in attended])
    attention = block.attention.combine(_padded(heads)).float()
    feed_forward = _fed(block, x, attention).float()
    residual = x + attention + feed_forward
    keys, values = (tuple(each[at] for each in attended) for at in (1, 2))
    return _Step(residual[:count], attention[:count], feed_forward[:count], heads, keys, values)


def _fed(block: Block, x: Tensor, attention: Tensor) -> Tensor:
    """Return the feed-forward network's output [N, width].

    `x` is the residual stream before the block, and `attention` what attention adds to it.
    """
    fed: Tensor = block.feed_forward(
        block.feed_forward_norm(x if block.parallel else x + attention)
    )
    return fed


def _padded(vectors: Tensor) -> Tensor:
    """Append vectors of zeros to `vectors` [N, width] if there are fewer than `_ENOUGH`."""
    missing = max(0, _ENOUGH - len(vectors))
    return F.pad(vectors, (0, 0, 0, missing)) if missing else vectors


class Recording:
    """A run on several texts with the same number of tokens, which can pause between blocks.

    `PatchedRuns` patches the first text.
    """

    def __init__(self, network: Transformer, texts: Sequence[Sequence[int]]) -> None:
        self.network = network
        self.texts, self.tokens = len(texts), len(texts[0])
        with torch.inference_mode():
            embedding = network.embed(torch.tensor(texts), range(self.tokens)).float()
            self.embedding = embedding.flatten(0, 1)  # [texts * T, width]
        self._group = _Group(network.config, 0, self.tokens, embedding.device)
        self.steps: list[_Step] = []

    @property
    def blocks(self) -> int:
        """Return the number of blocks in the network."""
        return self.network.config.layers

    @property
    def done(self) -> int:
        """Return the number of blocks that have run."""
        return len(self.steps)

    @property
    def finished(self) -> bool:
        """Return True if all blocks have run."""
        return self.done == self.blocks

    @torch.inference_mode()
    def advance(self, seconds: float) -> None:
        """Run at least one block, then more until `seconds` have passed or all blocks have run."""
        until = time.perf_counter() + seconds
        while not self.finished:
            layer, x = self.done, self.before(self.done)
            step = _step(self.network, layer, x, [self._group], [self.texts], [None])
            self.steps.append(step)
            if time.perf_counter() >= until:
                return

    def before(self, layer: int) -> Tensor:
        """Return the residual stream before a block: [texts * T, width]."""
        return self.steps[layer - 1].residual if layer else self.embedding

    @torch.inference_mode()
    def logits(self, text: int) -> Tensor:
        """Return the logits of the next token after a text: [vocabulary]."""
        last = (text + 1) * self.tokens - 1
        return _logits(self.network, self.steps[-1].residual[last : last + 1])[0]

    @torch.inference_mode()
    def cache(self, room: int) -> KeyValueCache:
        """Return the key-value cache after the first text, with room for more tokens."""
        cache = KeyValueCache(self.network.config, self.tokens + room, self.embedding.device)
        for step, views in zip(self.steps, cache.layers(self.tokens), strict=True):
            views.append(step.keys[0][0], step.values[0][0])
        cache.length = self.tokens
        return cache

    @torch.inference_mode()
    def activations(self, text: int) -> Activations:
        """Return the activations of one text."""
        return Activations(*(part[:, text] for part in self._stacked()))

    @torch.inference_mode()
    def mean(self, tokens: int) -> Activations:
        """Return the mean activations of each block, repeated for `tokens` positions.

        The mean is over all texts and positions except the first position of each text, whose
        activations are unusually large in many models (Xiao et al. 2023).
        """
        means = (part[:, :, 1:].mean(dim=(1, 2)) for part in self._stacked())
        return Activations(*(mean[:, None].expand(-1, tokens, -1) for mean in means))

    def _stacked(self) -> tuple[Tensor, ...]:
        """Return the parts of `Activations` for all texts: [layers, texts, T, ...] each."""
        return tuple(
            torch.stack([getattr(step, name) for step in self.steps]).unflatten(
                1, (self.texts, self.tokens)
            )
            for name in Activations._fields
        )


def _logits(network: Transformer, streams: Tensor) -> Tensor:
    """Return the logits for residual streams after the last block [N, width]: [N, vocabulary]."""
    return network.lens(_padded(streams))[: len(streams)].float().cpu()


class PatchedRuns:
    """Runs on the first text of a recording, each with a different patch.

    Each column describes a patch, and there is one run for each column and each layer. All runs
    share one pass, which can pause between blocks. The results compare two answers, given as
    token ids. If `layer` is given, `columns` must contain a single column, and there is only one
    run, which is patched at this layer.
    """

    def __init__(
        self,
        base: Recording,
        replacement: Activations,
        columns: Sequence[Column],
        answers: tuple[int, int],
        layer: int | None = None,
    ) -> None:
        config, device = base.network.config, base.embedding.device
        self._base, self._replacement, self._answers = base, replacement, answers
        self._columns = columns
        self._layers = range(config.layers) if layer is None else range(layer, layer + 1)
        self._groups = [_Group(config, each.position, base.tokens, device) for each in columns]
        with torch.inference_mode():
            self._streams = [
                torch.zeros(len(self._layers), group.tokens, config.width, device=device)
                for group in self._groups
            ]
        self._started = 0
        self._steps: list[_Step] = []
        self._first = self.done = self._layers[0]
        self._results: list[Patched] = []

    @property
    def blocks(self) -> int:
        """Return the number of steps: one for each block, then some for the output layer."""
        return self._base.blocks - (-len(self._columns) * len(self._layers) // _LOGITS_AT_ONCE)

    @property
    def finished(self) -> bool:
        """Return True if all runs have ended, and `results` can be used."""
        return self.done == self.blocks

    @property
    def results(self) -> tuple[tuple[Patched, ...], ...]:
        """Return the results of each column's runs, in the order of the layers."""
        size = len(self._layers)
        starts = range(0, len(self._results), size)
        return tuple(tuple(self._results[start : start + size]) for start in starts)

    @torch.inference_mode()
    def advance(self, seconds: float) -> None:
        """Run at least one block, then more until `seconds` have passed or all steps are done."""
        until = time.perf_counter() + seconds
        while not self.finished:
            if self.done < self._base.blocks:
                self._run(self.done)
            else:
                self._predict()
            self.done += 1
            if time.perf_counter() >= until:
                return

    def _run(self, layer: int) -> None:
        """Run a block for the runs patched earlier, and start the runs patched at this layer."""
        if count := self._started:
            live = [streams[:count] for streams in self._streams]
            x = torch.cat([each.flatten(0, 1) for each in live])
            before = [self._before(layer, column) for column in self._columns]
            runs = [count] * len(live)
            step = _step(self._base.network, layer, x, self._groups, runs, before)
            sizes = [count * group.tokens for group in self._groups]
            for streams, new in zip(live, step.residual.split(sizes), strict=True):
                streams.copy_(new.view_as(streams))
            if len(self._layers) == 1:
                self._steps.append(step)
        if layer in self._layers:
            tokens = self._base.tokens
            residual = self._base.steps[layer].residual
            for column, streams in zip(self._columns, self._streams, strict=True):
                streams[count] = residual[column.position : tokens]
            for streams, vector in zip(self._streams, self._patched(layer), strict=True):
                streams[count, 0] = vector
            self._started += 1

    def _before(self, layer: int, column: Column) -> tuple[Tensor, Tensor]:
        """Return the keys and values of the positions before a patch."""
        base, end = self._base.steps[layer], column.position
        return base.keys[0][:1, :, :end], base.values[0][:1, :, :end]

    def _patched(self, layer: int) -> Tensor:
        """Return the residual stream after a block at each patched position: [columns, width]."""
        component = self._columns[0].component
        at = [column.position for column in self._columns]
        new, base = self._replacement, self._base.steps[layer]
        before = self._base.before(layer)[at]
        block = block_of(self._base.network, layer)
        match component:
            case "residual":
                return new.residual[layer, at]
            case "feed-forward":
                return before + base.attention[at] + new.feed_forward[layer, at]
            case "attention":
                attention = new.attention[layer, at]
            case "head":
                size = self._base.network.config.head_size
                heads = base.heads[at]
                for row, column in zip(heads, self._columns, strict=True):
                    part = slice(column.head * size, (column.head + 1) * size)
                    row[part] = new.heads[layer, column.position, part]
                attention = block.attention.combine(_padded(heads))[: len(at)]
        x, attention = _padded(before), _padded(attention)
        return (x + attention + _fed(block, x, attention))[: len(at)]

    def _predict(self) -> None:
        """Compute the predictions of the next `_LOGITS_AT_ONCE` runs."""
        last = torch.cat([streams[:, -1] for streams in self._streams])
        count = len(self._results)
        logits = _logits(self._base.network, last[count : count + _LOGITS_AT_ONCE])
        self._results += outcomes(logits, *self._answers)

    @torch.inference_mode()
    def logits(self) -> Tensor:
        """Return the logits of the next token for the runs of the first column: [runs, V]."""
        return _logits(self._base.network, self._streams[0][:, -1])

    @torch.inference_mode()
    def cache(self, room: int) -> KeyValueCache:
        """Return the key-value cache after a single run, with room for more tokens.

        Up to the patched layer, and before the patched position, the keys and values are the same
        as in the unpatched run.
        """
        cache = self._base.cache(room)
        tokens, position = cache.length, self._columns[0].position
        cache.truncate(position)
        above = cache.layers(tokens - position)[self._first + 1 :]
        for views, step in zip(above, self._steps, strict=True):
            views.append(step.keys[0][0], step.values[0][0])
        cache.length = tokens
        return cache


def outcomes(logits: Tensor, first: int, second: int) -> tuple[Patched, ...]:
    """Return the predictions of N runs for two answers, given the logits [N, vocabulary].

    `first` and `second` are the token ids of the answers.
    """
    difference = logits[:, first] - logits[:, second]
    probabilities = logits[:, [first, second]] - logits.logsumexp(dim=-1, keepdim=True)
    rows = zip(difference.tolist(), *probabilities.exp().T.tolist(), strict=True)
    return tuple(Patched(*row) for row in rows)
