"""Rows of the embedding table, and how they lie to each other.

The measure is the cosine of the angle between two vectors, from -1 to 1:

    cos(u, v) = u · v / (|u| |v|)

An analogy is arithmetic with rows, each scaled to length 1 first: the vector a - b + c, and which
rows are nearest to it. The usual demonstration strikes out the rows of a, b and c; here both ways
are counted.

A finished model may keep its table in 8 or 16 bits. Multiplying a vector with the whole table
costs a few milliseconds whatever the form, so no row is ever unpacked to be compared.

Sources: Mikolov, Yih and Zweig 2013 (analogies), Linzen 2016 (what striking out does to them).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn

from tutor.lm.fast.network import TableEmbedding
from tutor.lm.network import Transformer

PIECE = 2048
"""Rows unpacked at a time."""

_MEASURED: WeakKeyDictionary[nn.Module, tuple[Tensor, float]] = WeakKeyDictionary()


class Ranked(NamedTuple):
    """Row `id`, the `rank`-th nearest (from 1)."""

    rank: int
    id: int
    cosine: float


class EmbeddingTable:
    """The embedding table of a network. `check_cancelled` is called where something takes a while
    and stops it by raising."""

    def __init__(
        self, network: Transformer, check_cancelled: Callable[[], None] = lambda: None
    ) -> None:
        self.rows, self.width = network.config.vocabulary_size, network.config.width
        self._embedding = network.embedding
        self._check_cancelled = check_cancelled

    @torch.inference_mode()
    def row(self, id_: int) -> Tensor:
        """[width]"""
        return self.some([id_])[0]

    @torch.inference_mode()
    def some(self, ids: Sequence[int]) -> Tensor:
        """[len(ids), width]"""
        rows: Tensor = self._embedding(torch.tensor(ids))
        return rows.cpu()  # wherever the table is

    @torch.inference_mode()
    def cosines(self, vectors: Tensor) -> Tensor:
        """Of each of the vectors [n, width] with every row: [n, rows]."""
        unit = scaled(vectors)
        # a vector that comes alone may be multiplied in 16 bits: two never are
        pair = unit if len(unit) > 1 else unit.expand(2, -1)
        return self._product(pair)[: len(unit)] / self.lengths

    def _product(self, vectors: Tensor) -> Tensor:
        if isinstance(self._embedding, TableEmbedding):
            matrix = self._embedding.matrix
            return matrix(vectors.to(matrix.device)).cpu()
        assert isinstance(self._embedding, nn.Embedding)
        return vectors @ self._embedding.weight.t()

    @property
    def lengths(self) -> Tensor:
        """|row| of every row [rows]; a row of zeros counts as of tiny length, so that its cosine
        with anything is 0."""
        return self._measured()[0]

    @property
    def chance(self) -> float:
        """The mean cosine of two different rows drawn blindly: with which to compare any other.

        The sum of all cosines is |s|² for s the sum of all rows scaled to length 1; the rows with
        themselves are taken off.
        """
        return self._measured()[1]

    @torch.inference_mode()
    def _measured(self) -> tuple[Tensor, float]:
        """`lengths` and `chance`: the one thing that needs every row unpacked, half a second for a
        small model, and is kept."""
        if self._embedding not in _MEASURED:
            lengths, total = [], torch.zeros(())
            for ids in torch.arange(self.rows).split(PIECE):
                self._check_cancelled()
                piece = self._embedding(ids).cpu()  # [PIECE, width]
                length = piece.norm(dim=-1).clamp(min=1e-12)
                lengths.append(length)
                total = total + (piece / length[:, None]).sum(dim=0)  # [width]
            chance = (float(total.square().sum()) - self.rows) / (self.rows * (self.rows - 1))
            _MEASURED[self._embedding] = torch.cat(lengths), chance
        return _MEASURED[self._embedding]


def nearest(cosines: Tensor, most: int, leave_out: Sequence[int] = ()) -> list[Ranked]:
    """The `most` rows of the highest cosine [rows], best first; those left out do not count."""
    best = cosines.topk(min(most + len(leave_out), len(cosines)))
    found = zip(best.indices.tolist(), best.values.tolist(), strict=True)
    kept = [(id_, value) for id_, value in found if id_ not in leave_out][:most]
    return [Ranked(rank, id_, value) for rank, (id_, value) in enumerate(kept, start=1)]


def rank_of(id_: int, cosines: Tensor, leave_out: Sequence[int] = ()) -> int:
    """1 if no row, those left out aside, has a higher cosine than row `id_`."""
    above = cosines > cosines[id_]  # [rows]
    return 1 + int(above.sum()) - sum(bool(above[other]) for other in set(leave_out))


def similarities(vectors: Tensor) -> Tensor:
    """The cosines of each of the vectors [n, width] with each: [n, n]."""
    unit = scaled(vectors)
    return unit @ unit.t()


def analogy(rows: Tensor) -> Tensor:
    """a - b + c of three rows [3, width], each scaled to length 1: [width]."""
    a, b, c = scaled(rows)
    return a - b + c


def scaled(vectors: Tensor) -> Tensor:
    """Each vector [..., width] with its length made 1; one of zeros stays."""
    return vectors / vectors.norm(dim=-1, keepdim=True).clamp(min=1e-12)
