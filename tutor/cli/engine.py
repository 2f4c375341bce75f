"""Implement `tutor engine`, which runs one engine for all learners on a machine."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from tutor import paths
from tutor.cli import output
from tutor.engine.shared.limits import add_limits, limits_of
from tutor.errors import EngineError, NoSharedEngine
from tutor.language import _

if TYPE_CHECKING:
    from tutor.engine.wire import EngineLoad

PATIENCE = 10.0
"""The number of seconds to wait for a shared engine to report its load."""


def add_to(commands: Any, for_model: argparse.ArgumentParser) -> None:
    parser = commands.add_parser(
        "engine",
        parents=[for_model],
        allow_abbrev=False,
        help=_("run one engine for all learners on this machine"),
        description=_(
            "Run one engine for all learners on this machine, so that the model is "
            "loaded only once. Each learner's tutor connects to the engine's socket automatically. "
            "The engine restarts if it crashes. Press Ctrl+C to stop it. See docs/hosting.md."
        ),
    )
    parser.add_argument(
        "--socket", type=Path, metavar="PATH", help=_("the path of the engine's socket")
    )
    parser.add_argument("--status", action="store_true", help=_("show the running engine's load"))
    parser.add_argument("--json", action="store_true", help=_("with --status: print JSON"))
    add_limits(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    return tell_status(options) if options.status else serve(options)


def serve(options: argparse.Namespace) -> int:
    if sys.platform == "win32":
        raise _not_on_windows()
    from tutor.engine.shared import address as place
    from tutor.engine.shared.__main__ import serve as serve_here
    from tutor.engine.shared.supervisor import supervise

    limits = limits_of(options)
    socket = place.inherited()
    if socket is not None:  # systemd has opened the socket, and will restart this process.
        return serve_here(socket, options.model, limits)
    path = _place(options)
    with place.listening(path) as listening:
        output.write(_("Listening on {path}. Press Ctrl+C to stop.").format(path=path))
        output.flush()
        supervise(listening, options.model, limits, on_end=output.note)
    return 0


def tell_status(options: argparse.Namespace) -> int:
    load = asyncio.run(_ask(options))
    if options.json:
        output.write_json(msgspec.structs.asdict(load))
    else:
        for line in _in_words(load):
            output.write(line)
    return 0


async def _ask(options: argparse.Namespace) -> EngineLoad:
    """Return the load of the running engine. Raises `NoSharedEngine`."""
    if sys.platform == "win32":
        raise _not_on_windows()
    from tutor.engine.connection import load_of
    from tutor.engine.shared import address as place

    path = options.socket.absolute() if options.socket else place.find()
    if path is None:
        raise NoSharedEngine(
            "No shared engine is running on this machine.", "Start one with `tutor engine`."
        )
    async with asyncio.timeout(PATIENCE):
        return await load_of(path)


def _not_on_windows() -> EngineError:
    return EngineError(
        "Shared engines do not work on Windows.", "On Windows, each tutor starts its own engine."
    )


def _place(options: argparse.Namespace) -> Path:
    """Return the path of the socket to listen on.

    Without `--socket`, root gets the machine-wide socket, and other users get a socket for their
    own account.
    """
    if options.socket is not None:
        return Path(options.socket).absolute()
    usual = paths.engine_sockets()
    if not usual:
        raise EngineError(
            'TUTOR_ENGINE is "own", which switches shared engines off.',
            "Unset it, or set the path of a socket with --socket.",
        )
    root = sys.platform != "win32" and os.getuid() == 0
    return usual[-1] if root else usual[0]


def _in_words(load: EngineLoad) -> list[str]:
    share = load.busy / load.up if load.up else 0.0
    computed = _("{cached:.0f} MB of key-value caches").format(cached=load.cached / 1e6)
    return [
        _("tutor {version}, {value}").format(
            version=load.version, value=load.model or _("loading its model")
        ),
        _("learners connected  {learners} from {accounts} accounts").format(
            learners=load.learners, accounts=load.accounts
        ),
        _("texts open          {sessions}, {computed}").format(
            sessions=load.sessions, computed=computed
        ),
        _("requests waiting    {waiting}").format(waiting=load.waiting),
        _("networks training   {trainings}").format(trainings=load.trainings),
        _("tokens processed    {steps:,}, {together:,} of them in batches").format(
            steps=load.steps, together=load.together
        ),
        _("busy                {share:.0%} of {time}").format(share=share, time=_time(load.up)),
    ]


def _time(seconds: float) -> str:
    minutes = int(seconds // 60)
    if minutes >= 60:
        return _("{minutes} h {minutes2} min").format(minutes=minutes // 60, minutes2=minutes % 60)
    return _("{minutes} min").format(minutes=minutes) if minutes else f"{seconds:.0f} s"
