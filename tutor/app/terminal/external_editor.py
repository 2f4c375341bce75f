"""Edit a text in the learner's own editor, as set in $VISUAL or $EDITOR."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
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


class Editing:
    """A text that the learner edits in their own editor.

    The app may have to exit while the editor is running, for example when the connection drops.
    Another thread then ends the editor, which would otherwise use the terminal together with the
    shell.
    """

    def __init__(self, editor: Sequence[str], longest: int) -> None:
        """Edit with the command `editor`. The text may have at most `longest` characters."""
        self._editor = editor
        self._longest = longest
        self._starting = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._finished = threading.Event()
        self.ended_early = False
        """Whether the editor was ended because the app exits."""
        self.kept: Path | None = None
        """The folder with the text, if the editor may have saved it and tutor did not use it."""

    def edited(self, text: str) -> str:
        """Write `text` to a private file, run the editor on it, and return the edited text.

        This waits until the editor exits. Raises `EditorError` if the editor fails, or if the
        edited text is too long, is not UTF-8, or contains control characters. What the editor
        saved is then kept, so that the learner does not lose it.
        """
        try:
            # No other account can access this folder.
            folder = Path(tempfile.mkdtemp(prefix="tutor-"))
        except OSError as error:
            raise EditorError(f"{error.strerror or error}.", UNCHANGED) from error
        written = (text + "\n").encode()
        path = folder / "text.txt"
        try:
            with os.fdopen(private.create_file(path), "wb") as file:
                file.write(written)
            edited = _result(path, self._run(path), self._longest)
        except (StoreError, OSError, EditorError) as error:
            if self._interrupted() or _saved(path, written):
                self.kept = folder
            raise self._failure(error) from error
        else:
            if self._interrupted():  # the app exits and cannot use the text
                self.kept = folder
            return edited
        finally:
            if self.kept is None:
                shutil.rmtree(folder, ignore_errors=True)
            self._finished.set()

    def end(self, number: int, patience: float) -> None:
        """End the editor with the signal `number`, if it is running. Any thread may call this.

        The signal lets an editor save what the learner has written. An editor that does not exit
        within `patience` seconds is killed.
        """
        with self._starting:
            if self._finished.is_set() or self.ended_early:
                return
            self.ended_early = True
            process = self._process
        if process is not None:
            _send(process, number)
            if not self._finished.wait(patience):
                process.kill()
                self._finished.wait(patience)

    def _run(self, path: Path) -> int:
        """Run the editor in the terminal, and return its exit status."""
        with self._starting:
            if self.ended_early:
                return 0
            self._process = _started([*self._editor, str(path)])
        return self._process.wait()

    def _interrupted(self) -> bool:
        """Return True if a signal has ended the editor, or the script that runs it.

        The editor may still be saving then. If the terminal was closed, the editor gets the signal
        as early as tutor.
        """
        killed = self._process is not None and (self._process.returncode or 0) < 0
        return killed or self.ended_early

    def _failure(self, error: Exception) -> EditorError:
        if isinstance(error, OSError):
            happened = f"{error.strerror or error}."
        else:
            assert isinstance(error, TutorError)
            happened = error.happened
        if self.kept is None:
            return EditorError(happened, UNCHANGED)
        saved = _("Your text has not changed. What your editor saved is in {folder}.")
        return EditorError(happened, saved.format(folder=self.kept))


def _send(process: subprocess.Popen[bytes], number: int) -> None:
    """Send a signal to the editor, even if a script started it.

    The processes that a shell starts for one command line are a process group. If the
    shell started tutor itself, tutor has started all other processes of the group.
    """
    if sys.platform == "win32":
        process.kill()
    elif os.getpgrp() == os.getpid():
        os.killpg(os.getpgrp(), number)  # tutor itself is already exiting
    else:
        process.send_signal(number)


def _result(path: Path, status: int, longest: int) -> str:
    if status < 0:  # on POSIX, the number of a signal
        raise EditorError(
            _("The editor was stopped by signal {number}.").format(number=-status), UNCHANGED
        )
    if status != 0:
        raise EditorError(
            _("The editor exited with status {status}.").format(status=status), UNCHANGED
        )
    return _checked(read_beginning(path, 4 * longest + 2), longest)


def _saved(path: Path, written: bytes) -> bool:
    """Return True if an editor has changed the file, or left another file next to it.

    Editors that are ended by a signal save the text in another file, such as `.text.txt.swp`.
    """
    try:
        others = any(each != path for each in path.parent.iterdir())
        return others or read_beginning(path, len(written) + 1) != written
    except (OSError, StoreError):
        return False


def _started(arguments: Sequence[str]) -> subprocess.Popen[bytes]:
    """Start a program in the terminal.

    A child process inherits blocked signals, so the signals that tutor blocks are unblocked before
    the program starts.
    """
    if sys.platform == "win32":
        return subprocess.Popen(arguments)
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    return subprocess.Popen(arguments, preexec_fn=lambda: _restore(blocked))


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
