"""Test that explanations of the default model are introduced if another model is running."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from tests.app.explorer.explorer_stage import shown
from tests.app.whole_app import keys, sees, whole_app
from tests.engine.fake_engine import CARD, FakeEngine
from tests.sample_course import LESSON
from tutor.app.quiz.ask import AskScreen
from tutor.app.quiz.course_model import introduction, is_course_model
from tutor.course.catalogue import Course
from tutor.models.installed import DEFAULT

if TYPE_CHECKING:
    from pathlib import Path

WRITTEN = f"With {DEFAULT.name}, for which this text was written:"
QUESTION = LESSON.question("capital")
assert QUESTION is not None
COURSE = Course(lessons=(replace(LESSON, questions=(QUESTION,)),))


@pytest.mark.parametrize(
    "name", [DEFAULT.name, f"{DEFAULT.name}.Q8_0", f"HuggingFaceTB/{DEFAULT.name}"]
)
def test_the_default_model_needs_no_introduction(name: str) -> None:
    card = replace(CARD, name=name, format="Q8_0")
    assert is_course_model(card)
    assert introduction(card) == introduction(card, names=True, filled=True) == ""


def test_the_default_model_is_known_by_its_checksum() -> None:
    assert is_course_model(replace(CARD, name="renamed", sha256=DEFAULT.sha256))
    assert not is_course_model(replace(CARD, name=f"{DEFAULT.name}-tuned"))


def test_an_introduction_says_what_was_computed_by_which_model() -> None:
    assert introduction(None) == ""
    assert introduction(CARD) == WRITTEN
    assert introduction(CARD, names=True) == f"This was computed by Fake-1K. {WRITTEN}"
    filled = introduction(CARD, filled=True)
    assert filled.startswith(f"This text was written for {DEFAULT.name}. Only its number is from ")


@pytest.mark.parametrize("name", ["Fake-1K", DEFAULT.name])
async def test_a_question_says_which_model_judged_the_answer(tmp_path: Path, name: str) -> None:
    app = whole_app(tmp_path, FakeEngine(card=replace(CARD, name=name)), COURSE)
    async with app.run_test(size=(120, 24)) as pilot:
        await sees(pilot, " ●")
        await keys(pilot, "enter", "a")
        await sees(pilot, "How does the model continue?")
        await keys(pilot, *"Paris", "enter")
        await sees(pilot, "Right: this is the model's most probable token.")
        await sees(pilot, "The model has read this sentence many times.")
        other = name == "Fake-1K"
        assert (f"This was computed by Fake-1K. {WRITTEN}" in shown(app)) == other
        assert isinstance(app.screen, AskScreen)
        copied = {each.what: each.text for each in app.screen.copies()}["the explanation"]
        assert (WRITTEN in copied) == other
        await keys(pilot, "escape", "a")  # back at the answer, without a table
        await sees(pilot, "The model has read this sentence many times.")
        assert (WRITTEN in shown(app)) == other
        assert "computed by" not in shown(app)


async def test_an_answer_that_no_model_judged_needs_no_introduction(tmp_path: Path) -> None:
    question = LESSON.question("unit")
    assert question is not None
    course = Course(lessons=(replace(LESSON, questions=(question,)),))
    app = whole_app(tmp_path, FakeEngine(), course)
    async with app.run_test(size=(120, 24)) as pilot:
        await keys(pilot, "enter", "a")
        await sees(pilot, "What is a piece of text called")
        await keys(pilot, *"token", "enter")
        await sees(pilot, "A token: often a word")
        assert DEFAULT.name not in shown(app)
