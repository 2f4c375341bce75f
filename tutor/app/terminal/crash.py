"""Report a bug that ended the app, and save its traceback to a file.

Textual's own report contains the values of variables, such as the learner's texts. This report does
not.
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
from tutor.language import _
from tutor.text import safe
from tutor.vendors.keys import Secret


def tell(error: BaseException) -> None:
    """Save the traceback to a file, and report the bug on the terminal in three lines.

    If the file cannot be written, the report contains the traceback.
    """
    record = record_of(error)
    said = [_("tutor: stopped because of a bug ({name}).").format(name=type(error).__name__)]
    try:
        where = _("in {keep}").format(keep=_keep(record))
    except (OSError, NoHome):
        said += map(safe, record.splitlines())
        where = "above"
    said += [
        _("Please report it, with the details {where}.").format(where=where),
        _("Start tutor again to continue where you were."),
    ]
    print("\n".join(said), file=sys.stderr)


def record_of(error: BaseException) -> str:
    """Return the traceback without the values of variables. API keys are removed from it."""
    when = datetime.now(UTC).isoformat(timespec="seconds")
    lines = traceback.format_exception(error)
    system = _("Python {python_version} on {platform}").format(
        python_version=platform.python_version(), platform=platform.platform()
    )
    text = _("tutor {version}, {system}, {when}\n\n{items}").format(
        version=__version__, system=system, when=when, items="".join(lines)
    )
    for name, value in os.environ.items():
        if is_key(name) and value.strip():
            text = Secret(value.strip()).hide_in(text)
    return text


def _keep(record: str) -> Path:
    """Write the report to a file, and replace the previous report.

    Raises `OSError` or `NoHome`.
    """
    path = paths.crash_file()
    private.make_folder(path.parent)
    with os.fdopen(private.create_file(path), "w", encoding="utf-8", errors="replace") as file:
        file.write(record)
    return path
