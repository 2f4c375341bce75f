"""Progress messages for downloading and loading a model.

`tutor model pull --json` prints one event per line, which the app parses:

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
    """A callback that receives progress reports.

    `stage` describes the current stage in a few words. `done` out of `total` is the progress, in
    bytes or another unit. If `total` is 0, the total is unknown and `done` is in bytes.
    """

    def __call__(self, stage: str, done: int = 0, total: int = 0) -> None: ...


def quiet(stage: str, done: int = 0, total: int = 0) -> None:
    """Ignore a progress report. Pass this function as `on_stage` if no reports are needed."""


def measured(on_stage: OnStage, stage: str, total: int) -> Callable[[int], None]:
    """Report the start of a stage, and return a function that reports its progress.

    Call the returned function with the amount done. It passes on at most one report every 0.1
    seconds.
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
    """Format progress, such as "packing the weights, 37 %".

    If `total` is 0, the result has no percentage: "fetching, 37 MB".
    """
    if total:
        return f"{stage}, {100 * done // total} %"
    return f"{stage}, {done // 1_000_000} MB" if done else stage


Stage = Literal["waiting", "fetching", "checking", "converting"]


class PullProgress(msgspec.Struct, frozen=True, tag="progress", tag_field="event"):
    """A progress event.

    `done` and `total` are in bytes; in the stage "converting", they are numbers of matrices. A
    `total` of 0 means that the stage has no measurable progress.

    - waiting: another process is downloading the same model
    - fetching: the package is being downloaded
    - checking: the model is being unpacked and its checksum computed
    - converting: the weights are being packed for this machine; `detail` describes the current step
    """

    stage: Stage
    done: int = 0
    total: int = 0
    detail: str = ""


class Pulled(msgspec.Struct, frozen=True, tag="pulled", tag_field="event"):
    """An event that reports that the model is installed at `path`.

    `fetched` is False if the model was already installed.
    """

    path: str
    fetched: bool


class PullFailed(msgspec.Struct, frozen=True, tag="failed", tag_field="event"):
    """An event that contains a `TutorError`: its class name and its two sentences."""

    kind: str
    happened: str
    next_step: str


PullEvent = PullProgress | Pulled | PullFailed

_decoder: msgspec.json.Decoder[PullEvent] = msgspec.json.Decoder(PullEvent)


def encode(event: PullEvent) -> str:
    """Encode an event as one line of JSON, without a newline."""
    return msgspec.json.encode(event).decode()


def decode(line: str | bytes) -> PullEvent:
    """Decode an event from one line of JSON. Raises `msgspec.DecodeError` for invalid input."""
    return _decoder.decode(line)
