"""Lock down a login that only runs tutor: `tutor --kiosk`.

It is used with sshd's `ForceCommand tutor --kiosk`, or with `tutor-kiosk` as a login shell
(docs/kiosk.md). Commands that the client asks to run are refused, its environment is ignored, and
the keys that suspend a program or make it dump core do nothing. `tutor.cli.confinement` refuses
everything else that tutor does not need.
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
from tutor.models.find import HUB_PREFIX

IDLE_MINUTES = 30.0
"""The minutes without a key press after which a locked-down login ends by default."""

_MOST_MINUTES = 10_000

_DRAWING = re.compile(r"TERM|COLORTERM|NO_COLOR|LANG|LC_[A-Z]+")
"""The variables that a client may set: its terminal, language and encoding."""
_PLAIN = re.compile(r"[\w.@+-]{1,64}", re.ASCII)
_OF_SSHD = ("SSH_CLIENT", "SSH_CONNECTION", "SSH_TTY")
"""Variables that sshd sets itself, overriding the client's."""
_OURS = {
    "PATH": "/usr/local/bin:/usr/bin:/bin",
    "PYTHONSAFEPATH": "1",  # import no module from the current folder
    "PYTHONNOUSERSITE": "1",
    "PYTHONDONTWRITEBYTECODE": "1",
    "HF_HUB_OFFLINE": "1",
    # To look for other backends, keyring would run a compiler.
    "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring",
}


def allowed(options: argparse.Namespace) -> Allowed:
    return LOCKED_DOWN if options.kiosk else EVERYTHING


def idle_minutes(options: argparse.Namespace) -> float | None:
    """Return the minutes without a key press after which the app ends, or None for no limit."""
    given: float | None = options.idle_limit
    if given is None:
        given = IDLE_MINUTES if options.kiosk else 0.0
    return given or None


def minutes(text: str) -> float:
    """Parse the value of `--idle-limit`."""
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0 <= number <= _MOST_MINUTES:
        raise argparse.ArgumentTypeError(
            f"{text[:20]!r} is not a number from 0 to {_MOST_MINUTES:,}"
        )
    return number


def lock_down(options: argparse.Namespace, given: Sequence[str]) -> None:
    """Lock this process down as `--kiosk` describes, and set `options.data_folder`.

    It may replace itself with a new process in a clean environment, with the arguments `given`.

    Raises `LoginRefused`, or `UsageError` for a command line that contradicts itself.
    """
    if sys.platform == "win32":
        raise UsageError("--kiosk is for logins over SSH.", "It does not work on Windows.")
    if os.environ.get("SSH_ORIGINAL_COMMAND"):
        raise LoginRefused
    if (options.model or "").startswith(HUB_PREFIX):
        raise UsageError("--kiosk downloads no models.", "Name a model that is on this machine.")
    _take_no_signals()
    environment = clean(os.environ)
    obeyed = {name: value for name, value in os.environ.items() if name.startswith("PYTHON")}
    os.environ.clear()
    os.environ.update(environment)
    if any(environment.get(name) != value for name, value in obeyed.items()):
        os.execv(sys.executable, [sys.executable, "-m", "tutor", *given])
    sys.dont_write_bytecode = True
    private.begin()
    options.data_folder = (options.data_folder or paths.data_folder()).absolute()
    private.make_folder(options.data_folder)


def confine(options: argparse.Namespace) -> None:
    """Confine this process; call this when everything is set up."""
    from tutor.cli import confinement
    from tutor.engine.process import COMMAND

    confinement.confine(options.data_folder, COMMAND)


def clean(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the environment variables that are kept from the login session.

    The user name and home directory are taken from the system's user database instead.
    """
    kept = {
        name: value
        for name, value in environment.items()
        if name in _OF_SSHD or (_DRAWING.fullmatch(name) and _PLAIN.fullmatch(value))
    }
    return kept | _account() | _OURS


def _account() -> dict[str, str]:
    """Return the variables of this account; none if the system does not know it."""
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

    Until the app reads every key itself, the terminal turns these into signals. Blocked signals
    stay blocked in child processes.
    """
    if sys.platform == "win32":
        return
    import resource

    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTSTP, signal.SIGQUIT})
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
