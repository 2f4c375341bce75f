"""Request the next token from a remote model.

A service has no sessions, so every request contains the whole text. Responses are cached, so going
back, branching, or changing the sampler needs no new request.

Text is processed token by token at temperature 0, because servers then return the model's own
probabilities. Conversations are processed in the same way if the server can continue a partial
answer, which is tested once. Otherwise, or if the server returns no log-probabilities, the server
writes the whole answer. You can then inspect each token but not replace it.
"""

from __future__ import annotations

import math
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress

import msgspec

from tutor.errors import AnswerCut, AnswerEmpty, NotTold, StreamBroken, TextError
from tutor.lm.distribution import ChatMessage, SamplerSettings, Token
from tutor.vendors.alternatives import ALTERNATIVES, Alternatives
from tutor.vendors.catalogue import OWN, RemoteModel
from tutor.vendors.keys import Secret
from tutor.vendors.opening import open_service
from tutor.vendors.permissions import Permissions
from tutor.vendors.runs import POLL, Progress, Run, prompt_events, whole
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
    ROLES,
    Vocabulary,
    is_conversation,
    messages,
    text_of,
)

GREEDY = SamplerSettings(temperature=0)
LONGEST_ANSWER = 1024
"""The maximum number of tokens in an answer that the server generates in a single request."""

_KEPT = 2048
_ANSWERS = 8
_SAME = 0.05
"""The maximum difference, in nats, between two log-probabilities that count as equal."""

_CHAT_INSTEAD = (
    "Chat with this model (press c, or use `tutor step --chat`), or step through a local model."
)

Messages = tuple[ChatMessage, ...]
Prompt = tuple[str | Messages, tuple[int, ...]]
"""A text or conversation to send, and the server's ids of the tokens after it."""
Check = Callable[[], None]


class Prediction(msgspec.Struct, frozen=True):
    """The server's prediction of the token after a text.

    `shown` contains the tokens that the server lists. If the server samples, `drawn` is the token
    that it chose, or `END` at the end of its answer, and `drawn_log` is the log-probability of this
    token. It can be known even if the token is not in `shown`. If tutor samples, `drawn` is None.

    `best_hidden` is True if the most probable token is not in `shown`, because the server reports
    neither its bytes nor its id.
    """

    shown: tuple[Alternative, ...]
    drawn: Token | None = None
    drawn_log: float | None = None
    best_hidden: bool = False


