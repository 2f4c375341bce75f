"""Trains tokenizers."""

from __future__ import annotations

from tutor.labs.kit.backend import Tools
from tutor.labs.kit.lesson_prose import lesson_prose
from tutor.labs.train_tokenizer.lab import SHOWN, Answer, Question
from tutor.labs.train_tokenizer.trainer import BYTES, train_tokenizer


class TrainTokenizerBackend:
    def __init__(self, tools: Tools) -> None:
        self._model = tools.model.tokenizer

    def answer(self, question: Question) -> Answer:
        """Raises `TextError` where the model's vocabulary lacks a byte of what is tried."""
        text = "\n".join(lesson_prose()) if question.text is None else question.text
        tokenizer = train_tokenizer(text, question.size)
        found = tokenizer.vocabulary_size - BYTES
        merges = tokenizer.tokens(range(BYTES, BYTES + min(SHOWN, found)))
        pieces = tokenizer.tokens(tokenizer.encode(question.tried))
        return Answer(
            tokens=len(tokenizer.encode(text)),
            byte_count=len(text.encode()),
            merges=tuple(token.data for token in merges),
            found=found,
            pieces=tuple(token.data for token in pieces),
            model_pieces=len(self._model.encode(question.tried)),
        )


def make_backend(tools: Tools) -> TrainTokenizerBackend:
    return TrainTokenizerBackend(tools)
