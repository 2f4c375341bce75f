"""Test the real app as `tutor serve` starts it, connected through pipes instead of a browser."""

from __future__ import annotations

import argparse
import asyncio
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import cast
from unittest.mock import patch

import pyte
import pytest
from aiohttp.web import WebSocketResponse
from textual_serve.app_service import AppService

from tutor import paths
from tutor.cli.main import main, parser
from tutor.cli.serve import command
from tutor.cli.serve.command import launch_for
from tutor.cli.serve.session import Launch, Session, Size
from tutor.settings.catalogue import ENTRIES
from tutor.settings.file import config_file

if sys.platform == "win32":
    pytest.skip("tutor serve does not work on Windows", allow_module_level=True)

DEADLINE = 60.0


class Screen:
    """A fake connection to a tab that draws the app's output on a terminal emulator."""

    def __init__(self, size: Size) -> None:
        self.screen = pyte.Screen(*size)
        self._stream = pyte.ByteStream(self.screen)
        self._changed = asyncio.Event()
        self.bytes = b""

    async def send_bytes(self, data: bytes) -> None:
        self.bytes += data
        self._stream.feed(data)
        self._changed.set()

    async def close(self) -> None:
        pass

    @property
    def text(self) -> str:
        return "\n".join(self.screen.display)

    async def until(self, condition: Callable[[str], bool]) -> None:
        try:
            async with asyncio.timeout(DEADLINE):
                while not condition(self.text):
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            raise AssertionError(f"not on the screen:\n{self.text}") from None

    async def wait_for(self, text: str) -> None:
        await self.until(lambda shown: text in shown)


@pytest.fixture(autouse=True)
def _own_environment() -> Iterator[None]:
    """Undo what `main` changes in the environment."""
    with patch.dict(os.environ):
        yield


def options(*arguments: str) -> argparse.Namespace:
    """Return the options that `tutor serve` gets."""
    found: list[argparse.Namespace] = []
    with patch.object(command, "run", found.append):
        assert main(arguments) == 0
    return found[0]


@asynccontextmanager
async def running(launch: Launch, size: Size) -> AsyncIterator[tuple[Session, Screen]]:
    session, screen = Session(launch), Screen(size)
    session.connect(cast(WebSocketResponse, screen))
    await session.start(*size)
    try:
        yield session, screen
    finally:
        await session.stop()


@pytest.mark.parametrize(
    ("confined", "size"),
    [(True, Size(40, 12)), (False, Size(80, 24))],
    ids=["guest", "owner"],
)
async def test_the_app_shows_its_screen_and_takes_keys(confined: bool, size: Size) -> None:
    launch = launch_for(options("serve"), "web-1", confined=confined)
    async with running(launch, size) as (session, screen):
        await screen.wait_for("Welcome to tutor")
        assert b"\x1b[38;2;" in screen.bytes  # in true color
        await session.send_bytes(b"\x1b")
        await screen.wait_for("From rules")


async def test_a_new_size_arrives(tmp_path: Path) -> None:
    launch = launch_for(options("serve"), "web-1", confined=True)
    async with running(launch, Size(80, 24)) as (session, screen):
        await screen.wait_for("? help")
        screen.screen.resize(12, 40)
        await session.set_terminal_size(40, 12)
        await screen.until(lambda text: "help" in text.splitlines()[11])


@pytest.mark.slow
@pytest.mark.parametrize(("theme", "sequence"), [("light", "11;#FBFAF8"), ("terminal", "111")])
async def test_the_margin_of_the_page_has_the_color_of_the_theme(theme: str, sequence: str) -> None:
    launch = launch_for(options("--theme", theme, "serve"), "me", confined=False)
    async with running(launch, Size(80, 24)) as (_, screen):
        await screen.wait_for("Welcome to tutor")
        assert f"\x1b]{sequence}\x1b\\".encode() in screen.bytes


async def test_a_guest_cannot_leave_the_app(tmp_path: Path) -> None:
    """The process that draws the screen is confined as a kiosk is, and its engine has no keys."""
    os.environ["OPENAI_API_KEY"] = "secret"
    try:
        launch = launch_for(options("serve"), "web-1", confined=True)
        assert "--kiosk" in launch.command
        assert "OPENAI_API_KEY" not in launch.environment
        own = launch_for(options("serve"), "me", confined=False)
        assert "--kiosk" not in own.command
        assert own.environment["OPENAI_API_KEY"] == "secret"
    finally:
        del os.environ["OPENAI_API_KEY"]


async def test_the_app_gets_the_options_of_the_server(tmp_path: Path) -> None:
    launch = launch_for(
        options("--ascii", "--low-bandwidth", "--idle-limit=5", "serve", "--model=tiny"),
        "web-1",
        confined=True,
    )
    app = parser().parse_args(launch.command[4:])
    assert (app.learner, app.model, app.kiosk) == ("web-1", "tiny", True)
    assert (app.ascii, app.low_bandwidth, app.idle_limit) == (True, True, 5.0)
    assert app.data_folder == Path(os.environ["TUTOR_DATA"])
    assert app.shared_folder == Path(os.environ["TUTOR_SHARED"])


def own_config(text: str) -> Path:
    """Write the server's config.toml."""
    file = config_file()
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return file


