"""Measure what a remote model supports, for `tutor model check`.

The check requests a short answer. If the server is not in the catalogue, it also requests a
continuation of some text.
"""

from __future__ import annotations

import msgspec

from tutor import errors
from tutor.lm.distribution import ChatMessage
from tutor.vendors.alternatives import ALTERNATIVES
from tutor.vendors.catalogue import OWN, RemoteModel
from tutor.vendors.keys import Secret
from tutor.vendors.opening import open_service
from tutor.vendors.permissions import Permissions
from tutor.vendors.reader import GREEDY, RemoteReader
from tutor.vendors.runs import ErrorReport, Progress, never, prompt_events, whole
from tutor.vendors.service import Alternative, RemoteRequest

ASKED = (ChatMessage("user", "Count from one to twenty, in words, separated by commas."),)
TEXT = "One, two, three, four,"
JAPANESE = "日本の首都は、"
"""A text whose next token often contains only part of a character."""

MOST_TOKENS = 400
"""The token limit of the requests. It leaves room for hidden reasoning before the answer."""


class CheckReport(msgspec.Struct, frozen=True):
    """The results of a check.

    - `reachable`: None if nothing was sent
    - `key`: "accepted", "refused", "missing", "none" (no key was sent) or "unknown"
    - `alternatives` and `text_alternatives`: the maximum number of alternatives per token in the
      answer and in the continuation, or None if there was none
    - `echoes`: True if the server returns the tokens of the prompt
    - `ids`: True if the server reports the ids of tokens
    - `parts`: True if the alternatives include tokens that contain only part of a character
    - `ends`: True if the alternatives include the end token
    - `continues`: True if you can step through a conversation
    - `answer_tokens`: the number of tokens that the service reports
    - `cost`: the cost in US dollars

    All times are in seconds.
    """

    model: str
    product: str
    host: str
    reachable: bool | None
    key: str
    streams: bool = False
    alternatives: int | None = None
    text_alternatives: int | None = None
    echoes: bool = False
    ids: bool = False
    parts: bool = False
    ends: bool = False
    continues: bool = False
    first_after: float | None = None
    tokens_per_second: float | None = None
    answer_tokens: int | None = None
    cost: float | None = None
    trouble: ErrorReport | None = None


def check(model: RemoteModel, key: Secret | None) -> CheckReport:
    """Send requests to the model and return a report, which includes any error."""
    sent = "accepted" if key else "none"
    try:
        answer = _answer(model, key)
        failed = answer.trouble.error if answer.trouble else None
    except errors.TutorError as error:
        answer, failed = Progress(trouble=ErrorReport.of(error)), error
    report = CheckReport(
        model=model.spec,
        product=model.service.product,
        host=model.host,
        reachable=_reachable(failed),
        key=_key(failed, sent, arrived=bool(answer.arrived)),
        streams=answer.arrived > 1,
        alternatives=_alternatives(answer) if answer.arrived else None,
        first_after=answer.first_after,
        tokens_per_second=tokens_per_second(answer),
        answer_tokens=_counted(answer) or _told(answer),
        cost=_cost(model, answer),
        trouble=answer.trouble,
        ends=any(each.ends for each in _listed(answer)),
    )
    if failed is None and model.service.id == OWN:
        report = _with_continuation(report, model, key)
    return report


def tokens_per_second(answer: Progress) -> float | None:
    """Return the number of tokens per second between the first and the last token.

    The result is None if the number of tokens is unknown.
    """
    tokens = _told(answer) or _counted(answer)
    if tokens is None or answer.first_after is None or answer.last_after is None:
        return None
    taken = answer.last_after - answer.first_after
    return (tokens - 1) / taken if taken > 0 and tokens > 1 else None


def _told(answer: Progress) -> int | None:
    """Return the number of tokens that arrived with a log-probability, or None if there are none.

    The end token is not counted. It has a log-probability but no text.
    """
    return sum(bool(p.data) and p.log_probability is not None for p in answer.pieces) or None


def _counted(answer: Progress) -> int | None:
    """Return the number of tokens of the answer that the service reports and charges for."""
    return answer.finish.usage.answer_tokens if answer.finish else None


def _answer(model: RemoteModel, key: Secret | None) -> Progress:
    request = RemoteRequest(ASKED, most_tokens=MOST_TOKENS, top=ALTERNATIVES)
    progress = _run(model, key, request)
    if progress.trouble is not None and progress.trouble.kind == errors.NotTold.__name__:
        progress = _run(model, key, msgspec.structs.replace(request, top=0))
    return progress


def _with_continuation(report: CheckReport, model: RemoteModel, key: Secret | None) -> CheckReport:
    request = RemoteRequest(TEXT, GREEDY, most_tokens=1, top=ALTERNATIVES)
    found = _run(model, key, request)
    if found.trouble is not None:
        return report
    service = open_service(model, key)
    echoed = whole(lambda cut: prompt_events(service, TEXT, cut))
    listed = _listed(_run(model, key, msgspec.structs.replace(request, prompt=JAPANESE)))
    return msgspec.structs.replace(
        report,
        text_alternatives=_alternatives(found),
        echoes=bool(echoed.pieces),
        ids=any(each.id is not None for each in listed),
        parts=any("\ufffd" in each.data.decode("utf-8", "replace") for each in listed),
        continues=bool(report.alternatives) and _continues(model, key),
    )


def _continues(model: RemoteModel, key: Secret | None) -> bool:
    permissions = Permissions()
    permissions.allow(model.host, key)
    try:
        return RemoteReader(model, permissions).continues(ASKED, never)
    except errors.RemoteError:
        return False


def _run(model: RemoteModel, key: Secret | None, request: RemoteRequest) -> Progress:
    service = open_service(model, key)
    return whole(lambda cut: service.stream(request, cut))


def _listed(answer: Progress) -> list[Alternative]:
    return [each for piece in answer.pieces for each in piece.alternatives]


def _alternatives(answer: Progress) -> int:
    return max((len(piece.alternatives) for piece in answer.pieces), default=0)


def _reachable(failed: errors.TutorError | None) -> bool | None:
    if isinstance(failed, errors.KeyMissing | errors.ClientMissing):
        return None
    return not isinstance(failed, errors.CannotConnect | errors.RemoteTimeout)


def _key(failed: errors.TutorError | None, sent: str, *, arrived: bool) -> str:
    match failed:
        case errors.KeyMissing():
            return "missing"
        case errors.KeyRefused():
            return "refused"
        case None:
            return sent
    return sent if arrived or not isinstance(failed, errors.RemoteError) else "unknown"


def _cost(model: RemoteModel, answer: Progress) -> float | None:
    if model.price is None or answer.finish is None:
        return None
    usage = answer.finish.usage
    if usage.prompt_tokens is None or usage.answer_tokens is None:
        return None
    return model.price.cost(usage.prompt_tokens, usage.answer_tokens)
