"""Test the guessing game through its keys."""

from __future__ import annotations

import math
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import msgspec
import pytest
from rich.cells import cell_len

from tests.app.explorer.explorer_stage import Stage, lines, press, settled, shown
from tests.engine.fake_engine import CARD, VOCABULARY, FakeEngine, all_rows, split, token
from tutor.app.explorer.guess.panel import GuessScreen
from tutor.app.widgets.lines import Lines
from tutor.course.lesson import Lab
from tutor.engine.api import EngineState
from tutor.errors import EngineError
from tutor.lm.distribution import PLAIN

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path

    from textual.pilot import Pilot


TEXT = "The capital of France is Paris, and it is a city."
LAB = Lab(id="game", kind="guess", task="Guess on.", prompt=TEXT)


@asynccontextmanager
async def game(
    folder: Path,
    *,
    engine: FakeEngine | None = None,
    lab: Lab | None = LAB,
    size: tuple[int, int] = (80, 24),
    on_over: Callable[[], Awaitable[str | None]] | None = None,
) -> AsyncIterator[tuple[Stage, Pilot[None]]]:
    stage = Stage(
        lambda engine, progress: GuessScreen(engine, progress, lab, lesson=2, on_over=on_over),
        folder=folder,
        engine=engine,
    )
    async with stage.run_test(size=size) as pilot:
        await settled(pilot)
        yield stage, pilot


def words(stage: Stage) -> str:
    return " ".join(shown(stage).split())


async def test_a_round_shows_both_scores_and_the_rank_of_the_guess(tmp_path: Path) -> None:
    async with game(tmp_path) as (stage, pilot):
        assert "The capital of▏" in words(stage)
        assert "France" not in words(stage)
        await press(pilot, *"Germany")
        assert "on the token ␣Germany" in words(stage)
        assert "rank" not in words(stage)
        await press(pilot, "enter")
        rows = all_rows(split("The capital of"), PLAIN)
        guess = next(row for row in rows if row.token == token(" Germany"))
        actual = next(row for row in rows if row.token == token(" France"))
        cost = -math.log2(0.5 / (len(VOCABULARY) - 1))
        assert f"you {cost:.2f} bits" in words(stage)
        assert f"␣Germany was rank {guess.rank} for the model" in words(stage)
        assert f"model {actual.surprisal_bits:.2f} bits gave ␣France" in words(stage)
        (event,) = stage.progress.guesses.recent
        assert (event.guess, event.actual, event.rank) == (" Germany", " France", guess.rank)
        assert event.text == "The capital of"
        assert event.model_bits == pytest.approx(actual.surprisal_bits)
        assert event.learner_bits == pytest.approx(cost)


