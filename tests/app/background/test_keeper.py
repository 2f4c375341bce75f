"""Test how the model is downloaded in the background and then used."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from tests.app.explorer.explorer_stage import shown
from tests.app.whole_app import keys, sees, until, whole_app
from tests.engine.fake_engine import CARD, FakeEngine
from tutor.app.background.fetch import fetch_model
from tutor.app.background.status import ModelStatus
from tutor.app.model import screen
from tutor.app.model.screen import describe
from tutor.engine.api import EngineState
from tutor.errors import DownloadFailed, EngineError, ModelDamaged
from tutor.models.report import Pulled, PullProgress

if TYPE_CHECKING:
    from collections.abc import Callable

    from tutor.app.app import TutorApp

PROGRESS = '{"event":"progress","stage":"fetching","done":25,"total":100,"detail":""}'
PULLED = '{"event":"pulled","path":"/models/x.gguf","fetched":true}'
FAILED = '{"event":"failed","kind":"DownloadFailed","happened":"No network.","next_step":"Wait."}'


def script(*lines: str, then: str = "") -> tuple[str, ...]:
    """Return a command that prints `lines`, in place of `tutor model pull --json`."""
    printing = "".join(f"print({line!r}, flush=True)\n" for line in lines)
    return (sys.executable, "-c", printing + then)


def waiting_for(file: Path) -> tuple[str, ...]:
    """Return a command that downloads the model as soon as the file exists."""
    wait = f"import os, time\nwhile not os.path.exists({str(file)!r}): time.sleep(0.02)\n"
    return script(PROGRESS, then=wait + f"print({PULLED!r})")


WAIT = "import sys, time\ntime.sleep(600)"


def app_without_model(folder: Path, engine: FakeEngine, *commands: tuple[str, ...]) -> TutorApp:
    """Return an app whose default model is missing until a download succeeds.

    Each download runs the next of `commands`.
    """
    left = list(commands)
    brought = False

    async def fetch(on_progress: Callable[[PullProgress], None]) -> Pulled:
        nonlocal brought
        pulled = await fetch_model(on_progress, left.pop(0))
        brought = True
        return pulled

    return whole_app(folder, engine, model_missing=lambda: not brought, fetch=fetch)


async def test_a_download_reports_progress_and_the_model() -> None:
    heard: list[PullProgress] = []
    pulled = await fetch_model(heard.append, script(PROGRESS, "not json", PULLED))
    assert heard == [PullProgress("fetching", 25, 100)]
    assert pulled.path == "/models/x.gguf"


async def test_a_failed_download_raises_its_error() -> None:
    with pytest.raises(DownloadFailed, match="No network"):
        await fetch_model(lambda _: None, script(FAILED))
    damaged = FAILED.replace("DownloadFailed", "ModelDamaged")
    with pytest.raises(ModelDamaged):
        await fetch_model(lambda _: None, script(damaged))
    unknown = FAILED.replace("DownloadFailed", "SystemExit")
    with pytest.raises(DownloadFailed):
        await fetch_model(lambda _: None, script(unknown))


async def test_a_download_process_that_ends_early_is_a_failure() -> None:
    with pytest.raises(DownloadFailed, match="exit status 3"):
        await fetch_model(lambda _: None, script(PROGRESS, then="raise SystemExit(3)"))


async def test_the_model_is_downloaded_in_the_background_and_used(tmp_path: Path) -> None:
    go = tmp_path / "go"
    engine = FakeEngine(state=EngineState.STARTING)
    app = app_without_model(tmp_path / "me", engine, waiting_for(go))
    async with app.run_test(size=(80, 24)) as pilot:
        await sees(pilot, "downloading 25 %")
        await sees(pilot, "(93 MB, only once). To stop it, press m. A small bundled")
        await keys(pilot, "enter")
        await sees(pilot, "1 of 3")  # lessons work during the download
        go.touch()
        await until(pilot, lambda: engine.restarts == 1)
        await sees(pilot, f"{CARD.name} ●")


async def test_a_failed_download_is_reported_and_f_retries_it(tmp_path: Path) -> None:
    engine = FakeEngine(state=EngineState.STARTING)
    app = app_without_model(tmp_path, engine, script(FAILED), script(PULLED))
    async with app.run_test(size=(80, 24)) as pilot:
        await sees(pilot, "No network.")
        await sees(pilot, "small model ●")
        await keys(pilot, "m")
        await sees(pilot, "f download")
        await keys(pilot, "f")
        await until(pilot, lambda: engine.restarts == 1)
        assert "No network" not in shown(app)


async def test_a_download_can_be_stopped(tmp_path: Path) -> None:
    engine = FakeEngine(state=EngineState.STARTING)
    app = app_without_model(tmp_path, engine, script(PROGRESS, then=WAIT))
    async with app.run_test(size=(80, 24)) as pilot:
        await keys(pilot, "m")
        await sees(pilot, "x stop download")
        await keys(pilot, "x")
        await sees(pilot, "The download was stopped.")
        await sees(pilot, "f download")


async def test_the_model_screen_says_how_to_get_the_model(tmp_path: Path) -> None:
    engine = FakeEngine(state=EngineState.STARTING)
    app = app_without_model(tmp_path, engine, script(FAILED))
    async with app.run_test(size=(80, 24)) as pilot:
        await sees(pilot, "No network.")
        await keys(pilot, "m")
        await sees(pilot, "f download")
        said = " ".join(shown(app).split())
        assert "press f, or run `tutor model pull`." in said


async def test_the_model_screen_stops_offering_the_model_when_it_is_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    go = tmp_path / "go"
    engine = FakeEngine(state=EngineState.STARTING)
    app = app_without_model(tmp_path / "me", engine, waiting_for(go))
    monkeypatch.setattr(screen, "installed_default", lambda: go if go.exists() else None)
    async with app.run_test(size=(80, 24)) as pilot:
        await keys(pilot, "m")
        await sees(pilot, "x stop download")
        go.touch()
        await until(pilot, lambda: app.model_status.ready and engine.restarts == 1)
        assert "downloads the default model" not in " ".join(shown(app).split())


def words(status: ModelStatus, *, installed: bool = True, may_fetch: bool = True) -> str:
    """Return the text of the model screen on a wide terminal."""
    lines = describe(status, 400, others=True, installed=installed, may_fetch=may_fetch)
    return "\n".join(line.plain for line in lines)


def test_how_to_get_the_model_depends_on_what_is_allowed_and_in_use() -> None:
    small = ModelStatus(phase="ready", model=CARD, small=True)
    assert "To download it (93 MB, only once), press f" in words(small, installed=False)
    locked = words(small, installed=False, may_fetch=False)
    assert "The administrator of this machine can install it." in locked
    assert "press f" not in locked
    under_way = replace(small, fetch=PullProgress("fetching", 1, 3))
    assert "press f" not in words(under_way, installed=False)
    chosen = ModelStatus(phase="ready", model=CARD)
    pull = "`tutor model pull` downloads the default model"
    assert pull in words(chosen, installed=False)
    assert pull not in words(chosen)
    assert pull not in words(replace(chosen, served=True), installed=False)


async def test_the_end_of_the_engine_and_its_return_are_reported(tmp_path: Path) -> None:
    engine = FakeEngine(state=EngineState.STARTING)
    app = whole_app(tmp_path, engine)
    async with app.run_test(size=(80, 24)) as pilot:
        await sees(pilot, f"{CARD.name} ●")
        gone = EngineError("It was ended by signal 9.", "It is started again.")
        engine.become(EngineState.STARTING, "starting", gone)
        await sees(pilot, "The engine stopped. It was ended by signal 9.")
        await sees(pilot, "loading model ○")
        engine.become(EngineState.READY)
        await sees(pilot, "The model is ready again.")


@pytest.mark.parametrize(
    "status",
    [
        ModelStatus(),
        ModelStatus(phase="ready", model=CARD),
        ModelStatus(phase="ready", model=CARD, small=True),
        ModelStatus(phase="ready", model=CARD, small=True, fetch=PullProgress("fetching", 1, 3)),
        ModelStatus(phase="loading", detail="importing", fetch=PullProgress("waiting")),
        ModelStatus(phase="stopped", failure=EngineError("It died.", "Try again.")),
        ModelStatus(phase="ready", model=CARD, fetch_failure=DownloadFailed("No net.", "Wait.")),
        ModelStatus(phase="ready", model=CARD, served=True, learners=200, alternative="own"),
    ],
)
@pytest.mark.parametrize("width", [30, 76])
def test_every_state_fits_the_width(status: ModelStatus, width: int) -> None:
    lines = [line for part in describe(status, width) for line in part.plain.split("\n")]
    assert all(len(line) <= max(width, 34) for line in lines)
    assert len(status.line) <= (40 if status.served else 24)
    assert status.line.endswith(status.mark)
