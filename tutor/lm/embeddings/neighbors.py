"""Compare the rows of the embedding table.

The measure is the cosine of the angle between two vectors, from -1 to 1:

    cos(u, v) = u · v / (|u| |v|)

An analogy is arithmetic with rows, each scaled to length 1 first: it finds the rows that are
nearest to the vector a - b + c. Demonstrations usually exclude the rows of a, b and c from the
result; here you can do it either way.

The table of a finished model may be stored in 8 or 16 bits. Multiplying a vector by the whole table
takes a few milliseconds in any format, so rows are never unpacked just to compare them.

Sources: Mikolov, Yih and Zweig 2013 (analogies), Linzen 2016 (the effect of the exclusion).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn

from tutor.lm.fast.network import TableEmbedding
from tutor.lm.network import Transformer

CHUNK = 2048
"""The number of rows that are unpacked at a time."""

_MEASURED: WeakKeyDictionary[nn.Module, tuple[Tensor, float]] = WeakKeyDictionary()


class Ranked(NamedTuple):
    """The row `id`, which is the `rank`-th nearest (from 1)."""

    rank: int
    id: int
    cosine: float


class EmbeddingTable:
    """The embedding table of a network.

    `check_cancelled` is called regularly during long work and stops it by raising an exception.
    """

    def __init__(
        self, network: Transformer, check_cancelled: Callable[[], None] = lambda: None
    ) -> None:
        self.rows, self.width = network.config.vocabulary_size, network.config.width
        self._embedding = network.embedding
        self._check_cancelled = check_cancelled

    @torch.inference_mode()
    def row(self, id_: int) -> Tensor:
        """Return one row: [width]."""
        return self.rows_of([id_])[0]

    @torch.inference_mode()
    def rows_of(self, ids: Sequence[int]) -> Tensor:
        """Return the rows with these ids: [len(ids), width]."""
        rows: Tensor = self._embedding(torch.tensor(ids))
        return rows.cpu()  # the table may be on a GPU

    @torch.inference_mode()
    def cosines(self, vectors: Tensor) -> Tensor:
        """Return the cosine of each vector [n, width] with every row: [n, rows]."""
        unit = scaled(vectors)
        # A single vector may be multiplied in 16 bits, several never are.
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
        """Return |row| for every row: [rows].

        A row of zeros gets a tiny length, so that its cosine with anything is 0.
        """
        return self._measured()[0]

    @property
    def chance(self) -> float:
        """Return the mean cosine of two different random rows, as a baseline for other cosines.

        If s is the sum of all rows scaled to length 1, the sum of all cosines is |s|². The cosine
        of each row with itself is subtracted.
        """
        return self._measured()[1]

    @torch.inference_mode()
    def _measured(self) -> tuple[Tensor, float]:
        """Return `lengths` and `chance`, and store them.

        Only they need every row unpacked, which takes half a second for a small model.
        """
        if self._embedding not in _MEASURED:
            lengths, total = [], torch.zeros(())
            for ids in torch.arange(self.rows).split(CHUNK):
                self._check_cancelled()
                chunk = self._embedding(ids).cpu()  # [CHUNK, width]
                length = chunk.norm(dim=-1).clamp(min=1e-12)
                lengths.append(length)
                total = total + (chunk / length[:, None]).sum(dim=0)  # [width]
            chance = (float(total.square().sum()) - self.rows) / (self.rows * (self.rows - 1))
            _MEASURED[self._embedding] = torch.cat(lengths), chance
        return _MEASURED[self._embedding]


def nearest(cosines: Tensor, most: int, leave_out: Sequence[int] = ()) -> list[Ranked]:
    """Return the `most` rows with the highest cosines [rows], best first, without `leave_out`."""
    best = cosines.topk(min(most + len(leave_out), len(cosines)))
    found = zip(best.indices.tolist(), best.values.tolist(), strict=True)
    kept = [(id_, value) for id_, value in found if id_ not in leave_out][:most]
    return [Ranked(rank, id_, value) for rank, (id_, value) in enumerate(kept, start=1)]


def rank_of(id_: int, cosines: Tensor, leave_out: Sequence[int] = ()) -> int:
    """Return the rank of row `id_` by its cosine, from 1, without the rows in `leave_out`."""
    above = cosines > cosines[id_]  # [rows]
    return 1 + int(above.sum()) - sum(bool(above[other]) for other in set(leave_out))


def similarities(vectors: Tensor) -> Tensor:
    """Return the cosine of each vector [n, width] with each other vector: [n, n]."""
    unit = scaled(vectors)
    return unit @ unit.t()


def analogy(rows: Tensor) -> Tensor:
    """Return a - b + c of three rows [3, width], each scaled to length 1 first: [width]."""
    a, b, c = scaled(rows)
    return a - b + c


def scaled(vectors: Tensor) -> Tensor:
    """Return each vector [..., width] scaled to length 1. A vector of zeros stays as it is."""
    return vectors / vectors.norm(dim=-1, keepdim=True).clamp(min=1e-12)
