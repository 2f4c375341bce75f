"""Write the error messages for remote models, in plain sentences without API keys.

A message is made from the status of the response and a cleaned, shortened version of the server's
own message. tutor's exceptions are never chained to the vendor's exceptions, because these contain
the request with the API key.
"""

from __future__ import annotations

import email.utils
import math
import time
from collections.abc import Callable, Iterator, Mapping
from typing import TypeVar

from tutor import errors
from tutor.errors import RemoteError, RemoteTimeout, RequestCancelled, TutorError
from tutor.text import counted, safe
from tutor.vendors.catalogue import OWN, RemoteModel
from tutor.vendors.keys import Secret
from tutor.vendors.service import Cancellation, RemoteRequest

Event = TypeVar("Event")

_LONGEST_MESSAGE = 240
_A_LONG_TIME = 48 * 3600


def translated(
    events: Iterator[Event],
    cancellation: Cancellation,
    translate: Callable[[Exception], RemoteError],
) -> Iterator[Event]:
    """Yield `events`, and replace the exceptions of the vendor's client with tutor's own.

    The new exception is raised outside the `except` block, so that the vendor's exception does not
    become its context. After a cancellation, every exception counts as a closed connection.
    """
    while True:
        failure: TutorError | None = None
        try:
            event = next(events)
        except StopIteration:
            return
        except TutorError as error:
            failure = error
        except Exception as error:  # noqa: BLE001 (a client may raise anything; all is reported)
            failure = translate(error)
        if cancellation.cancelled:
            failure = RequestCancelled("The request was canceled.")
        if failure is not None:
            raise failure
        yield event


def refused(
    status: int,
    said: object,
    model: RemoteModel,
    key: Secret | None,
    headers: Mapping[str, str] | None = None,
) -> RemoteError:
    """Return the error for a response with an error status.

    `said` is the body of the response, decoded if it is JSON.
    """
    product, host = model.service.product, model.host
    message = cleaned(_message_in(said), key)
    stop = "" if message.endswith((".", "!", "?", "…")) else "."
    quoted = f" It says: {message}{stop}" if message else ""
    match status:
        case 401:
            return errors.KeyRefused(
                f"{product} does not accept the API key.{quoted}", _key_step(model, key)
            )
        case 403:
            return errors.AccessRefused(
                f"{product} does not allow this request with your API key.{quoted}",
                "Check whether this model is available for your account and in your country.",
            )
        case 404:
            return errors.NoSuchModel(
                f"{host} has no model {model.name!r}, or the address is wrong.{quoted}",
                "Check the model's name and the end of the base URL, which is usually /v1.",
            )
        case 408 | 504:
            return RemoteTimeout(f"{host} timed out (status {status}).{quoted}", "Try again.")
        case 429:
            return errors.RateLimited(
                f"{product} does not accept more requests at the moment.{quoted}",
                _wait(headers or {}),
            )
        case _ if 500 <= status <= 599:
            return errors.ServerFailed(
                f"{host} returned status {status}.{quoted}",
                "The problem is on the server's side. Try again in a few minutes.",
            )
    return errors.RequestRefused(
        f"{host} returned status {status}.{quoted}",
        "Change the request, or choose another model.",
    )


def unreachable(model: RemoteModel, reason: str = "") -> RemoteError:
    """Return the error for a failed connection. `reason` is the operating system's message."""
    step = (
        "Start the server, and check the port in the base URL."
        if model.here
        else "Check the network and the base URL. The local model needs neither."
    )
    why = f" ({cleaned(reason, None)})" if reason else ""
    return errors.CannotConnect(f"Could not connect to {model.host}{why}.", step)


def too_slow(seconds: float, *, begun: bool) -> RemoteTimeout:
    """Return the error for a timeout. `begun` is True if part of the response had arrived."""
    what = "The response stalled for" if begun else "The server did not respond within"
    return RemoteTimeout(
        f"{what} {seconds:g} seconds.",
        "Try again, request a shorter answer, or choose a smaller model.",
    )


