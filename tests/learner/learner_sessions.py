"""Helpers for the tests of the learner's progress, with real folders and processes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from tutor.learner.records import Answered

if TYPE_CHECKING:
    from tutor.learner.progress import Progress

WRITER = Path(__file__).with_name("progress_writer.py")


def answered(
    number: int, *, question: str = "", correct: bool = True, version: int = 1
) -> Answered:
    return Answered(
        at=1_000_000.0 + number,
        question=question or f"question-{number}",
        version=version,
        lesson="one-question",
        correct=correct,
    )


def named(number: int, *, id: str = "") -> Answered:
    """Return an answer in which all fields are set that `record` would set."""
    return msgspec.structs.replace(answered(number), id=id or f"answer-{number}", zone=0)


def told(progress: Progress) -> str:
    """Return all notices for the learner as text."""
    return "\n".join(str(notice) for notice in progress.notices)


def log_files(folder: Path) -> tuple[Path, Path]:
    """Return the review log and its copy."""
    return folder / "reviews.log", folder / "reviews.log.copy"


def start_writer(folder: Path, *arguments: object) -> subprocess.Popen[str]:
    """Start `progress_writer.py` as a separate process; its output is a pipe."""
    command = [sys.executable, str(WRITER), str(folder), *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def run_session(code: str, *arguments: object, inside: tuple[str, ...] = ()) -> str:
    """Run Python code as another session of the learner, and return its output.

    `inside` is a command that runs another command, for example in another mount namespace.
    """
    command = [*inside, sys.executable, "-c", code, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout
