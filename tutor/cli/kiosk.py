"""`tutor-kiosk`: run `tutor --kiosk` as a login shell, which is started without arguments."""

import sys

from tutor.cli.main import main as tutor


def main() -> int:
    """Run `tutor --kiosk` with the arguments of this process; return the exit status."""
    return tutor(["--kiosk", *sys.argv[1:]])
