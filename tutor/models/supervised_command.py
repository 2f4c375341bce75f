"""`python -m tutor.models.supervised_command COMMAND...` runs a command for as long as somebody
waits for it.

The command is ended when standard input closes. The system closes it whenever the process at its
other end is gone, kill -9 included, so no download goes on that nobody is waiting for.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading


def main(command: list[str]) -> int:
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    threading.Thread(target=_end_with_input, args=(process,), daemon=True).start()
    return process.wait()


def _end_with_input(process: subprocess.Popen[bytes]) -> None:
    while os.read(sys.stdin.fileno(), 1024):
        pass
    process.kill()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
