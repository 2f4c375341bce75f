"""Test that every action takes a single round trip on a line with a delay of 300 ms."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from tests.relay import Relay
from tests.ssh_server import SshServer
from tests.ssh_session import QUERY, answer_queries, tutor
from tests.terminal import Terminal

ONE_WAY = 0.15
"""Seconds in one direction."""
ACTIONS = (
    ("down", "› Review"),
    ("up", "› Begin"),
    ("enter", " 1 of "),
    ("right", " 2 of "),
    ("a", "question 1 of "),
    ("b", "› b"),
    ("enter", "saved"),
    ("?", "help ·"),
    ("esc", "question 1 of "),
    ("/", "search"),
    ("x", "x"),
)
"""Keys, and the text that each brings to the screen."""


def _more_than(run: Terminal, size: int) -> bool:
    return len(run.output) > size


@pytest.mark.slow
def test_every_action_is_one_round_trip(server: SshServer, data: Path, no_model: str) -> None:
    with (
        Relay(server.port, delay=ONE_WAY) as line,
        tutor(server, data, port=line.port, TUTOR_MODEL=no_model) as run,
    ):
        run.wait_for("› Begin")  # although the terminal's queries are unanswered
        run.wait_for("no model ×")
        assert QUERY.findall(bytes(run.output)) == [b"\x1b[?2026$p", b"\x1b[?2048$p"]
        answer_queries(run)
        asked = len(run.output)
        for key, shown in ACTIONS:
            mark, before = line.mark(), len(run.output)
            run.press(key)
            run.wait_until(partial(_more_than, run, before), f"an answer to {key}")
            run.wait_for(shown)
            run.wait_quiet(2 * ONE_WAY)
            assert line.round_trips(mark) == 1, key
        assert QUERY.findall(bytes(run.output[asked:])) == []