class RemoteReader:
    """A client for one remote model, which caches the model's predictions.

    All methods are thread-safe. A `check` argument is a function that raises an error if the query
    has been canceled.
    """

    def __init__(self, model: RemoteModel, permissions: Permissions) -> None:
        self.model = model
        self.vocabulary = Vocabulary()
        self._permissions = permissions
        self._lock = threading.Lock()
        self._predictions: OrderedDict[Prompt, Prediction] = OrderedDict()
        self._answers = OrderedDict[tuple[Messages, int], tuple[Run, SamplerSettings]]()
        self._can_continue: bool | None = None if model.service.id == OWN else False
        self._undecided: set[Messages] = set()
        self._opened: tuple[Secret | None, Service] | None = None
        self._alternatives = Alternatives(model)
        self._echoes = model.service.id == OWN

    # --- predictions ------------------------------------------------------------------------

    def prediction(
        self, path: tuple[Token, ...], sampler: SamplerSettings, seed: int | None, check: Check
    ) -> Prediction:
        """Return the prediction of the token after `path`.

        If `seed` is None, only answers that have already begun are used, and the server starts no
        new one. Raises `NotTold` if the server cannot predict this position, `TextError` after the
        end token or in the middle of a character, and other `RemoteError`s.
        """
        if not is_conversation(path):
            if END in path:
                raise TextError(
                    "The model ended its text here, and a server cannot continue after the end.",
                    "Press u to undo the end token.",
                )
            if not self._alternatives.most:
                raise NotTold(
                    f"{self.model.service.product} does not return log-probabilities and does not "
                    "continue text, so you cannot step through it.",
                    _CHAT_INSTEAD,
                )
            return self._asked(self._prompt(path), check)
        if path[-1] == END:
            raise TextError(
                "The model ended its turn, and a server cannot continue after the end.",
                "Write the next message, or press u to undo the end token.",
            )
        start = max(index for index, token in enumerate(path) if token in ROLES)
        if path[start] != ASSISTANT:
            raise NotTold(
                "A server returns no predictions for the tokens of your own message.",
                "Move the cursor to the model's answer.",
            )
        said = messages(path[: start + 1])[:-1]
        if self.continues(said, check):
            return self._asked(self._prompt(path), check)
        return self._written(said, path, sampler, seed, check)

    def continues(self, said: Messages, check: Check) -> bool:
        """Return True if the server can continue its answer to `said` after each token."""
        if self._can_continue is None and said not in self._undecided:
            self._can_continue = self._alternatives.most > 0 and self._test_continuation(
                said, check
            )
            if self._can_continue is None:
                self._undecided.add(said)
        return bool(self._can_continue)

    def known(self, path: tuple[Token, ...]) -> Prediction | None:
        """Return the cached prediction of the token after `path`, or None."""
        try:
            key = self._prompt(path)
        except TextError:
            return None
        with self._lock:
            return self._predictions.get(key)

    def _prompt(self, path: tuple[Token, ...]) -> Prompt:
        """Return the text or conversation in `path`.

        If it ends in the middle of a character, the last tokens are returned as the server's ids.
        Raises `TextError` if the server's ids are unknown.
        """
        for count in range(len(path)):
            head, tail = path[: len(path) - count], path[len(path) - count :]
            ids = self.vocabulary.server_ids(tail)
            try:
                return _sent(head), ids or ()
            except TextError:
                last = path[len(path) - count - 1 :]
                if self.vocabulary.server_ids(last) is None:
                    raise
        raise TextError("The text is empty.", "Enter at least one character.")

    def _asked(self, prompt: Prompt, check: Check) -> Prediction:
        """Return the prediction after `prompt`, from the cache or by requesting a single token."""
        with self._lock:
            if (found := self._predictions.get(prompt)) is not None:
                self._predictions.move_to_end(prompt)
                return found
        asked, tail = prompt
        request = RemoteRequest(asked, GREEDY, most_tokens=1, top=ALTERNATIVES, tail=tail)
        progress = whole(lambda cut: self._events(request, cut), check).or_raise()
        prediction = self._predicted(progress)
        with self._lock:
            self._predictions[prompt] = prediction
            while len(self._predictions) > _KEPT:
                self._predictions.popitem(last=False)
        return prediction

    def _predicted(self, progress: Progress) -> Prediction:
        """Return the prediction in a response of one token at temperature 0.

        Raises `NotTold` if the server reports nothing about the token.
        """
        ended = progress.finish is not None and progress.finish.reason == "stop"
        told = [piece for piece in progress.pieces if piece.alternatives]
        if told:
            own, shown = told[0], told[0].alternatives
            listed = any(each.ends if not own.data else each.data == own.data for each in shown)
            above = own.log_probability is None or own.log_probability > shown[0].log_probability
            hidden = not listed and above
            return Prediction(shown, END if hidden and ended else None, None, hidden and not ended)
        if any(piece.data for piece in progress.pieces):
            raise NotTold(
                f"{self.model.host} does not return log-probabilities, so you cannot step through "
                "its text.",
                _CHAT_INSTEAD,
            )
        if not ended:
            raise NotTold(
                f"The next token contains only part of a character, and {self.model.host} reports "
                "nothing about it.",
                "Go back and choose another token, or use a local model.",
            )
        return Prediction((), END)

    def _written(
        self,
        said: Messages,
        path: tuple[Token, ...],
        sampler: SamplerSettings,
        seed: int | None,
        check: Check,
    ) -> Prediction:
        """Return the next piece of an answer that the server generates in a single request."""
        start = max(index for index, token in enumerate(path) if token == ASSISTANT) + 1
        begun = tuple(token.data for token in path[start:])
        run = self._under_way(said, begun, seed)
        if not begun and seed is not None:
            run = self._answer(said, sampler, seed)
        if run is None:
            raise StreamBroken(
                "The engine restarted before the answer was complete.",
                "The tokens so far are kept. To try again, go back to the start of the answer.",
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
                end = progress.pieces[-1] if progress.pieces else Piece("", b"")
                known = not end.data and end.alternatives
                return Prediction(end.alternatives if known else (), END, end.log_probability)
            check()
            run.wait(POLL)

    def _under_way(self, said: Messages, begun: tuple[bytes, ...], seed: int | None) -> Run | None:
        """Return the run of this conversation with this seed, or another run of this conversation.

        If `seed` is None, or if no run has this seed, a run whose answer begins with `begun` is
        preferred. Returns None if there is no suitable run.
        """
        with self._lock:
            exact, _ = self._answers.get((said, seed or 0), (None, None))
            others = [run for (to, _), (run, _) in self._answers.items() if to == said]
        fitting = (run for run in reversed(others) if _fits(run.progress().pieces, begun))
        if exact is not None and (seed is not None or _fits(exact.progress().pieces, begun)):
            return exact
        return next(fitting, exact)

    def _answer(self, said: Messages, sampler: SamplerSettings, seed: int) -> Run:
        """Return the run for this conversation and seed.

        If there is none, or if it used different sampler settings, a new run is started. A server
        cannot change the settings in the middle of an answer.
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

    def _test_continuation(self, said: Messages, check: Check) -> bool | None:
        """Return True if the server can continue a partial answer, and None if this is unclear.

        The test requests two tokens of an answer. Then it sends the first token back as a partial
        answer, and requests the second token again. The server passes if both predictions of the
        second token agree. A server that closes or ignores the partial answer returns another
        prediction.
        """
        request = RemoteRequest(said, GREEDY, most_tokens=2, top=5)
        try:
            progress = whole(lambda cut: self._events(request, cut), check).or_raise()
            if not any(piece.alternatives for piece in progress.pieces):
                return False
            told = [piece for piece in progress.pieces if piece.data]
            if len(told) >= 2 and told[0].alternatives and told[1].alternatives:
                begun = (*said, ChatMessage("assistant", text_of(told[0].data)))
                return _agree(told[1].alternatives, self._asked((begun, ()), check).shown)
        except (AnswerCut, TextError):
            pass  # The first token contains only part of a character.
        except (NotTold, AnswerEmpty):
            return False
        with suppress(NotTold, AnswerEmpty):
            return self._test_with_ids(said, check)
        return False

    def _test_with_ids(self, said: Messages, check: Check) -> bool | None:
        """Repeat the test of `_test_continuation` with a token that the server did not choose.

        The token is sent once as a partial answer and once by its id. The server passes if both
        predictions of the next token agree. The result is None if the server reports no ids.
        """
        for each in self._asked((said, ()), check).shown:
            with suppress(NotTold, TextError):
                text = text_of(each.data)
                if each.id is not None and not each.ends:
                    by_id = self._asked((said, (each.id,)), check).shown
                    begun = (*said, ChatMessage("assistant", text))
                    return _agree(by_id, self._asked((begun, ()), check).shown)
        return None

    # --- the prompt ------------------------------------------------------------------------

    def split(self, text: str, check: Check) -> list[tuple[Token, float | None]]:
        """Return the tokens of `text` as the server tokenizes it, with their log-probabilities.

        If the server does not report tokens, the whole text counts as one token.
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
        key = self._permissions.key(self.model)
        # An API key can arrive with the learner's consent.
        if self._opened is None or not _same(self._opened[0], key):
            self._opened = key, open_service(self.model, key)
        return self._opened[1]

    def _events(self, request: RemoteRequest, cut: Cancellation) -> Iterator[Piece | Finish]:
        return self._alternatives.stream(self._service, request, cut)


def _same(one: Secret | None, other: Secret | None) -> bool:
    return (one and one.reveal()) == (other and other.reveal())


def _agree(one: Sequence[Alternative], other: Sequence[Alternative]) -> bool:
    """Return True if the top three tokens of `one` have about the same probabilities in `other`."""
    told = {each.data: each.log_probability for each in other}
    return all(
        math.isclose(told.get(each.data, math.inf), each.log_probability, abs_tol=_SAME)
        for each in one[:3]
    )


def _sent(path: tuple[Token, ...]) -> str | Messages:
    """Return the text or conversation to send. Raises `TextError` in the middle of a character."""
    if not is_conversation(path):
        return text_of(b"".join(token.data for token in path))
    said = messages(path)
    return said if said[-1].content else said[:-1]


def _fits(pieces: Sequence[Piece], begun: tuple[bytes, ...]) -> bool:
    """Return True if the pieces that have arrived so far agree with `begun`."""
    came = tuple(piece.data for piece in pieces if piece.data)[: len(begun)]
    return came == begun[: len(came)]
