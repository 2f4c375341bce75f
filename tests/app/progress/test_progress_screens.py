"""Test the progress screens with the keyboard: memory, the forecast, and forgetting a lesson."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.app.explorer.explorer_stage import shown
from tests.app.review.reviewing import DAY, Clock, answered, reviewer
from tests.app.whole_app import keys, sees, until
from tests.later import NORMAL_AND_SMALL
from tests.sample_course import LESSON
from tutor.app.progress.screen import forecast
from tutor.learner import review
from tutor.learner.progress import Progress
from tutor.learner.records import Answered, Guessed, Predicted, Suspended

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from textual.pilot import Pilot


def history(folder: Path, clock: Clock) -> None:
    answered(folder, clock, 1, 2)
    clock.at += DAY
    answered(folder, clock, 1)
    progress = Progress.open(folder, clock=clock)
    for number in range(20):
        progress.record(
            Guessed(
                at=clock(),
                text="The capital of France is",
                guess=" London",
                actual=" Paris",
                rank=3,
                learner_bits=8 - number / 4,
                model_bits=2,
            )
        )


async def test_the_screen_says_what_counts_as_close(tmp_path: Path) -> None:
    progress = Progress.open(tmp_path)
    for name, off in (("near", 0.04), ("far", 0.06)):
        predicted = Predicted(at=1.0, prediction=name, lesson=LESSON.id, guess="20,000", off=off)
        progress.record(predicted)
    async with reviewer(tmp_path, Clock()).run_test(size=(80, 30)) as pilot:
        await keys(pilot, "p")
        await sees(pilot, "1 too high, 0 too low, 1 close")
        await sees(pilot, "“Close” means within 5 % of this range.")


async def test_the_screens_show_what_is_remembered_of_each_lesson_and_idea(tmp_path: Path) -> None:
    clock = Clock()
    history(tmp_path, clock)
    async with reviewer(tmp_path, clock).run_test(size=(80, 30)) as pilot:
        await keys(pilot, "p")
        await sees(pilot, "Recall today    100 %")
        await sees(pilot, "Strength        5 days")
        await sees(pilot, "2 of 3 questions, on 2 days in a row")
        await sees(pilot, "2 of 3")
        await sees(pilot, "20 tokens. You: 5.62 bits per token; the model: 2.00.")
        await keys(pilot, "enter")
        await sees(pilot, "What you remember of each idea")
        await sees(pilot, "The answer is a distribution")
        await keys(pilot, "enter")
        await sees(pilot, "2 of 3")
        await keys(pilot, "escape", "escape", "down", "enter")
        await sees(pilot, "guess")


async def test_the_screen_says_that_the_lessons_are_below(tmp_path: Path) -> None:
    clock = Clock()
    history(tmp_path, clock)
    async with reviewer(tmp_path, clock).run_test(size=(80, 18)) as pilot:
        await keys(pilot, "p")
        await sees(pilot, "more lines below  space")
        assert "› " not in shown(pilot.app)
        await keys(pilot, "space")
        await sees(pilot, "› ")


@pytest.mark.parametrize(("limit", "told"), [(2, True), (3, False)])
async def test_a_forecast_over_the_daily_limit_says_so(
    tmp_path: Path, limit: int, told: bool
) -> None:
    clock = Clock()
    answered(tmp_path, clock, 1, 2, 3)
    Progress.open(tmp_path, clock=clock).save_setting(review.NEW_SETTING, limit)
    async with reviewer(tmp_path, clock).run_test(size=(80, 30)) as pilot:
        await keys(pilot, "p")
        await sees(pilot, "Upcoming reviews")
        said = (
            f"Reviews ask you at most 40 questions a day. At most {limit} of these 40 are "
            "questions that you review for the first time."
        )
        assert (said in " ".join(shown(pilot.app).split())) == told


@pytest.mark.parametrize(
    ("limits", "said"),
    [
        (
            {review.NEW_SETTING: 2},
            "Tomorrow, reviews ask you 2 of these 3 questions for the first time (your limit for "
            "one day). The rest wait for later days.",
        ),
        (
            {review.CAP_SETTING: 1},
            "Tomorrow, reviews ask you 1 of these 3 questions, the most for one day.",
        ),
    ],
)
async def test_the_forecast_says_how_many_questions_are_asked_tomorrow(
    tmp_path: Path, limits: dict[str, int], said: str
) -> None:
    """The bar shows how many are due. The queue of the next day is as long as the sentence says."""
    clock = Clock()
    answered(tmp_path, clock, 1, 2, 3)
    clock.at += DAY
    for name, number in limits.items():
        Progress.open(tmp_path, clock=clock).save_setting(name, number)
    async with reviewer(tmp_path, clock).run_test(size=(80, 30)) as pilot:
        await keys(pilot, "p")
        await sees(pilot, "Upcoming reviews")
        assert said in " ".join(shown(pilot.app).split())
    clock.at += DAY
    async with reviewer(tmp_path, clock).run_test(size=(80, 30)) as pilot:
        await sees(pilot, f"{said.split()[4]} due")


async def test_the_forecast_counts_the_questions_that_are_asked_again(tmp_path: Path) -> None:
    clock = Clock()
    answered(tmp_path, clock, 1, 2, 3)
    clock.at += DAY
    progress = Progress.open(tmp_path, clock=clock)
    progress.save_setting(review.NEW_SETTING, 1)
    progress.record(
        Answered(at=clock(), question="sum-1", version=1, lesson=LESSON.id, correct=False)
    )
    async with reviewer(tmp_path, clock).run_test(size=(80, 30)) as pilot:
        await keys(pilot, "p")
        await sees(pilot, "Upcoming reviews")
        said = (
            "Tomorrow, reviews ask you 2 of these 3 questions: 1 for the first time (your limit "
            "for one day) and 1 again. The rest wait for later days."
        )
        assert said in " ".join(shown(pilot.app).split())


@pytest.mark.parametrize("size", [(80, 12), (40, 12)])
async def test_home_shows_the_top_of_the_progress_screen(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    clock = Clock()
    answered(tmp_path, clock, 1, 2, 3)
    async with reviewer(tmp_path, clock).run_test(size=size) as pilot:
        await keys(pilot, "p")
        await sees(pilot, "Your memory")
        await keys(pilot, "end")
        await until(pilot, lambda: "Your memory" not in shown(pilot.app))
        await keys(pilot, "home")
        await sees(pilot, "Your memory")


async def test_the_first_row_is_shown_with_the_names_of_its_columns(tmp_path: Path) -> None:
    clock = Clock()
    answered(tmp_path, clock, 1, 2, 3)
    async with reviewer(tmp_path, clock).run_test(size=(80, 12)) as pilot:
        await keys(pilot, "p")
        await sees(pilot, "Your memory")
        await keys(pilot, "end", "up")
        await until(pilot, lambda: "Your memory" not in shown(pilot.app))
        assert "› " in shown(pilot.app)
        assert "strength  answered" in shown(pilot.app)


async def test_after_a_wrong_answer_the_recall_is_explained(tmp_path: Path) -> None:
    clock = Clock()
    answered(tmp_path, clock, 1)
    async with reviewer(tmp_path, clock).run_test(size=(80, 24)) as pilot:
        await keys(pilot, "p")
        await sees(pilot, "Recall today")
        assert "wrong answer" not in shown(pilot.app)
    clock.at += DAY
    Progress.open(tmp_path, clock=clock).record(
        Answered(at=clock(), question="sum-2", version=1, lesson=LESSON.id, correct=False)
    )
    async with reviewer(tmp_path, clock).run_test(size=(80, 24)) as pilot:
        await keys(pilot, "p")
        await sees(pilot, "A wrong answer raises recall as well: you have just seen the right one.")


async def test_suspended_questions_are_counted_and_brought_back(tmp_path: Path) -> None:
    clock = Clock()
    answered(tmp_path, clock, 1, 2)
    clock.at += DAY
    progress = Progress.open(tmp_path, clock=clock)
    progress.record(Suspended(at=clock(), question="sum-1"))
    clock.at += 5
    async with reviewer(tmp_path, clock).run_test(size=(80, 24)) as pilot:
        await keys(pilot, "p")
        await sees(pilot, "No longer asked 1 question. Press z to bring it back.")
        await keys(pilot, "z")
        await sees(pilot, "What is 1 and 1?")
        await keys(pilot, "enter")
        await sees(pilot, "There is no question to bring back.")
        await keys(pilot, "escape")
        await sees(pilot, "Your memory")
        assert "uspended" not in shown(pilot.app)


async def test_a_lesson_is_forgotten_only_after_confirmation(tmp_path: Path) -> None:
    clock = Clock()
    history(tmp_path, clock)
    clock.at += 60
    async with reviewer(tmp_path, clock).run_test(size=(80, 24)) as pilot:
        await keys(pilot, "p", "enter", "y")  # nothing was asked yet
        await sees(pilot, "f forget")
        await keys(pilot, "f")
        await sees(pilot, "cannot be undone")
        await keys(pilot, "escape")
        await sees(pilot, "f forget")
        assert "cannot be undone" not in shown(pilot.app)
        assert len(Progress.open(tmp_path).cards()) == 2
        await keys(pilot, "f", "y")
        await sees(pilot, "Your answers have been forgotten.")
        await sees(pilot, "0 of 3 questions right")
        assert "f forget" not in shown(pilot.app)
    assert Progress.open(tmp_path).cards() == {}


async def test_a_learner_without_answers_sees_no_zeros(tmp_path: Path) -> None:
    async with reviewer(tmp_path, Clock()).run_test(size=(80, 24)) as pilot:
        await keys(pilot, "p")
        await sees(pilot, "You have not answered any questions yet.")
        assert "0 %" not in shown(pilot.app)
        assert "days in a row" not in shown(pilot.app)


def test_the_forecast_names_its_days() -> None:
    names = forecast([3, 0, 1], Clock().at)[-1].plain.split()
    assert names[0] == "now"
    days = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
    assert days.index(names[2]) == (days.index(names[1]) + 1) % 7


@pytest.mark.parametrize("size", NORMAL_AND_SMALL)
@pytest.mark.parametrize("state", ["progress", "guesses", "lesson", "forget"])
def test_how_it_looks(
    snap_compare: Callable[..., bool], tmp_path: Path, size: tuple[int, int], state: str
) -> None:
    clock = Clock()
    history(tmp_path, clock)

    async def shows(pilot: Pilot[Any]) -> None:
        await sees(pilot, "●")
        await keys(pilot, "p")
        await sees(pilot, "Your memory")
        if state == "guesses":
            await keys(pilot, "down")
        if state in ("lesson", "forget"):
            await keys(pilot, "enter")
            await sees(pilot, "What you remember of each idea")
        if state == "forget":
            await keys(pilot, "f")
        await pilot.pause()

    assert snap_compare(reviewer(tmp_path, clock), run_before=shows, terminal_size=size)
