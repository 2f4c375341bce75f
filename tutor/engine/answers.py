"""What an answer comes to: what was asked for, or the reason why not."""

from __future__ import annotations

from typing import TypeVar

from tutor import errors
from tutor.engine.protocol import Answer, Failed
from tutor.errors import EngineError, TutorError

AnswerKind = TypeVar("AnswerKind", bound=Answer)


def expect(kind: type[AnswerKind], answer: Answer) -> AnswerKind:
    """The answer, where it is of this kind. Raises the `TutorError` that it names, and
    `EngineError` for an answer to something else."""
    if isinstance(answer, Failed):
        raise error_in(answer)
    if not isinstance(answer, kind):
        raise EngineError(f"The engine answered with {type(answer).__name__}.")
    return answer


def error_in(failed: Failed) -> TutorError:
    """The error that the engine named; one of a kind unknown here is an `EngineError`."""
    kind = getattr(errors, failed.kind, EngineError)
    if not (isinstance(kind, type) and issubclass(kind, TutorError)):
        kind = EngineError
    return kind(failed.happened, failed.next_step)
