"""Run a command, and stop it when the parent process exits.

`python -m tutor.models.supervised_command COMMAND...` runs the command and kills it when standard
input is closed. Standard input is a pipe from the parent process. The operating system closes the
pipe when the parent process exits, even after `kill -9`, so a download never continues in the
background.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading


def main(command: list[str]) -> int:
    """Run the command until it exits or standard input is closed, and return its exit status."""
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    threading.Thread(target=_end_with_input, args=(process,), daemon=True).start()
    return process.wait()


def _end_with_input(process: subprocess.Popen[bytes]) -> None:
    while os.read(sys.stdin.fileno(), 1024):
        pass
    process.kill()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
