"""The start after the end: what the learner is told, and by whom."""

from __future__ import annotations

import re
import sys
import time
from pathlib import Path

from tests.chaos.damage import Expected, unlike
from tests.chaos.ledger import Broken
from tests.terminal import DEADLINE, Terminal
from tutor.learner.progress import Progress


def start(folder: Path, expected: Expected) -> Progress:
    """As the app and every command start: open, then check. Raises `Broken` if what is told is not
    what is expected."""
    progress = Progress.open(folder)
    progress.check()
    if how := unlike(map(str, progress.notices), expected):
        raise Broken(how)
    return progress


def start_app(data: Path, expected: Expected) -> None:
    """The whole app in a terminal: the sentence is read off its screen. Raises `Broken`."""
    environment = {"TUTOR_DATA": str(data), "TUTOR_MODEL": str(data / "no-such-model.gguf")}
    command = [sys.executable, "-m", "tutor"]
    with Terminal(command, columns=160, lines=50, environment=environment) as terminal:
        deadline = time.monotonic() + DEADLINE
        while not _shown(terminal.text, expected):
            if time.monotonic() > deadline:
                raise Broken(f"not on the screen: {expected.needed}\n{terminal.text}")
            terminal.read(0.1)
        if not expected.needed and not expected.allowed and "not as expected" in terminal.text:
            raise Broken(f"told without reason:\n{terminal.text}")


def _shown(screen: str, expected: Expected) -> bool:
    """Whether the course map stands and every sentence is there, wherever it is broken."""
    text = "".join(screen.split())
    patterns = [re.sub(r"\\S\+", ".+", each).replace(" ", "") for each in expected.needed]
    stands = "Begin" in text or "Continue" in text
    return stands and all(re.search(pattern, text) for pattern in patterns)
