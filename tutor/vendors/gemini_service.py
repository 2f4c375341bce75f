"""Adapt Gemini to the interface of all services, with Google's `google-generativeai` package.

Google no longer supports this package, so only this module uses it. The package's warnings are
turned off. Only its message classes and its transport are used, with HTTP instead of gRPC
(`transport="rest"`). The adapter cannot continue text, and it reports no token probabilities.
"""

from __future__ import annotations

import socket
import threading
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import requests
import urllib3
from requests.adapters import HTTPAdapter

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # The package warns that Google no longer supports it.
    import google.generativeai as genai
    from google.api_core.exceptions import GoogleAPICallError
    from google.generativeai import client as genai_client
    from google.generativeai import protos
    from google.protobuf.json_format import ParseError

from tutor.errors import RemoteError
from tutor.vendors import errors
from tutor.vendors.catalogue import RemoteModel
from tutor.vendors.keys import Secret
from tutor.vendors.service import (
    NO_KEY,
    SILENCE,
    Cancellation,
    Finish,
    Piece,
    Reason,
    RemoteRequest,
    Usage,
    is_compressed,
)

_REASONS: dict[str, Reason] = {"STOP": "stop", "MAX_TOKENS": "length"}
_BLOCKED = {"SAFETY", "RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "LANGUAGE"}
_configuring = threading.Lock()

_SMALLEST = 100_000
_FOR_EACH_TOKEN = 1_000


def _largest(tokens: int) -> int:
    """Return the maximum size of a response with `tokens` tokens, in bytes.

    Events contain several tokens and have 1 kB or less. The limit is low because the package takes
    time proportional to the square of an event's size.
    """
    return _SMALLEST + _FOR_EACH_TOKEN * tokens


class _ResponseTooLarge(Exception):
    """Raised for a response that is larger than its limit, or that is compressed."""


class GeminiService:
    """A Gemini model. It sends no request before `stream` is called."""

    def __init__(self, model: RemoteModel, key: Secret | None) -> None:
        self._model = model
        self._key = key

    def stream(
        self, request: RemoteRequest, cancellation: Cancellation
    ) -> Iterator[Piece | Finish]:
        """Yield the response to a conversation. Raises `NotTold` if the prompt is plain text."""
        return errors.translated(self._events(request, cancellation), cancellation, self._in_words)

    def prompt_tokens(self, text: str, cancellation: Cancellation) -> tuple[Piece, ...] | None:
        return None

    def _events(
        self, request: RemoteRequest, cancellation: Cancellation
    ) -> Iterator[Piece | Finish]:
        cancellation.check()
        asked = _message(self._model, request)
        client = self._client(cancellation, _largest(request.most_tokens))
        count, reason, usage = 0, "", Usage()
        try:
            answer = client.stream_generate_content(asked, retry=None, timeout=SILENCE)
            for chunk in answer:
                if chunk.prompt_feedback.block_reason:
                    raise errors.blocked(self._model, chunk.prompt_feedback.block_reason.name)
                usage = _usage(chunk.usage_metadata) or usage
                for candidate in list(chunk.candidates)[:1]:
                    reason = candidate.finish_reason.name if candidate.finish_reason else reason
                    for text in (part.text for part in candidate.content.parts):
                        if text:
                            count += 1
                            yield Piece(text, text.encode("utf-8", "surrogatepass"))
        finally:
            cancellation.on_cancel(None)
            client.transport.close()
        cancellation.check()
        if reason in _BLOCKED:
            raise errors.blocked(self._model, reason)
        errors.require_end(self._model, request, count, reason, cut=reason == "MAX_TOKENS")
        yield Finish(_REASONS.get(reason, "other"), usage)

    def _client(self, cancellation: Cancellation, largest: int) -> Any:
        """Return a client with its own connection, for a response of up to `largest` bytes.

        The package has global settings, so a lock is held while they are set and used.
        """
        with _configuring:
            genai.configure(
                api_key=self._key.reveal() if self._key else NO_KEY,
                transport="rest",
                client_options={"api_endpoint": self._model.service.base_url},
            )
            client = genai_client.get_default_generative_client()
        session = client.transport._session
        session._max_refresh_attempts = 0  # Never send a rejected key again.
        session.max_redirects = 0  # The learner has agreed to this host only.
        session.headers["Accept-Encoding"] = "identity"  # Only the size that arrives is limited.
        session.trust_env = not self._model.here  # Reach a local server without a proxy.
        for scheme in ("http://", "https://"):
            session.mount(scheme, _Watched(cancellation.cut_off, largest))
        return client

    def _in_words(self, error: Exception) -> RemoteError:
        model, key = self._model, self._key
        match error:
            case GoogleAPICallError():
                status = int(error.code or 500)
                said = str(error.message)
                if status == 400 and "api key" in said.lower():
                    status = 401  # Google uses status 400 for an invalid key.
                response = getattr(error, "response", None)
                headers = dict(response.headers) if response is not None else {}
                lower = {name.lower(): value for name, value in headers.items()}
                return errors.refused(status, _first_sentence(said), model, key, lower)
            case requests.exceptions.ConnectTimeout():
                return errors.unreachable(model, "timed out")
            case requests.exceptions.Timeout():
                return errors.too_slow(SILENCE, begun=False)
            case requests.exceptions.TooManyRedirects():
                return errors.refused(307, "", model, key)
            case requests.exceptions.ChunkedEncodingError():
                return errors.broken(model)
            case requests.exceptions.ConnectionError():
                aborted = isinstance(next(iter(error.args), None), urllib3.exceptions.ProtocolError)
                if "timed out" in str(error):
                    return errors.too_slow(SILENCE, begun=True)
                return errors.broken(model) if aborted else errors.unreachable(model)
            case _ResponseTooLarge():
                return errors.unreadable(model, str(error))
            case ParseError():
                return errors.unreadable(model, "it violates the protocol")
            case ValueError() if str(error).startswith("Unfinished stream"):
                return errors.broken(model)
        return errors.unreadable(model, f"the client library raised {type(error).__name__}")


def _message(model: RemoteModel, request: RemoteRequest) -> Any:
    """Convert a request to Google's message class. Raises `NotTold` if the prompt is plain text."""
    if isinstance(request.prompt, str):
        raise errors.only_answers(model)
    system = "\n".join(m.content for m in request.prompt if m.role == "system")
    contents = [
        protos.Content(
            role="model" if message.role == "assistant" else "user",
            parts=[protos.Part(text=message.content)],
        )
        for message in request.prompt
        if message.role != "system"
    ]
    sampler = request.sampler
    settings: dict[str, Any] = {"max_output_tokens": request.most_tokens}
    if sampler.temperature != 1:
        settings["temperature"] = sampler.temperature
    if sampler.top_p < 1:
        settings["top_p"] = sampler.top_p
    if sampler.top_k:
        settings["top_k"] = sampler.top_k
    return protos.GenerateContentRequest(
        model=model.name if "/" in model.name else f"models/{model.name}",
        contents=contents,
        system_instruction=protos.Content(parts=[protos.Part(text=system)]) if system else None,
        generation_config=protos.GenerationConfig(**settings),
    )


def _usage(told: Any) -> Usage | None:
    """Return the token counts, which include hidden reasoning tokens."""
    if not told.prompt_token_count:
        return None
    beyond = told.total_token_count - told.prompt_token_count
    return Usage(told.prompt_token_count, max(beyond, told.candidates_token_count))


def _first_sentence(said: str) -> str:
    """Remove the request's URL from the beginning of one of the client's error messages."""
    return said.partition(": ")[2] if said.startswith(("POST ", "GET ")) else said


class _Limited:
    """The body of a response, which raises `_ResponseTooLarge` beyond `largest` bytes."""

    def __init__(self, raw: Any, largest: int) -> None:
        self._raw = raw
        self._largest = largest

    def stream(self, amount: int, decode_content: bool | None = None) -> Iterator[bytes]:
        size = 0
        for part in self._raw.stream(amount, decode_content):
            size += len(part)
            if size > self._largest:
                raise _ResponseTooLarge(f"it is larger than {self._largest:,} bytes")
            yield part

    def __getattr__(self, name: str) -> Any:
        return getattr(self._raw, name)


class _Watched(HTTPAdapter):
    """An HTTP adapter that limits responses to `largest` bytes.

    It calls `on_socket` with the socket of each new connection.
    """

    def __init__(self, on_socket: Callable[[socket.socket], None], largest: int) -> None:
        self._on_socket = on_socket
        self._largest = largest
        super().__init__(max_retries=0)

    def build_response(
        self, request: requests.PreparedRequest, raw: urllib3.BaseHTTPResponse
    ) -> requests.Response:
        response = super().build_response(request, raw)
        if is_compressed(response.headers.get("Content-Encoding", "")):
            raw.close()
            raise _ResponseTooLarge("it is compressed")
        response.raw = _Limited(raw, self._largest)
        return response

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        super().init_poolmanager(*args, **options)
        on_socket = self._on_socket

        class Connection(urllib3.connection.HTTPConnection):
            def connect(self) -> None:
                super().connect()
                on_socket(self.sock)

        class SecureConnection(urllib3.connection.HTTPSConnection):
            def connect(self) -> None:
                super().connect()
                on_socket(self.sock)

        class Pool(urllib3.HTTPConnectionPool):
            ConnectionCls = Connection

        class SecurePool(urllib3.HTTPSConnectionPool):
            ConnectionCls = SecureConnection

        self.poolmanager.pool_classes_by_scheme = {"http": Pool, "https": SecurePool}
