"""What an answer comes to: what was asked for, or the reason why not."""

from __future__ import annotations

from typing import TypeVar

from tutor.engine.wire import Answer, Failed
from tutor.errors import EngineError, TutorError, kind_named

AnswerKind = TypeVar("AnswerKind", bound=Answer)


def expect(kind: type[AnswerKind], answer: Answer) -> AnswerKind:
    """The answer, where it is of this kind. Raises the `TutorError` that it names, and
    `EngineError` for an answer to something else."""
    if isinstance(answer, Failed):
        raise error_in(answer)
    if not isinstance(answer, kind):
        raise EngineError(f"The engine answered with {type(answer).__name__}.")
    return answer


def failure(error: TutorError, id_: int = 0) -> Failed:
    """Return the error as the answer to a request; 0: it is not about one."""
    return Failed(id_, type(error).__name__, error.happened, error.next_step)


def error_in(failed: Failed) -> TutorError:
    """The error that the engine named; one of a kind unknown here is an `EngineError`."""
    return kind_named(failed.kind, EngineError)(failed.happened, failed.next_step)
