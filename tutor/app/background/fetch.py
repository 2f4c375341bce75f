"""Download the default model in a separate process.

The process runs `python -m tutor model pull --json`, which reports its progress as one event per
line. Unpacking and checking 98 MB in the app itself would delay key presses. Killing the process
never leaves a partly installed model behind (see `tutor.models.pull`).
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
from tutor.language import _
from tutor.models.report import Pulled, PullEvent, PullFailed, PullProgress, decode

COMMAND = (sys.executable, "-P", "-m", "tutor", "model", "pull", "--json")


async def fetch_model(
    on_progress: Callable[[PullProgress], None], command: Sequence[str] = COMMAND
) -> Pulled:
    """Download the default model in a separate process, and return the result.

    `on_progress` is called with each progress event. Raises `TutorError` if the download fails.
    Canceling the task kills the process.
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
        raise DownloadFailed(
            _("The download was interrupted (exit status {status}).").format(status=status),
            "Try again.",
        )
    finally:
        if process.returncode is None:
            # Kill the whole process group, because the process has started a package manager.
            # SIGTERM would have no effect: the app blocks it (see `tutor.app.lifetime`), and child
            # processes inherit the block.
            with contextlib.suppress(ProcessLookupError):
                # Windows has no process groups, but there the client exits when its input closes.
                if sys.platform == "win32":
                    process.kill()
                else:
                    os.killpg(process.pid, signal.SIGKILL)
            await process.wait()


def _event(line: bytes) -> PullEvent | None:
    try:
        return decode(line)
    except msgspec.DecodeError:  # a different version of `tutor` may send other events
        return None


def _error(failed: PullFailed) -> TutorError:
    return kind_named(failed.kind, DownloadFailed)(failed.happened, failed.next_step)
