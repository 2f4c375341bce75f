"""Edit a text in the learner's own editor, as set in $VISUAL or $EDITOR."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from pathlib import Path

from tutor import private
from tutor.errors import StoreError, TutorError
from tutor.language import _
from tutor.learner.untrusted_files import read_beginning
from tutor.text import writable

_FROM_KEYS = [getattr(signal, name) for name in ("SIGINT", "SIGQUIT") if hasattr(signal, name)]
"""The signals for Ctrl+C and Ctrl+\\, which a terminal sends to all processes that use it."""

UNCHANGED = _("Your text has not changed.")


class EditorError(TutorError, title="The editor cannot be used"):
    """Raised when the learner's editor fails, or when the edited text cannot be used."""


def command(environment: Mapping[str, str] | None = None) -> list[str]:
    """Return the command that starts the learner's editor. Raises `EditorError` if none is set."""
    environment = os.environ if environment is None else environment
    named = environment.get("VISUAL") or environment.get("EDITOR") or ""
    try:
        words = shlex.split(named)
    except ValueError:
        words = []
    if not words or shutil.which(words[0]) is None:
        raise EditorError(
            _("There is no program {name}.").format(name=words[0])
            if words
            else _("No editor is set."),
            _("Set EDITOR to the name of your editor, such as nano, and start tutor again."),
        )
    return words


def edited(text: str, editor: Sequence[str], longest: int) -> str:
    """Write `text` to a private file, run the editor on it, and return the edited text.

    This waits until the editor exits. Raises `EditorError` if the editor fails, or if the edited
    text has more than `longest` characters, is not UTF-8, or contains control characters.
    """
    try:
        # No other account can access this folder.
        with tempfile.TemporaryDirectory(prefix="tutor-") as folder:
            path = Path(folder) / "text.txt"
            with os.fdopen(private.create_file(path), "w", encoding="utf-8") as file:
                file.write(text + "\n")
            status = _run([*editor, str(path)])
            data = read_beginning(path, 4 * longest + 2)
    except StoreError as error:
        raise EditorError(error.happened, UNCHANGED) from error
    except OSError as error:
        raise EditorError(f"{error.strerror or error}.", UNCHANGED) from error
    if status < 0:  # on POSIX, the number of a signal
        raise EditorError(
            _("The editor was stopped by signal {number}.").format(number=-status), UNCHANGED
        )
    if status != 0:
        raise EditorError(
            _("The editor exited with status {status}.").format(status=status), UNCHANGED
        )
    return _checked(data, longest)


def _run(arguments: Sequence[str]) -> int:
    """Run a program in the terminal, and return its exit status.

    A child process inherits blocked signals, so the signals that tutor blocks are unblocked before
    the program starts.
    """
    if sys.platform == "win32":
        return subprocess.run(arguments, check=False).returncode
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    return subprocess.run(
        arguments,
        check=False,
        preexec_fn=lambda: _restore(blocked),
    ).returncode


def _restore(blocked: Set[int]) -> None:
    for number in _FROM_KEYS:
        signal.signal(number, signal.SIG_DFL)
    if sys.platform != "win32":
        signal.pthread_sigmask(signal.SIG_UNBLOCK, blocked)


@contextmanager
def keys_do_not_interrupt() -> Iterator[None]:
    r"""Ignore Ctrl+C and Ctrl+\ in this process, but not in the editor."""
    before = [signal.signal(number, signal.SIG_IGN) for number in _FROM_KEYS]
    try:
        yield
    finally:
        for number, handler in zip(_FROM_KEYS, before, strict=True):
            signal.signal(number, handler)


def _checked(data: bytes, longest: int) -> str:
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        if len(data) <= 4 * longest:
            raise EditorError(_("The text is not valid UTF-8."), UNCHANGED) from error
        text = data.decode("utf-8", "ignore")
    text = text.replace("\r\n", "\n").removesuffix("\n")
    if len(text) > longest:
        raise EditorError(
            _("The text has more than {most} characters.").format(most=f"{longest:,}"), UNCHANGED
        )
    if writable(text) != text:
        raise EditorError(_("The text contains control characters."), UNCHANGED)
    return text
