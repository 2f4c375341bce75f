"""Convert the exceptions of the `tokenizers` library to the errors of this package."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tutor.errors import ModelDamaged, TutorError
from tutor.text import safe


@contextmanager
def library_failures(what: str) -> Iterator[None]:
    """Convert any exception that the `tokenizers` library raises to `ModelDamaged`.

    The library raises plain `Exception`, and a panic in its Rust code raises a `BaseException`.
    """
    try:
        yield
    except TutorError:
        raise
    except BaseException as error:
        if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
            raise
        raise ModelDamaged(f"{what}: {safe(str(error))[:200]}.") from error
