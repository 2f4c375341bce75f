"""What can go wrong with a remote model, in words.

Sentences are ours, made of the status and of a cleaned and shortened message of the server. A
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
    """`events`, with what a vendor's client raises put into our words.

    The error is raised outside of the block that caught the vendor's, so that this one is not its
    context. After `cancel` whatever is raised is only the connection that was closed.
    """
    while True:
        failure: TutorError | None = None
        try:
            event = next(events)
        except StopIteration:
            return
        except TutorError as error:
            failure = error
        except Exception as error:  # noqa: BLE001 (a client may raise anything; none of it is lost)
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
    """The error for a response with a status that is no success. `said` is the server's body,
    decoded if it is JSON."""
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
                f"{product} knows the key, but does not let it do this.{quoted}",
                "Look in your account whether this model is open to you, in your country too.",
            )
        case 404:
            return errors.NoSuchModel(
                f"{host} has no model {model.name!r}, or nothing at this address.{quoted}",
                "Check the model's name, and whether the base URL ends as it should (mostly /v1).",
            )
        case 408 | 504:
            return RemoteTimeout(f"{host} gave up waiting (status {status}).{quoted}", "Ask again.")
        case 429:
            return errors.RateLimited(
                f"{product} takes no more requests from you for now.{quoted}", _wait(headers or {})
            )
        case _ if 500 <= status <= 599:
            return errors.ServerFailed(
                f"{host} answered with status {status}.{quoted}",
                "It is not your fault. Ask again in a while.",
            )
    return errors.RequestRefused(
        f"{host} answered with status {status}.{quoted}",
        "Change what it complains about, or choose another model.",
    )


def unreachable(model: RemoteModel, reason: str = "") -> RemoteError:
    """No connection. `reason` is what the system says of it."""
    step = (
        "Start the server, and check the port in the base URL."
        if model.here
        else "Check the network and the base URL. The local model works without both."
    )
    why = f" ({cleaned(reason, None)})" if reason else ""
    return errors.CannotConnect(f"There is no connection to {model.host}{why}.", step)


def too_slow(seconds: float, *, begun: bool) -> RemoteTimeout:
    """`begun`: whether something had come before the silence."""
    what = "Nothing more came" if begun else "It did not begin to answer"
    return RemoteTimeout(
        f"{what} within {seconds:g} seconds.",
        "Ask again, ask for less, or choose a smaller model.",
    )


def broken(model: RemoteModel) -> RemoteError:
    """The connection ended in the middle of an answer."""
    return errors.StreamBroken(
        f"{model.host} ended the connection before the end of its answer.",
        "What arrived is kept. Ask again for a whole one.",
    )


def unreadable(model: RemoteModel, what: str) -> RemoteError:
    """What came is not what the protocol says; `what` is a few words of ours."""
    return errors.AnswerUnreadable(
        f"What {model.host} sent cannot be read: {what}.",
        "Check that it speaks this protocol and that the base URL is right. What arrived is kept.",
    )


def blocked(model: RemoteModel, why: str = "") -> RemoteError:
    """A filter kept the answer back, or cut it off."""
    reason = f" ({cleaned(why, None)})" if why else ""
    return errors.AnswerBlocked(
        f"{model.service.product} kept its answer back{reason}.",
        "Put it otherwise. This is the service's own filter, not the model's choice.",
    )


def require_end(
    model: RemoteModel, request: RemoteRequest, pieces: int, reason: str | None, *, cut: bool
) -> None:
    """Raise a `RemoteError` if an answer of so many pieces has no text, or no reason why it ended;
    `cut`: the reason is that the most tokens allowed were used up."""
    if not reason:
        raise broken(model) if pieces else unreadable(model, "it holds no part of an answer")
    if pieces or request.most_tokens == 1:
        return
    if cut:
        raise errors.AnswerCut(
            f"{model.service.product} used all the tokens allowed before it wrote a word.",
            "It thinks in tokens that are not shown: allow more of them.",
        )
    raise errors.AnswerEmpty(
        f"{model.service.product} answered with no text at all.", "Ask again, or otherwise."
    )


def cleaned(text: str, key: Secret | None) -> str:
    """A server's words on one line, without the key and without anything that could act on a
    terminal."""
    line = safe(" ".join(text.split()))
    if key is not None:
        line = key.hide_in(line)
    return line if len(line) <= _LONGEST_MESSAGE else line[: _LONGEST_MESSAGE - 1] + "…"


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait, from `retry-after-ms` or `Retry-After` (seconds, or a date: RFC 9110,
    10.2.3); None where the server does not say, or says what means nothing."""
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
        return "Wait a minute and ask again; if that does not help, look at your account's limits."
    if seconds > _A_LONG_TIME:
        return "It asks to wait for days: look at your account's limits."
    if seconds >= 120:
        return f"Ask again in {counted(math.ceil(seconds / 60), 'minute')}."
    return f"Ask again in {counted(max(1, math.ceil(seconds)), 'second')}."


def _key_step(model: RemoteModel, key: Secret | None) -> str:
    variable = model.service.key_variables[0]
    if key is None and model.service.id == OWN:
        return f"This server wants a key: set {variable} to it."
    return f"Check {variable}: it may be mistyped, withdrawn, or of another service."


def _message_in(said: object) -> str:
    """The message in a body, wherever services put it."""
    if isinstance(said, bytes):
        said = said.decode("utf-8", "replace")
    if isinstance(said, str):
        return "" if said.lstrip().startswith("<") else said  # a page for browsers says nothing
    if isinstance(said, list):
        return _message_in(said[0]) if said else ""
    if isinstance(said, dict):
        for name in ("error", "message", "detail", "msg"):
            if found := said.get(name):
                return _message_in(found)
    return ""
