"""The app, which reports its state, and what its tasks wait for, when it receives SIGUSR1.

Run with the file for the report: `python -m tests.fuzz.app FILE`.
"""

from __future__ import annotations

import asyncio
import faulthandler
import gc
import signal
import sys
import termios
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any


def main(report: Path) -> int:
    def dump(_number: int, _frame: FrameType | None) -> None:
        with report.open("w", encoding="utf-8") as file:
            for task in asyncio.all_tasks():
                print(task.get_name(), *_waits_in(task.get_coro()), sep="\n    ", file=file)
            file.flush()
            faulthandler.dump_traceback(file)
            for line in _state():
                print(line, file=file, flush=True)

    signal.signal(signal.SIGUSR1, dump)
    sys.argv = ["tutor"]
    from tutor.cli import main as tutor

    return tutor()


def _state() -> Iterator[str]:
    """Yield the open screens, and whether the app and the terminal can still receive keys."""
    from textual.app import App  # the app has imported it, in its own order

    for app in [each for each in gc.get_objects() if isinstance(each, App)]:
        yield f"screens: {[f'{screen}: {screen.focused}' for screen in app.screen_stack]}"
        yield f"exit: {app._exit}, batch: {app._batch_count}, workers: {list(app.workers)}"
    flags = termios.tcgetattr(sys.__stdin__)[3] if sys.__stdin__ is not None else 0
    whole_lines, echo = bool(flags & termios.ICANON), bool(flags & termios.ECHO)
    yield f"terminal: whole lines {whole_lines}, echo {echo}"


def _waits_in(coroutine: Any) -> Iterator[str]:
    """Yield the places in the code at which a coroutine waits, from the outside in."""
    while coroutine is not None:
        frame = getattr(coroutine, "cr_frame", None) or getattr(coroutine, "gi_frame", None)
        if frame is None:
            yield repr(coroutine)[:200]
            return
        yield f"{frame.f_code.co_filename}:{frame.f_lineno} {frame.f_code.co_qualname}"
        coroutine = getattr(coroutine, "cr_await", None) or getattr(coroutine, "gi_yieldfrom", None)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
