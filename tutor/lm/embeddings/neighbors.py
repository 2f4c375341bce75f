"""Compare the rows of the embedding table.

Similarity is measured as the cosine of the angle between two vectors, from -1 to 1:

    cos(u, v) = u · v / (|u| |v|)

An analogy is solved with vector arithmetic: scale the rows a, b and c to length 1, and find the
rows nearest to a - b + c. Demonstrations usually exclude a, b and c from the results; here you can
exclude them or include them.

The table of a loaded model may be stored in 8 or 16 bits. The whole table can be multiplied by a
vector in a few milliseconds without converting its rows to 32-bit floats first.

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
"""The number of rows that are converted to 32-bit floats at a time."""

_MEASURED: WeakKeyDictionary[nn.Module, tuple[Tensor, float]] = WeakKeyDictionary()


class Ranked(NamedTuple):
    """A search result: a row of the embedding table, with its rank (from 1) and its cosine."""

    rank: int
    id: int
    cosine: float


class EmbeddingTable:
    """The embedding table of a network.

    `check_cancelled` is called regularly during long computations and can stop them by raising an
    exception.
    """

    def __init__(
        self, network: Transformer, check_cancelled: Callable[[], None] = lambda: None
    ) -> None:
        self.rows, self.width = network.config.vocabulary_size, network.config.width
        self._embedding = network.embedding
        self._check_cancelled = check_cancelled

    @torch.inference_mode()
    def row(self, id_: int) -> Tensor:
        """Return the row of one token: [width]."""
        return self.rows_of([id_])[0]

    @torch.inference_mode()
    def rows_of(self, ids: Sequence[int]) -> Tensor:
        """Return the rows of several tokens: [len(ids), width]."""
        rows: Tensor = self._embedding(torch.tensor(ids))
        return rows.cpu()  # the table may be on a GPU

    @torch.inference_mode()
    def cosines(self, vectors: Tensor) -> Tensor:
        """Return the cosine of each vector [n, width] with every row: [n, rows]."""
        unit = scaled(vectors)
        # On a CPU, a single vector may be multiplied in 16 bits, but two vectors are multiplied in
        # 32 bits. So a single vector is duplicated.
        pair = unit if len(unit) > 1 else unit.expand(2, -1)
        return self._product(pair)[: len(unit)] / self.lengths

    def distances(self, length: float, cosines: Tensor) -> Tensor:
        """Return the Euclidean distance of a vector from every row: [rows].

        The distance is computed from the vector's `length` and its `cosines` with all rows [rows]:
        |a - b|² = |a|² + |b|² - 2 |a| |b| cos.
        """
        squares = length**2 + self.lengths**2 - 2 * length * self.lengths * cosines
        return squares.clamp(min=0).sqrt()

    def _product(self, vectors: Tensor) -> Tensor:
        if isinstance(self._embedding, TableEmbedding):
            matrix = self._embedding.matrix
            return matrix(vectors.to(matrix.device)).cpu()
        assert isinstance(self._embedding, nn.Embedding)
        return vectors @ self._embedding.weight.t()

    @property
    def lengths(self) -> Tensor:
        """Return the length (Euclidean norm) of every row: [rows].

        A row of zeros is given a tiny length, so that its cosine with anything is 0.
        """
        return self._measured()[0]

    @property
    def chance(self) -> float:
        """Return the mean cosine of two different random rows, as a baseline for other cosines.

        If s is the sum of all rows scaled to length 1, the sum of the cosines of all pairs is |s|².
        We subtract the cosine of each row with itself before taking the mean.
        """
        return self._measured()[1]

    @torch.inference_mode()
    def _measured(self) -> tuple[Tensor, float]:
        """Return the lengths of all rows, and the mean cosine of two different rows.

        Both are computed once and cached, because it takes half a second to convert every row of a
        small model.
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
    """Return up to `most` rows in order of their `cosines` [rows], highest cosine first.

    The rows with the ids in `leave_out` are excluded.
    """
    best = cosines.topk(min(most + len(leave_out), len(cosines)))
    found = zip(best.indices.tolist(), best.values.tolist(), strict=True)
    kept = [(id_, value) for id_, value in found if id_ not in leave_out][:most]
    return [Ranked(rank, id_, value) for rank, (id_, value) in enumerate(kept, start=1)]


def rank_of(id_: int, cosines: Tensor, leave_out: Sequence[int] = ()) -> int:
    """Return the rank of the row `id_` when all rows are sorted by cosine, highest first.

    Ranks start at 1. Rows whose ids are in `leave_out` are skipped.
    """
    above = cosines > cosines[id_]  # [rows]
    return 1 + int(above.sum()) - sum(bool(above[other]) for other in set(leave_out))


def similarities(vectors: Tensor) -> Tensor:
    """Return the cosines between all pairs of the vectors [n, width]: [n, n]."""
    unit = scaled(vectors)
    return unit @ unit.t()


def analogy(rows: Tensor) -> Tensor:
    """Return a - b + c for three rows [3, width], after scaling each row to length 1: [width]."""
    a, b, c = scaled(rows)
    return a - b + c


def scaled(vectors: Tensor) -> Tensor:
    """Return each vector [..., width] scaled to length 1. A vector of zeros is unchanged."""
    return vectors / vectors.norm(dim=-1, keepdim=True).clamp(min=1e-12)
