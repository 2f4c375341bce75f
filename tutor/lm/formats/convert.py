"""Convert the weights in a model file to the form that the network uses.

Matrices that are multiplied by the same vector are concatenated (query, key and value; gate and
up), because one large product is faster than several small ones. Each matrix keeps the number of
bits that it has in the file if this machine has a suitable kernel, and becomes 16-bit floats
otherwise; see `tutor.lm.fast.linear`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence

import msgspec
import torch
from torch import Tensor

from tutor.errors import ModelDamaged
from tutor.lm.fast import linear
from tutor.lm.fast.kernels import Kernels
from tutor.lm.fast.linear import GROUP, Groups, Int4Linear, Int8Linear
from tutor.lm.formats.source import Matrix, Source, products, shapes, vectors
from tutor.lm.network import Config


def parameters(config: Config) -> int:
    """Return the number of weights in a model with the configuration `config`."""
    tables = (1 if config.tied else 2) * config.vocabulary_size * config.width
    if config.learned_positions:
        tables += config.context * config.width
    sizes = shapes(config)
    parts = (part for parts in products(config).values() for part in parts)
    matrices = sum(math.prod(sizes[part.partition(".")[0]]) for part in parts)
    small = sum(length for _, length in vectors(config).values())
    last = config.width * (2 if config.layer_norm else 1)
    return tables + config.layers * (matrices + small) + last


def matrices(config: Config) -> int:
    """Return the number of matrices in the converted model."""
    tables = (1 if config.tied else 2) + config.learned_positions
    return len(products(config)) * config.layers + tables


@torch.inference_mode()
def converted(
    source: Source, kernels: Kernels, on_matrix: Callable[[int], None] = lambda done: None
) -> Iterator[tuple[str, Tensor]]:
    """Yield every tensor of the network with its name, one matrix at a time.

    Only one matrix is in memory at a time, unless the caller keeps earlier ones. `on_matrix` is
    called with the number of matrices converted so far, out of `matrices(config)`. Raises
    `ModelDamaged` if the file lacks a tensor, or if a tensor has the wrong size.
    """
    for done, (name, matrix) in enumerate(_matrices(source)):
        on_matrix(done)
        is_table = name in ("head", "embedding")
        # A router is tiny, and a rounding error could make it choose another expert.
        packed = (
            {"weight": _floats(matrix).float().contiguous()}
            if name.endswith("router")
            else _packed(matrix, kernels, is_table)
        )
        for part, tensor in packed.items():
            yield f"{name}.{part}", tensor
    yield from _vectors(source)


def _matrices(source: Source) -> Iterator[tuple[str, Matrix]]:
    """Yield the name and the values of each matrix of our `Transformer`."""
    config = source.config
    for block in range(config.layers):
        for name, parts in products(config).items():
            yield f"blocks.{block}.{name}", _joined([_read(source, part, block) for part in parts])
    if not config.tied:
        yield "embedding", _read(source, "embedding")
    if config.learned_positions:
        yield "positions", _read(source, "positions")
    yield "head", _read(source, "embedding" if config.tied else "head")


def _vectors(source: Source) -> Iterator[tuple[str, Tensor]]:
    """Yield the norms and biases with their names in our `Transformer`, as 32-bit floats."""
    config = source.config
    for block in range(config.layers):
        for name, (parts, length) in vectors(config).items():
            yield f"blocks.{block}.{name}", _vector(source, parts, length, block)
    yield "norm.weight", _vector(source, ("norm",), config.width)
    if config.layer_norm:
        yield "norm.bias", _vector(source, ("norm.bias",), config.width)


def _vector(source: Source, parts: Sequence[str], length: int, block: int | None = None) -> Tensor:
    """Return the concatenation of the given parts. Raises `ModelDamaged` for a wrong length."""
    factors = [source.multipliers.get(part.partition(".")[0], 1.0) for part in parts]
    vectors = [source.vector(part, block).float() for part in parts]
    vector = torch.cat([f * each.flatten() for f, each in zip(factors, vectors, strict=True)])
    if len(vector) != length:
        raise ModelDamaged(f"the tensor for {' and '.join(parts)} does not have {length} numbers.")
    return vector.contiguous()


def _read(source: Source, part: str, block: int | None = None) -> Matrix:
    role = part.partition(".")[0]
    matrix, wanted = source.matrix(part, block), shapes(source.config)[role]
    shape = tuple(matrix.quants.shape if isinstance(matrix, Groups) else matrix.shape)
    if shape != wanted:
        raise ModelDamaged(f"the {part} weights have the shape {shape} instead of {wanted}.")
    factor = source.multipliers.get(role, 1.0)
    return matrix if factor == 1 else _multiplied(matrix, factor)


def _multiplied(matrix: Matrix, factor: float) -> Matrix:
    if isinstance(matrix, Groups):
        scales, zeros = factor * matrix.scales, factor * matrix.zeros
        return msgspec.structs.replace(matrix, scales=scales, zeros=zeros)
    product = factor * matrix.float()
    return product if matrix.dtype == torch.float32 else linear.to_half(product)


def _joined(parts: Sequence[Matrix]) -> Matrix:
    """Concatenate matrices by rows, converting them to floats if their formats differ."""
    if len(parts) == 1:
        return parts[0]
    groups = [part for part in parts if isinstance(part, Groups)]
    if len(groups) == len(parts) and len({(part.bits, part.size) for part in groups}) == 1:
        return Groups(
            groups[0].bits,
            torch.cat([part.quants for part in groups]),
            torch.cat([part.scales for part in groups]),
            torch.cat([part.zeros for part in groups]),
        )
    floats = [_floats(part) for part in parts]
    if any(isinstance(part, Groups) or part.dtype != torch.float32 for part in parts):
        floats = [linear.to_half(part) for part in floats]
    return torch.cat(floats)  # one 32-bit matrix makes all of them 32-bit floats


def _packed(matrix: Matrix, kernels: Kernels, is_table: bool) -> dict[str, Tensor]:
    if isinstance(matrix, Groups):
        outputs, inputs = matrix.quants.shape
        fits = outputs % GROUP == 0 and inputs % GROUP == 0
        # Embeddings are single rows of the table, which packed int4 cannot return.
        if kernels.int4 and matrix.bits == 4 and fits and not is_table:
            return Int4Linear.pack(matrix)
        if kernels.int8 and matrix.bits == 8 and fits:
            return Int8Linear.pack(matrix)
    floats = _floats(matrix)
    if kernels.exact or (isinstance(matrix, Tensor) and matrix.dtype == torch.float32):
        return {"weight": floats.float().contiguous()}
    return {"weight": linear.to_half(floats).contiguous()}


def _floats(matrix: Matrix) -> Tensor:
    return linear.dequantized(matrix) if isinstance(matrix, Groups) else matrix
