"""The results of all cycles, as a Markdown table."""

from __future__ import annotations

import platform
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from tests.chaos.disk import Disk

if TYPE_CHECKING:
    from tests.chaos.endings import Cycle


class Row:
    def __init__(self) -> None:
        self.cycles = self.answers = self.lost = self.doubled = self.apps = self.failed = 0

    def __iadd__(self, other: Row) -> Row:
        for name, value in vars(other).items():
            setattr(self, name, getattr(self, name) + value)
        return self

    def __str__(self) -> str:
        return (
            f"{self.cycles:,} | {self.answers:,} | {self.lost:,} | {self.doubled:,} | "
            f"{self.failed:,} | {self.apps:,}"
        )


class Table:
    def __init__(self, endings: Iterable[str], disk: Disk, seed: int) -> None:
        self.rows = {name: Row() for name in endings}
        self.seconds = 0.0
        self._disk = disk
        self._seed = seed

    @property
    def failures(self) -> int:
        return sum(row.failed for row in self.rows.values())

    def add(self, name: str, cycle: Cycle, *, app: bool, failed: bool = False) -> None:
        row = Row()
        row.cycles, row.answers, row.apps, row.failed = 1, cycle.answers, app, failed
        ledgers = (cycle.learner.ledger, cycle.learner.other_ledger)
        row.lost = sum(ledger.lost for ledger in ledgers)
        row.doubled = sum(ledger.doubled for ledger in ledgers)
        self.rows[name] += row

    def markdown(self) -> str:
        total = Row()
        for row in self.rows.values():
            total += row
        lines = [
            "| event | cycles | answers reported as saved | answers lost | answers stored twice | "
            "other errors | cycles with the app in a terminal |",
            "|---|---|---|---|---|---|---|",
            *(f"| {name} | {row} |" for name, row in self.rows.items()),
            f"| all | {total} |",
        ]
        return "\n".join(
            (
                "",
                *lines,
                "",
                f"Seed {self._seed}, {self.seconds:.0f} s on {_machine()}. "
                f"Full disk: {self._disk.full_means}. Read-only: {self._disk.read_only_means}.",
            )
        )


def _machine() -> str:
    names = Path("/proc/cpuinfo")
    if names.exists():
        for line in names.read_text().splitlines():
            if line.startswith("model name"):
                return f"{line.partition(':')[2].strip()}, {platform.system()}"
    return f"{platform.machine()}, {platform.system()}"
