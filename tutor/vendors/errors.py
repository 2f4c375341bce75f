"""The errors of remote models, in plain sentences.

The sentences are ours, built from the status and a cleaned and shortened message of the server. A
vendor's exception is never chained to one of ours: it holds the request, and with it the key.
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
    """Yield `events`, and raise our own errors in place of those of a vendor's client.

    The error is raised outside the block that caught the vendor's error, so that this is not its
    context. After `cancel`, every error only means that the connection was closed.
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
            failure = RequestCancelled("The answer was stopped.")
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
    """Return the error for a response whose status means failure.

    `said` is the server's response body, decoded if it is JSON.
    """
    product, host = model.service.product, model.host
    message = cleaned(_message_in(said), key)
    stop = "" if message.endswith((".", "!", "?", "…")) else "."
    quoted = f" It says: {message}{stop}" if message else ""
    match status:
        case 401:
            return errors.KeyRefused(
                f"{product} does not accept the key.{quoted}", _key_step(model, key)
            )
        case 403:
            return errors.AccessRefused(
                f"{product} accepts the key, but not for this request.{quoted}",
                "Check in your account whether this model is available to you and in your country.",
            )
        case 404:
            return errors.NoSuchModel(
                f"{host} has no model {model.name!r}, or the address is wrong.{quoted}",
                "Check the model's name and the end of the base URL, which usually is /v1.",
            )
        case 408 | 504:
            return RemoteTimeout(f"{host} timed out (status {status}).{quoted}", "Try again.")
        case 429:
            return errors.RateLimited(
                f"{product} accepts no more requests from you for now.{quoted}",
                _wait(headers or {}),
            )
        case _ if 500 <= status <= 599:
            return errors.ServerFailed(
                f"{host} answered with status {status}.{quoted}",
                "The problem is on the server. Try again in a few minutes.",
            )
    return errors.RequestRefused(
        f"{host} answered with status {status}.{quoted}",
        "Change the request as the message says, or choose another model.",
    )


def unreachable(model: RemoteModel, reason: str = "") -> RemoteError:
    """Return the error for a failed connection. `reason` is the system's message."""
    step = (
        "Start the server, and check the port in the base URL."
        if model.here
        else "Check the network and the base URL. The local model needs neither."
    )
    why = f" ({cleaned(reason, None)})" if reason else ""
    return errors.CannotConnect(f"Could not connect to {model.host}{why}.", step)


def too_slow(seconds: float, *, begun: bool) -> RemoteTimeout:
    """Return the error for a silent server; `begun` tells whether an answer had begun."""
    what = "Nothing more arrived" if begun else "The server did not begin to answer"
    return RemoteTimeout(
        f"{what} within {seconds:g} seconds.",
        "Try again, ask for a shorter answer, or choose a smaller model.",
    )


def broken(model: RemoteModel) -> RemoteError:
    """Return the error for a connection that ended in the middle of an answer."""
    return errors.StreamBroken(
        f"{model.host} closed the connection before its response was complete.",
        "What arrived is kept. Ask again for a complete answer.",
    )


def unreadable(model: RemoteModel, what: str) -> RemoteError:
    """Return the error for an answer that violates the protocol; `what` says in which way."""
    return errors.AnswerUnreadable(
        f"{model.host} sent an invalid answer: {what}.",
        "Check the base URL, and that the server uses this protocol. What arrived is kept.",
    )


def blocked(model: RemoteModel, why: str = "") -> RemoteError:
    """Return the error for an answer that a filter withheld or cut off."""
    reason = f" ({cleaned(why, None)})" if why else ""
    return errors.AnswerBlocked(
        f"{model.service.product} withheld its answer{reason}.",
        "Rephrase the prompt. This is the service's own filter, not the model's choice.",
    )


def require_end(
    model: RemoteModel, request: RemoteRequest, pieces: int, reason: str | None, *, cut: bool
) -> None:
    """Raise a `RemoteError` if an answer of `pieces` pieces is empty or has no reason for its end.

    `cut` means that the reason is the limit on tokens.
    """
    if not reason:
        raise broken(model) if pieces else unreadable(model, "it contains no part of an answer")
    if pieces or request.most_tokens == 1:
        return
    if cut:
        raise errors.AnswerCut(
            f"{model.service.product} used all the tokens allowed before it wrote any text.",
            "It reasons in hidden tokens: allow more tokens.",
        )
    raise errors.AnswerEmpty(
        f"{model.service.product} answered without any text.", "Ask again, or rephrase the prompt."
    )


def cleaned(text: str, key: Secret | None) -> str:
    """Return a server's message as one line, without the key and without control characters."""
    line = safe(" ".join(text.split()))
    if key is not None:
        line = key.hide_in(line)
    return line if len(line) <= _LONGEST_MESSAGE else line[: _LONGEST_MESSAGE - 1] + "…"


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds to wait, from `retry-after-ms` or `Retry-After`.

    The latter holds seconds or a date (RFC 9110, 10.2.3). Returns None if the server does not say,
    or if its value makes no sense.
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
        return "Wait a minute and ask again. If that does not help, check your account's limits."
    if seconds > _A_LONG_TIME:
        return "The server asks you to wait for days: check your account's limits."
    if seconds >= 120:
        return f"Ask again in {counted(math.ceil(seconds / 60), 'minute')}."
    return f"Ask again in {counted(max(1, math.ceil(seconds)), 'second')}."


def _key_step(model: RemoteModel, key: Secret | None) -> str:
    variable = model.service.key_variables[0]
    if key is None and model.service.id == OWN:
        return f"This server requires a key: set {variable}."
    return f"Check {variable}: the key may be mistyped, revoked, or for another service."


def _message_in(said: object) -> str:
    """Return the message in a response body, wherever the service put it."""
    if isinstance(said, bytes):
        said = said.decode("utf-8", "replace")
    if isinstance(said, str):
        return "" if said.lstrip().startswith("<") else said  # an HTML page has no message for us
    if isinstance(said, list):
        return _message_in(said[0]) if said else ""
    if isinstance(said, dict):
        for name in ("error", "message", "detail", "msg"):
            if found := said.get(name):
                return _message_in(found)
    return ""
