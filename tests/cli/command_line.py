"""The result of running `tutor` in a test."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple


class Outcome(NamedTuple):
    status: int
    out: str
    err: str


Tutor = Callable[..., Outcome]
