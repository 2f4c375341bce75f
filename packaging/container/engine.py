"""Run the shared engine in a container, as systemd does on other machines.

This script opens the socket as root, so that learners' sessions trust it. Sessions can connect
while the engine is still starting, and then wait for it. The engine runs under the account
`tutor-engine`. When it exits, this script restarts it.
"""

from __future__ import annotations

import grp
import os
import pwd
import socket
import sys
import time
from pathlib import Path

SOCKET = Path("/run/tutor/engine.sock")
ENGINE = "/opt/tutor/bin/tutor"
FIRST = 3
"""The file descriptor on which the engine expects its socket (see sd_listen_fds(3))."""
PAUSE = 2.0


def main() -> None:
    listening = listen()
    os.dup2(listening.fileno(), FIRST)
    os.set_inheritable(FIRST, True)  # dup2 changes nothing if this is already the descriptor
    while True:
        child = os.fork()
        if child == 0:
            become_engine()
        _, status = os.waitpid(child, 0)
        code = os.waitstatus_to_exitcode(status)
        print(f"The engine exited with status {code}.", file=sys.stderr)
        time.sleep(PAUSE)


def listen() -> socket.socket:
    """Return the socket, which only root and the learners' group can use."""
    SOCKET.parent.mkdir(mode=0o755, exist_ok=True)
    SOCKET.unlink(missing_ok=True)
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    os.umask(0o177)
    listening.bind(str(SOCKET))
    os.umask(0o077)
    os.chown(SOCKET, 0, grp.getgrnam("tutor").gr_gid)
    SOCKET.chmod(0o660)
    listening.listen(256)
    return listening


def become_engine() -> None:
    account = pwd.getpwnam("tutor-engine")
    os.setgroups([])
    os.setgid(account.pw_gid)
    os.setuid(account.pw_uid)
    os.chdir("/")
    environment = {
        "PATH": "/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "HOME": account.pw_dir,
        "TUTOR_DATA": "/var/lib/tutor",
        "TUTOR_SHARED": "/srv/tutor",
        "LISTEN_FDS": "1",
        "LISTEN_PID": str(os.getpid()),
    }
    os.execve(ENGINE, [ENGINE, "engine", *sys.argv[1:]], environment)


if __name__ == "__main__":
    main()
