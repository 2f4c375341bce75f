"""Implement `tutor serve`, which runs the app in web browsers.

Each learner has their own address and progress.
"""

from __future__ import annotations

import argparse
import asyncio
import errno
import os
import signal
import socket
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from tutor import paths, private
from tutor.cli import lockdown, output
from tutor.errors import TutorError, UsageError
from tutor.installation import install_command
from tutor.models.find import HUB_PREFIX
from tutor.settings import file as settings_file
from tutor.settings.catalogue import ENTRIES
from tutor.vendors.catalogue import base_url_variables

if TYPE_CHECKING:
    from pathlib import Path

    from tutor.cli.serve.session import Launch
    from tutor.settings.effective import Effective

PORT = 8000
SESSIONS = 8


class ServeError(TutorError, title="The server cannot start"):
    """The web server cannot listen on its address, or its packages are not installed."""


def add_to(
    commands: Any, for_learner: argparse.ArgumentParser, for_model: argparse.ArgumentParser
) -> None:
    parser = commands.add_parser(
        "serve",
        parents=[for_learner, for_model],
        allow_abbrev=False,
        help="run the app in web browsers",
        description="Run the app in web browsers. tutor prints an address that opens your own "
        "progress. Every other visitor gets a separate address, and is locked down as with "
        "--kiosk. Only browsers on this machine can connect, unless you use --host. Press Ctrl+C "
        "to stop. See docs/serve.md.",
    )
    parser.add_argument(
        "--port", type=_port, default=PORT, help=f"the port to listen on (default: {PORT})"
    )
    parser.add_argument(
        "--host",
        default="127.0.0.1",
        help="the address to listen on; 0.0.0.0 lets every machine on the network connect, "
        "without encryption (default: 127.0.0.1, only this machine)",
    )
    parser.add_argument(
        "--url", type=_url, help="the address of a proxy through which browsers connect"
    )
    parser.add_argument(
        "--sessions",
        type=_count,
        default=SESSIONS,
        metavar="N",
        help=f"the maximum number of simultaneous sessions (default: {SESSIONS})",
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Run the server until a signal arrives. Raises `ServeError` and `UsageError`."""
    if sys.platform == "win32":
        raise UsageError(
            "tutor serve does not work on Windows.", "Use it on Linux or macOS, or in WSL."
        )
    if (options.model or "").startswith(HUB_PREFIX):
        raise UsageError(
            "tutor serve does not download models.", "Use a model that is on this machine."
        )
    try:
        import textual_serve  # noqa: F401
    except ImportError:
        raise ServeError(
            "The package textual-serve is not installed.",
            f"Install it with: {install_command('serve')}",
        ) from None
    private.begin()
    with suppress(KeyboardInterrupt):
        asyncio.run(_serve(options))
    return 0


async def _serve(options: argparse.Namespace) -> None:
    from aiohttp import web

    from tutor.cli.serve.server import Server, is_loopback
    from tutor.cli.serve.session import Sessions
    from tutor.cli.serve.tokens import Tokens, stored_key

    local = is_loopback(options.host) and options.url is None
    listening = _listening(options.host, options.port)
    port = listening.getsockname()[1]
    tokens = Tokens(stored_key(paths.browser_key()), options.learner)

    def launch(learner: str) -> Launch:
        return launch_for(options, learner, confined=not local or learner != options.learner)

    sessions = Sessions(options.sessions, launch)
    server = Server(tokens, sessions, _names(options, port))
    runner = web.AppRunner(
        server.application(), access_log=None, handle_signals=False, shutdown_timeout=2.0
    )
    await runner.setup()
    try:
        await web.SockSite(runner, listening).start()
        asked_to_end = _signals()
        _tell(options, port, tokens.of_owner, local=local)
        await asked_to_end.wait()
    finally:
        await runner.cleanup()


def _signals() -> asyncio.Event:
    """Return an event that is set when a signal asks this process to exit."""
    asked = asyncio.Event()
    signals = [signal.SIGINT, signal.SIGTERM]
    if sys.platform != "win32":
        signals.append(signal.SIGHUP)
    for each in signals:
        asyncio.get_running_loop().add_signal_handler(each, asked.set)
    return asked


def launch_for(options: argparse.Namespace, learner: str, *, confined: bool) -> Launch:
    """Return the command and environment for starting the app for a learner.

    A confined app has a clean environment, so its command line contains all the options that it
    needs.
    """
    from tutor.cli.serve.session import Launch

    given = {
        "--learner": learner,
        "--data": paths.data_folder(),
        "--shared": paths.shared_folder(),
        "--device": options.device,
        "--course": options.course and options.course.absolute(),
        "--idle-limit": options.idle_limit,
    }
    command = [sys.executable, "-P", "-m", "tutor"]
    command += [f"{name}={value}" for name, value in given.items() if value is not None]
    command += [*_chosen(options.settings), *(["--kiosk"] if confined else [])]
    environment = lockdown.clean(os.environ) if confined else dict(os.environ)
    # These variables describe how the server was started, not the learner's terminal, and some were
    # set from the server's config.toml. The app gets its settings as options instead.
    for name in (*lockdown.OF_SSHD, *(entry.variable for entry in ENTRIES.values())):
        environment.pop(name, None)
    environment |= base_url_variables()
    if confined and sys.platform != "win32":
        from tutor.engine.shared import address

        if (shared := address.find()) is not None:
            environment["TUTOR_ENGINE"] = str(shared)
    environment[settings_file.VARIABLE] = str(_config_file(options, learner))
    return Launch(command, environment | {"LC_ALL": "C.UTF-8"})


def _chosen(settings: Effective) -> list[str]:
    """Convert the settings from this command's options and environment to options for the app.

    Values from config.toml are left out, because they apply only to the owner, whose app reads the
    file itself. Plain mode is left out too, because a page always shows the screen.
    """
    options = []
    for name, entry in ENTRIES.items():
        chosen = settings.source(name) in ("option", "environment")
        if chosen and entry.option.startswith("--") and name != "plain":
            value = settings.value(name)
            options.append(entry.option if value is True else f"{entry.option}={value}")
    return options


def _config_file(options: argparse.Namespace, learner: str) -> Path:
    """Return the path of a learner's settings file. Only the owner uses the server's own file."""
    if learner == options.learner:
        return settings_file.config_file()
    return paths.learner_folder(learner, options.course) / "config.toml"


def _listening(host: str, port: int) -> socket.socket:
    """Return a socket that listens on `host` and `port`. Raises `ServeError`."""
    try:
        family, _, _, _, place = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listening = socket.create_server(place[:2], family=family)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise ServeError(
                f"Port {port} is already in use.",
                "Choose another one with --port, or use --port 0 for any free port.",
            ) from error
        if error.errno == errno.EACCES:
            raise ServeError(
                f"You are not allowed to use port {port}.", "Choose a port above 1023 with --port."
            ) from error
        raise ServeError(
            f"This machine has no address {host!r}.",
            "Use --host with an address of this machine, or with 0.0.0.0 for all of them.",
        ) from error
    listening.setblocking(False)
    return listening


def _names(options: argparse.Namespace, port: int) -> frozenset[str] | None:
    """Return the host names that browsers can use to reach the server, or None for any name."""
    from tutor.cli.serve.server import is_loopback

    if not is_loopback(options.host):
        return None
    hosts = ("127.0.0.1", "localhost", "[::1]", _in_url(options.host))
    names = {f"{host}:{port}" for host in hosts} | ({*hosts} if port == 80 else set())
    if options.url is not None:
        names.add(urlsplit(options.url).netloc.lower())
    return frozenset(names)


def _in_url(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _tell(options: argparse.Namespace, port: int, token: str, *, local: bool) -> None:
    """Print the addresses, and a warning if other machines can connect."""
    host = socket.gethostname() if options.host in ("0.0.0.0", "::") else options.host
    url = options.url or f"http://{_in_url(host)}:{port}"
    output.write(f"Your own progress:  {url}/learn/{token}/")
    output.write(f"Other learners:     {url}/")
    output.write("Keep your own address to yourself. Press Ctrl+C to stop.")
    if not local and not url.startswith("https://"):
        output.note(
            "Warning: other machines can connect, and nothing is encrypted. Anyone who can read "
            "the network traffic can see what learners type, and can copy their addresses and "
            "change their progress. Use a proxy with HTTPS outside a network that you trust "
            "(docs/serve.md)."
        )
    output.flush()


def _port(text: str) -> int:
    return _number(text, 0, 65_535)


def _count(text: str) -> int:
    return _number(text, 1, 1_000)


def _number(text: str, least: int, most: int) -> int:
    number = int(text) if text.isdecimal() else -1
    if not least <= number <= most:
        raise argparse.ArgumentTypeError(f"{text[:20]!r} is not a number from {least} to {most:,}")
    return number


def _url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise argparse.ArgumentTypeError(f"{text[:60]!r} is not a URL that starts with https://")
    return text.rstrip("/")
