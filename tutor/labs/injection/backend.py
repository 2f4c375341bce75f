"""Reads reviews, and says what each would be called."""

from __future__ import annotations

import time

import torch

from tutor.labs.injection.lab import LABELS, Answer, Question, Shares, assemble
from tutor.labs.kit.backend import Tools
from tutor.labs.kit.prompts.local import label_ids
from tutor.lm.chat import text_ids
from tutor.lm.session import Session


class InjectionBackend:
    """Keeps one session: the prompt before the review is read once for each defense."""

    def __init__(self, tools: Tools) -> None:
        self._model = tools.model
        self._check_cancelled = tools.check_cancelled
        self._session: Session | None = None

    def answer(self, question: Question) -> Answer:
        """Raises `ContextFull` for a defense that is too long."""
        begun = time.perf_counter()
        beginnings = label_ids(self._model, LABELS)
        found = []
        for review in question.reviews:
            self._check_cancelled()
            logits = self._logits(text_ids(self._model, assemble(question.defense, review)))
            probabilities = torch.softmax(logits.double(), dim=-1)
            found.append(Shares(*(float(probabilities[list(ids)].sum()) for ids in beginnings)))
        return Answer(tuple(found), time.perf_counter() - begun)

    def _logits(self, ids: list[int]) -> torch.Tensor:
        """[V], after these tokens."""
        if self._session is None:
            self._session = Session(self._model, ids, check_cancelled=self._check_cancelled)
        else:
            self._session.replace(ids)
        return self._session.logits(len(ids))


def make_backend(tools: Tools) -> InjectionBackend:
    return InjectionBackend(tools)
