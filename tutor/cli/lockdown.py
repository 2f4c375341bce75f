"""Lock down a login that can run only tutor, for `tutor --kiosk`.

Such a login uses sshd's `ForceCommand tutor --kiosk`, or `tutor-kiosk` as its login shell
(docs/kiosk.md). tutor refuses commands from the client and ignores most environment variables.
Keys that suspend a program or make it dump core have no effect. `tutor.cli.confinement` refuses all
other actions that tutor doesn't need.
"""

import argparse
import os
import re
import signal
import sys
from collections.abc import Mapping, Sequence

from tutor import paths, private
from tutor.allowed import EVERYTHING, LOCKED_DOWN, Allowed
from tutor.cli.errors import LoginRefused
from tutor.errors import UsageError
from tutor.language import _
from tutor.models.find import HUB_PREFIX

IDLE_MINUTES = 30.0
"""The default idle limit of a locked-down login, in minutes without a key press."""

_MOST_MINUTES = 10_000

_DRAWING = re.compile(r"TERM|COLORTERM|NO_COLOR|LANG|LC_[A-Z]+")
"""The environment variables that a client can set: its terminal, language and encoding."""
_PLAIN = re.compile(r"[\w.@+-]{1,64}", re.ASCII)
OF_SSHD = ("SSH_CLIENT", "SSH_CONNECTION", "SSH_TTY")
"""The environment variables that sshd sets itself, independently of the client."""
_OURS = {
    "PATH": "/usr/local/bin:/usr/bin:/bin",
    "PYTHONSAFEPATH": "1",  # Don't import modules from the current folder.
    "PYTHONNOUSERSITE": "1",
    "PYTHONDONTWRITEBYTECODE": "1",
    "HF_HUB_OFFLINE": "1",
    # With any other setting, keyring looks for backends, and this search runs a compiler.
    "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring",
}


def allowed(options: argparse.Namespace) -> Allowed:
    return LOCKED_DOWN if options.kiosk else EVERYTHING


def idle_minutes(options: argparse.Namespace) -> float | None:
    """Return the idle limit in minutes, or None if there is no limit."""
    given: float | None = options.idle_limit
    if given is None:
        given = IDLE_MINUTES if options.kiosk else 0.0
    return given or None


def minutes(text: str) -> float:
    """Convert the value of `--idle-limit` to a number of minutes."""
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0 <= number <= _MOST_MINUTES:
        raise argparse.ArgumentTypeError(
            _("{text!r} is not a number from 0 to {most_minutes:,}").format(
                text=text[:20], most_minutes=_MOST_MINUTES
            )
        )
    return number


def lock_down(options: argparse.Namespace, given: Sequence[str]) -> None:
    """Lock down this process for `--kiosk`, and set `options.data_folder`.

    This can replace the process with a new one, which has a clean environment and the arguments
    `given`. Raises `LoginRefused` if the client requests a command, and `UsageError` if `--kiosk`
    can't be used with another option or on this operating system.
    """
    if sys.platform == "win32":
        raise UsageError(
            "--kiosk does not work on Windows.", "Use it for SSH logins on Linux or macOS."
        )
    if os.environ.get("SSH_ORIGINAL_COMMAND"):
        raise LoginRefused
    if (options.model or "").startswith(HUB_PREFIX):
        raise UsageError(
            "--kiosk does not download models.", "Use a model that is on this machine."
        )
    _take_no_signals()
    # In a session of `tutor serve`, the server has already chosen the environment.
    if options.browser is None:
        _clean_environment(given)
    sys.dont_write_bytecode = True
    private.begin()
    options.data_folder = (options.data_folder or paths.data_folder()).absolute()
    private.make_folder(options.data_folder)


def _clean_environment(given: Sequence[str]) -> None:
    environment = clean(os.environ)
    obeyed = {name: value for name, value in os.environ.items() if name.startswith("PYTHON")}
    os.environ.clear()
    os.environ.update(environment)
    if any(environment.get(name) != value for name, value in obeyed.items()):
        os.execv(sys.executable, [sys.executable, "-m", "tutor", *given])


def confine(options: argparse.Namespace) -> None:
    """Restrict what this process can do. Call this after all other setup."""
    from tutor.cli import confinement
    from tutor.engine.process import COMMAND

    confinement.confine(options.data_folder, COMMAND)


def clean(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the clean environment of a locked-down process.

    It contains the allowed variables of the login session, the user name and home directory from
    the system's user database, and tutor's own variables.
    """
    kept = {
        name: value
        for name, value in environment.items()
        if name in OF_SSHD or (_DRAWING.fullmatch(name) and _PLAIN.fullmatch(value))
    }
    return kept | _account() | _OURS


def _account() -> dict[str, str]:
    """Return the account's user name and home directory as variables, if the system knows them."""
    if sys.platform == "win32":
        return {}
    import pwd

    try:
        entry = pwd.getpwuid(os.getuid())
    except KeyError:
        return {}
    return {"HOME": entry.pw_dir, "USER": entry.pw_name, "LOGNAME": entry.pw_name}


def _take_no_signals() -> None:
    r"""Block Ctrl+Z and Ctrl+\, which would suspend the process or make it dump core.

    Until the app reads every key itself, the terminal turns these keys into signals. Child
    processes inherit the blocked signals.
    """
    if sys.platform == "win32":
        return
    import resource

    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTSTP, signal.SIGQUIT})
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
