"""Test that tutor does not need anything that Windows lacks.

This is not a test on Windows. Types are also checked for it: `mypy --platform win32` in `make
check`.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

AS_ON_WINDOWS = """
import asyncio, os, pathlib, signal, subprocess, sys
import filelock, jinja2, numpy, platformdirs, safetensors, textual.app, torch
import textual.drivers.headless_driver, textual.pilot

for module, names in {
    signal: "SIGHUP pthread_sigmask sigwait SIG_BLOCK",
    os: "killpg sysconf sysconf_names nice getuid geteuid fork",
}.items():
    for name in names.split():
        delattr(module, name)
sys.platform = "win32"
really_open = os.open

def open_no_folder(path, *rest, **more):
    if os.path.isdir(path):
        raise PermissionError(13, "Permission denied", path)
    return really_open(path, *rest, **more)

os.open = open_no_folder
os.environ.pop("TERM", None)
"""

START = (
    AS_ON_WINDOWS
    + """
from tutor.app import lifetime
from tutor.app.start import make_app
from tutor.cli.app import check_terminal

for stream in (sys.stdin, sys.stdout, sys.stderr):
    assert stream is not None
    stream.isatty = lambda: True
check_terminal()
app = make_app()
run_async = app.run_async

async def leave_when_ready(mouse):
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("m")
        await pilot.pause()
        app.exit(return_code=7)

app.run_async = leave_when_ready
print(lifetime.run(app))
"""
)

LOAD = (
    AS_ON_WINDOWS
    + """
from tutor.cli import main
from tutor.lm.fast.free_memory import available_memory
available_memory()
import tutor.engine.__main__
print(main(["model", "list"]), main(["step", "hello", "--model", sys.argv[1]]))
"""
)

FETCH = (
    AS_ON_WINDOWS
    + """
from tutor.cli.interrupted import on_signals
from tutor.cli.model.command import ENDING
from tutor.app.background.fetch import fetch_model
from tutor.private import sync_folder
sync_folder(pathlib.Path.cwd())
with on_signals(sys.exit, *ENDING):
    pass

async def stopped():
    fetch = asyncio.create_task(
        fetch_model(print, (sys.executable, "-c", "import time; time.sleep(600)"))
    )
    await asyncio.sleep(0.5)
    fetch.cancel()
    try:
        await fetch
    except asyncio.CancelledError:
        print("stopped")

asyncio.run(stopped())
"""
)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Windows already lacks these modules")
@pytest.mark.parametrize(
    ("program", "says"),
    [(START, "7"), (LOAD, "0 0"), (FETCH, "stopped")],
    ids=["start", "load", "fetch"],
)
def test_without_the_modules_that_windows_lacks(tmp_path: Path, program: str, says: str) -> None:
    from tests.tiny_model import write_tiny_folder

    nothing = str(tmp_path / "no-such-model.gguf")  # so that nothing is downloaded
    result = subprocess.run(
        [sys.executable, "-c", program, str(write_tiny_folder(tmp_path / "tiny"))],
        env=os.environ | {"TUTOR_DATA": str(tmp_path / "data"), "TUTOR_MODEL": nothing},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout.rstrip().splitlines()[-1] == says
