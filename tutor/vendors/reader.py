"""Asks a remote model for the next token.

A service has no session: each question sends the whole text again. Answers are kept, so that going
back, another branch or another sampler setting costs nothing.

A text is asked about token by token, at temperature 0, because servers then return the model's own
probabilities. A conversation is asked about in the same way if the server can continue an answer
that has begun; whether it can is tested once. If it cannot, or if it returns nothing about tokens,
the answer appears as the server writes it: you can inspect each token, but not replace it.
"""

from __future__ import annotations

import math
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress

import msgspec

from tutor.errors import AnswerEmpty, NotTold, StreamBroken, TextError
from tutor.lm.distribution import ChatMessage, SamplerSettings, Token
from tutor.vendors.alternatives import ALTERNATIVES, Alternatives
from tutor.vendors.catalogue import OWN, RemoteModel
from tutor.vendors.opening import open_service
from tutor.vendors.permissions import Permissions
from tutor.vendors.runs import POLL, Run, prompt_events, whole
from tutor.vendors.service import (
    Alternative,
    Cancellation,
    Finish,
    Piece,
    RemoteRequest,
    Service,
)
from tutor.vendors.vocabulary import (
    ASSISTANT,
    END,
    Vocabulary,
    is_conversation,
    messages,
    text_of,
)

GREEDY = SamplerSettings(temperature=0)
LONGEST_ANSWER = 1024
"""The most tokens of an answer that the server writes by itself."""

_KEPT = 2048
_ANSWERS = 8
_SAME = 0.05
"""If two log-probabilities (in nats) differ by more, they are not of the same position."""

_CHAT_INSTEAD = "Press c to chat with this model, or step through a local model."

Messages = tuple[ChatMessage, ...]
Check = Callable[[], None]


class Prediction(msgspec.Struct, frozen=True):
    """A server's report about the position after a text.

    `shown` are the tokens that it lists. `drawn` is the token that the server itself chose, if it
    draws: `END` at the end of its answer, None if the draw is ours. `drawn_log` is the
    log-probability of that token, which may be reported even if the token is not listed.
    """

    shown: tuple[Alternative, ...]
    drawn: Token | None = None
    drawn_log: float | None = None


