"""Too little memory, however it is said."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from tutor.errors import NotEnoughMemory

# PyTorch raises RuntimeError and safetensors an error of its own: only the words tell.
_WORDS = ("allocate memory", "not enough memory")


def is_shortage(error: BaseException) -> bool:
    """Whether too little memory is what `error`, or what caused it, is about."""
    cause: BaseException | None = error
    seen: set[int] = set()  # what is raised from an error that it was raised within makes a circle
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
    """Turns what any library raises when memory is short into `NotEnoughMemory`."""
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
