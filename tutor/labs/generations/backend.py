"""Compute the replies of the three bots: rule-based, retrieval and generative."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from msgspec.structs import replace

from tutor.bots import rules
from tutor.bots.bank import with_own
from tutor.bots.files import shipped_bank, shipped_rules
from tutor.bots.intents import STEPS
from tutor.bots.retrieval_bot import RetrievalBot
from tutor.labs.generations import questions
from tutor.labs.generations.lab import GREEDY, SENSIBLE
from tutor.labs.generations.questions import Answer, Question
from tutor.labs.kit.model_backend import ModelBackend
from tutor.lm.chat import chat_ids

if TYPE_CHECKING:
    from collections.abc import Callable

    from tutor.labs.kit.backend import Tools

STEPS_AT_ONCE = 10
"""The number of training steps for each request. It is small, so that the screen can show how the
loss falls."""


class GenerationsBackend(ModelBackend):
    """The lab's backend. It caches the retrieval bot that was last trained.

    `clock` returns the current time in seconds.
    """

    def __init__(self, tools: Tools, clock: Callable[[], float] = time.perf_counter) -> None:
        super().__init__(tools)
        self._clock = clock
        self._retrieval: RetrievalBot | None = None
        self._trained_for: tuple[questions.Own, int] | None = None
        self._seconds = 0.0

    def answer(self, question: Question) -> Answer:
        """Return the reply of one bot, or the progress of training the retrieval bot's network.

        Raises `ModelUnsupported` if the model has no chat template, and `ContextFull` if the
        conversation exceeds the model's context window.
        """
        match question:
            case questions.AskRules():
                return self._said_by_rules(question)
            case questions.AskTraining(own=own, seed=seed, done=done):
                return self._train(own, seed, restart=done == 0)
            case questions.AskRetrieval(own=own, seed=seed, message=message):
                bot = self._bot(own, seed)
                # If the engine has restarted since the training, train the network again.
                while not bot.training.finished:
                    self._check_cancelled()
                    bot.training.step()
                begun = self._clock()
                reply = bot.reply(message)
                return questions.SaidByRetrieval(reply, self._milliseconds(begun))
            case questions.AskGeneration():
                return self._write(question)

    def _bot(self, own: questions.Own, seed: int) -> RetrievalBot:
        if self._retrieval is None or self._trained_for != (own, seed):
            begun = self._clock()
            self._retrieval = RetrievalBot(self._model, with_own(shipped_bank(), own), seed)
            self._trained_for = (own, seed)
            self._seconds = self._clock() - begun
        return self._retrieval

    def _train(self, own: questions.Own, seed: int, *, restart: bool) -> questions.Trained:
        if restart:
            self._trained_for = None
        bot = self._bot(own, seed)
        begun = self._clock()
        for _ in range(STEPS_AT_ONCE):
            if not bot.training.finished:
                bot.training.step()
        self._seconds += self._clock() - begun
        names = [intent.name for intent in with_own(shipped_bank(), own).intents]
        wrong = bot.training.wrong()
        of = sum(len(intent.held_out) for intent in shipped_bank().intents)
        return questions.Trained(
            losses=tuple(bot.training.losses),
            total=STEPS,
            right=of - len(wrong),
            of=of,
            wrong=tuple((each.phrase, names[each.wanted], names[each.taken_for]) for each in wrong),
            seconds=self._seconds,
        )

    def _write(self, question: questions.AskGeneration) -> questions.Generated:
        """Generate at least one token, and more until the time slice is over.

        Return the new tokens.
        """
        begun = self._clock()
        prompt = chat_ids(self._model, question.messages)
        session = self._read([*prompt, *question.written])
        sampler = SENSIBLE if question.seed else GREEDY
        written: list[questions.Chosen] = []
        room = question.length - len(question.written)
        while len(written) < room and not session.ended:
            drawn = session.distribution(len(session), sampler, question.seed, 1).drawn
            session.append([drawn.token.id])
            written.append(questions.Chosen(drawn.token, drawn.probability, drawn.rank))
            if self._clock() - begun >= self._moment:
                break
            self._check_cancelled()
        return questions.Generated(
            prompt=() if question.written else self._model.tokenizer.tokens(prompt),
            written=tuple(written),
            ended=session.ended,
            milliseconds=self._milliseconds(begun),
            weights=self._model.card.parameters,
        )

    def _said_by_rules(self, question: questions.AskRules) -> questions.SaidByRules:
        book = replace(shipped_rules(), rules=question.rules)
        rules.fits(book, "")  # Compile the patterns before measuring the time.
        begun = self._clock()
        reply = rules.reply(book, question.messages)
        return questions.SaidByRules(reply, self._milliseconds(begun))

    def _milliseconds(self, begun: float) -> float:
        return 1000 * (self._clock() - begun)


def make_backend(tools: Tools) -> GenerationsBackend:
    return GenerationsBackend(tools)
