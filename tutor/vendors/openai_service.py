"""Adapt servers with OpenAI's API to the interface of all services.

The adapter uses the `openai` package. It sends conversations to the `chat/completions` endpoint,
and text to the older `completions` endpoint, which continues the text. The stepper needs the older
endpoint, and most self-hosted servers have it. Both endpoints return log-probabilities if the
server supports them, but in different formats.

Each stream has its own connection, so that another thread can close it without affecting other
streams. Failed requests are not retried, so that learners see what happens.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property, partial
from typing import Any

import httpx2
import msgspec
import openai

from tutor.errors import AnswerUnreadable, NotTold, RemoteError
from tutor.vendors import errors, response_limit
from tutor.vendors.alternatives import ALTERNATIVES, MANY
from tutor.vendors.catalogue import OWN, RemoteModel
from tutor.vendors.keys import Secret
from tutor.vendors.openai_errors import CONNECT, in_words
from tutor.vendors.openai_wire import Chunk, Echo, Pieces, echo_in, finish_reason
from tutor.vendors.server_tokens import ServerTokens
from tutor.vendors.service import (
    NO_KEY,
    SILENCE,
    Cancellation,
    Finish,
    Piece,
    RemoteRequest,
    Usage,
)

_ASIDE = 10.0
"""The timeout of a request for information about the server's tokens, in seconds."""

_CERTAIN = 1000
"""A logit bias that makes a token certain."""

_MOST_PIECES = 10_000
"""The maximum number of pieces unless more are requested, because some servers send more."""

_UNFINISHED = "One, two, three, four,"
"""The text of a test request, which any model is expected to continue."""


