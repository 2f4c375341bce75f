"""Implement `tutor-kiosk`, which runs `tutor --kiosk` as a login shell.

A separate command is needed because a login shell cannot be configured with options.
"""

import sys

from tutor.cli.main import main as tutor


def main() -> int:
    """Run `tutor --kiosk` with the arguments of this process, and return the exit status."""
    return tutor(["--kiosk", *sys.argv[1:]])