def test_the_owner_has_the_settings_of_the_server_and_each_visitor_has_others(
    tmp_path: Path,
) -> None:
    os.environ["TUTOR_CONFIG"] = str(tmp_path / "own" / "config.toml")
    own = own_config('theme = "light"\n')
    launches = {
        name: launch_for(options("serve"), name, confined=name != "me")
        for name in ("me", "web-1", "web-2")
    }
    files = {name: Path(launch.environment["TUTOR_CONFIG"]) for name, launch in launches.items()}
    assert files == {
        "me": own,
        "web-1": paths.learner_folder("web-1") / "config.toml",
        "web-2": paths.learner_folder("web-2") / "config.toml",
    }


@pytest.mark.slow
async def test_a_setting_that_a_visitor_changes_is_only_theirs() -> None:
    own = own_config('theme = "light"\n')
    theirs = paths.learner_folder("web-1") / "config.toml"
    async with running(launch_for(options("serve"), "web-1", confined=True), Size(80, 24)) as (
        session,
        screen,
    ):
        await screen.wait_for("Welcome to tutor")
        await session.send_bytes(b"\x1b")
        await screen.wait_for("From rules")
        await session.send_bytes(b",")
        await screen.wait_for("config.toml")
        await session.send_bytes(b"\x1b[C")
        await screen.until(lambda text: theirs.exists())
    assert theirs.read_text() == 'theme = "dark"\n'
    assert own.read_text() == 'theme = "light"\n'


@pytest.mark.parametrize("confined", [True, False], ids=["guest", "owner"])
def test_the_app_gets_every_setting_that_was_an_option_or_a_variable(confined: bool) -> None:
    os.environ |= {"TUTOR_MOUSE": "off", "TUTOR_MODEL": "tiny"}
    before = ("--theme=light", "--screen-reader", "--language=de", "--plain")
    launch = launch_for(options(*before, "serve"), "me", confined=confined)
    app = parser().parse_args(launch.command[4:])
    assert (app.theme, app.mouse, app.screen_reader) == ("light", "off", True)
    assert (app.language, app.model) == ("de", "tiny")
    assert (app.ascii, app.low_bandwidth, app.plain) == (False, False, False)


@pytest.mark.parametrize("confined", [True, False], ids=["guest", "owner"])
def test_the_settings_of_the_file_are_neither_options_nor_variables(confined: bool) -> None:
    """Otherwise, the settings screen would say that they are overridden."""
    text = 'theme = "light"\nlanguage = "de"\nmodel = "tiny"\nascii = true\nlow_bandwidth = true\n'
    own_config(text)
    os.environ["TUTOR_LANGUAGE"] = "de"  # as when the module `tutor.cli` has been imported
    launch = launch_for(options("serve"), "me", confined=confined)
    names = {argument.partition("=")[0] for argument in launch.command[4:]} - {"--kiosk"}
    assert names == {"--learner", "--data", "--shared"}
    assert not {entry.variable for entry in ENTRIES.values()} & set(launch.environment)


def test_the_app_ends_when_the_server_does() -> None:
    """Textual's driver only stops reading."""
    launch = launch_for(options("serve"), "web-1", confined=True)
    app = subprocess.Popen(
        [*launch.command, "--browser", "80x24"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=launch.environment,
    )
    with app:
        assert app.stdin is not None
        assert app.stdout is not None
        assert app.stdout.readline() == b"__GANGLION__\n"
        app.stdin.close()
        app.stdout.close()
        assert app.wait(DEADLINE) == 0


@pytest.mark.parametrize("line", [(), ("--low-bandwidth",)], ids=["fast", "slow"])
def test_the_app_does_not_wait_for_a_browser_that_reads_nothing(line: Sequence[str]) -> None:
    """The output fills the pipe, and nothing reads on until the learner's key has had an effect."""
    launch = launch_for(options(*line, "serve"), "web-1", confined=True)
    state = paths.learner_folder("web-1") / "progress.json"
    with subprocess.Popen(
        [*launch.command, "--browser", "300x100"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=launch.environment,
        pipesize=4096,
        bufsize=0,
    ) as app:
        assert app.stdin is not None
        assert app.stdout is not None
        shown = b""
        while b"Welcome" not in shown:
            shown += app.stdout.read(1024)
        app.stdin.write(AppService.encode_packet(b"D", b"\x1b"))  # skips the tour
        end = time.monotonic() + DEADLINE
        while not (state.exists() and "tour.seen" in state.read_text()):
            assert time.monotonic() < end
        shown = b""
        while b"From rules" not in shown:  # the app ends at once when its input ends
            shown += app.stdout.read(1024)
        app.stdin.close()
        app.stdout.read()
        assert app.wait(DEADLINE) == 0


async def test_hostile_input_does_not_end_the_app() -> None:
    launch = launch_for(options("serve"), "web-1", confined=True)
    async with running(launch, Size(80, 24)) as (session, screen):
        await screen.wait_for("Welcome to tutor")
        for data in (b"\xff\xfe", b"\x1b[<0;1;1M", b"\x1b[8;0;0t", b"\x1b[9999999999u", b"\x00"):
            await session.send_bytes(data)
        await session.send_bytes(b"\x1b")
        await screen.wait_for("From rules")


async def test_the_session_ends_when_the_learner_quits() -> None:
    launch = launch_for(options("serve"), "web-1", confined=True)
    async with running(launch, Size(80, 24)) as (session, screen):
        await screen.wait_for("Welcome to tutor")
        await session.send_bytes(b"\x03")
        async with asyncio.timeout(DEADLINE):
            await session.ended.wait()
