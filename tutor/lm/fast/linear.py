"""Compute y = W x with weights of 4, 8, 16 or 32 bits.

The classes below replace `nn.Linear` in a trained model. Generating one token uses every weight
once, so most of the time is spent reading weights from memory, and a 4-bit weight is read eight
times as fast as a 32-bit weight. Model files contain quantized weights: each row is divided into
groups of 32 weights (16 in one format). A group consists of small integers q that share a scale
and an offset, called "zero" in the code:

    W[n, k] = scale[n, k // 32] * q[n, k] + zero[n, k // 32]

Each class stores one format and uses PyTorch's own kernels. The output [..., outputs] contains
32-bit floats or, if the kernel rounds to bfloat16 anyway, bfloat16 (adding bfloat16 to 32-bit
floats gives 32-bit floats). The input of every class is a tensor [..., inputs] of 32-bit floats or
bfloat16, because a file can combine formats, and a 16-bit matrix can follow a 4-bit matrix. A
`Table` can also look up single rows of W, as an embedding does. None of these layers can be
trained.

    FloatLinear   32 bits      exact
    HalfLinear    16 bits      vectors are rounded to 16 bits (on a CPU, only a single vector)
    Int8Linear     8 bits      exact: the file's integers, 32-bit arithmetic
    Int4Linear     4 bits      the file's integers; scales and vectors are rounded to bfloat16

The class of a matrix depends on its format in the file and on the kernels of this machine
(`tutor.lm.fast.kernels`). Weights are never rounded to fewer bits than they have in the file,
except that 32-bit scales are rounded to 16 bits.
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

GROUP = 32
"""The number of weights that share a scale, in all GGUF formats that are used without conversion
except Q6_K, which uses 16.
"""

# The maximum number of vectors that are multiplied by packed 8-bit and 4-bit weights directly. For
# more vectors, it is faster to unpack the weights first. With 4-bit weights, the two ways take the
# same time for about 40 vectors (AVX2, the matrices of SmolLM2-135M).
FEW_VECTORS = 16
FEW_VECTORS_4_BIT = 32

# The maximum number of weights in an unpacked chunk of a large matrix (the output layer).
CHUNK = 4 * 1024 * 1024

# The maximum number of bag sums that are in memory at once (see `Int8Linear`).
SUMS = 2 * 1024 * 1024


class Groups(msgspec.Struct, frozen=True):
    """A matrix [N, K] as it is stored in a model file: value = scale * quant + zero.

    `quants` [N, K] are integers (0 to 15 if `bits` is 4, -128 to 127 if it is 8). `scales` and
    `zeros` [N, K / size] are 32-bit floats. If `bits` is 8, all zeros are 0.
    """

    bits: int
    quants: Tensor
    scales: Tensor
    zeros: Tensor

    @property
    def size(self) -> int:
        """Return the number of weights that share a scale: 32 or 16."""
        return self.quants.shape[1] // self.scales.shape[1]


class FrozenLinear(FastModule):
    """The base class of the four linear layers. `form` names the number format.

    The tensors are plain attributes, not parameters or buffers. They never change, and plain
    attributes are faster to look up (which saves 0.2 ms per token).
    """

    form: str
    inputs: int
    outputs: int

    @property
    def nbytes(self) -> int:
        """Return the size of the weights in memory, in bytes."""
        return sum(value.nbytes for value in vars(self).values() if isinstance(value, Tensor))


class Table(FrozenLinear):
    """A linear layer whose matrix can also be looked up row by row, as an embedding table.

    Row ids may be on the CPU. The rows are returned on the device of the table.
    """

    @property
    def device(self) -> torch.device:
        """Return the device of the weights."""
        return next(value.device for value in vars(self).values() if isinstance(value, Tensor))

    def rows(self, ids: Tensor) -> Tensor:
        """Return the rows of W with the given ids [...]. The result is [..., inputs]."""
        raise NotImplementedError


class FloatLinear(Table):
    """A linear layer with 32-bit `weight` [N, K]."""

    form = "fp32"

    def __init__(self, weight: Tensor) -> None:
        super().__init__()
        self.outputs, self.inputs = weight.shape
        self.weight = weight

    def forward(self, x: Tensor) -> Tensor:
        return F.linear(x.float(), self.weight)

    def rows(self, ids: Tensor) -> Tensor:
        return F.embedding(ids.to(self.weight.device), self.weight)


class HalfLinear(Table):
    """A linear layer with 16-bit `weight` [N, K].

    A single vector is multiplied in 16 bits, and the products are summed in 32 bits. On a CPU,
    16-bit kernels for several vectors are slow, so the weights are first converted to 32 bits, one
    chunk at a time.
    """

    form = "fp16"

    def __init__(self, weight: Tensor) -> None:
        super().__init__()
        self.outputs, self.inputs = weight.shape
        self.weight = weight

    def forward(self, x: Tensor) -> Tensor:
        if x.numel() == self.inputs or not x.is_cpu:
            return F.linear(x.to(self.weight.dtype), self.weight).float()
        chunks, x = self.weight.split(max(1, CHUNK // self.inputs)), x.float()
        answers = [F.linear(x, chunk.float()) for chunk in chunks]
        return answers[0] if len(answers) == 1 else torch.cat(answers, dim=-1)

    def rows(self, ids: Tensor) -> Tensor:
        return F.embedding(ids.to(self.weight.device), self.weight).float()


class Int8Linear(Table):
    """A linear layer with 8-bit integers in a table whose rows are the columns of W.

    W x is a sum of table rows, weighted by the numbers in x. PyTorch's quantized "embedding bag"
    computes weighted sums of byte rows very fast. Each group of 32 columns forms one bag. The sums
    of all bags, multiplied by their scales, add up to W x. A long column is cut into blocks, so
    that its sum stays in the processor's fastest cache.

    `table` [K * blocks, block + 8] contains the bytes q + 128. Each row ends with the scale 1 and
    the offset -128, which the kernel expects. `scales` are [K / group, N], where `group` is the
    number of weights that share a scale: 32 or 16.
    """

    form = "int8"

    def __init__(self, table: Tensor, scales: Tensor) -> None:
        super().__init__()
        self.block = table.shape[1] - 8
        self.outputs = scales.shape[1]
        self.blocks = self.outputs // self.block
        self.inputs = table.shape[0] // self.blocks
        self.group = self.inputs // scales.shape[0]
        self.table = table
        self.scales = scales

    @staticmethod
    def pack(groups: Groups) -> dict[str, Tensor]:
        """Return quantized weights in the memory layout of this layer, as tensors by name."""
        outputs, inputs = groups.quants.shape
        block = math.gcd(outputs, 1024)
        table = torch.empty(inputs, outputs // block, block + 8, dtype=torch.uint8)
        table[..., block:] = torch.tensor([1.0, -128.0]).view(torch.uint8)
        for number, rows in enumerate(groups.quants.split(block)):
            table[:, number, :block] = rows.t().to(torch.int16) + 128
        return {"table": table.flatten(0, 1), "scales": groups.scales.t().contiguous()}

    def forward(self, x: Tensor) -> Tensor:
        vectors = x.float().reshape(-1, self.inputs)
        if len(vectors) == 1:
            answer = self._weighted_sum(vectors[0])
        elif len(vectors) <= FEW_VECTORS:
            answer = torch.stack([self._weighted_sum(vector) for vector in vectors])
        else:
            answer = torch.cat([vectors @ chunk for chunk in self._column_chunks()], dim=-1)
        return answer.view(*x.shape[:-1], self.outputs)

    def _weighted_sum(self, x: Tensor) -> Tensor:
        """Return W x for a single vector x."""
        step = max(1, SUMS // (len(self.scales) * self.block))
        if step >= self.blocks:
            return self._outputs_of(x, 0, self.blocks)
        starts = range(0, self.blocks, step)
        return torch.cat([self._outputs_of(x, i, min(step, self.blocks - i)) for i in starts])

    def _outputs_of(self, x: Tensor, first: int, count: int) -> Tensor:
        """Return the part of W x for `count` blocks of outputs, starting at block `first`."""
        groups = len(self.scales)
        indices, starts = _bags(groups, self.blocks, self.group, first, count)
        weights = x.view(groups, 1, -1).expand(groups, count, self.group).reshape(-1)
        sums = torch.ops.quantized.embedding_bag_byte_rowwise_offsets(
            self.table, indices, starts, False, 0, False, weights, None, True
        )
        scales = self.scales[:, first * self.block : (first + count) * self.block]
        return sums.view(groups, -1).mul_(scales).sum(dim=0)

    def _bytes(self) -> Tensor:
        return self.table.view(self.inputs, self.blocks, self.block + 8)

    def _column_chunks(self) -> list[Tensor]:
        """Return the transpose of W [K, N] in chunks of columns, as 32-bit floats."""
        step = max(1, CHUNK // (self.inputs * self.block))
        chunks = []
        for start in range(0, self.blocks, step):
            quants = self._bytes()[:, start : start + step, : self.block].float().sub_(128)
            first = start * self.block
            scales = self.scales[:, None, first : first + step * self.block]
            grouped = quants.view(len(self.scales), self.group, -1)
            chunks.append(grouped.mul_(scales).flatten(0, 1))
        return chunks

    def rows(self, ids: Tensor) -> Tensor:
        flat = ids.reshape(-1)
        if len(flat) == 1:
            return self._row(int(flat)).view(*ids.shape, self.inputs)
        quants = self._bytes()[:, flat // self.block, flat % self.block].float().sub_(128)  # [K, n]
        scales = self.scales[:, None, flat]
        values = quants.view(len(self.scales), self.group, -1) * scales
        # the 4-bit kernel requires contiguous rows
        return values.flatten(0, 1).t().contiguous().view(*ids.shape, self.inputs)

    def _row(self, id_: int) -> Tensor:
        """Return one row of W [K], which is a column of the table.

        This is four times as fast as indexing with a tensor.
        """
        quants = self._bytes()[:, id_ // self.block, id_ % self.block].float().sub_(128)
        scales = self.scales[:, id_, None]
        return quants.view(len(scales), self.group).mul_(scales).flatten()


@lru_cache
def _bags(groups: int, blocks: int, size: int, first: int, count: int) -> tuple[Tensor, Tensor]:
    """Return the indices of the table rows in the bags of some blocks, and the start of each bag.

    A bag is a group of table rows that are added up. The starts are positions in the tensor of
    indices.
    """
    columns = torch.arange(groups * size, dtype=torch.int32).view(groups, 1, size)
    block = torch.arange(first, first + count, dtype=torch.int32).view(1, count, 1)
    starts = torch.arange(groups * count + 1, dtype=torch.int32) * size
    return (columns * blocks + block).flatten(), starts


class Int4Linear(FrozenLinear):
    """A linear layer with 4-bit integers.

    `packed` [N, K / 2] contains two integers per byte, in the order that the kernel of this
    processor expects. `scales` [K / 32, N, 2] contains the scale and the zero of each group as
    bfloat16. The kernel computes weights as scale * (q - 8) + zero.

    The kernel unpacks the weights during multiplication, once for every few vectors. With many
    vectors, it is faster to unpack all weights once and multiply them as 32-bit floats.
    """

    form = "int4"

    def __init__(self, packed: Tensor, scales: Tensor) -> None:
        super().__init__()
        self.outputs, self.inputs = packed.shape[0], 2 * packed.shape[1]
        self.few = FEW_VECTORS_4_BIT if _nibble_block(self.outputs) == 32 else 2**62
        self.packed = packed
        self.scales = scales

    @staticmethod
    def pack(groups: Groups) -> dict[str, Tensor]:
        """Return quantized weights in the memory layout of this layer, as tensors by name."""
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
            return x.float() @ self._unpack()
        return torch._weight_int4pack_mm_for_cpu(x.bfloat16(), self.packed, GROUP, self.scales)

    def matrix(self) -> Tensor | None:
        """Return W [N, K] as 32-bit floats, or None if it cannot be unpacked on this processor."""
        return self._unpack().t().contiguous() if self.few == FEW_VECTORS_4_BIT else None

    def _unpack(self) -> Tensor:
        """Return the transpose of W, [K, N], in a buffer that the next call overwrites."""
        # `packed` is [N / 32, K, 16 bytes]. Byte i of the 16 contains row i in its low half and row
        # i + 16 in its high half. The code separates the halves of eight bytes at a time.
        eights = self.packed.view(-1, self.inputs, GROUP // 2).view(torch.int64).transpose(0, 1)
        blocks = self.outputs // GROUP
        quants = _scratch(self.inputs * blocks * 4, torch.int64).view(self.inputs, blocks, 4)
        low, high = quants[..., :2], quants[..., 2:]
        torch.bitwise_and(eights, _LOW_HALVES, out=low)
        torch.bitwise_right_shift(eights, 4, out=high)
        high.bitwise_and_(_LOW_HALVES)

        weights = _scratch(self.inputs * self.outputs, torch.float32)
        weights.copy_(quants.view(torch.uint8).view(-1))
        # A bfloat16 number is the upper half of a 32-bit float. A scale and its zero together fill
        # 32 bits.
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
    """Return a buffer with room for temporary results: [numbers].

    All layers share this buffer, because allocating a new one for each layer would take longer than
    the arithmetic. Sharing is safe because a process runs only one model.
    """
    holder = _scratch_buffer(dtype)
    if holder[0].numel() < numbers:
        with torch.inference_mode(False):  # training can then write to the buffer
            holder[0] = torch.empty(numbers, dtype=dtype)
    return holder[0][:numbers]


@lru_cache
def _nibble_block(outputs: int) -> int:
    """Return how many rows the int4 kernel packs together, or 0 if we cannot unpack them.

    The order of packed integers depends on the processor's instruction set. `_unpack` supports one
    order, which packs 32 rows together.
    """
    quants = torch.randint(0, 16, (outputs, GROUP), dtype=torch.int32)
    packed = torch.ops.aten._convert_weight_to_int4pack_for_cpu(quants, 2)
    pairs = packed.view(-1, GROUP, GROUP // 2)
    unpacked = torch.cat([pairs & 15, pairs >> 4], dim=-1).transpose(1, 2)
    return 32 if torch.equal(unpacked.reshape(outputs, GROUP).int(), quants) else 0


def from_tensors(tensors: Mapping[str, Tensor]) -> FrozenLinear:
    """Create a layer from its tensors, which have the names that the `pack` methods use."""
    if "packed" in tensors:
        return Int4Linear(tensors["packed"], tensors["scales"])
    if "table" in tensors:
        return Int8Linear(tensors["table"], tensors["scales"])
    weight = tensors["weight"]
    return FloatLinear(weight) if weight.dtype == torch.float32 else HalfLinear(weight)


def dequantized(groups: Groups) -> Tensor:
    """Convert a quantized matrix to 32-bit floats: [N, K]."""
    outputs = len(groups.quants)
    quants = groups.quants.float().view(outputs, -1, groups.size)
    return (quants * groups.scales.unsqueeze(-1) + groups.zeros.unsqueeze(-1)).flatten(1)


def to_half(values: Tensor) -> Tensor:
    """Convert a matrix to 16-bit floats, or to 32-bit floats if a value is too large.

    The largest 16-bit float is 65,504. The matrix is converted in chunks, because a temporary copy
    of a large matrix would take a lot of memory.
    """
    if values.dtype == torch.float16:
        return values if _all_finite(values) else values.float()
    half = torch.empty(values.shape, dtype=torch.float16)
    rows = max(1, CHUNK // values.shape[-1])
    for target, source in zip(half.split(rows), values.split(rows), strict=True):
        target.copy_(source)
        if not _all_finite(target):
            return values.float()
    return half


def _all_finite(values: Tensor) -> bool:
    """Return True if no value is infinite or NaN. `Tensor.isfinite` is 20 times slower."""
    return values.numel() == 0 or all(math.isfinite(end) for end in values.aminmax())
