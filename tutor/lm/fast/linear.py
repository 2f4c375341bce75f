"""y = W x from fewer bits: what stands in place of `nn.Linear` when a finished model runs.

Producing one token multiplies every weight once, so reading the weights from memory is most of
the work, and a weight of 4 bits is read eight times as fast as one of 32. Model files come with
such weights: 32 neighbours of a row are small integers q that share a scale (and a zero point),

    W[n, k] = scale[n, k // 32] * q[n, k] + zero[n, k // 32]

Each class here keeps one such form and computes with PyTorch's own kernels. All take vectors
[..., inputs] of 32-bit floats and return [..., outputs], of 32-bit floats too or, where the kernel
has rounded to it anyway, bfloat16 (added to 32-bit floats, it becomes such). A `Table` hands out
single rows of W too, for an embedding. None can be trained.

    FloatLinear   32 bits      exact
    HalfLinear    16 bits      vectors are rounded to 16 bits too where few are multiplied
    Int8Linear     8 bits      exact: the file's integers, 32-bit arithmetic
    Int4Linear     4 bits      the file's integers, scales and vectors rounded to bfloat16

Which of them a matrix gets follows from what its file holds and from which kernels this machine
has (`tutor.lm.fast.kernels`). No weight is ever rounded to fewer bits than it came with, except
32-bit scales to 16.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import lru_cache

import msgspec
import torch
import torch.nn.functional as F
from torch import Tensor

from tutor.lm.fast.module import FastModule

GROUP = 32  # neighbours that share a scale, in every GGUF format that is used as it is

# Up to so many vectors Int4Linear multiplies the packed weights; more share one unpacking.
FEW_VECTORS = 16

# An unpacked piece of a large matrix (the vocabulary) has at most so many numbers.
PIECE = 4 * 1024 * 1024


class Groups(msgspec.Struct, frozen=True):
    """A matrix [N, K] as its file holds it: value = scale * quant + zero.

    `quants` [N, K] are integers (0 to 15 where `bits` is 4, -128 to 127 where it is 8), `scales`
    and `zeros` [N, K / 32] 32-bit floats.
    """

    bits: int
    quants: Tensor
    scales: Tensor
    zeros: Tensor


class FrozenLinear(FastModule):
    """What the four kinds have in common. `form` is the name of the kind.

    The tensors are plain attributes, neither parameters nor buffers: nothing is ever done to
    them, and PyTorch finds them faster so (that is 0.2 ms of a token).
    """

    form: str
    inputs: int
    outputs: int

    @property
    def nbytes(self) -> int:
        """Memory that the weights take."""
        return sum(value.nbytes for value in vars(self).values() if isinstance(value, Tensor))


class Table(FrozenLinear):
    """One whose rows can be had singly, which packed int4 has no way to give. Ids may come from
    the CPU; the rows are on the device of the table."""

    @property
    def device(self) -> torch.device:
        return next(value.device for value in vars(self).values() if isinstance(value, Tensor))

    def rows(self, ids: Tensor) -> Tensor:
        """Rows `ids` [...] of W: [..., inputs]."""
        raise NotImplementedError


class FloatLinear(Table):
    """`weight` [N, K], 32-bit."""

    form = "fp32"

    def __init__(self, weight: Tensor) -> None:
        super().__init__()
        self.outputs, self.inputs = weight.shape
        self.weight = weight

    def forward(self, x: Tensor) -> Tensor:
        return F.linear(x, self.weight)

    def rows(self, ids: Tensor) -> Tensor:
        return F.embedding(ids.to(self.weight.device), self.weight)


class HalfLinear(Table):
    """`weight` [N, K], 16-bit floats.

    One vector: multiplied in 16 bits, with a 32-bit sum. More of them, on a CPU: 16-bit kernels
    are slow there, so the weights become 32-bit first, a piece at a time.
    """

    form = "fp16"

    def __init__(self, weight: Tensor) -> None:
        super().__init__()
        self.outputs, self.inputs = weight.shape
        self.weight = weight

    def forward(self, x: Tensor) -> Tensor:
        if x.numel() == self.inputs or not x.is_cpu:
            return F.linear(x.to(self.weight.dtype), self.weight).float()
        pieces = self.weight.split(max(1, PIECE // self.inputs))
        answers = [F.linear(x, piece.float()) for piece in pieces]
        return answers[0] if len(answers) == 1 else torch.cat(answers, dim=-1)

    def rows(self, ids: Tensor) -> Tensor:
        return F.embedding(ids.to(self.weight.device), self.weight).float()


class Int8Linear(Table):
    """The integers of each column of W as rows of a table, so that W x is a weighted sum of rows,
    weighted by the numbers in x.

    Summing weighted rows of bytes is what PyTorch's quantized "embedding bag" does, very fast:
    here one bag for each group of 32 columns, and the bags' sums, times their scales, add up to
    W x. A long column is cut into blocks, so that its sum stays in the processor's nearest cache.

    `table` [K * blocks, block + 8]: bytes q + 128, then the scale 1 and the offset -128 that the
    kernel wants at the end of a row; `scales` [K / 32, N].
    """

    form = "int8"

    def __init__(self, table: Tensor, scales: Tensor) -> None:
        super().__init__()
        self.block = table.shape[1] - 8
        self.inputs, self.outputs = GROUP * scales.shape[0], scales.shape[1]
        self.blocks = self.outputs // self.block
        self.table = table
        self.scales = scales

    @staticmethod
    def pack(groups: Groups) -> dict[str, Tensor]:
        outputs, inputs = groups.quants.shape
        block = math.gcd(outputs, 1024)
        columns = (groups.quants.t().to(torch.int16) + 128).to(torch.uint8)
        columns = columns.reshape(inputs * (outputs // block), block)
        ending = torch.tensor([1.0, -128.0]).view(torch.uint8).expand(len(columns), 8)
        return {
            "table": torch.cat([columns, ending], dim=1),
            "scales": groups.scales.t().contiguous(),
        }

    def forward(self, x: Tensor) -> Tensor:
        vectors = x.reshape(-1, self.inputs)
        if len(vectors) <= FEW_VECTORS:
            answer = torch.stack([self._weighted_sum(vector) for vector in vectors])
        else:
            pieces = self._column_pieces()
            answer = torch.cat([vectors @ piece for piece in pieces], dim=-1)
        return answer.view(*x.shape[:-1], self.outputs)

    def _weighted_sum(self, x: Tensor) -> Tensor:
        """W x for one vector."""
        groups = len(self.scales)
        indices, starts = _bags(groups, self.blocks)
        weights = x.view(groups, 1, GROUP).expand(groups, self.blocks, GROUP).reshape(-1)
        sums = torch.ops.quantized.embedding_bag_byte_rowwise_offsets(
            self.table, indices, starts, False, 0, False, weights, None, True
        )
        return sums.view(groups, self.outputs).mul_(self.scales).sum(dim=0)

    def _bytes(self) -> Tensor:
        return self.table.view(self.inputs, self.blocks, self.block + 8)

    def _column_pieces(self) -> list[Tensor]:
        """The transpose of W, [K, some of N] at a time."""
        step = max(1, PIECE // (self.inputs * self.block))
        pieces = []
        for start in range(0, self.blocks, step):
            quants = self._bytes()[:, start : start + step, : self.block].float().sub_(128)
            first = start * self.block
            scales = self.scales[:, None, first : first + step * self.block]
            pieces.append(quants.view(len(self.scales), GROUP, -1).mul_(scales).flatten(0, 1))
        return pieces

    def rows(self, ids: Tensor) -> Tensor:
        flat = ids.reshape(-1)
        quants = self._bytes()[:, flat // self.block, flat % self.block].float().sub_(128)  # [K, n]
        scales = self.scales[:, None, flat]
        values = quants.view(len(self.scales), GROUP, -1) * scales
        # each row in one piece: the 4-bit kernel takes nothing else
        return values.flatten(0, 1).t().contiguous().view(*ids.shape, self.inputs)


@lru_cache
def _bags(groups: int, blocks: int) -> tuple[Tensor, Tensor]:
    """Which rows of an Int8Linear's table each bag sums, and where each bag starts in the list."""
    columns = torch.arange(groups * GROUP, dtype=torch.int32).view(groups, 1, GROUP)
    block = torch.arange(blocks, dtype=torch.int32).view(1, blocks, 1)
    starts = torch.arange(groups * blocks + 1, dtype=torch.int32) * GROUP
    return (columns * blocks + block).flatten(), starts


