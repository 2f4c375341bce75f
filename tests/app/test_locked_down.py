"""Test that a locked-down login offers no forbidden actions, and refuses them when called."""

from __future__ import annotations

import asyncio
import importlib
import inspect
import pkgutil
import re
import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import tutor.app
import tutor.labs
from tests.app.explorer.explorer_stage import shown
from tests.app.whole_app import keys, sees, until, whole_app
from tests.engine.fake_engine import FakeEngine
from tests.labs.lab_stage import BackendEngine
from tutor.allowed import EVERYTHING, LOCKED_DOWN, Allowed
from tutor.app.background.keeper import ModelKeeper
from tutor.app.home.screen import HomeScreen
from tutor.app.labs.screen import LabScreen
from tutor.errors import DownloadFailed, NotInThisLogin
from tutor.labs.kit import registry
from tutor.vendors.catalogue import remote_model

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.pilot import Pilot

    from tutor.app.app import TutorApp
    from tutor.engine.requests import AnswerKind
    from tutor.engine.wire import Request
    from tutor.models.report import Pulled, PullProgress

APP = Path(__file__).parents[2] / "tutor" / "app"

NOT_OFFERED = {
    "fetch": {"ModelScreen"},
    "add": {"CompareView", "ScaleView", "PromptingView", "WhyView"},
    "open_tokenizer": {"TokensView"},
}
"""Actions that download a model, query a server the host has not named, or read a file, and the
classes that bind keys to them. In `WhyView`, the action adds a token."""
TEXTUAL_HAS = {
    *("screenshot", "suspend_process", "change_theme", "show_help_panel"),
    *("toggle_dark", "simulate_key", "notify", "run_command"),
}
"""Textual's own actions, to which none of our keys may be bound."""


class SilentEngine(FakeEngine):
    """An engine that never answers, so that each lab stays in its initial state."""

    async def ask(
        self, expected: type[AnswerKind], request: Callable[[int], Request]
    ) -> AnswerKind:
        return await asyncio.get_running_loop().create_future()


async def no_network(_: Callable[[PullProgress], None]) -> Pulled:
    raise DownloadFailed("No network.", "Wait.")


def name_of(action: str) -> str:
    """Return the bare name of an action, such as `open` for `app.open('review')`."""
    return re.sub(r"\(.*", "", action).rpartition(".")[2]


async def offered(app: TutorApp, pilot: Pilot[None]) -> set[str]:
    """Return the actions of every key, on every screen and in every lab."""
    found: set[str] = set()

    def take() -> None:
        for active in app.screen.active_bindings.values():
            if active.enabled:
                found.add(name_of(active.binding.action))

    async def home() -> None:
        while not isinstance(app.screen, HomeScreen):
            app.pop_screen()
            await pilot.pause()

    ways = ("r", "s", "c", "g", "l", "p", "m", "v", "slash", "question_mark")
    for way in (*ways, "enter", "enter a", "s e", "s s", "s t", "s w", "s x"):
        await keys(pilot, *way.split())
        take()
        await home()
    for name in registry.names():
        app.navigator.open_live_lab(name)
        await until(pilot, lambda: isinstance(app.screen, LabScreen))
        for key in ("tab", "e"):
            take()
            await keys(pilot, key)
        take()
        await home()
    return found


@pytest.mark.slow
@pytest.mark.parametrize("kind", [SilentEngine, BackendEngine])
@pytest.mark.parametrize("allowed", [EVERYTHING, LOCKED_DOWN], ids=["everything", "locked-down"])
async def test_no_key_has_a_forbidden_action(
    tmp_path: Path, allowed: Allowed, kind: type[FakeEngine]
) -> None:
    app = whole_app(tmp_path, kind(), allowed=allowed, model_missing=lambda: True, fetch=no_network)
    async with app.run_test(size=(80, 24)) as pilot:
        await sees(pilot, "Begin")
        found = await offered(app, pilot)
    assert {
        "take",
        "ask",
        "edit",
        "submit",
        "restart",
        "write",
    } <= found  # every screen was visited
    assert not found & TEXTUAL_HAS
    assert found & set(NOT_OFFERED) == (set(NOT_OFFERED) if allowed is EVERYTHING else set())


def test_the_classes_with_forbidden_actions_are_known() -> None:
    leading: dict[str, set[str]] = {}
    modules = (
        *pkgutil.walk_packages(tutor.app.__path__, "tutor.app."),
        *pkgutil.walk_packages(tutor.labs.__path__, "tutor.labs."),
    )
    for module in modules:
        if module.name.startswith("tutor.labs.") and not module.name.endswith(".view"):
            continue
        for _, kind in inspect.getmembers(importlib.import_module(module.name), inspect.isclass):
            if kind.__module__ != module.name:
                continue
            for binding in vars(kind).get("BINDINGS", ()):
                action = name_of(binding.action)
                assert action not in TEXTUAL_HAS
                if action in NOT_OFFERED:
                    leading.setdefault(action, set()).add(kind.__name__)
    assert leading == NOT_OFFERED