class OpenAIService:
    """A model on a server with OpenAI's API. It sends no request before `stream` is called."""

    def __init__(self, model: RemoteModel, key: Secret | None) -> None:
        self._model = model
        self._key = key
        self._own = model.service.id == OWN
        self._tokens = ServerTokens(model.name, self._aside)
        self._by_id: bool | None = None if self._own else False
        self._lists_many = False
        self._only_whole = False
        """True if the server reports log-probabilities in whole responses, but not in streams."""

    def stream(
        self, request: RemoteRequest, cancellation: Cancellation
    ) -> Iterator[Piece | Finish]:
        """Yield the response.

        Raises `RemoteError`, or `NotTold` if the server does not support log-probabilities.
        """
        return errors.translated(
            self._events(request, cancellation),
            cancellation,
            lambda error: in_words(error, request, self._model, self._key),
        )

    def prompt_tokens(self, text: str, cancellation: Cancellation) -> tuple[Piece, ...] | None:
        """Return the tokens of `text` with their log-probabilities, using the `echo` parameter.

        vLLM supports this parameter, and llama.cpp's Python server supports it with suitable
        options.

        The server must also return a log-probability for the token after the prompt. If it does
        not, its log-probabilities are shifted by one token (as in llama.cpp's Python server 0.3)
        and are ignored. If the model ends the text right after the prompt, there is no such token,
        and the server is tested with another text.
        """
        echo = self._echo(text, cancellation)
        if echo is None:
            return None
        in_place = echo.followed
        if not in_place and echo.ended:
            other = self._echo(_UNFINISHED, cancellation)
            in_place = other is not None and other.followed
        return echo.pieces if in_place else echo.without_log_probabilities

    def _echo(self, text: str, cancellation: Cancellation) -> Echo | None:
        request = RemoteRequest(text, most_tokens=1, top=1)

        def asked() -> Iterator[Echo | None]:
            with self._client(cancellation, response_limit.LARGEST) as client:
                options = self._options(request) | {"echo": True}
                answer = client.completions.create(prompt=text, **options)
                yield echo_in(_plain(answer), text, self._tokens.spell)

        found = errors.translated(
            asked(), cancellation, lambda error: in_words(error, request, self._model, self._key)
        )
        try:
            return next(found)
        except (NotTold, AnswerUnreadable):
            return None

    # --- requests -------------------------------------------------------------------------

    def _events(
        self, request: RemoteRequest, cancellation: Cancellation
    ) -> Iterator[Piece | Finish]:
        if self._own and request.top and request.most_tokens == 1:
            yield from self._one_token(request, cancellation)
        else:
            pieces, chunks = self._converter(request), self._chunks(request, cancellation)
            yield from self._pieces(request, cancellation, pieces, chunks)

    def _one_token(
        self, request: RemoteRequest, cancellation: Cancellation
    ) -> list[Piece | Finish]:
        """Return a response of one token, with as many alternatives as the server can identify.

        llama.cpp's server has no limit on alternatives, so `MANY` are requested once the server is
        recognized.

        llama.cpp's server withholds a token that ends in the middle of a character, together with
        its alternatives. A second request, which forces the server to choose the end token, returns
        the same alternatives. vLLM has no names for such tokens, but can return their ids.

        When LiteLLM's proxy streams a response, it drops the log-probabilities of text completions
        and of end tokens. It keeps them in a response that it does not stream.
        """

        def answer(
            forced: int | None = None, *, stream: bool = True
        ) -> tuple[Pieces, list[Piece | Finish]]:
            pieces = self._converter(request)
            chunks = self._chunks(request, cancellation, forced, stream=stream)
            return pieces, list(self._pieces(request, cancellation, pieces, chunks))

        def whole() -> list[Piece | Finish]:
            try:
                return answer(stream=False)[1]
            except (openai.APIError, RemoteError, ValueError):
                return []  # For example, the server always streams.

        if self._only_whole and _lists(events := whole()):
            return events
        pieces, events = answer()
        if not self._lists_many and _tells_ids(events) and self._tokens.of_llama_cpp:
            self._lists_many = True
            if request.top == ALTERNATIVES:
                pieces, events = answer()
        last = events[-1]
        withheld = isinstance(last, Finish) and last.reason == "length" and not pieces.arrived
        if withheld and (ends := self._tokens.ends):  # only llama.cpp's server reports end tokens
            self._lists_many = True
            return answer(ends[0])[1]
        if pieces.unnamed and self._by_id is None:
            self._by_id = True
            try:
                named, by_id = answer()
            except openai.APIStatusError:
                self._by_id = False
            else:
                self._by_id = named.by_id
                events = by_id if named.by_id else events
        if not self._only_whole and not _lists(events) and _lists(other := whole()):
            self._only_whole, events = True, other
        return events

    def _converter(self, request: RemoteRequest) -> Pieces:
        """Return a converter that accepts one alternative more than requested: the chosen token.

        Some servers ignore the requested number, and always list a few alternatives.
        """
        return Pieces(self._tokens.spell, max(self._alternatives(request), ALTERNATIVES) + 1)

    def _pieces(
        self,
        request: RemoteRequest,
        cancellation: Cancellation,
        pieces: Pieces,
        chunks: Iterator[Chunk],
    ) -> Iterator[Piece | Finish]:
        """Yield the pieces of a response, followed by its `Finish`."""
        reason: str | None = None
        usage = Usage()
        most = max(request.most_tokens, _MOST_PIECES)
        for chunk in chunks:
            if chunk.usage is not None:
                usage = Usage(chunk.usage.prompt_tokens, chunk.usage.completion_tokens)
            for choice in chunk.choices[:1]:
                yield from _at_most(pieces.of(choice), pieces, most, self._model)
                reason = choice.finish_reason or reason
        yield from pieces.rest()
        cancellation.check()
        if reason == "content_filter":
            raise errors.blocked(self._model)
        errors.require_end(self._model, request, pieces.count, reason, cut=reason == "length")
        yield Finish(finish_reason(reason), usage)

    def _chunks(
        self,
        request: RemoteRequest,
        cancellation: Cancellation,
        forced: int | None = None,
        *,
        stream: bool = True,
    ) -> Iterator[Chunk]:
        """Send the request, and yield the events of the response.

        If the response is not streamed, yield the complete response. If `forced` is an id, the
        server chooses this token.
        """
        options = self._options(request)
        if forced is not None:
            options["extra_body"]["logit_bias"] = [[forced, _CERTAIN]]
        asked = self._asked(request)
        chat = not isinstance(request.prompt, str) and not request.tail
        if stream:
            options["stream"] = True
            options |= {"stream_options": {"include_usage": True}} if chat else {}
        largest = response_limit.largest_response(request.most_tokens)
        with self._client(cancellation, largest) as client:
            if chat:
                answer = client.chat.completions.create(messages=asked, **options)
            else:
                answer = client.completions.create(prompt=asked, **options)
            for event in answer if stream else [answer]:
                yield msgspec.convert(_plain(event), Chunk)

    def _asked(self, request: RemoteRequest) -> Any:
        """Return the prompt to send. Raises `NotTold` if the server cannot continue it."""
        asked: Any = request.prompt
        if not isinstance(asked, str):
            asked = [msgspec.to_builtins(message) for message in asked]
        elif not self._own and self._model.service.alternatives == 0:
            raise errors.only_answers(self._model)
        if request.tail:
            asked = self._tokens.prompt(asked, request.tail)
            if not asked:
                raise NotTold(
                    f"{self._model.host} cannot continue in the middle of a character.",
                    "Go back and choose another token.",
                )
        return asked

    def _aside(self, path: str, body: dict[str, Any] | None) -> Any:
        """Return the server's response to a request outside OpenAI's API, or None."""
        address = self._model.service.base_url.removesuffix("/v1") + path
        options: Any = {"timeout": _ASIDE}
        try:
            if body is None:
                return self._beside.get(address, cast_to=object, options=options)
            return self._beside.post(address, cast_to=object, body=body, options=options)
        except (
            *(openai.OpenAIError, response_limit.ResponseTooLarge, RecursionError),
            *(json.JSONDecodeError, UnicodeDecodeError),
        ):
            return None

    @cached_property
    def _beside(self) -> openai.OpenAI:
        """Return a client for short requests that don't interrupt a stream."""
        return self._opened(httpx2.Client(**_connection(self._model, response_limit.LARGEST)))

    def _options(self, request: RemoteRequest) -> dict[str, Any]:
        """Return the parameters of a request, except for the prompt.

        Parameters with default values are left out, because several models reject even the default
        temperature.
        """
        sampler = request.sampler
        conversation = not isinstance(request.prompt, str) and not request.tail
        options: dict[str, Any] = {"model": self._model.name}
        longest = "max_completion_tokens" if conversation and not self._own else "max_tokens"
        options[longest] = request.most_tokens
        if sampler.temperature != 1:
            options["temperature"] = sampler.temperature
        if sampler.top_p < 1:
            options["top_p"] = sampler.top_p
        if request.seed is not None:
            options["seed"] = request.seed
        if self._own:
            options["extra_body"] = self._own_options(request)
        if top := self._alternatives(request):
            options |= (
                {"logprobs": True, "top_logprobs": top} if conversation else {"logprobs": top}
            )
        return options

    def _own_options(self, request: RemoteRequest) -> dict[str, Any]:
        """Return additional parameters that llama.cpp, vLLM and similar servers support."""
        extra: dict[str, Any] = {}
        if self._by_id and request.top:
            extra["return_tokens_as_token_ids"] = True
        if request.sampler.top_k:
            extra["top_k"] = request.sampler.top_k
        if request.sampler.min_p:
            extra["min_p"] = request.sampler.min_p
        conversation = () if isinstance(request.prompt, str) or request.tail else request.prompt
        # The server must continue this message instead of starting a new one.
        if conversation and conversation[-1].role == "assistant":
            extra |= {"continue_final_message": True, "add_generation_prompt": False}
        return extra

    def _alternatives(self, request: RemoteRequest) -> int:
        if self._lists_many and request.top == ALTERNATIVES and request.most_tokens == 1:
            return MANY
        most = self._model.service.alternatives
        return min(request.top, ALTERNATIVES if most is None else most)

    @contextmanager
    def _client(self, cancellation: Cancellation, largest: int) -> Iterator[openai.OpenAI]:
        """Yield a client for a response of up to `largest` bytes. `cancellation` can close it."""

        def follow(name: str, info: dict[str, Any]) -> None:
            if name in ("connection.connect_tcp.complete", "connection.start_tls.complete"):
                cancellation.cut_off(info["return_value"].get_extra_info("socket"))

        def watch(request: httpx2.Request) -> None:
            request.extensions["trace"] = follow

        cancellation.check()
        connection = _connection(self._model, largest)
        connection["event_hooks"]["request"] = [watch]
        with httpx2.Client(**connection) as http:
            try:
                yield self._opened(http)
            finally:
                cancellation.on_cancel(None)

    def _opened(self, http: httpx2.Client) -> openai.OpenAI:
        return openai.OpenAI(
            api_key=self._key.reveal() if self._key else NO_KEY,
            base_url=self._model.service.base_url,
            organization="",
            project="",
            max_retries=0,
            http_client=http,
        )


