"""The engine process: `python -m tutor.engine [--model SPEC] [--labs]`.

The process receives messages on standard input and sends messages on standard output. If a library
printed something, it would corrupt the messages, so both streams are reserved before a model is
loaded. From then on, printed output goes to standard error, which is the log.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
import threading
from collections.abc import Sequence
from functools import cache
from typing import BinaryIO

from tutor import private
from tutor.engine import frames
from tutor.engine.inbox import Inbox, PipeInbox
from tutor.engine.loading import load, load_network
from tutor.engine.wire import Failed, Loading, Message, Ready
from tutor.errors import TutorError
from tutor.lm.fast.lean_import import import_lean
from tutor.lm.fast.waiting import settle_waiting
from tutor.models.report import quiet
from tutor.vendors.catalogue import is_remote, remote_model

NICENESS = 5  # lowers the priority, so that the app's screen stays responsive


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the engine until the app closes the connection.

    If the model cannot be loaded, this sends the reason in a `Failed` message with id 0 and returns
    the exit status 1.
    """
    parser = argparse.ArgumentParser(prog="tutor.engine", description=__doc__)
    parser.add_argument("--model", help="the model to run, see `tutor model` (default: SmolLM2)")
    parser.add_argument("--labs", action="store_true", help="serve only labs")
    options = parser.parse_args(arguments)
    requests, answers = _claim_streams()
    logging.basicConfig(stream=sys.stderr, format="%(asctime)s %(name)s %(message)s")
    if hasattr(os, "nice"):
        os.nice(NICENESS)

    private.begin()
    settle_waiting()
    import_lean()

    outbox = Outbox(answers)
    outbox.send(Loading("starting"))
    inbox = PipeInbox(requests, outbox.send)
    inbox.start()
    try:
        if options.labs:
            _run_labs(options.model, inbox, outbox)
        elif is_remote(options.model):
            _run_vendor(options.model, inbox, outbox)
        else:
            _run(options.model, inbox, outbox)
    except TutorError as error:
        outbox.send(Failed.of(error))
    return 1


class Outbox:
    """The engine's output stream, which several threads share.

    A lock ensures that only one thread writes a message at a time.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._lock = threading.Lock()

    def send(self, message: Message) -> None:
        frame = frames.pack(message)
        try:
            with self._lock:
                self._stream.write(frame)
                self._stream.flush()
        except BrokenPipeError:  # the app has exited
            os._exit(0)


def _run(spec: str | None, inbox: Inbox, outbox: Outbox) -> None:
    def on_stage(stage: str, done: int = 0, total: int = 0) -> None:
        outbox.send(Loading(stage, done, total))

    model = load(spec, on_stage)
    # fast, because `load` has already imported torch
    from tutor.engine.llamacpp_server import LlamaServer
    from tutor.engine.server import Server
    from tutor.lm.llamacpp.session import LlamaModel

    outbox.send(Ready(model.card))
    if isinstance(model, LlamaModel):
        LlamaServer(model, inbox, outbox.send).serve()
    else:
        Server(model, inbox, outbox.send).serve()


def _run_labs(spec: str | None, inbox: Inbox, outbox: Outbox) -> None:
    """Run an engine that serves only labs.

    The engine is ready immediately, because the model is loaded later, when a lab needs it.
    """
    from tutor.engine.backends import LabBackends, LabServer

    outbox.send(Ready(None))
    model = cache(lambda: load_network(spec, quiet))
    backends = LabBackends(model, inbox.check_cancelled, inbox.permissions)
    LabServer(backends, inbox, outbox.send).serve()


def _run_vendor(spec: str | None, inbox: Inbox, outbox: Outbox) -> None:
    """Run an engine for a remote model.

    The engine is ready immediately, before it contacts the remote server.
    """
    from tutor.engine.vendor_server import VendorServer
    from tutor.vendors.opening import preload
    from tutor.vendors.reader import RemoteReader
    from tutor.vendors.session import remote_card

    model = remote_model(spec)
    outbox.send(Ready(remote_card(model)))
    threading.Thread(target=preload, args=[model], daemon=True).start()
    VendorServer(RemoteReader(model, inbox.permissions), inbox, outbox.send).serve()


def _claim_streams() -> tuple[BinaryIO, BinaryIO]:
    """Reserve standard input and output for messages, and return both streams.

    Other code gets an empty standard input, and its standard output goes to standard error.
    """
    requests = os.fdopen(os.dup(0), "rb")
    answers = os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    return requests, answers


if __name__ == "__main__":
    sys.exit(main())
