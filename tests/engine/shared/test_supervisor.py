"""Test when the supervisor of a shared engine gives up."""

from __future__ import annotations

import signal

import pytest

from tutor.engine.shared.limits import NOT_LOADED
from tutor.engine.shared.supervisor import STABLE, cannot_start


@pytest.mark.parametrize(
    ("status", "lasted", "expected"),
    [
        (NOT_LOADED, 1.0, True),
        (NOT_LOADED, 10 * STABLE, True),
        (1, 1.0, True),
        (1, 10 * STABLE, False),
        (-signal.SIGKILL, 1.0, False),
        (0, 1.0, False),
    ],
)
def test_only_an_engine_that_would_fail_again_is_given_up(
    status: int, lasted: float, expected: bool
) -> None:
    assert cannot_start(status, lasted) is expected
