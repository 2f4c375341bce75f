"""A session of a learner in a process of its own, for the tests to kill.

progress_writer.py FOLDER NAME COUNT [KILL_AT]: records COUNT answers (0: without end) and prints
the question of each once it is saved. With KILL_AT the process kills itself with SIGKILL just before
its KILL_ATth operation on a file of the folder; exit status 0 means that it had fewer.
"""

from __future__ import annotations

import itertools
import os
import signal
import sys
from pathlib import Path

from tutor.learner.progress import Progress
from tutor.learner.records import Answered, LessonState


def kill_at(operation: int, folder: Path) -> None:
    """Python reports opening, renaming, linking and removing files to audit hooks beforehand."""
    left = operation

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal left
        if event in {
            "open",
            "os.rename",
            "os.link",
            "os.remove",
            "os.mkdir",
            "os.truncate",
        } and any(str(argument).startswith(str(folder)) for argument in arguments):
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)


def main() -> None:
    folder, name, count = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    progress = Progress(folder, timeout=30)
    if len(sys.argv) > 4:
        kill_at(int(sys.argv[4]), folder)
    for number in range(count) if count else itertools.count():
        question = f"{name}-{number}"
        progress.record(
            Answered(at=float(number), question=question, version=1, lesson="l", correct=True)
        )
        os.write(1, f"{question}\n".encode())
        progress.save_lesson(LessonState(lesson=name, screen=str(number), visited_at=1.0 + number))


if __name__ == "__main__":
    main()
