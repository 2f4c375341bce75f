"""Measure the probabilities of the labels "positive" and "negative" for each review."""

from __future__ import annotations

import time

import torch

from tutor.labs.injection.lab import LABELS, Answer, Question, Shares, assemble
from tutor.labs.kit.backend import Tools
from tutor.labs.kit.model_backend import ModelBackend
from tutor.labs.kit.prompts.local import label_ids
from tutor.lm.chat import text_ids


class InjectionBackend(ModelBackend):
    """The lab's backend.

    Prompts with the same defense begin with the same tokens, and the backend processes those tokens
    only once.
    """

    def answer(self, question: Question) -> Answer:
        """Return the label probabilities for each review in the request.

        Raises `ContextFull` if the defense makes the prompt too long.
        """
        begun = time.perf_counter()
        beginnings = label_ids(self._model, LABELS)
        found = []
        for review in question.reviews:
            self._check_cancelled()
            ids = text_ids(self._model, assemble(question.defense, review))
            probabilities = torch.softmax(self._read(ids).logits(len(ids)).double(), dim=-1)
            found.append(Shares(*(float(probabilities[list(ids)].sum()) for ids in beginnings)))
        return Answer(tuple(found), time.perf_counter() - begun)


def make_backend(tools: Tools) -> InjectionBackend:
    return InjectionBackend(tools)
