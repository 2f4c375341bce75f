"""Compute y = W x from weights with fewer bits.

These classes replace `nn.Linear` in a finished model. Generating one token uses every weight once,
so most of the time goes into reading weights from memory, and a weight of 4 bits is read eight
times as fast as one of 32. Model files contain such weights: 32 neighbors in a row are small
integers q that share a scale (and a zero point),

    W[n, k] = scale[n, k // 32] * q[n, k] + zero[n, k // 32]

Each class here stores one format and computes with PyTorch's own kernels. All of them take vectors
[..., inputs] of 32-bit floats and return [..., outputs] of 32-bit floats or, if the kernel rounds
to it anyway, of bfloat16 (adding these to 32-bit floats gives 32-bit floats). A `Table` also
returns single rows of W, for an embedding. None of them can be trained.

    FloatLinear   32 bits      exact
    HalfLinear    16 bits      single vectors are rounded to 16 bits too; on a GPU, all vectors are
    Int8Linear     8 bits      exact: the file's integers, 32-bit arithmetic
    Int4Linear     4 bits      the file's integers; scales and vectors are rounded to bfloat16

Which class a matrix gets depends on its format in the file and on the kernels of this machine
(`tutor.lm.fast.kernels`). No weight is ever rounded to fewer bits than it has in the file, except
that 32-bit scales are rounded to 16 bits.
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

GROUP = 32  # neighbors that share a scale, in every GGUF format that is used without conversion

# Up to this number of vectors, the packed weights are used directly. For more vectors, it is faster
# to unpack the weights first.
FEW_VECTORS = 16

# The maximum number of weights in an unpacked chunk of a large matrix (the output layer).
CHUNK = 4 * 1024 * 1024


class Groups(msgspec.Struct, frozen=True):
    """A matrix [N, K] as it is stored in its file: value = scale * quant + zero.

    `quants` [N, K] are integers (0 to 15 if `bits` is 4, -128 to 127 if it is 8). `scales` and
    `zeros` [N, K / 32] are 32-bit floats.
    """

    bits: int
    quants: Tensor
    scales: Tensor
    zeros: Tensor


class FrozenLinear(FastModule):
    """The base class of the four linear layers. `form` names the number format.

    The tensors are plain attributes, neither parameters nor buffers: they never change, and PyTorch
    finds attributes faster (which saves 0.2 ms per token).
    """

    form: str
    inputs: int
    outputs: int

    @property
    def nbytes(self) -> int:
        """Return how much memory the weights take."""
        return sum(value.nbytes for value in vars(self).values() if isinstance(value, Tensor))


class Table(FrozenLinear):
    """A linear layer that can also return single rows, which packed int4 cannot.

    Ids may be on the CPU; the rows are on the device of the table.
    """

    @property
    def device(self) -> torch.device:
        """Return the device of the weights."""
        return next(value.device for value in vars(self).values() if isinstance(value, Tensor))

    def rows(self, ids: Tensor) -> Tensor:
        """Return the rows `ids` [...] of W: [..., inputs]."""
        raise NotImplementedError


class FloatLinear(Table):
    """A linear layer with 32-bit `weight` [N, K]."""

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
    """A linear layer with 16-bit `weight` [N, K].

    A single vector is multiplied in 16 bits, with a 32-bit sum. 16-bit kernels for several vectors
    are slow on a CPU, so there the weights are first converted to 32 bits, a chunk at a time.
    """

    form = "fp16"

    def __init__(self, weight: Tensor) -> None:
        super().__init__()
        self.outputs, self.inputs = weight.shape
        self.weight = weight

    def forward(self, x: Tensor) -> Tensor:
        if x.numel() == self.inputs or not x.is_cpu:
            return F.linear(x.to(self.weight.dtype), self.weight).float()
        chunks = self.weight.split(max(1, CHUNK // self.inputs))
        answers = [F.linear(x, chunk.float()) for chunk in chunks]
        return answers[0] if len(answers) == 1 else torch.cat(answers, dim=-1)

    def rows(self, ids: Tensor) -> Tensor:
        return F.embedding(ids.to(self.weight.device), self.weight).float()


class Int8Linear(Table):
    """A linear layer with 8-bit integers, as a table whose rows are the columns of W.

    W x is then a sum of table rows, weighted by the numbers in x. PyTorch's quantized "embedding
    bag" computes weighted sums of byte rows very fast. Here there is one bag for each group of 32
    columns, and the bags' sums, each times its scale, add up to W x. A long column is cut into
    blocks, so that its sum stays in the processor's nearest cache.

    `table` [K * blocks, block + 8] holds the bytes q + 128, followed by the scale 1 and the offset
    -128 that the kernel expects at the end of a row. `scales` are [K / 32, N].
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
        """Return the tensors of this layer for a matrix."""
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
            answer = torch.cat([vectors @ chunk for chunk in self._column_chunks()], dim=-1)
        return answer.view(*x.shape[:-1], self.outputs)

    def _weighted_sum(self, x: Tensor) -> Tensor:
        """Return W x for one vector."""
        groups = len(self.scales)
        indices, starts = _bags(groups, self.blocks)
        weights = x.view(groups, 1, GROUP).expand(groups, self.blocks, GROUP).reshape(-1)
        sums = torch.ops.quantized.embedding_bag_byte_rowwise_offsets(
            self.table, indices, starts, False, 0, False, weights, None, True
        )
        return sums.view(groups, self.outputs).mul_(self.scales).sum(dim=0)

    def _bytes(self) -> Tensor:
        return self.table.view(self.inputs, self.blocks, self.block + 8)

    def _column_chunks(self) -> list[Tensor]:
        """Return the transpose of W in chunks: [K, part of N] each."""
        step = max(1, CHUNK // (self.inputs * self.block))
        chunks = []
        for start in range(0, self.blocks, step):
            quants = self._bytes()[:, start : start + step, : self.block].float().sub_(128)
            first = start * self.block
            scales = self.scales[:, None, first : first + step * self.block]
            chunks.append(quants.view(len(self.scales), GROUP, -1).mul_(scales).flatten(0, 1))
        return chunks

    def rows(self, ids: Tensor) -> Tensor:
        flat = ids.reshape(-1)
        quants = self._bytes()[:, flat // self.block, flat % self.block].float().sub_(128)  # [K, n]
        scales = self.scales[:, None, flat]
        values = quants.view(len(self.scales), GROUP, -1) * scales
        # rows must be contiguous for the 4-bit kernel
        return values.flatten(0, 1).t().contiguous().view(*ids.shape, self.inputs)


@lru_cache
def _bags(groups: int, blocks: int) -> tuple[Tensor, Tensor]:
    """Return the rows of an Int8Linear's table that each bag sums, and where each bag starts."""
    columns = torch.arange(groups * GROUP, dtype=torch.int32).view(groups, 1, GROUP)
    block = torch.arange(blocks, dtype=torch.int32).view(1, blocks, 1)
    starts = torch.arange(groups * blocks + 1, dtype=torch.int32) * GROUP
    return (columns * blocks + block).flatten(), starts


class Int4Linear(FrozenLinear):
    """A linear layer with 4-bit integers.

    `packed` [N, K / 2] has two integers in each byte, in the order that the kernel of this
    processor expects. `scales` [K / 32, N, 2] are the scale and the zero of each group as bfloat16,
    for q - 8.

    The kernel unpacks weights while it multiplies. With many vectors it would do that again for
    every few of them, so the weights are unpacked once and multiplied as 32-bit floats.
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
        """Return the tensors of this layer for a matrix."""
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
        """Return W [N, K] in 32 bits, or None if the order of its packed integers is not known."""
        return self._unpack().t().contiguous() if self.few == FEW_VECTORS else None

    def _unpack(self) -> Tensor:
        """Return the transpose of W, [K, N], in memory that the next call overwrites."""
        # `packed` is [N / 32, K, 16 bytes]. Byte i of the 16 holds row i in its low half and row
        # i + 16 in its high half. The halves of eight bytes are separated at a time.
        eights = self.packed.view(-1, self.inputs, GROUP // 2).view(torch.int64).transpose(0, 1)
        blocks = self.outputs // GROUP
        quants = _scratch(self.inputs * blocks * 4, torch.int64).view(self.inputs, blocks, 4)
        low, high = quants[..., :2], quants[..., 2:]
        torch.bitwise_and(eights, _LOW_HALVES, out=low)
        torch.bitwise_right_shift(eights, 4, out=high)
        high.bitwise_and_(_LOW_HALVES)

        weights = _scratch(self.inputs * self.outputs, torch.float32)
        weights.copy_(quants.view(torch.uint8).view(-1))
        # A bfloat16 is the upper half of a 32-bit float. A scale and its zero fill 32 bits.
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
    """Return working memory, [numbers], which all layers share (a process runs one model).

    Allocating it for each layer would take longer than the arithmetic itself.
    """
    holder = _scratch_buffer(dtype)
    if holder[0].numel() < numbers:
        with torch.inference_mode(False):  # or only inference could write there from then on
            holder[0] = torch.empty(numbers, dtype=dtype)
    return holder[0][:numbers]


@lru_cache
def _nibble_block(outputs: int) -> int:
    """Return how many rows this processor's int4 kernel packs together, 32 or 0.

    The order of packed integers depends on the instruction set; 0 means that it is not the order
    that `_unpack` expects.
    """
    quants = torch.randint(0, 16, (outputs, GROUP), dtype=torch.int32)
    packed = torch.ops.aten._convert_weight_to_int4pack_for_cpu(quants, 2)
    pairs = packed.view(-1, GROUP, GROUP // 2)
    unpacked = torch.cat([pairs & 15, pairs >> 4], dim=-1).transpose(1, 2)
    return 32 if torch.equal(unpacked.reshape(outputs, GROUP).int(), quants) else 0


def from_tensors(tensors: Mapping[str, Tensor]) -> FrozenLinear:
    """Return the layer for these tensors, which have the names that the `pack` methods use."""
    if "packed" in tensors:
        return Int4Linear(tensors["packed"], tensors["scales"])
    if "table" in tensors:
        return Int8Linear(tensors["table"], tensors["scales"])
    weight = tensors["weight"]
    return FloatLinear(weight) if weight.dtype == torch.float32 else HalfLinear(weight)


def dequantized(groups: Groups) -> Tensor:
    """Return W as 32-bit floats, [N, K]."""
    outputs, inputs = groups.quants.shape
    quants = groups.quants.float().view(outputs, inputs // GROUP, GROUP)
    return (quants * groups.scales.unsqueeze(-1) + groups.zeros.unsqueeze(-1)).flatten(1)


def to_half(values: Tensor) -> Tensor:
    """Return the values in 16 bits, or in 32 if one exceeds 65,504, the 16-bit limit."""
    half = values.half()
    return half if half.isfinite().all() else values.float()
