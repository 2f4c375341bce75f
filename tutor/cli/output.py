"""What the commands print: to standard output what was asked for, to standard error the rest.

Text that comes from outside (models, files, servers) passes through `tutor.text` first.
"""

from __future__ import annotations

import sys
from typing import Any

import msgspec

from tutor.errors import TutorError
from tutor.text import safe


def write(text: str) -> None:
    """One or more lines for people. Characters that the terminal cannot show are spelled out."""
    _write(sys.stdout, safe(text) + "\n")


def write_json(value: Any) -> None:
    """`value` as one line of JSON, in UTF-8 whatever the terminal says."""
    sys.stdout.flush()
    sys.stdout.buffer.write(msgspec.json.encode(value) + b"\n")


def note(text: str) -> None:
    """Something worth knowing beside the output."""
    _write(sys.stderr, safe(text) + "\n")


def complain(error: TutorError) -> None:
    note(f"tutor: {error.title}: {error.happened}")
    if error.next_step:
        note(error.next_step)


def flush() -> None:
    """Raises `BrokenPipeError` where nobody reads any more."""
    sys.stdout.flush()


def _write(stream: Any, text: str) -> None:
    encoding = stream.encoding or "utf-8"
    stream.write(text.encode(encoding, "backslashreplace").decode(encoding))