@pytest.mark.parametrize("allowed", [EVERYTHING, LOCKED_DOWN])
async def test_the_model_screen_says_how_to_use_another_model(
    tmp_path: Path, allowed: Allowed
) -> None:
    app = whole_app(tmp_path, allowed=allowed)
    async with app.run_test(size=(80, 24)) as pilot:
        await sees(pilot, "Fake-1K ●")
        await keys(pilot, "m")
        await sees(pilot, "restart")
        assert ("`tutor model list`" in shown(app)) == (allowed is EVERYTHING)


@pytest.mark.parametrize("allowed", [EVERYTHING, LOCKED_DOWN], ids=["everything", "locked-down"])
async def test_forbidden_actions_have_no_keys_when_locked_down(
    tmp_path: Path, allowed: Allowed
) -> None:
    app = whole_app(
        tmp_path, SilentEngine(), allowed=allowed, model_missing=lambda: True, fetch=no_network
    )
    async with app.run_test(size=(80, 24)) as pilot:
        await sees(pilot, "Begin")
        await keys(pilot, "m")
        await sees(pilot, "restart")
        assert ("f download" in shown(app)) == (allowed is EVERYTHING)
        for lab, sign in (("compare", "space choose"), ("scale", "ladder"), ("prompting", "parts")):
            app.navigator.open_live_lab(lab)
            await until(pilot, lambda: isinstance(app.screen, LabScreen))
            await sees(pilot, sign)
            offered = {active.binding.action for active in app.screen.active_bindings.values()}
            assert ("add" in offered) == (allowed is EVERYTHING)
            await keys(pilot, "a")
            asks = "Model name and server address" in shown(app)
            assert asks == (allowed is EVERYTHING)


@pytest.mark.parametrize("allowed", [EVERYTHING, LOCKED_DOWN], ids=["everything", "locked-down"])
async def test_no_file_is_opened_when_locked_down(tmp_path: Path, allowed: Allowed) -> None:
    app = whole_app(tmp_path, SilentEngine(), allowed=allowed, fetch=no_network)
    async with app.run_test(size=(80, 24)) as pilot:
        await sees(pilot, "Begin")
        app.navigator.open_live_lab("tokens")
        await until(pilot, lambda: isinstance(app.screen, LabScreen))
        await keys(pilot, "a")
        assert ("tokenizer.json" in shown(app)) == (allowed is EVERYTHING)


async def test_no_model_is_downloaded(tmp_path: Path) -> None:
    keeper = ModelKeeper(FakeEngine(), lambda _: None, missing=lambda: True, may_fetch=False)
    await keeper.start()
    assert keeper.status.small
    assert keeper.status.fetch is None
    with pytest.raises(NotInThisLogin, match="cannot download models"):
        keeper.fetch()


async def test_only_the_server_that_the_host_named_is_queried(tmp_path: Path) -> None:
    hosts = remote_model("openai:theirs", "http://models.example/v1")
    here = remote_model("openai:mine", "http://127.0.0.1:9/v1")
    engine = FakeEngine()
    app = whole_app(tmp_path, engine, allowed=LOCKED_DOWN, remote=hosts)
    async with app.run_test() as pilot:
        await sees(pilot, "Begin")
        agreed = app.services.agreed
        assert not await agreed(here, "A word")
        asking = app.run_worker(agreed(hosts, "A word"))
        await sees(pilot, "If you agree, this leaves your machine")
        await keys(pilot, "y")
        assert await asking.wait()


@pytest.mark.parametrize("allowed", [EVERYTHING, LOCKED_DOWN])
async def test_an_address_is_shown_and_never_opened(
    tmp_path: Path, allowed: Allowed, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    monkeypatch.setattr(webbrowser, "open", opened.append)
    app = whole_app(tmp_path, allowed=allowed)
    async with app.run_test() as pilot:
        await sees(pilot, "Begin")
        app.open_url("https://example.org/x")
        await sees(pilot, "https://example.org/x")
    assert opened == []


TOUCHES = re.compile(
    r"\bsubprocess\b|\bwebbrowser\b|os\.(exec|spawn|system|popen|fork|startfile)|\.suspend\("
    r"|\.(write_text|write_bytes|read_text|read_bytes|mkdir|unlink|rename)\(|\bPath\("
    r"|(?<!def )(?<![.\w\"'])open\(['\"a-z]|\.open\(['\"]|deliver_|save_screenshot"
)


def test_the_modules_that_use_files_or_programs_are_known() -> None:
    """Check that the app uses files and programs only where we know it.

    If you add a module here, decide what a locked-down login does about it (`tutor.allowed`), and
    document that in docs/kiosk.md.
    """
    found = {
        str(file.relative_to(APP))
        for file in APP.rglob("*.py")
        if TOUCHES.search(file.read_text("utf-8"))
    }
    assert found == {
        "terminal/external_editor.py",  # `Allowed.other_programs`
        "terminal/remote_terminal.py",  # likewise
        "background/fetch.py",  # `ModelKeeper.fetch`, if that is allowed
    }
