"""What comes next, asked of a model elsewhere.

A service has no session: each question sends the whole text again. What was answered is kept, so
that going back, another branch or another sampler setting costs nothing.

A text is asked about token by token, at temperature 0: then servers tell the model's own
probabilities. So is a conversation, where the server goes on with an answer that has begun; whether
it does is tried out once. Where it does not, or where nothing is told of tokens, the answer comes
as the server writes it: each token can be looked at, and none put in its place.
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
from tutor.vendors.runs import GLANCE, Run, prompt_events, whole
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
"""Most tokens of an answer that comes as the server writes it."""

_KEPT = 2048
_ANSWERS = 8
_SAME = 0.05
"""Two log-probabilities further apart than this (in nats) are not of the same place."""

_READ_ON = "Its conversations can be read (c). A local model can be stepped."

Messages = tuple[ChatMessage, ...]
Check = Callable[[], None]


class Place(msgspec.Struct, frozen=True):
    """What is told of the place after a text: the tokens shown, and what the server itself put
    there, if it drew (`END` where it ended; None where the draw is ours), with its log-probability,
    which is told also of a token that is not shown."""

    shown: tuple[Alternative, ...]
    drawn: Token | None = None
    drawn_log: float | None = None


class RemoteReader:
    """Asks one model. Used from several threads; `check` raises when nobody waits any more."""

    def __init__(self, model: RemoteModel, permissions: Permissions) -> None:
        self.model = model
        self.vocabulary = Vocabulary()
        self._permissions = permissions
        self._lock = threading.Lock()
        self._places: OrderedDict[str | Messages, Place] = OrderedDict()
        self._answers = OrderedDict[tuple[Messages, int], tuple[Run, SamplerSettings]]()
        self._goes_on: bool | None = None if model.service.id == OWN else False
        self._alternatives = Alternatives(model)
        self._echoes = model.service.id == OWN

    # --- what comes next --------------------------------------------------------------------

    def place(
        self, path: tuple[Token, ...], sampler: SamplerSettings, seed: int | None, check: Check
    ) -> Place:
        """What comes after `path`; without a seed, no answer is begun for it.

        Raises `RemoteError`, and `NotTold` or `TextError` for what cannot be asked there.
        """
        if not is_conversation(path):
            if END in path:
                raise TextError(
                    "The model ended its text here, and a server does not go on behind the end.",
                    "Go back with b.",
                )
            if not self._alternatives.most:
                raise NotTold(
                    f"{self.model.service.product} tells no log-probabilities and continues no "
                    "text: there is nothing to step through.",
                    _READ_ON,
                )
            return self._asked(text_of(b"".join(token.data for token in path)), check)
        if path[-1] == END:
            raise TextError(
                "The model ended its turn, and a server does not go on behind the end.",
                "Write the next message, or go back with b.",
            )
        said = messages(path)
        if said[-1].role != "assistant":
            raise NotTold(
                "A server that answers conversations tells nothing about your own message.",
                "Move on to its answer.",
            )
        if self._goes_on is None:
            self._goes_on = self._alternatives.most > 0 and self._try_going_on(said[:-1], check)
        if self._goes_on:
            return self._asked(said if said[-1].content else said[:-1], check)
        return self._written(said[:-1], path, sampler, seed, check)

    def known(self, path: tuple[Token, ...]) -> Place | None:
        """What was told before of the place after `path`, if anything was."""
        try:
            if not is_conversation(path):
                key: str | Messages = text_of(b"".join(token.data for token in path))
            else:
                said = messages(path)
                key = said if said[-1].content else said[:-1]
        except TextError:
            return None
        with self._lock:
            return self._places.get(key)

    def _asked(self, prompt: str | Messages, check: Check) -> Place:
        """One token, of which only the alternatives count."""
        with self._lock:
            if (found := self._places.get(prompt)) is not None:
                self._places.move_to_end(prompt)
                return found
        request = RemoteRequest(prompt, GREEDY, most_tokens=1, top=ALTERNATIVES)
        progress = whole(lambda cut: self._events(request, cut), check).or_raise()
        told = [piece for piece in progress.pieces if piece.alternatives]
        if told:
            place = Place(told[0].alternatives)
        elif any(piece.data for piece in progress.pieces):
            raise NotTold(
                f"{self.model.host} tells no log-probabilities: there is nothing to step through.",
                _READ_ON,
            )
        else:
            place = Place((), END)
        with self._lock:
            self._places[prompt] = place
            while len(self._places) > _KEPT:
                self._places.popitem(last=False)
        return place

    def _written(
        self,
        said: Messages,
        path: tuple[Token, ...],
        sampler: SamplerSettings,
        seed: int | None,
        check: Check,
    ) -> Place:
        """The next piece of the answer that the server writes by itself."""
        start = max(place for place, token in enumerate(path) if token == ASSISTANT) + 1
        begun = tuple(token.data for token in path[start:])
        run = self._under_way(said, begun, seed)
        if not begun and seed is not None:
            run = self._answer(said, sampler, seed)
        if run is None:
            raise StreamBroken(
                "The engine was started anew while the answer came in.",
                "What arrived is kept. Go back to its beginning to have it written again.",
            )
        while True:
            progress = run.progress()
            pieces = [piece for piece in progress.pieces if piece.data]
            if not _fits(pieces, begun):
                raise NotTold(
                    "This server does not go on with an answer that has begun otherwise.",
                    "Go back to what it wrote itself, or write the next message.",
                )
            if len(pieces) > len(begun):
                piece = pieces[len(begun)]
                drawn = self.vocabulary.token(piece.data)
                return Place(piece.alternatives, drawn, piece.log_probability)
            progress.or_raise()
            if progress.finish is not None:
                return Place((), END)
            check()
            run.wait(GLANCE)

    def _under_way(self, said: Messages, begun: tuple[bytes, ...], seed: int | None) -> Run | None:
        """The answer to this conversation that has `begun` so; that with this seed, if it is none
        of them."""
        with self._lock:
            exact, _ = self._answers.get((said, seed or 0), (None, None))
            others = [run for (to, _), (run, _) in self._answers.items() if to == said]
        fitting = (run for run in reversed(others) if _fits(run.progress().pieces, begun))
        if exact is not None and (seed is not None or _fits(exact.progress().pieces, begun)):
            return exact
        return next(fitting, exact)

    def _answer(self, said: Messages, sampler: SamplerSettings, seed: int) -> Run:
        """The answer to this conversation and seed, begun if there is none, or one with another
        sampler: that of its beginning is that of the whole answer."""
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

    def _try_going_on(self, said: Messages, check: Check) -> bool:
        """Whether the server goes on with an answer that has begun: two tokens are asked for at
        once, then the second alone, after the first. If what is told of the second is the same,
        it does. (A server that closes the answer, or leaves it out, tells something else.)"""
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
        """The tokens of a text as the server reads it, each with the log-probability that it had;
        the text as one piece where the server does not tell."""
        if self._echoes:
            service = self._service()
            with suppress(NotTold):
                told = whole(lambda cut: prompt_events(service, text, cut), check).or_raise()
                if told.pieces:
                    return [(self.vocabulary.token(p.data), p.log_probability) for p in told.pieces]
            self._echoes = False
        return [(self.vocabulary.token(text.encode()), None)]

    # --- asking ----------------------------------------------------------------------------

    def _service(self) -> Service:
        self._permissions.check(self.model)
        return open_service(self.model, self._permissions.key(self.model))

    def _events(self, request: RemoteRequest, cut: Cancellation) -> Iterator[Piece | Finish]:
        return self._alternatives.stream(self._service, request, cut)


def _fits(pieces: Sequence[Piece], begun: tuple[bytes, ...]) -> bool:
    """Whether these pieces are what has begun, as far as they have come."""
    came = tuple(piece.data for piece in pieces if piece.data)[: len(begun)]
    return came == begun[: len(came)]
