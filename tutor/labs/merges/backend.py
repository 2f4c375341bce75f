"""Find the merges that the model's tokenizer applies to a text."""

from __future__ import annotations

from tutor.labs.kit.backend import Tools
from tutor.labs.merges.lab import Answer, Question
from tutor.labs.merges.merging import in_bytes, play


class MergesBackend:
    def __init__(self, tools: Tools) -> None:
        self._tokenizer = tools.model.tokenizer
        self._rules = self._tokenizer.merge_rules()

    def answer(self, question: Question) -> Answer:
        """Return the merges that turn a text into tokens.

        Raises `TextError` if the vocabulary has no token for a byte of the text.
        """
        ids = self._tokenizer.encode(question.text)
        chunks = in_bytes(self._tokenizer.chunks(question.text))
        merges = tuple(merge for merge, _ in play(chunks, self._rules))
        return Answer(chunks, merges, tuple(ids), len(self._rules))


def make_backend(tools: Tools) -> MergesBackend:
    """Return a new backend.

    Raises `LabError` if the model's tokenizer doesn't work on bytes.
    """
    return MergesBackend(tools)
