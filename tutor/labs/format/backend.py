"""Mask the tokens that a format doesn't allow, and generate an answer without the mask."""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

import torch

from tutor.labs.format import lab
from tutor.labs.format.constraint import Format, Vocabulary
from tutor.labs.format.lab import Answer, Question
from tutor.labs.kit.backend import Tools
from tutor.labs.kit.model_backend import Growing, ModelBackend, log_probabilities, longer
from tutor.labs.kit.reply import Reply
from tutor.lm.chat import chat_ids
from tutor.lm.distribution import ChatMessage
from tutor.lm.sampling import ranked

if TYPE_CHECKING:
    from torch import Tensor


class FormatBackend(ModelBackend):
    """The lab's backend. It caches the latest format, and the sessions of both answers."""

    def __init__(self, tools: Tools) -> None:
        super().__init__(tools)
        self._growing = Growing(tools)
        self._format: tuple[lab.Rule, Format] | None = None
        self._bound: tuple[int, ...] = ()
        self._free: tuple[int, ...] = ()

    def answer(self, question: Question) -> Answer:
        """Return the distributions with and without the mask, or extend the unconstrained answer.

        Raises `ModelUnsupported` if the model has no chat template, `TextError` or `ContextFull` if
        the model cannot process the message, and `LabError` if matching the pattern takes too long.
        """
        message = ChatMessage("user", question.message)
        self._growing.begin(chat_ids(self._model, [message]))
        answer = (
            self._place(question) if isinstance(question, lab.Look) else self._extended(question)
        )
        self._growing.forget_all_but([self._bound, self._free])
        return answer

    def _place(self, question: lab.Look) -> lab.Place:
        self._bound = question.ids
        logs = log_probabilities(self._growing.logits(question.ids))
        self._check_cancelled()
        format_ = self._made(question.rule)
        text = self._model.tokenizer.decode(question.ids)
        whole = format_.whole(text)
        allowed = self._vocabulary.allowed(format_, text)
        allowed += self._model.tokenizer.end_ids if whole else ()
        before = logs.exp()
        after = torch.zeros_like(before)
        ids = torch.tensor(allowed, dtype=torch.long)
        left = float(before[ids].sum())
        after[ids] = torch.softmax(logs[ids], dim=-1)
        order = ranked(logs, len(logs))
        ranks = torch.empty_like(order)
        ranks[order] = torch.arange(1, len(order) + 1)
        kept = ids[ranked(logs[ids], min(lab.SHOWN, len(ids)))]

        def rows(some: Tensor) -> tuple[lab.Row, ...]:
            return tuple(self._row(id_, ranks, logs, after) for id_ in some.tolist())

        return lab.Place(
            rows=rows(order[: lab.SHOWN]),
            kept=rows(kept),
            allowed=len(allowed),
            vocabulary=len(logs),
            removed=max(0.0, 1 - left),
            whole=whole,
        )

    def _row(self, id_: int, ranks: Tensor, logs: Tensor, after: Tensor) -> lab.Row:
        tokenizer = self._model.tokenizer
        log = logs[id_]
        return lab.Row(
            id_,
            tokenizer.token(id_).data,
            int(ranks[id_]),
            float(log),
            float(log.exp()),
            float(after[id_]),
            id_ in tokenizer.end_ids,
        )

    def _extended(self, question: lab.GoOn) -> lab.GoneOn:
        """Extend the unconstrained answer by greedy decoding for one time slice."""
        begun = time.perf_counter()
        reply: Reply = question.reply
        while not reply.done:
            logs = log_probabilities(self._growing.logits(reply.ids))
            id_ = int(ranked(logs, 1))
            reply = longer(self._model, reply, id_, float(logs[id_]))
            if time.perf_counter() - begun >= self._moment:
                break
            self._check_cancelled()
        self._free = reply.ids
        return lab.GoneOn(reply)

    def _made(self, rule: lab.Rule) -> Format:
        if self._format is None or self._format[0] != rule:
            self._format = rule, lab.made(rule)
        return self._format[1]

    @cached_property
    def _vocabulary(self) -> Vocabulary:
        """The model's tokens, without special tokens, which are never part of the text."""
        tokenizer = self._model.tokenizer
        size = self._model.network.config.vocabulary_size
        tokens: Sequence[int] = range(min(size, tokenizer.highest_id + 1))
        return Vocabulary(
            {token.id: token.data for token in tokenizer.tokens(tokens) if not token.special}
        )


def make_backend(tools: Tools) -> FormatBackend:
    return FormatBackend(tools)
