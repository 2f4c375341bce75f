"""Project the embeddings of words onto a plane."""

from __future__ import annotations

from tutor.labs.kit.backend import Tools
from tutor.labs.kit.words.lookup import form_of
from tutor.labs.word_map.lab import Answer, Question
from tutor.lm.embeddings.neighbors import EmbeddingTable, similarities
from tutor.lm.embeddings.word_map import best_plane


class WordMapBackend:
    def __init__(self, tools: Tools) -> None:
        self._tokenizer = tools.model.tokenizer
        self._table = EmbeddingTable(tools.model.network)

    def answer(self, question: Question) -> Answer:
        """Return a map of words. Raises `TextError` if the vocabulary has no tokens for a word."""
        forms = tuple(form_of(self._tokenizer, word) for word in question.words)
        rows = self._table.rows_of([form[0].id for form in forms])  # [words, width]
        plane = best_plane(rows)
        return Answer(
            forms=forms,
            points=tuple((x, y) for x, y in plane.points.tolist()),
            shares=plane.shares,
            cosines=tuple(map(tuple, similarities(rows).tolist())),
        )


make_backend = WordMapBackend
