"""Run `tutor --plain` in a separate process, with lines on standard input."""

from __future__ import annotations

import os
import subprocess
import sys
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence


class Transcript(NamedTuple):
    """The lines that tutor wrote, and its exit status."""

    status: int
    lines: list[str]

    @property
    def text(self) -> str:
        return "\n".join(self.lines)


class Machine(NamedTuple):
    """A machine whose folders the environment names, and the model to use."""

    model: str
    program: tuple[str, ...] = ("tutor",)
    """The module that runs tutor, and its own arguments."""
    engine: str | None = None
    """The socket of an engine that already runs `model`, or None to start one for each session."""

    def say(self, *typed: str, options: Sequence[str] = ()) -> Transcript:
        """Type these lines, and return the transcript, which must follow the rules for plain text.

        These are: no control characters, no drawing, and no line twice in a row outside code.
        """
        environment = os.environ | {
            "TERM": "dumb",
            "OMP_NUM_THREADS": "1",
        }
        model = ["--model", self.model]
        if self.engine is not None:
            environment["TUTOR_ENGINE"], model = self.engine, []
        run = subprocess.run(
            [sys.executable, "-m", *self.program, "--plain", *model, *options],
            input="".join(f"{line}\n" for line in typed).encode(),
            capture_output=True,
            env=environment,
            timeout=600,
            check=False,
        )
        assert run.stderr == b"", run.stderr.decode()
        text = run.stdout.decode()
        assert all(char == "\n" or char.isprintable() for char in text)
        assert not any("\u2500" <= char <= "\u259f" for char in text)
        lines = text.splitlines()
        assert [one for one, other in pairwise(lines) if one == other] == []
        return Transcript(run.returncode, lines)
