"""Write the error messages for the exceptions of the `openai` package."""

from __future__ import annotations

import json

import httpx2
import msgspec
import openai

from tutor.errors import NotTold, RemoteError, RequestRefused
from tutor.vendors import errors
from tutor.vendors.catalogue import RemoteModel
from tutor.vendors.keys import Secret
from tutor.vendors.response_limit import ResponseTooLarge
from tutor.vendors.service import SILENCE, RemoteRequest

CONNECT = 10.0
"""The connection timeout, in seconds."""

_EXTENSIONS = {"top_k": "top-k", "min_p": "min-p"}
"""The sampler settings that are not part of OpenAI's API, and their names on the screen."""


def in_words(
    error: Exception, request: RemoteRequest, model: RemoteModel, key: Secret | None
) -> RemoteError:
    """Return tutor's error for an exception that `request` has raised in the client library."""
    match error:
        case openai.APIStatusError():
            return _status(error, request, model, key)
        case openai.APITimeoutError() if isinstance(error.__cause__, httpx2.ConnectTimeout):
            return errors.unreachable(model, f"the connection timed out after {CONNECT:g} seconds")
        case openai.APITimeoutError():
            return errors.too_slow(SILENCE, begun=False)
        case openai.APIConnectionError() if isinstance(error.__cause__, ResponseTooLarge):
            return _too_large(error.__cause__, model)
        case ResponseTooLarge():
            return _too_large(error, model)
        case openai.APIConnectionError():
            return _no_connection(error.__cause__, model)
        # An error can also arrive inside a stream that began with status 200.
        case openai.APIError():
            said = errors.cleaned(error.message, key)
            return errors.refused(_code_of(error), said, model, key)
        case json.JSONDecodeError() | UnicodeDecodeError() | msgspec.ValidationError():
            return errors.unreadable(model, "it violates the protocol")
    return errors.unreadable(model, f"the client library raised {type(error).__name__}")


def _too_large(error: ResponseTooLarge, model: RemoteModel) -> RemoteError:
    return errors.unreadable(model, str(error))


def _status(
    error: openai.APIStatusError, request: RemoteRequest, model: RemoteModel, key: Secret | None
) -> RemoteError:
    code = error.status_code
    if code == 400 and model.service.id == "gemini" and "API key" in str(error.body):
        code = 401  # Google uses status 400 for an invalid key.
    found = errors.refused(code, error.body, model, key, error.response.headers)
    if code not in (400, 422):
        return found
    if request.top and "logprob" in found.happened:
        return NotTold(
            f"{model.service.product} does not return log-probabilities for "
            f"{model.name}. {found.happened}",
            "You can chat with this model, but not step through its text.",
        )
    sent = [name for name in _EXTENSIONS if getattr(request.sampler, name)]
    if named := [_EXTENSIONS[name] for name in sent if name in found.happened]:
        return RequestRefused(
            found.happened,
            f"Switch off {' and '.join(named)} in the sampler: this server does not support "
            f"{'them' if len(named) > 1 else 'it'}.",
        )
    return found


def _no_connection(cause: BaseException | None, model: RemoteModel) -> RemoteError:
    if isinstance(cause, httpx2.ConnectError | httpx2.ProxyError | httpx2.UnsupportedProtocol):
        reason = str(cause) if isinstance(cause, httpx2.ConnectError) else type(cause).__name__
        return errors.unreachable(model, reason)
    return errors.broken(model)


def _code_of(error: openai.APIError) -> int:
    try:
        code = int(error.code or 0)
    except ValueError:
        code = 0
    return code if 400 <= code <= 599 else 500
