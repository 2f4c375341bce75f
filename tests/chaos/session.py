"""One session of a learner at work, in its own process, which the test can kill in any way.

It uses the same entry points as the app: `Progress`, the check at the start, `BackgroundProgress`
for every save, and `exchange` for an import. It writes each answer to a pipe before it saves the
answer, and again when the future of the save reports that it is saved.
"""

from __future__ import annotations

import collections
import contextlib
import functools
import itertools
import os
import random
import resource
import signal
import threading
import time
from concurrent.futures import Future
from pathlib import Path
from typing import NoReturn

import filelock  # noqa: F401  # else imported while saving, by each fork
import fsrs  # noqa: F401
import msgspec

from tutor.errors import StoreError, TutorError
from tutor.learner import exchange, log_lines
from tutor.learner.background import BackgroundProgress
from tutor.learner.progress import Progress
from tutor.learner.records import (
    Answered,
    Draft,
    Event,
    Forgotten,
    GoalReached,
    Guessed,
    LabDone,
    LessonRead,
    LessonState,
    LogEvent,
    Suspended,
    Undone,
    identified,
)
from tutor.learner.schema import CURRENT, MIGRATIONS, Schema, Tables

QUESTIONS = 40
IN_FLIGHT = 3
PATIENCE = 30.0


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """The work of a session.

    `jump` seconds are added to the clock after `jump_after` saves. `bundle` is a file to import.
    If `newer` is True, the session runs as a program that is one version ahead. After `largest`
    saves, no file can grow, which simulates a full disk on any system. `pause` is the time between
    two saves, in seconds.
    """

    name: str
    seed: str
    jump: float = 0.0
    jump_after: int = 0
    bundle: str = ""
    newer: bool = False
    largest: int = 0
    pause: float = 0.0


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """A message in the pipe.

    `save` is the number of the save in this session. `events` are the events that the session is
    about to save, `place` is the number of the screen that it is about to open, and `refused` is
    the name of an error.
    """

    save: int
    events: tuple[LogEvent, ...] = ()
    place: int = 0
    newer: str = ""
    saved: bool = False
    refused: str = ""


class Dreamt(Event, frozen=True, tag="dreamt", kw_only=True):
    """An event that only the newer program knows."""

    of: str


def _move_on(tables: Tables) -> Tables:
    return {**tables, "dreams": {"all": {"count": 1}}}


NEWER = Schema((*MIGRATIONS, _move_on))


def run(folder: Path, plan: Plan, pipe: int) -> NoReturn:
    """Work until the process is killed. On SIGTERM and SIGHUP, save pending changes and exit."""
    signals = {signal.SIGTERM, signal.SIGHUP}
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    session = _Session(folder, plan, pipe)

    def leave() -> None:
        number = signal.sigwait(signals)
        session.turn.acquire()  # no more keys are processed
        session.progress.drain(PATIENCE)
        os._exit(128 + number)

    threading.Thread(target=leave, daemon=True).start()
    session.work()


