"""Run two sessions at the same time, read what they report, and end them."""

from __future__ import annotations

import os
import selectors
import signal
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.chaos import session
from tests.chaos.ledger import Broken, read_said
from tests.chaos.session import Plan, Said

DEADLINE = 60.0


class Running:
    """A session in its own process."""

    def __init__(self, folder: Path, plan: Plan) -> None:
        self.plan = plan
        self.pipe, theirs = os.pipe()
        self._data = b""
        self.pid = os.fork()
        if self.pid == 0:
            try:
                os.close(self.pipe)
                session.run(folder, plan, theirs)
            finally:
                os._exit(70)  # with the traceback on the terminal
        os.close(theirs)
        os.set_blocking(self.pipe, False)
        self.status: int | None = None

    def read(self) -> bool:
        """Read the session's messages. Return True if more messages can follow."""
        try:
            while data := os.read(self.pipe, 65_536):
                self._data += data
        except BlockingIOError:
            return True
        return False

    @property
    def said(self) -> list[Said]:
        return read_said(self._data)

    @property
    def saved(self) -> int:
        return sum(each.saved for each in self.said)

    @property
    def refusals(self) -> set[str]:
        return {each.refused for each in self.said if each.refused}

    def end(self, number: signal.Signals) -> None:
        os.kill(self.pid, number)

    def wait(self) -> None:
        """Wait until the session has exited and all of its messages have been read."""
        os.set_blocking(self.pipe, True)
        self.read()
        os.close(self.pipe)
        self.status = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


class Both:
    """Two sessions. If they are still running at the end of the block, they are killed."""

    def __init__(self, folder: Path, plans: list[Plan]) -> None:
        self.sessions = [Running(folder, plan) for plan in plans]

    def until(self, enough: Callable[[Running], bool]) -> None:
        """Read messages until `enough` returns True for each session."""
        with selectors.DefaultSelector() as selector:
            for each in self.sessions:
                selector.register(each.pipe, selectors.EVENT_READ, each)
            deadline = time.monotonic() + DEADLINE
            while not all(map(enough, self.sessions)):
                for key, _ in selector.select(1.0):
                    if not key.data.read():
                        raise Broken(f"session {key.data.plan.name} ended by itself")
                if time.monotonic() > deadline:
                    raise Broken(f"nothing happened: {[each.said[-3:] for each in self.sessions]}")

    def end(self, number: signal.Signals = signal.SIGKILL) -> None:
        """Send the signal to both sessions in quick succession, and read their last messages."""
        for each in self.sessions:
            each.end(number)
        for each in self.sessions:
            each.wait()
            expected = -number if number == signal.SIGKILL else 128 + number
            if each.status != expected:
                raise Broken(f"session {each.plan.name} ended with {each.status}, not {expected}")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for each in self.sessions:
            if each.status is None:
                each.end(signal.SIGKILL)
                each.wait()
