"""Counts the tokens of a text."""

from __future__ import annotations

from tutor.labs.kit.backend import Tools
from tutor.labs.letters.lab import Answer, Question


class LettersBackend:
    def __init__(self, tools: Tools) -> None:
        self._tokenizer = tools.model.tokenizer

    def answer(self, question: Question) -> Answer:
        """Raises `TextError` where the vocabulary has no token for a byte of the text."""
        return Answer(len(self._tokenizer.encode(question.text)))


def make_backend(tools: Tools) -> LettersBackend:
    return LettersBackend(tools)
