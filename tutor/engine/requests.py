"""The pending requests of the app: requests without a response."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Iterable
from typing import TypeVar

from tutor.engine.wire import Answer, Failed
from tutor.errors import EngineError, TutorError

AnswerKind = TypeVar("AnswerKind", bound=Answer)


def expect(kind: type[AnswerKind], answer: Answer) -> AnswerKind:
    """Check that a response has the class `kind`, and return it.

    Raises the `TutorError` that a `Failed` response contains, or `EngineError` for a response of
    another class.
    """
    if isinstance(answer, Failed):
        raise answer.error
    if not isinstance(answer, kind):
        raise EngineError(f"The engine sent an unexpected response: {type(answer).__name__}.")
    return answer


class PendingRequests:
    """The requests that have no response yet, by id.

    The callback `changed` is called when a request is added or removed.
    """

    def __init__(self) -> None:
        self.changed: Callable[[], None] = lambda: None
        self._ids = itertools.count(1)
        self._pending: dict[int, asyncio.Future[Answer]] = {}

    def __bool__(self) -> bool:
        return bool(self._pending)

    def __contains__(self, id_: int) -> bool:
        return id_ in self._pending

    def new_id(self) -> int:
        return next(self._ids)

    def expect(self, id_: int) -> asyncio.Future[Answer]:
        """Add a request, and return a future that will contain its response."""
        self._pending[id_] = asyncio.get_running_loop().create_future()
        self.changed()
        return self._pending[id_]

    def settle(self, answer: Answer) -> None:
        """Set the result of the future that waits for this response.

        A response that no future waits for is ignored.
        """
        future = self._pending.get(answer.id)
        if future is not None and not future.done():
            future.set_result(answer)
        self.forget([answer.id])

    def forget(self, ids: Iterable[int]) -> None:
        """Remove these requests, so that their responses will be ignored."""
        for id_ in ids:
            self._pending.pop(id_, None)
        self.changed()

    def fail(self, error: TutorError) -> None:
        """Remove all pending requests, and set this error as the exception of their futures."""
        for future in self._pending.values():
            if not future.done():
                future.set_exception(error)
        self._pending.clear()
        self.changed()
