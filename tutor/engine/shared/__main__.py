"""The process of a shared engine: `python -m tutor.engine.shared --listening FD`.

The parent process (`tutor.engine.shared.supervisor`) owns the socket, so the socket survives a
restart of the engine. Learners who connect during a restart wait in the socket's backlog. A spare
engine does not accept connections until its parent writes `BEGIN` to its standard input.
"""

from __future__ import annotations

import argparse
import logging
import os
import socket
import sys
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

import msgspec

from tutor import private
from tutor.engine.loading import load_network
from tutor.engine.shared.learner import Learner
from tutor.engine.shared.limits import BEGIN, NOT_LOADED, Limits, add_limits, limits_of
from tutor.engine.shared.listener import Listener
from tutor.engine.shared.scheduler import Scheduler
from tutor.engine.wire import Loading, Ready
from tutor.errors import TutorError
from tutor.lm.fast.lean_import import import_lean
from tutor.lm.fast.waiting import settle_waiting

log = logging.getLogger(__name__)

Loaded = TypeVar("Loaded")

SPARE_NICENESS = 10
"""The niceness at which a spare engine loads its model. At 19, the lowest priority, it might never
finish loading while several learners generate text."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the shared engine until its parent process exits.

    If the model cannot be loaded, this sends the reason to all connections and returns the exit
    status `NOT_LOADED`.
    """
    parser = argparse.ArgumentParser(prog="tutor.engine.shared", description=__doc__)
    parser.add_argument(
        "--listening", type=int, required=True, help="the file descriptor of the socket"
    )
    parser.add_argument("--model", help="the model to run, see `tutor model` (default: SmolLM2)")
    parser.add_argument("--spare", action="store_true", help="wait until the parent says to begin")
    add_limits(parser)
    options = parser.parse_args(arguments)
    logging.basicConfig(stream=sys.stderr, format="%(asctime)s %(name)s %(message)s")
    listening = socket.socket(fileno=options.listening)
    return serve(listening, options.model, limits_of(options), spare=options.spare)


def _follow_parent(begin: Callable[[], None]) -> None:
    if sys.stdin.buffer.read(len(BEGIN)):
        begin()
    sys.stdin.buffer.read()
    os._exit(0)


def _at_low_priority(act: Callable[[], Loaded]) -> Loaded:
    """Run `act` at low priority, so that it hardly slows down other programs.

    An unprivileged process can't raise its priority again, so `act` runs in a temporary thread with
    a lower priority. Only Linux supports per-thread priorities; on other systems, the priority
    stays the same.
    """

    def lower() -> None:
        if sys.platform == "linux":
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), SPARE_NICENESS)

    with ThreadPoolExecutor(1, initializer=lower) as pool:
        return pool.submit(act).result()


def serve(
    listening: socket.socket, model: str | None, limits: Limits, *, spare: bool = False
) -> int:
    """Load the model, then serve all connections until the process is terminated.

    A spare engine accepts connections only when the parent process tells it to. Returns the exit
    status `NOT_LOADED` if the model cannot be loaded.
    """
    private.begin()
    settle_waiting()
    import_lean()
    scheduler: Scheduler[Learner] = Scheduler()
    listener = Listener(listening, scheduler, limits)
    if not spare:
        listener.open()
    threading.Thread(target=_follow_parent, args=[listener.open], daemon=True).start()

    def on_stage(stage: str, done: int = 0, total: int = 0) -> None:
        listener.broadcast(Loading(stage, done, total))

    try:
        loading = partial(load_network, model, on_stage)
        loaded = _at_low_priority(loading) if spare else loading()
    except TutorError as error:
        log.error("%s", error)
        listener.give_up(error)
        return NOT_LOADED
    from tutor.engine.shared.server import SharedServer  # fast, because torch is loaded already

    server = SharedServer(loaded, scheduler, limits)
    listener.load = server.load
    context = min(limits.context, loaded.card.context)
    listener.broadcast(Ready(msgspec.structs.replace(loaded.card, context=context)))
    server.serve()
    return 0


if __name__ == "__main__":
    sys.exit(main())
