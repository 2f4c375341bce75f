"""Start tutor after a cycle's event, and check what it reports to the learner."""

from __future__ import annotations

import re
import sys
import time
from pathlib import Path

from tests.chaos.damage import Expected, unlike
from tests.chaos.ledger import Broken
from tests.terminal import Terminal
from tutor.learner.progress import Progress

PATIENCE = 120.0
"""The maximum number of seconds until the app's first screen.

It needs less than two seconds of CPU time, but a busy machine may give it little.
"""


def start(folder: Path, expected: Expected) -> Progress:
    """Open and check the progress, like the app and every command.

    Raises `Broken` if the messages are not as expected.
    """
    progress = Progress.open(folder)
    progress.check()
    if how := unlike(map(str, progress.notices), expected):
        raise Broken(how)
    return progress


def start_app(data: Path, expected: Expected) -> None:
    """Start the whole app in a terminal, and check the messages on its screen. Raises `Broken`."""
    environment = {"TUTOR_DATA": str(data), "TUTOR_MODEL": str(data / "no-such-model.gguf")}
    command = [sys.executable, "-m", "tutor"]
    with Terminal(command, columns=160, lines=50, environment=environment) as terminal:
        deadline = time.monotonic() + PATIENCE
        while not _shown(terminal.text, expected):
            if (status := terminal.process.poll()) is not None:
                raise Broken(f"the app ended with status {status}:\n{terminal.text}")
            if time.monotonic() > deadline:
                raise Broken(f"not on the screen: {expected.needed}\n{terminal.text}")
            terminal.read(0.1)
        if not expected.needed and not expected.allowed and "was repaired" in terminal.text:
            raise Broken(f"reported without reason:\n{terminal.text}")


def _shown(screen: str, expected: Expected) -> bool:
    """Return True if the screen shows the course map and every message, ignoring line breaks."""
    text = "".join(screen.split())
    patterns = [re.sub(r"\\S\+", ".+", each).replace(" ", "") for each in expected.needed]
    on_course_map = "Begin" in text or "Continue" in text
    return on_course_map and all(re.search(pattern, text) for pattern in patterns)
