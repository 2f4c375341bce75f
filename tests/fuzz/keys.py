"""Random keys on every screen and in every lab of the real app, in terminals of any size.

The app runs in a pty with its real model, so that answers arrive at any moment, even while a screen
is being left. Nothing may end the app except a request to quit. Run cases with
`python -m tests.fuzz.keys SEED ...`.

Everything follows from the seed, except for the moments at which the answers arrive.
"""

from __future__ import annotations

import random
import signal
import sys
import tempfile
import time
from pathlib import Path

from tests.terminal import KEYS, Terminal
from tutor.labs.kit import registry
from tutor.paths import data_folder

SIZES = ((20, 10), (40, 12), (80, 24))
SEQUENCES = 12
"""The number of screens that one case visits."""
LONGEST = 30
"""The maximum number of random keys on a screen."""
PATIENCE = 60.0
"""The maximum seconds without a reaction, on a machine that may be busy."""

SCREENS: tuple[tuple[str, ...], ...] = (
    *(("s",), ("c",), ("g",), ("l",), ("p",), (",",), ("m",), ("r",), ("i",), ("v",), ("/",)),
    *(("?",), ("enter",), ("enter", "a"), ("down", "enter"), ("down", "down", "enter", "l")),
)
LABS = tuple(("l", *["down"] * place, "enter") for place in range(len(registry.names())))
_STEPPER = (("s",), ("c",), ("g",))

_NAMED = [*KEYS.values(), "\r", "\r", "\r", "\x1b", "\x1b", "\x1b[Z", "\x1b[1;5C", "\x0e"]
_CONTROLS = ["\x0f", "\x10", "\x07", "\x13", "\x0c", "\x15", "\x17"]  # ctrl+o, p, g, s, l, u, w
_LETTERS = "abcdefghijklmnoprstuvwxyz0123456789/?,.=U"


class KeyFuzz:
    """One case: a new learner's app, and some screens with random keys on each of them."""

    def __init__(self, seed: int, folder: Path) -> None:
        self._random = random.Random(seed)
        self._folder = folder
        self._tasks = folder / "tasks.txt"
        self.sent: list[str] = []
        """All keys since the start of the app."""

    def run(self) -> None:
        """Visit `SEQUENCES` screens. Raises `AssertionError` if the app stops or hangs."""
        left = SEQUENCES
        while left:
            columns, lines = self._random.choice(SIZES)
            self.sent = []
            with self._app(columns, lines) as app:
                try:
                    app.wait_until(lambda: len(app.output) > 500, "the first screen", PATIENCE)
                    app.drawn = False
                    while left and app.process.poll() is None:
                        self._visit(app)
                        left -= 1
                    self._leave(app)
                except AssertionError as error:
                    waits = self._waits(app)
                    raise AssertionError(
                        f"{error}\n{waits}{self._report(columns, lines)}"
                    ) from error

    def _report(self, columns: int, lines: int) -> str:
        crash = self._folder / "data" / "crash.txt"
        found = crash.read_text(encoding="utf-8") if crash.exists() else ""
        return f"in {columns}x{lines}, after the keys {self.sent!r}\n{found}"

    def _waits(self, app: Terminal) -> str:
        """Return what the tasks of an app that hangs are waiting for."""
        if app.process.poll() is not None:
            return ""
        app.signal(signal.SIGUSR1)
        deadline = time.monotonic() + 10.0
        while not self._tasks.exists() and time.monotonic() < deadline:
            app.read(0.1)
        app.read(0.5)
        app.send(
            "\x11"
        )  # if the app has ended, Ctrl+S was for the terminal, and stopped its output
        app.read(1.0)
        return self._tasks.read_text(encoding="utf-8") if self._tasks.exists() else "no report"

    def _app(self, columns: int, lines: int) -> Terminal:
        work = self._folder / "work"
        work.mkdir(parents=True, exist_ok=True)
        environment = {
            "TUTOR_DATA": str(self._folder / "data"),
            "TUTOR_SHARED": str(data_folder()),  # the user's own models, without their progress
            "TUTOR_ENGINE": "own",
            "PYTHONPATH": str(Path(__file__).parents[2]),
            "EDITOR": "true",
            "VISUAL": None,
        }
        command = (sys.executable, "-m", "tests.fuzz.app", self._tasks)
        return Terminal(command, columns=columns, lines=lines, environment=environment, folder=work)

    def _visit(self, app: Terminal) -> None:
        """Open a screen from the course map, press random keys on it, and leave it."""
        way = self._random.choice((*SCREENS, *LABS, *_STEPPER * 5))
        self._send(app, *(KEYS.get(key, key) for key in way))
        self._settle(app)
        for _ in range(self._random.randint(3, LONGEST)):
            if self._random.random() < 0.02:
                app.resize(*self._random.choice(SIZES))
            self._send(app, self._key())
            if self._random.random() < 0.3:
                app.read(self._random.choice((0.0, 0.01, 0.05, 0.3)))
        for _ in range(self._random.randint(3, 8)):
            self._send(app, "\x1b")
            app.read(0.02)
        self._settle(app)

    def _send(self, app: Terminal, *keys: str) -> None:
        self.sent += keys
        for key in keys:
            app.send(key)

    def _settle(self, app: Terminal) -> None:
        """Let the app redraw its screen, which shows that it still handles keys."""
        deadline = time.monotonic() + PATIENCE
        before = len(app.output)
        self._send(app, "\x0c")
        while len(app.output) == before and app.process.poll() is None:
            assert time.monotonic() < deadline, "the app hangs"
            app.read(0.2)

    def _key(self) -> str:
        kind = self._random.random()
        if kind < 0.5:
            return self._random.choice(_LETTERS)
        return self._random.choice(_CONTROLS if kind > 0.95 else _NAMED)

    def _leave(self, app: Terminal) -> None:
        # While the app waits for an external editor, Ctrl+C is for the editor: press it again.
        deadline = time.monotonic() + PATIENCE
        while app.process.poll() is None and time.monotonic() < deadline:
            app.send("\x03\x03")
            app.read(1.0)
        status = app.wait_exit(1.0)
        said = bytes(app.output[-2000:]).decode(errors="replace")
        assert status in (0, -2), f"the app ended with status {status}: {said}"
        assert b"Traceback" not in app.output, said
        assert b"because of a bug" not in app.output, said


def main(seeds: list[str]) -> None:
    for seed in seeds:
        with tempfile.TemporaryDirectory(prefix="tutor-fuzz-") as folder:
            KeyFuzz(int(seed), Path(folder)).run()


if __name__ == "__main__":
    main(sys.argv[1:])
