"""Trains tokenizers."""

from __future__ import annotations

import re
from functools import cached_property

from tutor.course.catalogue import load_course
from tutor.labs.train_tokenizer import SHOWN, Answer, Question
from tutor.lm.train_tokenizer import BYTES, train_tokenizer
from tutor.workbench.bench import Tools

_NO_PROSE = re.compile(r"^```.*?^```|^\|[^\n]*", re.MULTILINE | re.DOTALL)


class TrainTokenizerBench:
    def __init__(self, tools: Tools) -> None:
        self._model = tools.model.tokenizer

    @cached_property
    def _lessons(self) -> str:
        """The prose of the course that came with this version: no code, diagrams or tables."""
        course = load_course()
        lessons = (course.lesson(outline.id) for outline in course.outlines)
        bodies = (screen.body for lesson in lessons if lesson for screen in lesson.screens)
        return "\n".join(_NO_PROSE.sub("", body) for body in bodies)

    def answer(self, question: Question) -> Answer:
        """Raises `TextError` where the model's vocabulary lacks a byte of what is tried."""
        text = self._lessons if question.text is None else question.text
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


def make_bench(tools: Tools) -> TrainTokenizerBench:
    return TrainTokenizerBench(tools)
