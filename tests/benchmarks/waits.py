"""Measure how long a learner waits for the first answer of each lab.

    python -m tests.benchmarks waits        (or: python -m tests.benchmarks.waits, with all labs)

Each lab gets a new backend, as after a start of the app, and follows its solution until it has
computed for `MOST` seconds. Each action can lead to several requests, and the screen shows the
state after each response. So the learner waits only for the first response. The figures are the
CPU time of this process, so other programs hardly change them. With two threads, an idle
machine needs less wall-clock time.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

from tests.benchmarks.table import Measured
from tutor.errors import TutorError
from tutor.labs.kit import registry
from tutor.labs.kit.backend import Tools, make_backend
from tutor.labs.kit.lab import settle
from tutor.lm.language_model import LanguageModel
from tutor.lm.load import load_model
from tutor.models import find_model

LIMIT = 1.0
MOST = 20.0


class Waits(NamedTuple):
    """A lab's times in seconds: its first answer, and its slowest first answer after an action."""

    lab: str
    first: float
    slowest: float
    asked: str
    """The type of the question with the slowest answer."""


class _Enough(Exception):
    """Raised when the lab has computed for `MOST` seconds."""


def measure() -> list[Measured]:
    """Return a row for all labs together, and a row for each lab that exceeds the limit."""
    model = load_model(find_model())
    found = [waits_of(name, model) for name in registry.names()]
    slow = [each for each in found if each.slowest > LIMIT]
    first = max(found, key=lambda each: each.first)
    rows = [
        Measured(
            f"first answer after opening a lab: the slowest of {len(found)} labs, {first.lab} "
            "(CPU time; limit)",
            "s",
            first.first,
            LIMIT,
            1.0,
        )
    ]
    return rows + [
        Measured(
            f"first answer after an action in the lab {each.lab} ({each.asked}; CPU time; limit)",
            "s",
            each.slowest,
            LIMIT,
            1.0,
        )
        for each in slow
    ]


def waits_of(name: str, model: LanguageModel) -> Waits:
    """Follow the solution of a lab, and return its times."""
    lab = registry.find(name)
    taken: list[tuple[float, str]] = []
    began = time.process_time()
    first = True

    with tempfile.TemporaryDirectory() as folder:
        backend = make_backend(name, Tools(lambda: model, lambda: None, Path(folder)))

        def answer(question: Any) -> Any:
            nonlocal first
            if time.process_time() - began > MOST:
                raise _Enough
            start = time.process_time()
            found = backend.answer(question)
            if first:
                taken.append((time.process_time() - start, type(question).__name__))
            first = False
            return found

        try:
            state = lab.start()
            for action in (None, *lab.solution):
                first = True
                state = state if action is None else lab.act(state, action)
                *_, state = settle(lab, state, answer)
        except (_Enough, TutorError):
            pass
    slowest = max(taken, default=(0.0, ""))
    return Waits(name, taken[0][0] if taken else 0.0, *slowest)


if __name__ == "__main__":
    language_model = load_model(find_model())
    for lab_name in sys.argv[1:] or registry.names():
        one = waits_of(lab_name, language_model)
        print(
            f"{one.lab}: {one.first:.2f} s, slowest {one.slowest:.2f} s ({one.asked})", flush=True
        )
