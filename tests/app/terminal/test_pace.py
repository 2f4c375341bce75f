"""Test repaints over a slow line: immediate after a key, and never faster than the line."""

from __future__ import annotations

import asyncio
import os
import pty
import termios
from collections.abc import Iterable, Iterator

import pytest
from rich.console import Console
from rich.segment import Segment
from textual._compositor import LayoutUpdate
from textual.geometry import Region, Size
from textual.strip import Strip

from tutor.app.terminal.line import DIRECT, LOW_BANDWIDTH, SSH, Line, Pacing, line_here
from tutor.app.terminal.screen_diff import Changes
from tutor.app.terminal.throttled_terminal import AT_ONCE, Pace, ThrottledTerminal

NEVER = Pacing(interval=1e6, rate=1)
"""A pacing under which nothing is repainted without a key."""


@pytest.mark.parametrize(
    ("environment", "line"),
    [
        ({}, DIRECT),
        ({"SSH_CONNECTION": "10.0.0.1 1 10.0.0.2 22"}, SSH),
        ({"SSH_TTY": "/dev/pts/1"}, SSH),
        ({"TUTOR_LOW_BANDWIDTH": "1"}, LOW_BANDWIDTH),
        ({"SSH_TTY": "/dev/pts/1", "TUTOR_LOW_BANDWIDTH": "1"}, LOW_BANDWIDTH),
        ({"SSH_TTY": "", "TUTOR_LOW_BANDWIDTH": ""}, DIRECT),
    ],
)
def test_the_environment_says_which_line_it_is(environment: dict[str, str], line: Line) -> None:
    assert line_here(environment) == line


def test_repaints_without_a_key_wait_for_the_interval() -> None:
    pace = Pace(interval=0.125, rate=10**6)
    times = []
    for number in range(300):  # something new every hundredth of a second, for three seconds
        now = number / 100
        if pace.wait(now) == 0:
            pace.painted(500, now)
            times.append(now)
    later = [time for time in times if time >= 1]
    assert len(later) <= 16
    assert len(later) >= 14
    assert len(times) <= 24 + AT_ONCE


def test_a_key_is_answered_at_once_at_any_time() -> None:
    pace = Pace(interval=0.5, rate=1000)
    for number in range(100):
        while pace.wait(number / 100) == 0:
            pace.painted(2000, number / 100)
        pace.key_pressed()
        assert pace.wait(number / 100) == 0


def test_large_repaints_are_less_frequent() -> None:
    pace = Pace(interval=0.125, rate=6000)
    for _ in range(AT_ONCE):
        pace.painted(3000, 0.0)
    assert pace.wait(0.0) == pytest.approx(0.5)
    assert pace.wait(0.5) == 0


# --- a line and its terminal --------------------------------------------------------------------


class Sent:
    """A terminal on a slow line, with what was sent to it."""

    def __init__(self, pacing: Pacing) -> None:
        self.written: list[str] = []
        self.master, self._slave = pty.openpty()
        self.held = False
        self.line = ThrottledTerminal(
            pacing,
            self._slave,
            Console(color_system="256"),
            held=lambda: self.held,
            send=self._send,
        )
        self._sent = asyncio.Event()

    def _send(self, changes: Changes) -> None:
        self.written.append(changes.written)
        self._sent.set()

    def show(self, text: str) -> None:
        rows: list[Iterable[Strip]] = [[Strip([Segment(text.ljust(20))])]]
        self.line.show(LayoutUpdate(rows, Region(0, 0, 20, 1)), Size(20, 1))

    async def wait_sent(self) -> None:
        self._sent.clear()
        await asyncio.wait_for(self._sent.wait(), 30)

    def freeze(self) -> None:
        termios.tcflow(self._slave, termios.TCOOFF)

    def thaw(self) -> None:
        termios.tcflow(self._slave, termios.TCOON)

    def close(self) -> None:
        os.close(self.master)
        os.close(self._slave)


@pytest.fixture
def sent(request: pytest.FixtureRequest) -> Iterator[Sent]:
    found = Sent(getattr(request, "param", NEVER))
    yield found
    found.close()


async def test_many_updates_become_one_repaint_after_the_next_key(sent: Sent) -> None:
    for number in range(100):
        sent.show(f"token {number}")
    assert len(sent.written) == AT_ONCE
    sent.line.asked()
    sent.show("token 100, a key")
    assert len(sent.written) == AT_ONCE + 1
    assert sent.written[-1].endswith("100, a key")


@pytest.mark.parametrize("sent", [Pacing(interval=0.05, rate=10**6)], indirect=True)
async def test_the_last_update_is_sent_when_its_time_has_come(sent: Sent) -> None:
    for number in range(100):
        sent.show(f"token {number}")
    before = len(sent.written)
    await sent.wait_sent()
    assert len(sent.written) == before + 1
    assert sent.written[-1].endswith("99")


async def test_nothing_is_sent_to_a_frozen_terminal(sent: Sent) -> None:
    sent.show("before")
    sent.freeze()
    for number in range(100):
        sent.line.asked()
        sent.show(f"token {number}")
    assert len(sent.written) == 1
    sent.thaw()
    await sent.wait_sent()
    assert len(sent.written) == 2
    assert "token 99" in sent.written[-1]


@pytest.mark.parametrize("sent", [Pacing(interval=0.05, rate=10**6)], indirect=True)
async def test_updates_that_the_app_holds_back_are_sent_later(sent: Sent) -> None:
    sent.held = True
    sent.show("mid-change")
    assert sent.written == []
    sent.held = False
    await sent.wait_sent()
    assert "mid-change" in sent.written[0]


async def test_a_repaint_sends_everything_again(sent: Sent) -> None:
    sent.show("the same")
    sent.show("the same")
    assert len(sent.written) == 1
    sent.line.asked(repaint=True)
    sent.show("the same")
    assert sent.written[0] == sent.written[1]