def broken(model: RemoteModel) -> RemoteError:
    """Return the error for a connection that was closed before the response was complete."""
    return errors.StreamBroken(
        f"{model.host} closed the connection before its response was complete.",
        "The part that arrived is kept. Try again to get the whole answer.",
    )


def unreadable(model: RemoteModel, what: str) -> RemoteError:
    """Return the error for a response that violates the protocol. `what` describes the problem."""
    return errors.AnswerUnreadable(
        f"{model.host} sent an invalid response: {what}.",
        "Check the base URL and the server's protocol. The part that arrived is kept.",
    )


def blocked(model: RemoteModel, why: str = "") -> RemoteError:
    """Return the error for a response that a filter has withheld or cut off."""
    reason = f" ({cleaned(why, None)})" if why else ""
    return errors.AnswerBlocked(
        f"{model.service.product} blocked the answer{reason}.",
        "Rephrase the prompt. A filter of the service blocked the answer, not the model.",
    )


def require_end(
    model: RemoteModel, request: RemoteRequest, pieces: int, reason: str | None, *, cut: bool
) -> None:
    """Raise a `RemoteError` if a response has no content or no finish reason.

    `pieces` is the number of pieces that arrived. `cut` is True if the token limit ended the
    response.
    """
    if not reason:
        raise broken(model) if pieces else unreadable(model, "it has no content")
    if pieces or request.most_tokens == 1:
        return
    if cut:
        raise errors.AnswerCut(
            f"{model.service.product} reached the token limit before it wrote any text.",
            "Increase the token limit, since hidden reasoning uses tokens too.",
        )
    raise errors.AnswerEmpty(
        f"{model.service.product} returned no text.", "Try again, or rephrase the prompt."
    )


def only_answers(model: RemoteModel) -> RemoteError:
    """Return the error for a request to continue text, which this service does not support."""
    return errors.NotTold(
        f"{model.service.product} answers messages, but cannot continue text.",
        "Send the text as a message.",
    )


def cleaned(text: str, key: Secret | None) -> str:
    """Return a server's message on one line, with the API key and control characters removed."""
    line = safe(" ".join(text.split()))
    if key is not None:
        line = key.hide_in(line)
    return line if len(line) <= _LONGEST_MESSAGE else line[: _LONGEST_MESSAGE - 1] + "…"


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the number of seconds to wait, from the `retry-after-ms` or `Retry-After` header.

    `Retry-After` contains seconds or a date (RFC 9110, 10.2.3). The result is None if neither
    header has a valid time.
    """
    for header, divisor in (("retry-after-ms", 1000.0), ("retry-after", 1.0)):
        value = headers.get(header)
        if value is None:
            continue
        try:
            seconds = float(value) / divisor
        except ValueError:
            try:
                seconds = email.utils.parsedate_to_datetime(value).timestamp() - time.time()
            except (TypeError, ValueError, OverflowError):
                continue
        if math.isfinite(seconds) and seconds >= 0:
            return seconds
    return None


def _wait(headers: Mapping[str, str]) -> str:
    seconds = retry_after(headers)
    if seconds is None:
        return "Try again in a minute. If that does not help, check your account's limits."
    if seconds > _A_LONG_TIME:
        return "The server asks you to wait for days, so check your account's limits."
    if seconds >= 120:
        return f"Try again in {counted(math.ceil(seconds / 60), 'minute')}."
    return f"Try again in {counted(max(1, math.ceil(seconds)), 'second')}."


def _key_step(model: RemoteModel, key: Secret | None) -> str:
    variable = model.service.key_variables[0]
    if key is None and model.service.id == OWN:
        return f"This server requires an API key. Set {variable}."
    return f"Check {variable}. The key may be mistyped, revoked, or for another service."


def _message_in(said: object) -> str:
    """Return the message in the body of a response. Each service names this field differently."""
    if isinstance(said, bytes):
        said = said.decode("utf-8", "replace")
    if isinstance(said, str):
        return "" if said.lstrip().startswith("<") else said  # HTML pages contain no message.
    if isinstance(said, list):
        return _message_in(said[0]) if said else ""
    if isinstance(said, dict):
        for name in ("error", "message", "detail", "msg"):
            if found := said.get(name):
                return _message_in(found)
    return ""
