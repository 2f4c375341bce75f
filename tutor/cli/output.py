"""What the commands print: to standard output what was asked for, to standard error the rest.

Text that comes from outside (models, files, servers) passes through `tutor.text` first.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TextIO

import msgspec

from tutor.cli.errors import OutputError
from tutor.errors import TutorError
from tutor.text import printable_json, safe


def write(text: str) -> None:
    """One or more lines for people. Characters that the terminal cannot show are spelled out."""
    with _writing():
        _write(_open_output(), safe(text) + "\n")


def write_json(value: Any) -> None:
    """`value` as one line of JSON, in UTF-8 whatever the terminal says, and harmless to it."""
    with _writing():
        _open_output().flush()
        sys.stdout.buffer.write(printable_json(msgspec.json.encode(value)) + b"\n")


def note(text: str) -> None:
    """Something worth knowing beside the output."""
    if sys.stderr is not None:
        _write(sys.stderr, safe(text) + "\n")


def complain(error: TutorError) -> None:
    note(f"tutor: {error.title}: {error.happened}")
    if error.next_step:
        note(error.next_step)


def flush() -> None:
    """Raises `BrokenPipeError` where nobody reads any more, `OutputError` where it does not go."""
    if sys.stdout is not None:
        with _writing():
            sys.stdout.flush()


def _open_output() -> TextIO:
    if sys.stdout is None:
        raise OutputError("standard output is closed.")
    return sys.stdout


@contextmanager
def _writing() -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        # or the interpreter would try to flush, and complain, once more at its end
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise OutputError(f"{error.strerror}.", "Send it somewhere else.") from error


def _write(stream: TextIO, text: str) -> None:
    encoding = stream.encoding or "utf-8"
    stream.write(text.encode(encoding, "backslashreplace").decode(encoding))
