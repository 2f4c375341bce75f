"""Compare rows of the embedding table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tutor.labs.kit.backend import Tools
from tutor.labs.kit.words.lookup import form_of, forms_of
from tutor.labs.kit.words.word import Form, Near
from tutor.labs.neighbors import lab
from tutor.labs.neighbors.analogies import AskSum, Sum
from tutor.labs.neighbors.lab import Answer, Question
from tutor.lm.embeddings.neighbors import EmbeddingTable, analogy, nearest, rank_of, similarities

if TYPE_CHECKING:
    from torch import Tensor


class NeighborsBackend:
    def __init__(self, tools: Tools) -> None:
        self._tokenizer = tools.model.tokenizer
        self._table = EmbeddingTable(tools.model.network, tools.check_cancelled)

    def answer(self, question: Question) -> Answer:
        """Return a token's neighbors, the similarities of words, or the result of an analogy.

        Raises `TextError` if a word is empty, or if the vocabulary has no tokens for it.
        """
        match question:
            case lab.AskNear():
                return self._near(question)
            case lab.AskPairs(words):
                return self._pairs(words)
            case AskSum(words):
                return self._sum(words)

    def _near(self, question: lab.AskNear) -> lab.Neighborhood:
        forms: tuple[Form, ...] = ()
        id_ = question.id
        if id_ is None:
            forms = forms_of(self._tokenizer, question.word)
            id_ = forms[question.form % len(forms)][0].id
        row = self._table.row(id_)
        length = float(row.norm())
        cosines = self._table.cosines(row[None])[0]  # [rows]
        distances = self._table.distances(length, cosines)  # [rows]
        closeness = -distances if question.by_distance else cosines
        return lab.Neighborhood(
            forms=forms,
            token=self._tokenizer.token(id_),
            length=length,
            near=tuple(
                Near(rank, self._tokenizer.token(at), float(cosines[at]), float(distances[at]))
                for rank, at, _ in nearest(closeness, lab.NEIGHBORS, [id_])
            ),
            chance=self._mean_of_others(cosines, id_),
            chance_distance=self._mean_of_others(distances, id_),
            rows=self._table.rows,
        )

    def _mean_of_others(self, values: Tensor, id_: int) -> float:
        """Return the mean of `values` [rows], without the value of the row `id_`."""
        return float(values.sum() - values[id_]) / max(1, self._table.rows - 1)

    def _pairs(self, words: Sequence[str]) -> lab.Pairs:
        forms = tuple(form_of(self._tokenizer, word) for word in words)
        cosines = similarities(self._table.rows_of([form[0].id for form in forms])).tolist()
        return lab.Pairs(forms, tuple(map(tuple, cosines)), self._table.chance)

    def _sum(self, words: Sequence[str]) -> Sum:
        forms = tuple(form_of(self._tokenizer, word) for word in words)
        ids = [form[0].id for form in forms]
        total = analogy(self._table.rows_of(ids[:3]))
        cosines = self._table.cosines(total[None])[0]  # [rows]
        return Sum(
            forms=forms,
            nearest=self._nearest(cosines, lab.NEAREST),
            cosine=float(cosines[ids[3]]),
            rank=rank_of(ids[3], cosines),
            rank_without=rank_of(ids[3], cosines, ids[:3]),
            rows=self._table.rows,
        )

    def _nearest(
        self, cosines: Tensor, most: int, leave_out: Sequence[int] = ()
    ) -> tuple[Near, ...]:
        return tuple(
            Near(rank, self._tokenizer.token(id_), cosine)
            for rank, id_, cosine in nearest(cosines, most, leave_out)
        )


make_backend = NeighborsBackend
