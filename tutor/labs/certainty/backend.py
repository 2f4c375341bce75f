"""Generate answers to questions in the chat format, with the log-probability of every token."""

from __future__ import annotations

import time

from tutor.labs.certainty.lab import Answer, Question
from tutor.labs.kit.backend import Tools
from tutor.labs.kit.model_backend import Growing, ModelBackend, log_probabilities, longer
from tutor.labs.kit.reply import Reply
from tutor.lm import draw
from tutor.lm.chat import chat_ids
from tutor.lm.distribution import ChatMessage
from tutor.lm.sampling import ranked


class CertaintyBackend(ModelBackend):
    def __init__(self, tools: Tools) -> None:
        super().__init__(tools)
        self._growing = Growing(tools)

    def answer(self, question: Question) -> Answer:
        """Continue the request's incomplete replies for one time slice.

        Raises `ModelUnsupported` if the model has no chat template, and `TextError` or
        `ContextFull` if the model cannot process the prompt.
        """
        begun = time.perf_counter()
        message, system = question.prompt.message, question.prompt.system
        before = [ChatMessage("system", system)] if system else []
        self._growing.begin(chat_ids(self._model, [*before, ChatMessage("user", message)]))
        replies = list(question.replies)
        while open_ := [number for number, reply in enumerate(replies) if not reply.done]:
            number = min(open_, key=lambda each: len(replies[each].ids))
            replies[number] = self._longer(replies[number], number, question.seed)
            if time.perf_counter() - begun >= self._moment:
                break
            self._check_cancelled()
        self._growing.forget_all_but(reply.ids for reply in replies)
        return Answer(tuple(replies), time.perf_counter() - begun)

    def _longer(self, reply: Reply, number: int, seed: int | None) -> Reply:
        """Return the reply with one more token.

        A sampled token depends only on the seed, the index of the reply, and the token's position.
        Without a seed, the most probable token is used.
        """
        logs = log_probabilities(self._growing.logits(reply.ids))
        if seed is None:
            id_ = int(ranked(logs, 1))
        else:
            position = len(self._growing.prompt) + len(reply.ids)
            id_ = draw.first(logs.exp().numpy(), seed * 1000 + number, position)
        return longer(self._model, reply, id_, float(logs[id_]))


def make_backend(tools: Tools) -> CertaintyBackend:
    return CertaintyBackend(tools)