class Int4Linear(FrozenLinear):
    """`packed` [N, K / 2]: two integers in a byte, in the order that this processor's kernel
    wants; `scales` [K / 32, N, 2]: scale and zero of each group as bfloat16, for q - 8.

    The kernel unpacks while it multiplies. With many vectors it would do so again for every few
    of them, so the weights are unpacked once and multiplied as 32-bit floats.
    """

    form = "int4"

    def __init__(self, packed: Tensor, scales: Tensor) -> None:
        super().__init__()
        self.outputs, self.inputs = packed.shape[0], 2 * packed.shape[1]
        self.few = FEW_VECTORS if _nibble_block(self.outputs) == 32 else 2**62
        self.packed = packed
        self.scales = scales

    @staticmethod
    def pack(groups: Groups) -> dict[str, Tensor]:
        quants = groups.quants.to(torch.int32)
        zeros = groups.zeros + 8 * groups.scales
        pairs = torch.stack([groups.scales.t(), zeros.t()], dim=-1)
        return {
            "packed": torch.ops.aten._convert_weight_to_int4pack_for_cpu(quants, 2),
            "scales": pairs.to(torch.bfloat16).contiguous(),
        }

    def forward(self, x: Tensor) -> Tensor:
        if x.dim() != 2:
            return self.forward(x.reshape(-1, self.inputs)).view(*x.shape[:-1], self.outputs)
        if x.shape[0] > self.few:
            return x @ self._unpack()
        return torch._weight_int4pack_mm_for_cpu(x.bfloat16(), self.packed, GROUP, self.scales)

    def matrix(self) -> Tensor | None:
        """W itself, [N, K], 32-bit; None where it is packed in an order that is not known here."""
        return self._unpack().t().contiguous() if self.few == FEW_VECTORS else None

    def _unpack(self) -> Tensor:
        """The transpose of W, [K, N], in memory that the next call uses again."""
        # packed is [N / 32, K, 16 bytes]; byte i of 16 holds rows i (low half) and i + 16 (high).
        # Eight bytes at a time are split into their halves.
        eights = self.packed.view(-1, self.inputs, GROUP // 2).view(torch.int64).transpose(0, 1)
        blocks = self.outputs // GROUP
        quants = _scratch(self.inputs * blocks * 4, torch.int64).view(self.inputs, blocks, 4)
        low, high = quants[..., :2], quants[..., 2:]
        torch.bitwise_and(eights, _LOW_HALVES, out=low)
        torch.bitwise_right_shift(eights, 4, out=high)
        high.bitwise_and_(_LOW_HALVES)

        weights = _scratch(self.inputs * self.outputs, torch.float32)
        weights.copy_(quants.view(torch.uint8).view(-1))
        # A bfloat16 is the upper half of a 32-bit float; a scale and its zero are two of them.
        pairs = self.scales.view(torch.int32).view(-1, 1, self.outputs)
        scales, zeros = (pairs << 16).view(torch.float32), (pairs & ~0xFFFF).view(torch.float32)
        grouped = weights.view(-1, GROUP, self.outputs)
        torch.addcmul(zeros - 8 * scales, grouped, scales, out=grouped)
        return weights.view(self.inputs, self.outputs)


_LOW_HALVES = 0x0F0F0F0F0F0F0F0F


@lru_cache
def _scratch_buffer(dtype: torch.dtype) -> list[Tensor]:
    return [torch.empty(0, dtype=dtype)]


def _scratch(numbers: int, dtype: torch.dtype) -> Tensor:
    """Memory to work in, [numbers], shared by all layers (a process runs one model at a time).
    Taking it fresh for each layer would cost more than the arithmetic done in it."""
    holder = _scratch_buffer(dtype)
    if holder[0].numel() < numbers:
        with torch.inference_mode(False):  # or only inference could write there from then on
            holder[0] = torch.empty(numbers, dtype=dtype)
    return holder[0][:numbers]


@lru_cache
def _nibble_block(outputs: int) -> int:
    """How many rows the int4 kernel of this processor packs together, 0 if not in the order that
    `_unpack` knows: it is packed for each instruction set in another way."""
    quants = torch.randint(0, 16, (outputs, GROUP), dtype=torch.int32)
    packed = torch.ops.aten._convert_weight_to_int4pack_for_cpu(quants, 2)
    pairs = packed.view(-1, GROUP, GROUP // 2)
    unpacked = torch.cat([pairs & 15, pairs >> 4], dim=-1).transpose(1, 2)
    return 32 if torch.equal(unpacked.reshape(outputs, GROUP).int(), quants) else 0


def from_tensors(tensors: Mapping[str, Tensor]) -> FrozenLinear:
    """The layer that these tensors, as named by the `pack` methods, belong to."""
    if "packed" in tensors:
        return Int4Linear(tensors["packed"], tensors["scales"])
    if "table" in tensors:
        return Int8Linear(tensors["table"], tensors["scales"])
    weight = tensors["weight"]
    return FloatLinear(weight) if weight.dtype == torch.float32 else HalfLinear(weight)


def dequantized(groups: Groups) -> Tensor:
    """W itself, [N, K], 32-bit."""
    outputs, inputs = groups.quants.shape
    quants = groups.quants.float().view(outputs, inputs // GROUP, GROUP)
    return (quants * groups.scales.unsqueeze(-1) + groups.zeros.unsqueeze(-1)).flatten(1)


def halves(values: Tensor) -> Tensor:
    """The same values in 16 bits, or as they are if one is beyond 65,504, which 16 bits cannot
    say."""
    half = values.half()
    return half if half.isfinite().all() else values.float()
