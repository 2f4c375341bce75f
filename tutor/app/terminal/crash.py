"""What is said of a mistake in the program that ended the app, and what is written down of it.

Textual would print every variable on the way to the place of the mistake: the learner's texts, and
whatever else is in memory. Here it is the place alone, in a file for whoever looks after tutor.
"""

from __future__ import annotations

import os
import platform
import sys
import traceback
from datetime import UTC, datetime
from pathlib import Path

from tutor import __version__, paths, private
from tutor.environment import is_key
from tutor.errors import NoHome
from tutor.text import safe
from tutor.vendors.keys import Secret


def tell(error: BaseException) -> None:
    """Keep the place of the mistake in a file, and say so on the terminal, in three lines. Where
    no file can be written, the place is said, too."""
    record = record_of(error)
    said = [f"tutor: a mistake in the program ended it: {type(error).__name__}."]
    try:
        where = f"in {_keep(record)}"
    except (OSError, NoHome):
        said += map(safe, record.splitlines())
        where = "above"
    said += [
        f"Where it happened stands {where}: please report it with that.",
        "Start tutor again: it goes on where you were.",
    ]
    print("\n".join(said), file=sys.stderr)


def record_of(error: BaseException) -> str:
    """The place of the mistake, without variables, and without any key of the environment."""
    when = datetime.now(UTC).isoformat(timespec="seconds")
    lines = traceback.format_exception(error)
    system = f"Python {platform.python_version()} on {platform.platform()}"
    text = f"tutor {__version__}, {system}, {when}\n\n{''.join(lines)}"
    for name, value in os.environ.items():
        if is_key(name) and value.strip():
            text = Secret(value.strip()).hide_in(text)
    return text


def _keep(record: str) -> Path:
    """In place of the one before. Raises `OSError`, `NoHome`."""
    path = paths.crash_file()
    private.make_folder(path.parent)
    with os.fdopen(private.create_file(path), "w", encoding="utf-8", errors="replace") as file:
        file.write(record)
    return path
