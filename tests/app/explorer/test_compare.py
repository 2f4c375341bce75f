"""Test that the stepper opens its text in the lab that compares two setups."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from tests.app.explorer.test_keys import explorer
from tests.app.explorer.test_steering import VECTOR
from tests.app.whole_app import until
from tests.labs.lab_stage import BackendEngine
from tutor.app.explorer.screen import ExplorerScreen
from tutor.app.labs.screen import LabScreen
from tutor.lm.distribution import SamplerSettings
from tutor.lm.saved_steering import folder_of_learner, write

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


async def test_the_key_opens_the_text_the_sampler_and_the_position(tmp_path: Path) -> None:
    async with explorer(tmp_path, engine=BackendEngine()) as it:
        await it.press("enter", "enter", "t", "left", "left", "escape", "left")
        pane: Any = it.stage.screen.query_one("ExplorerPane")
        state = pane.state
        await it.pilot.press("equals_sign")
        await until(it.pilot, lambda: isinstance(it.stage.screen, LabScreen))
        opened: Any = it.stage.screen
        assert opened.lab.name == "difference"
        assert opened.state.a.ids == tuple(token.id for token in state.tree.tokens)
        assert opened.state.a.model == state.engine.model.sha256
        assert opened.state.sampler == state.sampler == SamplerSettings(temperature=0.8)
        assert opened.state.place == state.tree.focus - 1
        await it.pilot.press("escape")
        await until(it.pilot, lambda: isinstance(it.stage.screen, ExplorerScreen))
        assert pane.state.tree == state.tree


async def test_a_steered_text_is_compared_without_steering(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TUTOR_DATA", str(tmp_path / "data"))
    write(folder_of_learner(), VECTOR)
    said = "A and B are not steered, although your text is."
    async with explorer(tmp_path, engine=BackendEngine()) as it:
        for steered in (False, True):
            if steered:
                await it.press("t", "up", "left", "escape")
            await it.pilot.press("equals_sign")
            await until(it.pilot, lambda: isinstance(it.stage.screen, LabScreen))
            await until(it.pilot, lambda: cast("LabScreen", it.stage.screen).state.complete)
            await it.settle()
            assert (said in it.screen) == steered
            await it.pilot.press("escape")
            await until(it.pilot, lambda: isinstance(it.stage.screen, ExplorerScreen))


async def test_the_palette_lists_the_key(tmp_path: Path) -> None:
    from tutor.app.palette.commands import actions

    async with explorer(tmp_path, engine=BackendEngine()) as it:
        active = it.stage.screen.active_bindings.values()
        (command,) = (each for each in actions(it.stage, active) if each.title == "compare")
        assert command.sign == "="


async def test_equal_setups_say_how_to_change_b(tmp_path: Path) -> None:
    async with explorer(tmp_path, engine=BackendEngine()) as it:
        await it.pilot.press("equals_sign")
        await until(it.pilot, lambda: isinstance(it.stage.screen, LabScreen))
        await until(it.pilot, lambda: cast("LabScreen", it.stage.screen).state.complete)
        await it.settle()
        assert "A and B are the same. Press e to edit B's text, or Tab" in it.screen
        await it.press("e", "x", "enter")
        await until(it.pilot, lambda: cast("LabScreen", it.stage.screen).state.complete)
        await it.settle()
        assert "A and B are the same" not in it.screen


async def test_other_sampler_settings_are_compared_with_the_plain_ones(tmp_path: Path) -> None:
    async with explorer(tmp_path, engine=BackendEngine()) as it:
        await it.press("t", "left", "left", "escape")
        await it.pilot.press("equals_sign")
        await until(it.pilot, lambda: isinstance(it.stage.screen, LabScreen))
        await until(it.pilot, lambda: cast("LabScreen", it.stage.screen).state.complete)
        opened: Any = it.stage.screen
        assert (opened.state.view, opened.state.sampler_b) == ("sampler", SamplerSettings())
        assert max(each.bits for each in opened.state.compared) > 0.01
