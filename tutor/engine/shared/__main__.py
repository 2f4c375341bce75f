"""The process of a shared engine: `python -m tutor.engine.shared --listening FD`.

The parent process (`tutor.engine.shared.supervisor`) owns the socket, so the socket survives a
restart of the engine. Learners who connect during a restart wait in the socket's queue.
"""

from __future__ import annotations

import argparse
import logging
import os
import socket
import sys
import threading
from collections.abc import Sequence

import msgspec

from tutor import private
from tutor.engine.loading import load_network
from tutor.engine.shared.learner import Learner
from tutor.engine.shared.limits import Limits, add_limits, limits_of
from tutor.engine.shared.listener import Listener
from tutor.engine.shared.scheduler import Scheduler
from tutor.engine.wire import Loading, Ready
from tutor.errors import TutorError
from tutor.lm.fast.waiting import settle_waiting

log = logging.getLogger(__name__)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the shared engine until its parent process ends.

    If the model cannot be loaded, this sends the reason to all connections and returns the exit
    status 1.
    """
    parser = argparse.ArgumentParser(prog="tutor.engine.shared", description=__doc__)
    parser.add_argument(
        "--listening", type=int, required=True, help="the file descriptor of the socket"
    )
    parser.add_argument("--model", help="the model to run, see `tutor model` (default: SmolLM2)")
    add_limits(parser)
    options = parser.parse_args(arguments)
    logging.basicConfig(stream=sys.stderr, format="%(asctime)s %(name)s %(message)s")
    threading.Thread(target=_end_with_parent, daemon=True).start()
    return serve(socket.socket(fileno=options.listening), options.model, limits_of(options))


def _end_with_parent() -> None:
    sys.stdin.buffer.read()
    os._exit(0)


def serve(listening: socket.socket, model: str | None, limits: Limits) -> int:
    """Serve all connections until the process is terminated."""
    private.begin()
    settle_waiting()
    scheduler: Scheduler[Learner] = Scheduler()
    listener = Listener(listening, scheduler, limits)
    listener.open()

    def on_stage(stage: str, done: int = 0, total: int = 0) -> None:
        listener.broadcast(Loading(stage, done, total))

    try:
        loaded = load_network(model, on_stage)
    except TutorError as error:
        log.error("%s", error)
        listener.give_up(error)
        return 1
    from tutor.engine.shared.server import SharedServer  # fast, since torch is loaded

    server = SharedServer(loaded, scheduler, limits)
    listener.load = server.load
    context = min(limits.context, loaded.card.context)
    listener.broadcast(Ready(msgspec.structs.replace(loaded.card, context=context)))
    server.serve()
    return 0


if __name__ == "__main__":
    sys.exit(main())
