"""A table of the queries that a session supports.

Each entry names the request, the response, and the session method that handles the query. The
engine looks up handlers in the dictionary `QUESTIONS`, and the proxy inherits its query methods
from the class `SessionQuestions`. To add a query, add its messages to `wire`, its method to `api`
and to the session classes, and an entry to this table.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Coroutine
from typing import Any, Concatenate, Generic, ParamSpec, Protocol, TypeVar, overload

from tutor.engine import wire
from tutor.engine.api import ModelSession
from tutor.lm.distribution import XRay

Fields = ParamSpec("Fields")
Value = TypeVar("Value")


class _Readable(Protocol):
    """A session that can report how many of its tokens the network has not processed yet."""

    def __len__(self) -> int: ...

    def unread(self, length: int) -> int: ...


class Question(Generic[Fields, Value]):
    """A type of query that a session can answer.

    The proxy uses it as a method, and the engine uses it to handle requests.

    `asked` is the class of the request. The fields after `id` and `session` are the arguments of
    `method`. `tokens_to_read` returns the number of tokens that must be processed before the
    session can respond. `counts` returns the actual and the expected number of items in a response,
    given the number of tokens in the session.
    """

    def __init__(
        self,
        asked: Callable[Concatenate[int, str, Fields], wire.SessionQuestion],
        answer: Callable[[int, Value], wire.QuestionAnswer[Value]],
        method: Callable[Concatenate[Any, Fields], Value],
        *,
        tokens_to_read: Callable[[_Readable, Any], float],
        counts: Callable[[Any, Value, int], tuple[int, int]] = lambda asked, value, length: (0, 0),
    ) -> None:
        self._make = asked
        assert isinstance(asked, type)
        assert isinstance(answer, type)
        self.asked: type[wire.SessionQuestion] = asked
        self.answer_kind: type[wire.QuestionAnswer[Value]] = answer
        self.tokens_to_read = tokens_to_read
        self.counts = counts
        self.name = method.__name__
        self._arguments = self.asked.__struct_fields__[2:]

    def answer(
        self, session: ModelSession, asked: wire.SessionQuestion
    ) -> wire.QuestionAnswer[Value]:
        """Call the session's method in the engine process, and return the response.

        Raises any `TutorError` that the method raises.
        """
        arguments = {name: getattr(asked, name) for name in self._arguments}
        return self.answer_kind(asked.id, getattr(session, self.name)(**arguments))

    @overload
    def __get__(self, proxy: None, owner: object) -> Question[Fields, Value]: ...
    @overload
    def __get__(
        self, proxy: SessionQuestions, owner: object
    ) -> Callable[Fields, Coroutine[Any, Any, Value]]: ...

    def __get__(
        self, proxy: SessionQuestions | None, owner: object
    ) -> Question[Fields, Value] | Callable[Fields, Coroutine[Any, Any, Value]]:
        """Return a method that sends this query to the engine."""
        if proxy is None:
            return self

        async def ask(*args: Fields.args, **kwargs: Fields.kwargs) -> Value:
            return await proxy.ask_question(
                self, lambda id_, session: self._make(id_, session, *args, **kwargs)
            )

        return ask


def _to_position(
    path: _Readable, asked: wire.AskDistribution | wire.AskRows | wire.FindTokens
) -> int:
    return path.unread(asked.position)


def _attention(asked: wire.AskXRay, xray: XRay, length: int) -> tuple[int, int]:
    of_one_layer = 4 * xray.heads * (asked.position + 1)  # 4 bytes for each 32-bit float
    return len(xray.attention), of_one_layer * len(xray.held)


class SessionQuestions(ABC):
    """A base class for proxies, with one method for each query.

    The methods call `ask_question`, which the subclass implements.
    """

    @abstractmethod
    async def ask_question(
        self,
        question: Question[Fields, Value],
        make: Callable[[int, str], wire.SessionQuestion],
    ) -> Value: ...

    distribution = Question(
        wire.AskDistribution,
        wire.DistributionAnswer,
        ModelSession.distribution,
        tokens_to_read=_to_position,
    )
    rows = Question(
        wire.AskRows,
        wire.Rows,
        ModelSession.rows,
        tokens_to_read=_to_position,
        counts=lambda asked, rows, length: (len(rows), len(asked.ids)),
    )
    find = Question(wire.FindTokens, wire.Rows, ModelSession.find, tokens_to_read=_to_position)
    surprisals = Question(
        wire.AskSurprisals,
        wire.Surprisals,
        ModelSession.surprisals,
        tokens_to_read=lambda path, asked: len(path) - asked.start,
        counts=lambda asked, bits, length: (len(bits), max(0, length - asked.start)),
    )
    xray = Question(
        wire.AskXRay,
        wire.XRayAnswer,
        ModelSession.xray,
        tokens_to_read=lambda path, asked: math.inf,
        counts=_attention,
    )
    attribution = Question(
        wire.AskAttribution,
        wire.AttributionAnswer,
        ModelSession.attribution,
        tokens_to_read=lambda path, asked: math.inf,
    )
    sources = Question(
        wire.AskSources,
        wire.Sources,
        ModelSession.sources,
        tokens_to_read=lambda path, asked: math.inf,
        counts=lambda asked, sources, length: (len(sources), asked.position + 1),
    )
    occlusion = Question(
        wire.AskOcclusion,
        wire.Occlusions,
        ModelSession.occlusion,
        tokens_to_read=lambda path, asked: math.inf,
        counts=lambda asked, occlusions, length: (len(occlusions), len(asked.indexes)),
    )


QUESTIONS: dict[type[wire.SessionQuestion], Question[..., Any]] = {
    question.asked: question
    for question in vars(SessionQuestions).values()
    if isinstance(question, Question)
}
