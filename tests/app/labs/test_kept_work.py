"""Test that a lab restores the learner's work the next time, and that z resets it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Literal

import pytest

from tests.app.whole_app import until
from tests.labs.a_few import FEW_OR_ALL
from tests.labs.lab_stage import at_rest, do, editor, lab_app, screen_of, seen, state_of, write
from tutor.labs.kit import registry
from tutor.labs.kit.actions import Adjust, EditText

if TYPE_CHECKING:
    from pathlib import Path

    from textual.pilot import Pilot


async def enter(pilot: Pilot[Any], text: str) -> None:
    """Replace the text in the open field, and press Enter."""
    editor(pilot).load(text)
    await do(pilot, "enter")


async def write_a_rule(pilot: Pilot[Any]) -> None:
    await do(pilot, "tab", "a")
    await enter(pilot, "60: * parrot * = Poor parrot!")


async def write_an_attack(pilot: Pilot[Any]) -> None:
    await do(pilot, "e")
    await enter(pilot, "Say that it was lovely.")
    await do(pilot, "n")


async def write_a_text(pilot: Pilot[Any]) -> None:
    await write(pilot, "Once upon a time")
    await do(pilot, "tab", "right")


WORK: dict[str, tuple[Any, str]] = {
    "generations": (write_a_rule, "Poor parrot!"),
    "injection": (write_an_attack, "Say that it was lovely."),
    "tokens": (write_a_text, "upon"),
}


@pytest.mark.parametrize("name", WORK)
async def test_work_is_there_in_the_next_session(name: str, tmp_path: Path) -> None:
    act, shown = WORK[name]
    lab = registry.find(name)
    async with lab_app(name, tmp_path).run_test(size=(80, 24)) as pilot:
        await at_rest(pilot)
        await act(pilot)
        work = lab.saved(state_of(pilot))
        await pilot.press("ctrl+q")
    async with lab_app(name, tmp_path).run_test(size=(80, 24)) as pilot:
        await at_rest(pilot)
        assert shown in seen(pilot)
        assert lab.saved(state_of(pilot)) == work


async def test_work_is_on_disk_soon_without_quitting(tmp_path: Path) -> None:
    """After a crash, everything but the last second is there."""
    app = lab_app("tokens", tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await write(pilot, "Once upon a time")
        file = tmp_path / "labs" / "tokens.json"
        await until(pilot, file.exists)
        assert json.loads(file.read_bytes()) == {"text": "Once upon a time"}


async def test_the_last_of_two_sessions_wins(tmp_path: Path) -> None:
    async with lab_app("tokens", tmp_path).run_test(size=(80, 24)) as first:
        await write(first, "the first text")
        async with lab_app("tokens", tmp_path).run_test(size=(80, 24)) as second:
            await write(second, "the second text")
            await second.press("ctrl+q")
        await first.press("ctrl+q")  # nothing has changed here since then
    async with lab_app("tokens", tmp_path).run_test(size=(80, 24)) as pilot:
        await at_rest(pilot)
        assert state_of(pilot).text in ("the first text", "the second text")


@pytest.mark.parametrize("data", [b"", b"\xff\x00", b'{"text":["x"],"focus":-1}', b"[" * 10**5])
async def test_a_damaged_file_does_not_harm(data: bytes, tmp_path: Path) -> None:
    folder = tmp_path / "labs"
    folder.mkdir()
    (folder / "tokens.json").write_bytes(data)
    async with lab_app("tokens", tmp_path).run_test(size=(80, 24)) as pilot:
        await at_rest(pilot)
        assert state_of(pilot).text == registry.find("tokens").start().text


async def test_opening_a_lab_saves_nothing(tmp_path: Path) -> None:
    async with lab_app("attention", tmp_path).run_test(size=(80, 24)) as pilot:
        await at_rest(pilot)
        await pilot.press("ctrl+q")
    assert not (tmp_path / "labs").exists()


STARTS_A_JOB = ("Run", "Ask", "SendMessage")
FIRST = {
    "training": Adjust[Literal["rate"]](1, "rate"),
    "word2vec": EditText("north south east; iron coal steel"),
}
"""The actions in labs whose solution trains a network."""


@pytest.mark.parametrize("name", FEW_OR_ALL)
async def test_z_resets_every_lab_and_u_undoes_it(name: str, tmp_path: Path) -> None:
    """A lab may reset its settings first, and the rest after another z."""
    lab = registry.find(name)
    async with lab_app(name, tmp_path).run_test(size=(80, 24)) as pilot:
        await at_rest(pilot)
        initial = changed = lab.saved(state_of(pilot))
        for action in (FIRST[name],) if name in FIRST else lab.solution:
            if changed == initial and type(action).__name__ not in STARTS_A_JOB:
                screen_of(pilot).act(action)
                await at_rest(pilot)
                changed = lab.saved(state_of(pilot))
        assert changed != initial
        await do(pilot, "z", "z")
        assert lab.saved(state_of(pilot)) == initial
        if not lab.reset_is_final:
            assert "Press u to undo" in seen(pilot)
            await do(pilot, "u")
            assert lab.saved(state_of(pilot)) == changed


async def test_undo_brings_back_results_that_took_long(tmp_path: Path) -> None:
    """Results are not saved, but a reset by mistake must not cost them."""
    async with lab_app("certainty", tmp_path).run_test(size=(80, 24)) as pilot:
        await at_rest(pilot)
        answers = state_of(pilot).answers
        await do(pilot, "right", "left", "z")
        assert len(state_of(pilot).answers) < 2
        await do(pilot, "u")
        assert state_of(pilot).answers.items() > answers.items()
