"""The progress of a long-running computation."""

from __future__ import annotations

import msgspec


class Progress(msgspec.Struct, frozen=True, tag="Underway"):
    """The progress of a computation: `done` of `total` items, and the estimated `seconds` left.

    `seconds` is None if there is no estimate. A backend can return `Progress` as its response. The
    lab then sends the same request again, and the backend continues the computation.
    """

    done: int
    total: int
    seconds: float | None = None


class Coming(msgspec.Struct, frozen=True, tag=True):
    """The progress of a request whose work has stages, such as loading a model.

    As with `Progress`, the lab repeats the request until the work is done. `doing` describes the
    current stage, and `done` of its `total` parts are complete. If `total` is 0, the number of
    parts is unknown. `seconds` is the estimated time left, or None if there is no estimate.
    """

    doing: str
    done: int
    total: int
    seconds: float | None


def at_pace(done: int, total: int, each: float | None) -> Progress:
    """Return the progress of a computation that takes `each` seconds per item.

    If `each` is None, the time left is unknown.
    """
    return Progress(done, total, None if each is None else each * (total - done))
