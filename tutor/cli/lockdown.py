"""Locks down a login that runs the tutor and nothing else: `tutor --kiosk`.

For sshd's `ForceCommand tutor --kiosk`, or `tutor-kiosk` as a login shell (docs/kiosk.md). What the
client asks to run is refused, its environment does not count, the keys that stop or dump a program
do nothing, and `tutor.cli.confinement` refuses whatever else is not the tutor's business.
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
"""Without a key for so long, such a login ends, unless the command line says otherwise."""

_MOST_MINUTES = 10_000

_DRAWING = re.compile(r"TERM|COLORTERM|NO_COLOR|LANG|LC_[A-Z]+")
"""What a client may say: what its terminal is, and in which language and encoding."""
_PLAIN = re.compile(r"[\w.@+-]{1,64}", re.ASCII)
_OF_SSHD = ("SSH_CLIENT", "SSH_CONNECTION", "SSH_TTY")
"""Set by sshd after whatever the client sent, and so not by the client."""
_OURS = {
    "PATH": "/usr/local/bin:/usr/bin:/bin",
    "PYTHONSAFEPATH": "1",  # no module comes from the folder that one is in
    "PYTHONNOUSERSITE": "1",
    "PYTHONDONTWRITEBYTECODE": "1",
    "HF_HUB_OFFLINE": "1",
    # to look for another, keyring would run a compiler
    "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring",
}


def allowed(options: argparse.Namespace) -> Allowed:
    return LOCKED_DOWN if options.kiosk else EVERYTHING


def idle_minutes(options: argparse.Namespace) -> float | None:
    """None for no limit."""
    given: float | None = options.idle_limit
    if given is None:
        given = IDLE_MINUTES if options.kiosk else 0.0
    return given or None


def minutes(text: str) -> float:
    """What `--idle-limit` takes."""
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0 <= number <= _MOST_MINUTES:  # nor for what is no number
        raise argparse.ArgumentTypeError(
            f"{text[:20]!r} is not a number from 0 to {_MOST_MINUTES:,}"
        )
    return number


def lock_down(options: argparse.Namespace, given: Sequence[str]) -> None:
    """Make this process one that `--kiosk` describes, and set `options.data_folder`. May begin the
    program anew, with the arguments `given`, in a clean environment.

    Raises `LoginRefused`, or `UsageError` for a command line that contradicts itself.
    """
    if sys.platform == "win32":
        raise UsageError("--kiosk is for logins over SSH.", "There are none on Windows.")
    if os.environ.get("SSH_ORIGINAL_COMMAND"):
        raise LoginRefused
    if (options.model or "").startswith(HUB_PREFIX):
        raise UsageError("--kiosk fetches no models.", "Name one that is on this machine.")
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
    """Call when all is set up."""
    from tutor.cli import confinement
    from tutor.engine.process import COMMAND

    confinement.confine(options.data_folder, COMMAND)


def clean(environment: Mapping[str, str]) -> dict[str, str]:
    """What is kept of the environment of a login. Who and where the learner is comes from the
    system's list of accounts."""
    kept = {
        name: value
        for name, value in environment.items()
        if name in _OF_SSHD or (_DRAWING.fullmatch(name) and _PLAIN.fullmatch(value))
    }
    return kept | _account() | _OURS


def _account() -> dict[str, str]:
    """Empty for a user whom the system does not know."""
    if sys.platform == "win32":
        return {}
    import pwd

    try:
        entry = pwd.getpwuid(os.getuid())
    except KeyError:
        return {}
    return {"HOME": entry.pw_dir, "USER": entry.pw_name, "LOGNAME": entry.pw_name}


def _take_no_signals() -> None:
    """Until the screen takes every key, the terminal makes signals of Ctrl+Z and Ctrl+\\\\: to
    stop, and to leave a dump. Blocked ones stay blocked in whatever is started."""
    if sys.platform == "win32":
        return
    import resource

    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTSTP, signal.SIGQUIT})
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
