"""Run sessions of a learner as separate processes, for the tests to kill.

progress_writer.py FOLDER NAME COUNT records COUNT answers (0: without end), and prints the question
of each answer once the answer is saved. progress_writer.py FOLDER NAME COUNT kill does the same
repeatedly, each time in a new folder FOLDER/1/me, FOLDER/2/me, ... and in a new process, which
kills itself with SIGKILL just before its first, second, ... operation on a file of the folder,
until one of them gets to its end.
"""

from __future__ import annotations

import itertools
import os
import signal
import sys
from pathlib import Path

import filelock  # noqa: F401  # imported while saving otherwise: once is enough for all the forks

from tutor.learner.progress import Progress
from tutor.learner.records import Answered, LessonState

# Python reports these to audit hooks before it carries them out.
OPERATIONS = {"open", "os.rename", "os.link", "os.remove", "os.mkdir", "os.truncate"}


def write(folder: Path, name: str, count: int) -> None:
    progress = Progress(folder, timeout=30)
    for number in range(count) if count else itertools.count():
        question = f"{name}-{number}"
        progress.record(
            Answered(at=float(number), question=question, version=1, lesson="l", correct=True)
        )
        os.write(1, f"{question}\n".encode())
        progress.save_lesson(LessonState(lesson=name, screen=str(number), visited_at=1.0 + number))


def die_before(operation: int, folder: Path) -> None:
    left = operation

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal left
        if event in OPERATIONS and any(str(each).startswith(str(folder)) for each in arguments):
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)


def write_and_die(folder: Path, name: str, count: int) -> None:
    for operation in itertools.count(1):
        place = folder / str(operation) / "me"
        session = os.fork()
        if session == 0:
            die_before(operation, place)
            write(place, f"{operation}-{name}", count)
            os._exit(0)
        _, status = os.waitpid(session, 0)
        if not os.WIFSIGNALED(status):
            sys.exit(os.waitstatus_to_exitcode(status))


def main() -> None:
    folder, name, count = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    act = write_and_die if sys.argv[4:] == ["kill"] else write
    act(folder, name, count)


if __name__ == "__main__":
    main()