class RemoteReader:
    """The questions to one model, from several threads, and a cache of its answers.

    `check` raises an error when the question was cancelled.
    """

    def __init__(self, model: RemoteModel, permissions: Permissions) -> None:
        self.model = model
        self.vocabulary = Vocabulary()
        self._permissions = permissions
        self._lock = threading.Lock()
        self._predictions: OrderedDict[str | Messages, Prediction] = OrderedDict()
        self._answers = OrderedDict[tuple[Messages, int], tuple[Run, SamplerSettings]]()
        self._can_continue: bool | None = None if model.service.id == OWN else False
        self._alternatives = Alternatives(model)
        self._echoes = model.service.id == OWN

    # --- predictions ------------------------------------------------------------------------

    def prediction(
        self, path: tuple[Token, ...], sampler: SamplerSettings, seed: int | None, check: Check
    ) -> Prediction:
        """Return what comes after `path`. Without a seed, no answer is begun for it.

        Raises `RemoteError`, or `NotTold` or `TextError` if this position cannot be asked about.
        """
        if not is_conversation(path):
            if END in path:
                raise TextError(
                    "The model ended its text here. A server cannot continue after the end.",
                    "Press u to undo the end.",
                )
            if not self._alternatives.most:
                raise NotTold(
                    f"{self.model.service.product} does not return log-probabilities and does not "
                    "continue texts, so there is nothing to step through.",
                    _CHAT_INSTEAD,
                )
            return self._asked(text_of(b"".join(token.data for token in path)), check)
        if path[-1] == END:
            raise TextError(
                "The model ended its turn. A server cannot continue after the end.",
                "Write the next message, or press u to undo the end.",
            )
        said = messages(path)
        if said[-1].role != "assistant":
            raise NotTold(
                "A server reports nothing about the tokens of your own message.",
                "Move on to its answer.",
            )
        if self._can_continue is None:
            self._can_continue = self._alternatives.most > 0 and self._test_continuation(
                said[:-1], check
            )
        if self._can_continue:
            return self._asked(said if said[-1].content else said[:-1], check)
        return self._written(said[:-1], path, sampler, seed, check)

    def known(self, path: tuple[Token, ...]) -> Prediction | None:
        """Return what was reported before about the position after `path`, if anything."""
        try:
            if not is_conversation(path):
                key: str | Messages = text_of(b"".join(token.data for token in path))
            else:
                said = messages(path)
                key = said if said[-1].content else said[:-1]
        except TextError:
            return None
        with self._lock:
            return self._predictions.get(key)

    def _asked(self, prompt: str | Messages, check: Check) -> Prediction:
        """Ask for one token, of which only the alternatives matter."""
        with self._lock:
            if (found := self._predictions.get(prompt)) is not None:
                self._predictions.move_to_end(prompt)
                return found
        request = RemoteRequest(prompt, GREEDY, most_tokens=1, top=ALTERNATIVES)
        progress = whole(lambda cut: self._events(request, cut), check).or_raise()
        told = [piece for piece in progress.pieces if piece.alternatives]
        if told:
            prediction = Prediction(told[0].alternatives)
        elif any(piece.data for piece in progress.pieces):
            raise NotTold(
                f"{self.model.host} does not return log-probabilities, so there is nothing to step "
                "through.",
                _CHAT_INSTEAD,
            )
        else:
            prediction = Prediction((), END)
        with self._lock:
            self._predictions[prompt] = prediction
            while len(self._predictions) > _KEPT:
                self._predictions.popitem(last=False)
        return prediction

    def _written(
        self,
        said: Messages,
        path: tuple[Token, ...],
        sampler: SamplerSettings,
        seed: int | None,
        check: Check,
    ) -> Prediction:
        """Return the next piece of the answer that the server writes by itself."""
        start = max(index for index, token in enumerate(path) if token == ASSISTANT) + 1
        begun = tuple(token.data for token in path[start:])
        run = self._under_way(said, begun, seed)
        if not begun and seed is not None:
            run = self._answer(said, sampler, seed)
        if run is None:
            raise StreamBroken(
                "The engine restarted while the answer was arriving.",
                "What arrived is kept. Go back to its beginning to ask again.",
            )
        while True:
            progress = run.progress()
            pieces = [piece for piece in progress.pieces if piece.data]
            if not _fits(pieces, begun):
                raise NotTold(
                    "This server cannot continue an answer that you have changed.",
                    "Undo your changes, or write the next message.",
                )
            if len(pieces) > len(begun):
                piece = pieces[len(begun)]
                drawn = self.vocabulary.token(piece.data)
                return Prediction(piece.alternatives, drawn, piece.log_probability)
            progress.or_raise()
            if progress.finish is not None:
                return Prediction((), END)
            check()
            run.wait(POLL)

    def _under_way(self, said: Messages, begun: tuple[bytes, ...], seed: int | None) -> Run | None:
        """Return an answer to this conversation that begins with `begun`.

        The answer with this seed is preferred, and returned if none fits.
        """
        with self._lock:
            exact, _ = self._answers.get((said, seed or 0), (None, None))
            others = [run for (to, _), (run, _) in self._answers.items() if to == said]
        fitting = (run for run in reversed(others) if _fits(run.progress().pieces, begun))
        if exact is not None and (seed is not None or _fits(exact.progress().pieces, begun)):
            return exact
        return next(fitting, exact)

    def _answer(self, said: Messages, sampler: SamplerSettings, seed: int) -> Run:
        """Return the answer to this conversation with this seed.

        It is started if there is none yet, or if the one there is had another sampler: the sampler
        at the beginning of an answer applies to all of it.
        """
        with self._lock:
            run, before = self._answers.get((said, seed), (None, sampler))
        if run is not None and before == sampler and run.progress().trouble is None:
            return run
        own_seed = seed if self.model.service.id == OWN else None
        request = RemoteRequest(said, sampler, LONGEST_ANSWER, ALTERNATIVES, own_seed)
        run = Run(lambda cut: self._events(request, cut))
        with self._lock:
            self._answers[said, seed] = run, sampler
            while len(self._answers) > _ANSWERS:
                self._answers.popitem(last=False)[1][0].cancel()
        return run

    def _test_continuation(self, said: Messages, check: Check) -> bool:
        """Test whether the server can continue an answer that has begun.

        Two tokens are requested at once, then the second alone, after the first. If both requests
        return the same about the second token, the server can continue. (A server that closes the
        answer, or leaves it out, returns something else.)
        """
        request = RemoteRequest(said, GREEDY, most_tokens=2, top=5)
        try:
            progress = whole(lambda cut: self._events(request, cut), check).or_raise()
            first, second, *_ = [piece for piece in progress.pieces if piece.alternatives]
            begun = (*said, ChatMessage("assistant", text_of(first.data)))
            alone = self._asked(begun, check)
        except (NotTold, AnswerEmpty, TextError, ValueError):
            return False
        told = {each.data: each.log_probability for each in alone.shown}
        return all(
            math.isclose(told.get(each.data, math.inf), each.log_probability, abs_tol=_SAME)
            for each in second.alternatives[:3]
        )

    # --- the prompt ------------------------------------------------------------------------

    def split(self, text: str, check: Check) -> list[tuple[Token, float | None]]:
        """Return the tokens of a text as the server tokenizes it, each with its log-probability.

        If the server does not report tokens, the text is a single token.
        """
        if self._echoes:
            service = self._service()
            with suppress(NotTold):
                told = whole(lambda cut: prompt_events(service, text, cut), check).or_raise()
                if told.pieces:
                    return [(self.vocabulary.token(p.data), p.log_probability) for p in told.pieces]
            self._echoes = False
        return [(self.vocabulary.token(text.encode()), None)]

    # --- requests --------------------------------------------------------------------------

    def _service(self) -> Service:
        self._permissions.check(self.model)
        return open_service(self.model, self._permissions.key(self.model))

    def _events(self, request: RemoteRequest, cut: Cancellation) -> Iterator[Piece | Finish]:
        return self._alternatives.stream(self._service, request, cut)


def _fits(pieces: Sequence[Piece], begun: tuple[bytes, ...]) -> bool:
    """Return whether these pieces begin with `begun`, as far as they have arrived."""
    came = tuple(piece.data for piece in pieces if piece.data)[: len(begun)]
    return came == begun[: len(came)]
