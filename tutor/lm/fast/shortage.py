"""Recognize the out-of-memory errors of different libraries."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from tutor.errors import NotEnoughMemory

# PyTorch raises RuntimeError and safetensors its own error class, so we check the message.
_WORDS = ("allocate memory", "not enough memory")


def is_shortage(error: BaseException) -> bool:
    """Return True if `error` is an out-of-memory error, or if such an error caused it."""
    cause: BaseException | None = error
    seen: set[int] = set()  # a chain of causes can be circular
    while cause is not None and id(cause) not in seen:
        seen.add(id(cause))
        if isinstance(cause, MemoryError) or getattr(cause, "errno", None) == errno.ENOMEM:
            return True
        if any(words in str(cause) for words in _WORDS):
            return True
        cause = cause.__cause__ or cause.__context__
    return False


@contextmanager
def shortage_in_words(what_for: str) -> Iterator[None]:
    """Replace any library's out-of-memory error in the `with` block with `NotEnoughMemory`."""
    try:
        yield
    except NotEnoughMemory:
        raise
    except Exception as error:
        if not is_shortage(error):
            raise
        raise NotEnoughMemory(
            f"there is not enough memory for {what_for}.",
            "Close other programs, or use a smaller model.",
        ) from error
