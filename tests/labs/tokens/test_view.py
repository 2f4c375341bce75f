"""Test the tokens lab through its keys."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from textual.events import Key

from tests.app.whole_app import until
from tests.labs.lab_stage import (
    BackendEngine,
    at_rest,
    do,
    lab_app,
    screen_of,
    seen,
    state_of,
    write,
)
from tests.later import SIZES
from tutor.app.widgets.lines import Lines
from tutor.engine.api import EngineState
from tutor.errors import EngineError
from tutor.labs.tokens import backend


@pytest.mark.parametrize("size", SIZES)
def test_how_it_looks(size: tuple[int, int], snap_compare: Any, tmp_path: Path) -> None:
    async def run(pilot: Any) -> None:
        await do(pilot, "right", "right")

    app = lab_app("tokens", tmp_path)
    assert snap_compare(app, terminal_size=size, run_before=run)


@pytest.fixture
def other_tokenizer(monkeypatch: pytest.MonkeyPatch) -> str:
    """Return the path of a tokenizer. No model is installed."""
    monkeypatch.setattr(backend, "installed_models", lambda: ())
    return str(Path("tests/lm/sentencepiece/gemma.model").absolute())


def drawn(pilot: Any) -> str:
    """Return the lines of the view, also those that are not on the screen yet."""
    return screen_of(pilot).query_one("#lines", Lines).text


@pytest.mark.parametrize("size", SIZES)
def test_how_languages_look(
    size: tuple[int, int], snap_compare: Any, tmp_path: Path, other_tokenizer: str
) -> None:
    async def run(pilot: Any) -> None:
        await write(pilot, other_tokenizer, key="a")
        await do(pilot, "c", "up")

    app = lab_app("tokens", tmp_path)
    assert snap_compare(app, terminal_size=size, run_before=run)


@pytest.mark.parametrize("size", SIZES)
async def test_the_marks_of_several_tokenizers(
    size: tuple[int, int], tmp_path: Path, other_tokenizer: str
) -> None:
    app = lab_app("tokens", tmp_path)
    async with app.run_test(size=size) as pilot:
        await write(pilot, "Straße: 中文 e\u0301 👩")
        await write(pilot, other_tokenizer, key="a")
        lines = drawn(pilot).splitlines()
        [at] = [y for y, line in enumerate(lines) if "Straße:␣中文" in line]
        assert lines[at + 1].lstrip().startswith("1 ")
        assert lines[at + 2].lstrip().startswith("2 ")
        assert "+" in lines[at + 1] + lines[at + 2]
        assert "+ inside" in lines[-1]


async def test_a_tokenizer_is_added_and_removed(tmp_path: Path, other_tokenizer: str) -> None:
    app = lab_app("tokens", tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await do(pilot, "c")
        assert "1 small-model" in seen(pilot)
        await write(pilot, other_tokenizer, key="a")
        assert "› 2 gemma.model" in seen(pilot)
        assert "^ in some" in drawn(pilot)
        await do(pilot, "up", "d")
        assert state_of(pilot).given == (other_tokenizer,)
        await do(pilot, "down", "d")
        assert state_of(pilot).given == ()
        assert "The tokenizer “gemma.model” was removed. Press u to undo." in seen(pilot)
        assert " 2 gemma.model" not in seen(pilot)


async def test_a_file_that_is_no_tokenizer_is_explained(
    tmp_path: Path, other_tokenizer: str
) -> None:
    app = lab_app("tokens", tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await write(pilot, str(tmp_path / "nothing.gguf"), key="a")
        assert "there is no file or folder of this name" in seen(pilot)


async def test_a_long_text_moves(tmp_path: Path, other_tokenizer: str) -> None:
    app = lab_app("tokens", tmp_path)
    async with app.run_test(size=(40, 12)) as pilot:
        await write(pilot, "one two three four five six seven eight nine ten eleven " * 20)
        await do(pilot, "c", ">")
        assert state_of(pilot).begin == 20
        assert "ur␣five" in seen(pilot)
        await do(pilot, "<", "<")
        assert state_of(pilot).begin == 0


async def test_a_text_is_split_and_a_reached_goal_is_stored(tmp_path: Path) -> None:
    app = lab_app("tokens", tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await write(pilot, "Donaudampfschifffahrt")
        assert len(state_of(pilot).pieces["model"]) >= 5
        await do(pilot, "g")
        assert "✓ Write a text of one word that has at least 5 tokens" in seen(pilot)
        app.progress.drain(10)
        assert app.progress.lesson("tokens").goals_reached["tokens"] == ("five-token-word",)


async def test_a_lab_continues_where_it_was_left(tmp_path: Path) -> None:
    app = lab_app("tokens", tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await do(pilot, "tab", "right")
        await pilot.press("escape")
        await pilot.pause()
        app.navigator.open_live_lab("tokens")
        await at_rest(pilot)
        assert (state_of(pilot).cut, state_of(pilot).focus) == ("words", 1)


class Counting(BackendEngine):
    """An engine that counts the questions."""

    asked = 0

    async def ask(self, expected: type, request: Any) -> Any:
        self.asked += 1
        return await super().ask(expected, request)


async def test_the_results_of_another_model_are_not_kept_but_the_work_is(tmp_path: Path) -> None:
    engine = Counting()
    app = lab_app("tokens", tmp_path, engine)
    async with app.run_test(size=(80, 24)) as pilot:
        await do(pilot, "tab", "right")
        engine.card = replace(engine.card, sha256="e" * 64)
        engine.become(EngineState.READY)
        await at_rest(pilot)
        assert "the results are being recomputed" in seen(pilot)
        assert (state_of(pilot).cut, state_of(pilot).focus) == ("words", 1)
        assert engine.asked == 2
        await do(pilot, "tab")
        assert "the results are being recomputed" not in seen(pilot)
        await pilot.press("escape")
        await pilot.pause()
        engine.card = replace(engine.card, sha256="d" * 64)
        engine.become(EngineState.READY)
        app.navigator.open_live_lab("tokens")
        await at_rest(pilot)
        assert (state_of(pilot).cut, engine.asked) == ("characters", 3)


async def test_an_error_of_the_engine_is_shown_and_the_question_asked_again(
    tmp_path: Path,
) -> None:
    engine = BackendEngine()
    engine.fail_with = EngineError("It broke.", "Try again.")
    app = lab_app("tokens", tmp_path, engine)
    async with app.run_test(size=(80, 24)) as pilot:
        await at_rest(pilot)
        assert "It broke." in seen(pilot)
        engine.become(EngineState.READY)
        await at_rest(pilot)
        assert "It broke." not in seen(pilot)
        assert "model" in state_of(pilot).pieces


async def test_text_typed_ahead_reaches_the_field(tmp_path: Path) -> None:
    app = lab_app("tokens", tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await at_rest(pilot)
        for key in ("e", "!", "enter"):
            app.post_message(Key(key, None if key == "enter" else key))
        await until(pilot, lambda: state_of(pilot).text.endswith("!"))
