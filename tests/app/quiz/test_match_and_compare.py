"""Test answering matching questions, and comparing two prompts with the live model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from tests.app.clicking import click_at
from tests.app.explorer.explorer_stage import lines, shown
from tests.app.whole_app import keys, sees, whole_app
from tests.engine.fake_engine import FakeEngine
from tests.later import NORMAL_AND_SMALL
from tests.sample_course import LESSON
from tutor.app.quiz.answers import LETTERS
from tutor.course.catalogue import Course
from tutor.course.questions.compare import ComparePrompts
from tutor.course.questions.match import MatchQuestion, Pair
from tutor.engine.api import EngineState
from tutor.learner.progress import Progress

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from textual.pilot import Pilot

MATCH = MatchQuestion(
    id="families",
    ask="What belongs together?",
    hint="Who reads both ways?",
    why="Three ways to put blocks together.",
    screen="question",
    pairs=(
        Pair(left="BERT", right="an encoder, which reads both ways", why="It fills in blanks."),
        Pair(left="GPT", right="a decoder, which reads one way", why="It continues texts."),
        Pair(left="T5", right="both of them", why="It turns a text into a text."),
    ),
)
COMPARE = ComparePrompts(
    id="which",
    ask="After which does `␣Paris` get more?",
    hint="Where does a place fit?",
    why="It is asked for a place.",
    screen="question",
    prompts=("The capital of France is", "Hello world "),
    token="␣Paris",
)
COURSE = Course(lessons=(msgspec.structs.replace(LESSON, questions=(MATCH, COMPARE)),))


def letters(pilot: Pilot[Any]) -> list[str]:
    """Return the correct letter for each line, from the first on."""
    order = MATCH.display_order(pilot.app.progress.lesson(LESSON.id).quiz_seed)  # type: ignore[attr-defined]
    return [LETTERS[order.index(line)] for line in range(3)]


async def test_matching_by_keys(tmp_path: Path) -> None:
    async with whole_app(tmp_path, course=COURSE).run_test(size=(80, 24)) as pilot:
        await keys(pilot, "enter", "a")
        await sees(pilot, "What belongs together?")
        first, second, third = letters(pilot)
        await keys(pilot, second, "enter")
        await sees(pilot, "Match every line first")
        await keys(pilot, first, third, "enter")
        await sees(pilot, "× Not yet: 1 of 3 pairs match.")
        await sees(pilot, "Goes with “an encoder, which reads both ways”. It fills in blanks.")
        assert "Match every line" not in shown(pilot.app)
        await keys(pilot, "r")
        await sees(pilot, "hint")
        await keys(pilot, second, "up", first, second, third, "enter")
        await sees(pilot, "✓ Right: all pairs match.")
    assert Progress.open(tmp_path).cards()["families"].last_correct


async def test_a_click_anywhere_in_the_rows_of_an_option_matches_it(tmp_path: Path) -> None:
    app = whole_app(tmp_path, course=COURSE)
    async with app.run_test(size=(34, 24)) as pilot:
        await keys(pilot, "enter", "a")
        await sees(pilot, "› BERT")
        first, second, _ = letters(pilot)
        row = next(y for y, line in enumerate(lines(app)) if f"{first}  an encoder" in line)
        assert lines(app)[row + 1].strip() == "ways"
        await click_at(pilot, 30, row + 1)  # to the right of the text
        await sees(pilot, f"   BERT  {first}  an encoder, which")
        await sees(pilot, "› GPT")
        row = next(y for y, line in enumerate(lines(app)) if f"{second}  a decoder" in line)
        await click_at(pilot, 1, row)
        await sees(pilot, "› T5")


async def test_one_line_has_the_cursor(tmp_path: Path) -> None:
    app = whole_app(tmp_path, course=COURSE)
    async with app.run_test(size=(80, 24)) as pilot:
        await keys(pilot, "enter", "a")
        await sees(pilot, "› BERT")
        await keys(pilot, "down")
        await sees(pilot, "› GPT")
        assert shown(app).count("›") == 1


async def test_matches_are_kept_when_the_screen_is_left(tmp_path: Path) -> None:
    async with whole_app(tmp_path, course=COURSE).run_test(size=(80, 24)) as pilot:
        await keys(pilot, "enter", "a")
        await sees(pilot, "What belongs together?")
        await keys(pilot, *letters(pilot), "escape", "a")
        await sees(pilot, "What belongs together?")
        await keys(pilot, "enter")
        await sees(pilot, "✓ Right: all pairs match.")


async def test_unfinished_matches_are_kept_when_the_screen_is_left(tmp_path: Path) -> None:
    async with whole_app(tmp_path, course=COURSE).run_test(size=(80, 24)) as pilot:
        await keys(pilot, "enter", "a")
        await sees(pilot, "What belongs together?")
        first, second, third = letters(pilot)
        await keys(pilot, first, "down", third, "escape", "a")
        await sees(pilot, "› GPT")
        await keys(pilot, second, "enter")
        await sees(pilot, "✓ Right: all pairs match.")


async def test_comparing_queries_the_model_when_answered(tmp_path: Path) -> None:
    engine = FakeEngine()
    app = whole_app(tmp_path, engine, COURSE)
    async with app.run_test(size=(80, 24)) as pilot:
        await keys(pilot, "enter", "a")
        await sees(pilot, "What belongs together?")
        await keys(pilot, "s")
        await sees(pilot, "b  Hello world␣")
        engine.become(EngineState.LOADING)
        await keys(pilot, "b", "enter")
        await sees(pilot, "not ready yet")
        engine.become(EngineState.READY)
        await keys(pilot, "enter")
        await sees(pilot, "× Not yet.")
        assert app.screen.query_one("#quiz").max_scroll_y == 0
        assert "○ a" in shown(app)
        assert "× b" in shown(app)
        await sees(pilot, "␣Paris gets 69.3 %.")
        await sees(pilot, "Your answer. ␣Paris gets ")
        await sees(pilot, "69.3 %  ██")
        await sees(pilot, "Hello world␣")
        await keys(pilot, "r", "a", "enter")
        await sees(pilot, "✓ Right.")
        assert "✓ a" in shown(app)
    assert Progress.open(tmp_path).cards()["which"].answers == 2


@pytest.mark.parametrize("size", NORMAL_AND_SMALL)
@pytest.mark.parametrize("question", ["match", "match-answered", "compare"])
def test_how_they_look(
    snap_compare: Callable[..., bool], tmp_path: Path, size: tuple[int, int], question: str
) -> None:
    async def shows(pilot: Pilot[Any]) -> None:
        await sees(pilot, "Fake-1K ●")
        pilot.app.progress.save_lesson(  # type: ignore[attr-defined]
            msgspec.structs.replace(
                pilot.app.progress.lesson(LESSON.id),  # type: ignore[attr-defined]
                question="which" if question == "compare" else "families",
                quiz_order=("families", "which"),
                quiz_seed=7,
            )
        )
        await keys(pilot, "enter", "a")
        if question == "compare":
            await sees(pilot, "Hello")
            await keys(pilot, "a", "enter")
            await sees(pilot, "Right.")
        else:
            await sees(pilot, "BERT")
            await keys(pilot, "a", "b")
            if question == "match-answered":
                await keys(pilot, "c", "enter")
                await sees(pilot, "pairs match")
        await pilot.pause()

    app = whole_app(tmp_path, course=COURSE)
    assert snap_compare(app, run_before=shows, terminal_size=size)
