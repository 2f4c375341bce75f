"""Show on one line of standard error what the program is waiting for."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

from tutor.text import safe

if TYPE_CHECKING:
    from tutor.models.report import OnStage, PullEvent, PullProgress

_BAR = 24
_STAGES = {
    "waiting": "waiting for another tutor to download the model",
    "fetching": "downloading the model",
    "checking": "checking the model",
    "converting": "preparing the model for this machine",
}


class StatusLine:
    """A status line that is rewritten in place on a terminal that supports it.

    On any other stream, each update is printed on a line of its own if `always` is set, and
    otherwise nothing is printed.
    """

    def __init__(self, stream: TextIO, *, always: bool) -> None:
        self._stream = stream
        self._rewrites = stream.isatty() and os.environ.get("TERM", "dumb") not in ("", "dumb")
        self._always = always
        self._shown = ""

    def show(self, text: str, *, figures: str = "") -> None:
        """Show `text`. `figures` change often, and are left out if every change is a new line."""
        if self._rewrites:
            self._rewrite(_fitting(f"{safe(text)}  {figures}".rstrip(), self._stream))
        elif self._always and text != self._shown:
            self._stream.write(safe(text) + "\n")
            self._stream.flush()
            self._shown = text

    def clear(self) -> None:
        if self._rewrites and self._shown:
            self._rewrite("")
            self._stream.write("\r")
            self._stream.flush()

    def _rewrite(self, text: str) -> None:
        self._stream.write("\r" + text.ljust(len(self._shown)))
        self._stream.flush()
        self._shown = text


@contextmanager
def loading() -> Iterator[OnStage]:
    """Show the stages of loading a model, on a terminal only."""
    from tutor.models.report import in_words

    line = StatusLine(sys.stderr, always=False)
    try:
        yield lambda stage, done=0, total=0: line.show(in_words(stage, done, total))
    finally:
        line.clear()


@contextmanager
def pulling() -> Iterator[Callable[[PullEvent], None]]:
    """Show the progress of a download: a bar on a terminal, otherwise one line per stage."""
    from tutor.models.report import Pulled, PullProgress

    line = StatusLine(sys.stderr, always=True)

    def show(event: PullEvent) -> None:
        if isinstance(event, PullProgress):
            line.show(_STAGES[event.stage], figures=_figures(event))
        elif isinstance(event, Pulled):
            line.clear()

    try:
        yield show
    finally:
        line.clear()


def _figures(progress: PullProgress) -> str:
    if not progress.total:
        return progress.detail
    done = bar(progress.done, progress.total)
    if progress.stage == "converting":  # some of it is not measured in bytes
        return f"{done}  {progress.detail}"
    return f"{done}  {progress.done // 1_000_000} of {progress.total // 1_000_000} MB"


def bar(done: int, total: int) -> str:
    """Return a progress bar with a percentage."""
    filled = _BAR * done // total
    return f"[{'#' * filled}{'.' * (_BAR - filled)}] {100 * done // total:3} %"


def _fitting(text: str, stream: TextIO) -> str:
    """Cut `text` to the width of the terminal: a line that wraps could not be rewritten."""
    try:
        columns = os.get_terminal_size(stream.fileno()).columns
    except OSError:
        columns = 0
    return text[: (columns or 80) - 1]  # some terminals report no width, or 0
