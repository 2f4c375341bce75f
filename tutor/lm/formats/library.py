"""Convert the exceptions of the `tokenizers` library to the errors of this package."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tutor.errors import ModelDamaged, TutorError
from tutor.text import safe


@contextmanager
def library_failures(what: str) -> Iterator[None]:
    """Raise `ModelDamaged` if the `tokenizers` library raises an exception in the `with` block.

    The library raises plain `Exception`. A panic in its Rust code is a `BaseException`. `what` is
    the beginning of the error message.
    """
    try:
        yield
    except TutorError:
        raise
    except BaseException as error:
        if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
            raise
        raise ModelDamaged(f"{what}: {safe(str(error))[:200]}.") from error
