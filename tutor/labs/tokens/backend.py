"""Splits text into tokens with the model's tokenizer."""

from __future__ import annotations

from tutor.labs.kit.backend import Tools
from tutor.labs.tokens.lab import Answer, Piece, Question


class TokensBackend:
    def __init__(self, tools: Tools) -> None:
        self._tokenizer = tools.model.tokenizer

    def answer(self, question: Question) -> Answer:
        """Return the tokens of a text.

        Raises `TextError` if the vocabulary has no token for a byte of the text.
        """
        tokens = self._tokenizer.tokens(self._tokenizer.encode(question.text))
        return Answer(tuple(Piece(token.data, token.id) for token in tokens))


make_backend = TokensBackend