class _Session:
    def __init__(self, folder: Path, plan: Plan, pipe: int) -> None:
        if plan.newer:
            log_lines._decoder = msgspec.json.Decoder(LogEvent | Dreamt)
        self._offset = 0.0
        self._set_clock()
        self._plan, self._pipe, self._folder = plan, pipe, folder
        self._random = random.Random(plan.seed)
        self._given: list[Answered] = []
        self._saying = threading.Lock()
        self.turn = threading.Lock()
        """Held while one save is requested."""
        schema = NEWER if plan.newer else CURRENT
        opened = Progress(folder, schema=schema, timeout=PATIENCE)
        self.progress = BackgroundProgress(opened)
        self.progress.check()

    def _set_clock(self) -> None:
        """Replace the system's clock in this process."""
        seconds, nanoseconds = time.time, time.time_ns
        time.time = lambda: seconds() + self._offset
        time.time_ns = lambda: nanoseconds() + int(self._offset * 1e9)

    def work(self) -> NoReturn:
        waiting: collections.deque[Future[None]] = collections.deque()
        for number in itertools.count(1):
            if number == self._plan.jump_after:
                self._offset += self._plan.jump
            if number == self._plan.largest:
                _let_nothing_grow(self._folder)
            if number == 3 and self._plan.bundle:
                self._import(number)
                continue
            with self.turn:
                waiting.append(self._save(number))
            if len(waiting) >= self._random.randint(1, IN_FLIGHT):
                _wait(waiting.popleft())
            time.sleep(self._plan.pause)
        raise AssertionError("a session has no end of its own")

    def _save(self, number: int) -> Future[None]:
        kind = self._random.random()
        if kind < 0.15:
            self._say(Said(save=number, place=number))
            screen = f"screen-{number}"
            done = self.progress.save_lesson(
                LessonState(lesson=self._plan.name, screen=screen, visited_at=time.time())
            )
        elif kind < 0.2:
            self._say(Said(save=number))
            done = self.progress.save_draft(self._question(), Draft(version=1, answer="17"))
        elif self._plan.newer and kind < 0.3:
            event = identified(Dreamt(at=time.time(), of="electric sheep"))
            self._say(Said(save=number, newer=event.id))
            done = self.progress.record(event)  # type: ignore[arg-type]
        else:
            known = identified(self._event())
            self._say(Said(save=number, events=(known,)))
            done = self.progress.record(known)
            if isinstance(known, Answered):
                self._given.append(known)
        done.add_done_callback(functools.partial(self._done, number))
        return done

    def _event(self) -> LogEvent:
        choose, at, lesson = self._random, time.time(), self._plan.name
        kind = choose.random()
        if kind < 0.7 or not self._given:
            return Answered(
                at=at,
                question=self._question(),
                version=choose.choice((1, 1, 1, 2)),
                lesson=choose.choice((lesson, "both")),
                correct=choose.random() < 0.7,
                guessed=choose.random() < 0.2,
                answer="ü" * choose.randint(0, 30),
            )
        if kind < 0.75:
            answer = choose.choice(self._given)
            return Undone(at=at, answer=answer.id, question=answer.question)
        if kind < 0.8:
            return Suspended(at=at, question=self._question(), suspended=choose.random() < 0.5)
        if kind < 0.82:
            return Forgotten(at=at, lesson="both", questions=(self._question(), self._question()))
        if kind < 0.87:
            return LabDone(at=at, lab=f"lab-{choose.randrange(5)}", lesson=lesson)
        if kind < 0.93:
            goal = f"goal-{choose.randrange(9)}"
            return GoalReached(at=at, lab="lab-1", lesson=lesson, goal=goal)
        if kind < 0.96:
            return LessonRead(at=at, lesson=lesson)
        return Guessed(
            at=at, text="the cat", guess="sat", actual="sits", rank=2, learner_bits=3, model_bits=1
        )

    def _question(self) -> str:
        return f"question-{self._random.randrange(QUESTIONS)}"

    def _import(self, number: int) -> None:
        """Import like `tutor progress import`, while this session saves in the background."""
        progress = Progress(self._folder, timeout=PATIENCE)
        bundle = exchange.read(Path(self._plan.bundle), time.time())
        self._say(Said(save=number, events=bundle.events))
        try:
            exchange.merge(progress, [bundle])
        except TutorError as error:
            self._say(Said(save=number, refused=type(error).__name__))
        else:
            self._say(Said(save=number, saved=True))

    def _done(self, number: int, done: Future[None]) -> None:
        error = done.exception()
        if error is None:
            self._say(Said(save=number, saved=True))
        elif isinstance(error, StoreError):
            self._say(Said(save=number, refused=type(error).__name__))
        else:
            self._say(Said(save=number, refused=f"bug: {error!r}"))

    def _say(self, said: Said) -> None:
        data = msgspec.json.encode(said) + b"\n"
        with self._saying:  # an import writes more than fits into a pipe
            while data:
                data = data[os.write(self._pipe, data) :]


def _wait(done: Future[None]) -> None:
    with contextlib.suppress(StoreError):  # the pipe reports it
        done.result()


def _let_nothing_grow(folder: Path) -> None:
    limit = max(file.stat().st_size for file in folder.iterdir() if file.is_file())
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