def _connection(model: RemoteModel, largest: int) -> dict[str, Any]:
    """Return the settings of a connection whose responses have up to `largest` bytes."""
    limit = partial(response_limit.limit_response, largest=largest)
    return {
        "timeout": httpx2.Timeout(SILENCE, connect=CONNECT),
        "follow_redirects": False,  # The learner has agreed to this host only.
        "trust_env": not model.here,  # Reach a local server without a proxy.
        "headers": response_limit.HEADERS,
        "event_hooks": {"response": [limit]},
    }


def _at_most(
    events: Iterator[Piece], pieces: Pieces, most: int, model: RemoteModel
) -> Iterator[Piece]:
    """Yield the pieces of an event. Raises `AnswerUnreadable` after `most` pieces in total."""
    for piece in events:
        if pieces.arrived > most:
            raise errors.unreadable(model, f"it has more than {most:,} tokens")
        yield piece


def _tells_ids(events: Sequence[Piece | Finish]) -> bool:
    """Return True if a response contains ids of alternatives, as from llama.cpp's server."""
    pieces = [event for event in events if isinstance(event, Piece)]
    return any(each.id is not None for piece in pieces for each in piece.alternatives)


def _lists(events: Sequence[Piece | Finish]) -> bool:
    """Return True if a response lists alternatives."""
    return any(isinstance(event, Piece) and event.alternatives for event in events)


def _plain(answer: Any) -> Any:
    """Convert a response or event to plain data, which the client library does not validate."""
    return answer.model_dump(warnings=False) if hasattr(answer, "model_dump") else answer
