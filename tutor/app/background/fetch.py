"""Download the default model in the background, in a process of its own.

`python -m tutor model pull --json` does the work and reports its progress, one event per line.
Because it is a separate process, unpacking and checking 98 MB never delays a key, and killing it
leaves nothing half done (`tutor.models.pull`).
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import Callable, Sequence

import msgspec

from tutor.environment import without_keys
from tutor.errors import DownloadFailed, TutorError, kind_named
from tutor.models.report import Pulled, PullEvent, PullFailed, PullProgress, decode

COMMAND = (sys.executable, "-P", "-m", "tutor", "model", "pull", "--json")


async def fetch_model(
    on_progress: Callable[[PullProgress], None], command: Sequence[str] = COMMAND
) -> Pulled:
    """Download the model to the end. Raises `TutorError`.

    Cancelling the task ends the process.
    """
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=DEVNULL,
        stdout=PIPE,
        stderr=DEVNULL,
        env=without_keys(),
        start_new_session=True,
    )
    assert process.stdout is not None
    try:
        async for line in process.stdout:
            match _event(line):
                case PullProgress() as progress:
                    on_progress(progress)
                case Pulled() as pulled:
                    return pulled
                case PullFailed() as failed:
                    raise _error(failed)
        status = await process.wait()
        raise DownloadFailed(f"The download ended early (exit status {status}).", "Try again.")
    finally:
        if process.returncode is None:
            # Kill the package client that it started, too. SIGTERM would not do: the app blocks
            # it (`tutor.app.lifetime`), and a blocked signal stays blocked in child processes.
            with contextlib.suppress(ProcessLookupError):
                if sys.platform == "win32":  # no process groups: the client ends with its input
                    process.kill()
                else:
                    os.killpg(process.pid, signal.SIGKILL)
            await process.wait()


def _event(line: bytes) -> PullEvent | None:
    try:
        return decode(line)
    except msgspec.DecodeError:  # another version of `tutor` sends events we do not know
        return None


def _error(failed: PullFailed) -> TutorError:
    return kind_named(failed.kind, DownloadFailed)(failed.happened, failed.next_step)
