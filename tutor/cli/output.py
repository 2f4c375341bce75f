"""Print results to standard output, and messages to standard error.

Text from models, files and servers first passes through `tutor.text`.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TextIO

import msgspec

from tutor.cli.errors import OutputError
from tutor.errors import TutorError
from tutor.language import _
from tutor.text import printable_json, safe


def write(text: str) -> None:
    """Print human-readable text. Characters that the terminal can't show are escaped."""
    with _writing():
        _write(_open_output(), safe(text) + "\n")


def write_json(value: Any) -> None:
    """Print `value` as one line of JSON, always in UTF-8.

    Control characters are escaped, so that they can't affect the terminal.
    """
    with _writing():
        _open_output().flush()
        sys.stdout.buffer.write(printable_json(msgspec.json.encode(value)) + b"\n")


def note(text: str) -> None:
    """Print a message to standard error."""
    if sys.stderr is not None:
        _write(sys.stderr, safe(text) + "\n")


def complain(error: TutorError) -> None:
    note(_("tutor: {title}: {happened}").format(title=error.title, happened=error.happened))
    if error.next_step:
        note(error.next_step)


def flush() -> None:
    """Flush the output.

    Raises `BrokenPipeError` if the program that reads the output has closed the pipe, and
    `OutputError` if writing failed for another reason.
    """
    if sys.stdout is not None:
        with _writing():
            sys.stdout.flush()


def _open_output() -> TextIO:
    if sys.stdout is None:
        raise OutputError("Standard output is closed.")
    return sys.stdout


@contextmanager
def _writing() -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        # Without this redirection, the interpreter would flush again at exit, and print an error.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise OutputError(
            f"{error.strerror}.", "Send the output somewhere else, such as another disk."
        ) from error


def _write(stream: TextIO, text: str) -> None:
    encoding = stream.encoding or "utf-8"
    stream.write(text.encode(encoding, "backslashreplace").decode(encoding))
