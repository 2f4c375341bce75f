"""Run OpenSSH's server on a loopback port, with a connection that can be slow.

    with SshServer(folder) as server, server.log_in(["tutor"]) as terminal:
        terminal.wait_for("Continue")

The account that runs the tests logs in, with a key that is made for this server alone. The
machine's own SSH configuration and keys are not read.
"""

from __future__ import annotations

import getpass
import os
import shlex
import shutil
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.terminal import DEADLINE, Terminal

_INHERITED = ("PYTHONPATH", "TUTOR_SHARED", "TUTOR_DEVICE", "HF_HUB_OFFLINE")
"""The variables of the tests' environment that are added to a session's minimal environment."""
_SETTINGS = """\
ListenAddress 127.0.0.1
Port {port}
HostKey {folder}/host
AuthorizedKeysFile {folder}/authorized
PidFile none
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitUserRC no
PrintMotd no
LogLevel ERROR
"""


class NoServer(Exception):
    """Raised if no SSH server can be used. The message is the reason to skip a test."""


class SshServer:
    """An `sshd` on `port` of the loopback, with everything it needs in `folder`.

    Raises `NoServer` if OpenSSH is not installed, or if this account cannot log in to its own
    server (as in some containers).
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        programs = {name: _program(name) for name in ("sshd", "ssh", "ssh-keygen")}
        self._sshd, self._ssh = programs["sshd"], programs["ssh"]
        for key in ("host", "learner"):
            make = [
                programs["ssh-keygen"],
                *["-q", "-t", "ed25519", "-N"],
                "",
                "-f",
                str(folder / key),
            ]
            subprocess.run([*make, "-f", str(folder / key)], check=True)
        shutil.copy(folder / "learner.pub", folder / "authorized")
        if (
            os.geteuid() == 0
        ):  # sshd needs this folder to drop its privileges; a package makes it at boot
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
        self.port, self._process = self._start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.terminate()
        self._process.wait()

    def log_in(
        self,
        command: Sequence[str | Path],
        *,
        environment: Mapping[str, str] | None = None,
        term: str = "xterm-256color",
        port: int | None = None,
        columns: int = 80,
        lines: int = 24,
    ) -> Terminal:
        """Log in with the key and run `command`; return the client's terminal.

        `environment` is set there. `port` may lead there another way.
        """
        kept = {name: os.environ[name] for name in _INHERITED if name in os.environ}
        variables = {"LANG": "C.UTF-8", **kept, **(environment or {})}
        remote = ["exec", "env", *(f"{name}={value}" for name, value in variables.items())]
        words = [*remote, *map(str, command)]
        return Terminal(
            [*self._client(port or self.port), "-tt", "127.0.0.1", shlex.join(words)],
            columns=columns,
            lines=lines,
            environment={"TERM": term},
        )

    def _client(self, port: int) -> list[str]:
        options = {
            "IdentityFile": self._folder / "learner",
            "IdentitiesOnly": "yes",
            "UserKnownHostsFile": self._folder / "known",
            "StrictHostKeyChecking": "accept-new",
            "BatchMode": "yes",
            "EscapeChar": "none",
            # Clients since 9.5 send fake keystrokes, to hide the typing rhythm. The
            # cost of a key is measured without them.
            "IgnoreUnknown": "ObscureKeystrokeTiming",
            "ObscureKeystrokeTiming": "no",
            "LogLevel": "ERROR",
            "HostKeyAlias": "tutor-tests",
        }
        given = [part for name, value in options.items() for part in ("-o", f"{name}={value}")]
        return [self._ssh, "-F", "none", "-p", str(port), "-l", getpass.getuser(), *given]

    def _start(self) -> tuple[int, subprocess.Popen[bytes]]:
        """Start the server; if its free port is taken a moment later, try another port."""
        settings = self._folder / "sshd_config"
        said = ""
        for _ in range(5):
            port = _free_port()
            settings.write_text(_SETTINGS.format(port=port, folder=self._folder))
            log = self._folder / "log"
            with log.open("wb") as stream:
                process = subprocess.Popen([self._sshd, "-D", "-e", "-f", settings], stderr=stream)
            if _listens(port, process) and self._lets_in(port):
                return port, process
            process.terminate()
            process.wait()
            said = log.read_text(errors="replace").strip()
        raise NoServer(f"this account cannot log in to an SSH server of its own: {said}")

    def _lets_in(self, port: int) -> bool:
        command = [*self._client(port), "127.0.0.1", "true"]
        return subprocess.run(command, stdin=subprocess.DEVNULL, check=False).returncode == 0


def _program(name: str) -> str:
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if found is None:
        raise NoServer(f"{name} is not installed (OpenSSH's server and client are needed)")
    return found


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _listens(port: int, process: subprocess.Popen[bytes]) -> bool:
    deadline = time.monotonic() + DEADLINE
    while process.poll() is None and time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return True
        time.sleep(0.02)
    return False