@pytest.mark.parametrize("size", [(80, 24), (40, 12)])
async def test_the_marks_of_the_stepper_have_no_other_meaning_in_the_game(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    """No row is selected, and no token was drawn."""
    async with game(tmp_path, size=size) as (stage, pilot):
        await press(pilot, *"Germany", "enter")
        rows = [line for line in lines(stage) if "%" in line and line[1:3].strip()]
        marks = {line[1:3]: line[3:].split()[1] for line in rows if line[1] != "y"}
        assert marks["● "] == "␣Germany"
        assert marks[" ✓"] == "␣France"
        assert "● your guess ✓ the true token" in words(stage)
        assert not {"›", "◆"} & set(shown(stage))
        await press(pilot, "enter", *"is", "enter")
        assert any(line.startswith(" ●✓ ") and "␣is" in line for line in lines(stage))


async def test_the_surprisal_of_a_right_guess_follows_from_the_bet(tmp_path: Path) -> None:
    async with game(tmp_path) as (stage, pilot):
        await press(pilot, *"France", "up", "up", "enter")
        assert "right, with a bet of 90 %" in words(stage)
        assert stage.progress.guesses.learner_bits == pytest.approx(-math.log2(0.9), abs=1e-6)
        assert "first guess right: you 1" in words(stage)


async def test_the_bet_stays_within_its_limits(tmp_path: Path) -> None:
    async with game(tmp_path) as (stage, pilot):
        await press(pilot, *["down"] * 9)
        assert "you bet 10 %" in words(stage)
        await press(pilot, *["up"] * 9)
        assert "you bet 90 %" in words(stage)


async def test_an_empty_guess_is_asked_for_again(tmp_path: Path) -> None:
    async with game(tmp_path) as (stage, pilot):
        await press(pilot, "enter", "space", "enter")
        assert "Type a guess first" in words(stage)
        assert stage.progress.guesses.rounds == 0


async def test_a_guess_of_several_tokens_counts_by_its_first_token(tmp_path: Path) -> None:
    async with game(tmp_path) as (stage, pilot):
        await press(pilot, *"zzq", "enter")
        assert stage.progress.guesses.recent[0].guess == "z"


async def test_a_question_mark_in_the_empty_field_opens_help(tmp_path: Path) -> None:
    async with game(tmp_path) as (stage, pilot):
        assert "? help" in words(stage)
        await press(pilot, "question_mark")
        assert "To guess a question mark, type a space before it." in words(stage)
        await press(pilot, "escape", "space", "question_mark")
        assert "on the token ?" in words(stage)
        await press(pilot, "question_mark")
        assert "?? " in words(stage)


async def test_a_guess_of_two_words_counts_by_its_first_word(tmp_path: Path) -> None:
    async with game(tmp_path) as (stage, pilot):
        await press(pilot, *"Germany", "space", *"is", "enter")
        assert stage.progress.guesses.recent[0].guess == " Germany"


async def test_a_typed_space_mark_counts_as_a_space(tmp_path: Path) -> None:
    async with game(tmp_path) as (stage, pilot):
        await press(pilot, "␣")
        assert "No word was entered" not in words(stage)
        await press(pilot, "enter")
        assert "Type a guess first." in words(stage)
        await press(pilot, *"Germany")
        assert "on the token ␣Germany" in words(stage)
        await press(pilot, "enter")
        assert stage.progress.guesses.recent[0].guess == " Germany"


async def test_a_game_continues_where_it_was_left(tmp_path: Path) -> None:
    async with game(tmp_path) as (_, pilot):
        await press(pilot, *"a", "enter", "enter", *"is", "enter", "escape")
    async with game(tmp_path) as (stage, _):
        assert "The capital of France is▏" in words(stage)
        assert "of 2" in words(stage)
        assert stage.progress.guesses.rounds == 2


async def test_the_score_says_that_the_given_tokens_are_left_out(tmp_path: Path) -> None:
    async with game(tmp_path) as (stage, pilot):
        for rounds in (1, 2):
            await press(pilot, *"France", "enter")
            assert f"of {rounds} the first 3 tokens don't count" in words(stage)
            await press(pilot, "enter")
            assert f"of {rounds} the first 3 tokens don't count" in words(stage)


async def test_a_finished_text_can_be_restarted(tmp_path: Path) -> None:
    rest = len(split(TEXT)) - 3
    async with game(tmp_path) as (stage, pilot):
        for left in reversed(range(rest)):
            await press(pilot, "a", "enter")
            assert ("enter next token" in words(stage)) == (left > 0)
            assert ("enter finish" in words(stage)) == (left == 0)
            await press(pilot, "enter")
        assert "That was the whole text. Press Esc to go back" in words(stage)
        assert "enter start over" in words(stage)
        assert stage.progress.guesses.rounds == rest
        await press(pilot, "enter")
        assert "The capital of▏" in words(stage)


async def test_a_lesson_is_told_when_the_whole_text_is_guessed(tmp_path: Path) -> None:
    heard: list[str] = []

    async def over() -> str | None:
        heard.append("over")
        return "Well *guessed*."

    rounds = len(split(TEXT)) - 3
    async with game(tmp_path, on_over=over) as (stage, pilot):
        for _ in range(rounds - 1):
            await press(pilot, "a", "enter", "enter")
        assert heard == []
        await press(pilot, "a", "enter")
        assert "Well guessed." in words(stage)
        assert heard == ["over"]


async def test_the_game_continues_when_the_model_changes(tmp_path: Path) -> None:
    engine = FakeEngine()
    async with game(tmp_path, engine=engine) as (stage, pilot):
        await press(pilot, *"France", "enter", "enter", *"is")
        engine.card = msgspec.structs.replace(CARD, sha256="e" * 64, name="Other")
        engine.become(EngineState.LOADING)
        engine.become(EngineState.READY)
        await settled(pilot)
        assert "The capital of France▏" in words(stage)
        assert "The model has changed" in words(stage)
        assert "on the token ␣is" in words(stage)
        await press(pilot, "enter")
        assert "of 1" in words(stage)
        assert stage.progress.guesses.rounds == 2


async def test_without_a_guess_nothing_restarts_when_the_model_changes(tmp_path: Path) -> None:
    engine = FakeEngine()
    async with game(tmp_path, engine=engine) as (stage, pilot):
        engine.card = msgspec.structs.replace(CARD, sha256="e" * 64, name="Other")
        engine.become(EngineState.LOADING)
        engine.become(EngineState.READY)
        await settled(pilot)
        assert "The capital of▏" in words(stage)
        assert "The model has changed" not in words(stage)


async def test_a_saved_score_of_another_model_restarts_with_a_message(tmp_path: Path) -> None:
    async with game(tmp_path) as (_, pilot):
        await press(pilot, *"France", "enter", "escape")
    engine = FakeEngine(card=msgspec.structs.replace(CARD, sha256="e" * 64, name="Other"))
    async with game(tmp_path, engine=engine) as (stage, pilot):
        assert "The model has changed" in words(stage)
        engine.card = CARD
        engine.become(EngineState.LOADING)
        engine.become(EngineState.READY)
        await settled(pilot)
        assert "The model has changed" not in words(stage)
        assert "of 1" in words(stage)


async def test_the_result_of_a_round_stays_when_the_model_changes(tmp_path: Path) -> None:
    engine = FakeEngine()
    async with game(tmp_path, engine=engine) as (stage, pilot):
        await press(pilot, *"France", "enter")
        engine.card = msgspec.structs.replace(CARD, sha256="e" * 64, name="Other")
        engine.become(EngineState.READY)
        await settled(pilot)
        assert "your guess" in words(stage)
        await press(pilot, "enter", *"is", "enter")
        assert "right, with a bet of 50 %" in words(stage)


async def test_tab_plays_another_text_outside_a_lesson(tmp_path: Path) -> None:
    async with game(tmp_path, lab=None) as (stage, pilot):
        before = words(stage)
        await press(pilot, "tab")
        assert words(stage) != before
        assert "token 3 of" in words(stage)


async def test_a_game_with_a_score_is_not_discarded_by_one_key(tmp_path: Path) -> None:
    async with game(tmp_path, lab=None) as (stage, pilot):
        await press(pilot, "a", "enter")
        await press(pilot, "tab")
        assert "Press Tab again" in words(stage)
        assert "token 4 of" in words(stage)
        await press(pilot, "tab")
        assert "token 3 of" in words(stage)


async def test_the_game_starts_as_soon_as_the_model_is_ready(tmp_path: Path) -> None:
    engine = FakeEngine(state=EngineState.LOADING)
    async with game(tmp_path, engine=engine) as (stage, pilot):
        assert "not ready yet" in words(stage)
        await press(pilot, "a", "enter")
        engine.become(EngineState.READY)
        await settled(pilot)
        assert "The capital of▏" in words(stage)
        assert "not ready yet" not in words(stage)


async def test_the_top_line_tells_games_of_lessons_from_free_games(tmp_path: Path) -> None:
    async with game(tmp_path / "lesson") as (stage, _):
        assert "guessing game · lesson 2" in shown(stage)
    async with game(tmp_path / "free", lab=None) as (stage, pilot):
        assert "guessing game · text 1 of 3" in shown(stage)
        await press(pilot, "tab")
        assert "guessing game · text 2 of 3" in shown(stage)


async def test_a_guess_before_the_text_is_ready_does_not_end_the_game(tmp_path: Path) -> None:
    engine = FakeEngine()
    engine.hold()
    stage = Stage(
        lambda engine, progress: GuessScreen(engine, progress, LAB),
        folder=tmp_path,
        engine=engine,
    )
    async with stage.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await pilot.press("a", "enter")
        assert "processing the text" in words(stage)
        engine.release()
        await settled(pilot)
        assert "The capital of▏" in words(stage)
        assert "processing the text" not in words(stage)
        await press(pilot, "enter")
        assert stage.progress.guesses.rounds == 1


async def test_no_guess_is_lost_when_the_engine_fails(tmp_path: Path) -> None:
    async with game(tmp_path) as (stage, pilot):
        await press(pilot, *"France")
        stage.fake.fail_with = EngineError("The engine's process ended.", "Try again.")
        await press(pilot, "enter")
        assert "process ended" in words(stage)
        assert stage.progress.guesses.rounds == 0
        await press(pilot, "enter")
        assert stage.progress.guesses.rounds == 1


@pytest.mark.parametrize("size", [(40, 12), (200, 60)])
async def test_every_size_shows_both_scores(tmp_path: Path, size: tuple[int, int]) -> None:
    async with game(tmp_path, size=size) as (stage, pilot):
        await press(pilot, "a", "enter")
        assert "you " in words(stage)
        assert "model " in words(stage)
        assert ("bits: you" if size[0] == 40 else "bits per token: you") in words(stage)


@pytest.mark.parametrize("guess", ["France", "Germany"])
async def test_no_line_is_cut_on_the_smallest_screen(tmp_path: Path, guess: str) -> None:
    async with game(tmp_path, size=(40, 12)) as (stage, pilot):
        for typed in (guess, "a"):
            assert "your guess: a word or part of a word" in words(stage)
            await press(pilot, *typed, "enter")
            for each in stage.screen.query(Lines):
                assert all(cell_len(line.rstrip()) <= each.size.width for line in each.plain)
            if typed == "France":
                assert "right, bet 50 %" in words(stage)
            assert "right: you" in words(stage)
            await press(pilot, "enter")
