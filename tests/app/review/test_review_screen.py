"""Test the review with the keyboard, with a clock that the test controls."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from textual.events import Key

from tests.app.explorer.explorer_stage import shown
from tests.app.review.reviewing import DAY, QUESTIONS, Clock, answered, reviewer
from tests.app.whole_app import keys, sees, until
from tests.later import NORMAL_AND_SMALL
from tests.sample_course import LAB, LESSON
from tutor.app.explorer.screen import ExplorerScreen
from tutor.app.home.screen import HomeScreen
from tutor.app.quiz.answers import AnswerList
from tutor.app.review import screen as review
from tutor.app.review.screen import ReviewScreen
from tutor.app.widgets.figures import when
from tutor.course.catalogue import Course
from tutor.learner.lock import locked
from tutor.learner.progress import Progress
from tutor.learner.records import Answered

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from textual.pilot import Pilot


async def test_a_question_is_due_again_when_fsrs_says(tmp_path: Path) -> None:
    clock = Clock()
    answered(tmp_path, clock, 1)
    clock.at += 5 * DAY
    async with reviewer(tmp_path, clock).run_test(size=(80, 24)) as pilot:
        await sees(pilot, "Review     1 due")
        await keys(pilot, "r")
        await sees(pilot, "What is 1 and 1?")
        await keys(pilot, "2", "enter")
        await sees(pilot, "saved · next review in ")
        await keys(pilot, "enter")
        await sees(pilot, "1 answered. Nothing else is due.")
        due = Progress.open(tmp_path).cards()["sum-1"].due
        await sees(pilot, f"The next question is due {when(due, clock())}.")
        await keys(pilot, "escape")
        await sees(pilot, "none due, next in")
    clock.at = due - 2 * DAY
    async with reviewer(tmp_path, clock).run_test(size=(80, 24)) as pilot:
        await sees(pilot, "none due")
    clock.at = due
    async with reviewer(tmp_path, clock, start="review").run_test(size=(80, 24)) as pilot:
        await sees(pilot, "What is 1 and 1?")


async def test_the_last_answer_can_be_undone(tmp_path: Path) -> None:
    clock = Clock()
    answered(tmp_path, clock, 1, 2)
    before = Progress.open(tmp_path).cards()
    clock.at += 5 * DAY
    async with reviewer(tmp_path, clock, start="review").run_test(size=(80, 24)) as pilot:
        await sees(pilot, "What is 1 and 1?")
        await keys(pilot, "9", "enter")
        await sees(pilot, "is too high")
        await keys(pilot, "enter")
        await sees(pilot, "What is 2 and 2?")
        await keys(pilot, "u")
        await sees(pilot, "Your last answer was undone.")
        await sees(pilot, "What is 1 and 1?")
        assert pilot.app.progress.cards() == before  # type: ignore[attr-defined]
        assert "u undo" not in shown(pilot.app)
        await keys(pilot, "2", "enter")
        await sees(pilot, "✓ Right: 2.")
    after = Progress.open(tmp_path).cards()
    assert (after["sum-1"].answers, after["sum-1"].last_correct) == (2, True)


async def test_undo_keeps_the_order_of_the_choices(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seeds = iter(range(100))  # each seed gives another order
    monkeypatch.setattr(random, "getrandbits", lambda _bits: next(seeds))
    choice = next(each for each in LESSON.questions if each.id == "cosine")
    assert choice.display_order(0) != choice.display_order(1)
    lesson = msgspec.structs.replace(LESSON, questions=(choice, QUESTIONS[0]))
    clock = Clock()
    first = Answered(at=clock(), question="cosine", version=1, lesson=LESSON.id, correct=True)
    Progress.open(tmp_path, clock=clock).record(first)
    clock.at += 9
    answered(tmp_path, clock, 1)
    clock.at += 5 * DAY
    app = reviewer(tmp_path, clock, course=Course(lessons=(lesson,)), start="review")
    async with app.run_test(size=(80, 24)) as pilot:
        await sees(pilot, "a-d choose")
        screen = pilot.app.screen
        assert isinstance(screen, ReviewScreen)

        def choices() -> list[str]:
            """Return the choices, without the mark of the selected one."""
            assert isinstance(screen.view.field, AnswerList)
            return [line.replace("›", " ") for line in screen.view.field.plain]

        seen = choices()
        await keys(pilot, "b", "enter")
        await sees(pilot, "next review")
        await keys(pilot, "enter")
        await sees(pilot, "What is 1 and 1?")
        await keys(pilot, "u")
        await sees(pilot, "Your last answer was undone.")
        await sees(pilot, "a-d choose")
        assert choices() == seen


@pytest.mark.parametrize("size", [(80, 24), (40, 12)])
@pytest.mark.parametrize(("id_", "own"), [("cosine", "a-d choose"), ("loop", "space pick up")])
async def test_the_keys_that_answer_a_question_come_before_undo(
    tmp_path: Path, size: tuple[int, int], id_: str, own: str
) -> None:
    question = next(each for each in LESSON.questions if each.id == id_)
    lesson = msgspec.structs.replace(LESSON, questions=(QUESTIONS[0], question))
    clock = Clock()
    answered(tmp_path, clock, 1)
    clock.at += 9
    first = Answered(at=clock(), question=id_, version=1, lesson=LESSON.id, correct=True)
    Progress.open(tmp_path, clock=clock).record(first)
    clock.at += 5 * DAY
    app = reviewer(tmp_path, clock, course=Course(lessons=(lesson,)), start="review")
    async with app.run_test(size=size) as pilot:
        await sees(pilot, "What is 1 and 1?")
        await keys(pilot, "2", "enter")
        await sees(pilot, "next review")
        await keys(pilot, "enter")
        await sees(pilot, own)
        await keys(pilot, "u")
        await sees(pilot, "Your last answer was undone.")


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("2", "saved · next review tomorrow. Right answers on later days make the wait longer."),
        ("9", "saved · next review tomorrow ─"),
    ],
)
async def test_the_same_date_after_a_right_and_a_wrong_answer_is_explained(
    tmp_path: Path, typed: str, said: str
) -> None:
    clock = Clock()
    Progress.open(tmp_path, clock=clock).record(
        Answered(at=clock(), question="sum-1", version=1, lesson=LESSON.id, correct=False)
    )
    clock.at += 60
    async with reviewer(tmp_path, clock, start="review").run_test(size=(80, 24)) as pilot:
        await sees(pilot, "Press Enter to review some questions early")
        await keys(pilot, "enter")
        await sees(pilot, "What is 1 and 1?")
        await keys(pilot, typed, "enter")
        await sees(pilot, "saved")
        assert said in " ".join(shown(pilot.app).split())


async def test_a_verdict_is_never_shown_on_the_next_question(tmp_path: Path) -> None:
    """While the next question is read from disk, the answer to the last one can still arrive."""
    clock = Clock()
    answered(tmp_path, clock, 1, 2)
    clock.at += 5 * DAY
    async with reviewer(tmp_path, clock, start="review").run_test(size=(80, 24)) as pilot:
        await sees(pilot, "What is 1 and 1?")
        screen = pilot.app.screen
        assert isinstance(screen, ReviewScreen)
        with locked(tmp_path / "lock", 5.0):
            await keys(pilot, "2", "enter")
            await sees(pilot, "Saving your answer.")
            await screen.action_skip()  # it began before the answer arrived
            await sees(pilot, "What is 2 and 2?")
        await until(pilot, lambda: pilot.app.progress.drain(0))  # type: ignore[attr-defined]
        await pilot.pause()
        assert "Right: 2" not in shown(pilot.app)
        await keys(pilot, "4", "enter")
        await sees(pilot, "✓ Right: 4.")
    cards = Progress.open(tmp_path).cards()
    assert (cards["sum-1"].answers, cards["sum-2"].answers) == (2, 2)


async def test_no_answer_is_saved_without_its_verdict(tmp_path: Path) -> None:
    """A slow connection delivers Enter and s together, so s is handled before the answer is."""
    choice = next(each for each in LESSON.questions if each.id == "cosine")
    lesson = msgspec.structs.replace(LESSON, questions=(choice, *QUESTIONS))
    clock = Clock()
    first = Answered(
        at=clock() - 9, question=choice.id, version=choice.version, lesson=LESSON.id, correct=False
    )
    Progress.open(tmp_path, clock=clock).record(first)
    answered(tmp_path, clock, 2)
    clock.at += 40 * DAY
    app = reviewer(tmp_path, clock, course=Course(lessons=(lesson,)), start="review")
    async with app.run_test(size=(80, 24)) as pilot:
        await sees(pilot, choice.ask[:20])
        await keys(pilot, "c")
        await sees(pilot, "› c ")
        app.post_message(Key("enter", None))
        app.post_message(Key("s", "s"))
        await sees(pilot, "What is 2 and 2?")
        await pilot.pause()
        await keys(pilot, "4", "enter")
        await sees(pilot, "✓ Right: 4.")
        assert app.progress.drain(10)
    cards = Progress.open(tmp_path).cards()
    assert (cards["cosine"].answers, cards["sum-2"].answers) == (1, 2)


async def test_esc_never_hides_the_verdict_on_a_saved_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(review, "NOTICEABLE", 60.0)
    clock = Clock()
    answered(tmp_path, clock, 1)
    clock.at += 5 * DAY
    async with reviewer(tmp_path, clock, start="review").run_test(size=(80, 24)) as pilot:
        await sees(pilot, "What is 1 and 1?")
        with locked(tmp_path / "lock", 5.0):
            await keys(pilot, "2", "enter", "escape")
        await sees(pilot, "✓ Right: 2.")
        await keys(pilot, "escape")
        await until(pilot, lambda: isinstance(pilot.app.screen, HomeScreen))


async def test_esc_leaves_while_a_slow_disk_saves_an_answer(tmp_path: Path) -> None:
    clock = Clock()
    answered(tmp_path, clock, 1)
    clock.at += 5 * DAY
    async with reviewer(tmp_path, clock, start="review").run_test(size=(80, 24)) as pilot:
        await sees(pilot, "What is 1 and 1?")
        with locked(tmp_path / "lock", 5.0):
            await keys(pilot, "2", "enter")
            await sees(pilot, "Saving your answer.")
            await keys(pilot, "escape")
            await until(pilot, lambda: isinstance(pilot.app.screen, HomeScreen))
    assert Progress.open(tmp_path).cards()["sum-1"].answers == 2


async def test_an_answered_question_is_no_longer_counted_as_left(tmp_path: Path) -> None:
    clock = Clock()
    answered(tmp_path, clock, 1, 2)
    clock.at += 5 * DAY
    async with reviewer(tmp_path, clock, start="review").run_test(size=(80, 24)) as pilot:
        await sees(pilot, "review · 2 left")
        await keys(pilot, "2", "enter")
        await sees(pilot, "saved")
        await sees(pilot, "review · 1 left")
        await keys(pilot, "enter")
        await sees(pilot, "What is 2 and 2?")
        await sees(pilot, "review · 1 left")
        await keys(pilot, "1", "enter")
        await sees(pilot, "saved")
        await sees(pilot, "review · 0 left")
        await keys(pilot, "r")  # the second attempt is not a review
        await sees(pilot, "review · 0 left")


async def test_an_answer_of_a_quiz_cannot_be_undone_in_a_review(tmp_path: Path) -> None:
    clock = Clock()
    answered(tmp_path, clock, 1)
    async with reviewer(tmp_path, clock, start="review").run_test(size=(80, 24)) as pilot:
        await sees(pilot, "Nothing is due.")
        await keys(pilot, "u")
        await keys(pilot, "enter")
        await sees(pilot, "What is 1 and 1?")
        assert "u undo" not in shown(pilot.app)
    assert Progress.open(tmp_path).cards()["sum-1"].answers == 1


async def test_a_suspended_question_is_not_asked_until_brought_back(tmp_path: Path) -> None:
    clock = Clock()
    answered(tmp_path, clock, 1, 2)
    clock.at += 5 * DAY
    async with reviewer(tmp_path, clock, start="review").run_test(size=(80, 24)) as pilot:
        await sees(pilot, "2 left")
        await keys(pilot, "z")
        await sees(pilot, "What is 2 and 2?")
        await sees(pilot, "review · 1 left")
        await keys(pilot, "s")
        await sees(pilot, "1 question is no longer asked.")
        await sees(pilot, "1 left for later; it stays due.")
        assert "Nothing else is due" not in shown(pilot.app)
        clock.at += 5
        await keys(pilot, "z")
        await sees(pilot, "› ")
        await keys(pilot, "enter")
        await sees(pilot, "There is no question to bring back.")
        await keys(pilot, "escape")
        await sees(pilot, "What is 1 and 1?")


async def test_enter_asks_only_what_was_left_for_later(tmp_path: Path) -> None:
    clock = Clock()
    answered(tmp_path, clock, 1, 2)
    clock.at += 5 * DAY
    async with reviewer(tmp_path, clock, start="review").run_test(size=(80, 24)) as pilot:
        await sees(pilot, "What is 1 and 1?")
        await keys(pilot, "2", "enter")
        await sees(pilot, "saved")
        await keys(pilot, "enter")
        await sees(pilot, "What is 2 and 2?")
        await keys(pilot, "s")
        await sees(pilot, "Press Enter to answer the questions that you left, or Esc to go back.")
        await sees(pilot, "enter review")
        assert "ahead" not in shown(pilot.app)
        await keys(pilot, "enter")
        await sees(pilot, "What is 2 and 2?")
        await sees(pilot, "review · 1 left")
        await keys(pilot, "4", "enter")
        await sees(pilot, "saved")
        await keys(pilot, "enter")
        await sees(pilot, "Press Enter to review some questions early, or press Esc to go back.")
        await sees(pilot, "enter review ahead")


async def test_undo_after_a_suspension_brings_the_question_back(tmp_path: Path) -> None:
    clock = Clock()
    answered(tmp_path, clock, 1, 2)
    clock.at += 5 * DAY
    async with reviewer(tmp_path, clock, start="review").run_test(size=(80, 24)) as pilot:
        await sees(pilot, "What is 1 and 1?")
        await keys(pilot, "2", "enter")
        await sees(pilot, "saved")
        await keys(pilot, "enter")
        await sees(pilot, "What is 2 and 2?")
        clock.at += 5
        await keys(pilot, "z")
        await sees(pilot, "1 question is no longer asked. Press z to bring it back.")
        await sees(pilot, "u undo")
        clock.at += 5
        await keys(pilot, "u")
        await sees(pilot, "Brought back. Reviews ask this question again.")
        await sees(pilot, "What is 2 and 2?")
        await sees(pilot, "u undo answer")
        cards = Progress.open(tmp_path).cards()
        assert (cards["sum-1"].answers, cards["sum-2"].suspended) == (2, False)
        clock.at += 5
        await keys(pilot, "u")  # the answer before the suspension
        await sees(pilot, "Your last answer was undone.")
    assert Progress.open(tmp_path).cards()["sum-1"].answers == 1


async def test_undo_after_suspending_an_answered_question_does_not_ask_it_again(
    tmp_path: Path,
) -> None:
    clock = Clock()
    answered(tmp_path, clock, 1)
    clock.at += 5 * DAY
    async with reviewer(tmp_path, clock, start="review").run_test(size=(80, 24)) as pilot:
        await sees(pilot, "What is 1 and 1?")
        await keys(pilot, "2", "enter")
        await sees(pilot, "saved")
        clock.at += 5
        await keys(pilot, "z")
        await sees(pilot, "1 question is no longer asked.")
        clock.at += 5
        await keys(pilot, "u")
        await sees(pilot, "Brought back. Reviews ask this question again.")
        await sees(pilot, "1 answered. Nothing else is due.")
        assert "1 question is no longer asked." not in shown(pilot.app)
    assert Progress.open(tmp_path).cards()["sum-1"].answers == 2


async def test_suspended_questions_are_brought_back_one_by_one(tmp_path: Path) -> None:
    clock = Clock()
    answered(tmp_path, clock, 1, 2, 3)
    clock.at += 5 * DAY
    app = reviewer(tmp_path, clock, start="review")
    async with app.run_test(size=(80, 24)) as pilot:
        await sees(pilot, "3 left")
        for left in ("2 left", "1 left", "3 questions are no longer asked."):
            await keys(pilot, "z")
            await sees(pilot, left)
        clock.at += 5
        await keys(pilot, "z")
        await sees(pilot, "› ")
        for question in ("What is 1 and 1?", "What is 2 and 2?", "What is 3 and 3?"):
            assert question in shown(app)
        assert "enter bring back" in shown(app)
        await keys(pilot, "down", "enter")
        await sees(pilot, "Brought back: What is 2 and 2?")
        await keys(pilot, "escape")
        await sees(pilot, "What is 2 and 2?")
        await sees(pilot, "review · 1 left")
    cards = Progress.open(tmp_path).cards()
    assert [cards[f"sum-{number}"].suspended for number in (1, 2, 3)] == [True, False, True]


async def test_the_draft_of_a_second_attempt_is_not_kept_for_a_later_review(tmp_path: Path) -> None:
    clock = Clock()
    answered(tmp_path, clock, 1)
    clock.at += 5 * DAY
    async with reviewer(tmp_path, clock, start="review").run_test(size=(80, 24)) as pilot:
        await sees(pilot, "What is 1 and 1?")
        await keys(pilot, "9", "enter")
        await sees(pilot, "saved")
        await keys(pilot, "r", "h", "2")
        await sees(pilot, "Hint:")
    assert Progress.open(tmp_path).state().drafts == {}


async def test_a_review_can_end_at_any_question_and_loses_nothing(tmp_path: Path) -> None:
    clock = Clock()
    answered(tmp_path, clock, 1, 2, 3)
    clock.at += 5 * DAY
    async with reviewer(tmp_path, clock, start="review").run_test(size=(80, 24)) as pilot:
        await sees(pilot, "3 left")
        await keys(pilot, "2", "enter")
        await sees(pilot, "saved")
        await keys(pilot, "escape")
        assert isinstance(pilot.app.screen, HomeScreen)
        await sees(pilot, "Review     2 due")
    assert Progress.open(tmp_path).cards()["sum-1"].answers == 2


async def test_reviewing_ahead(tmp_path: Path) -> None:
    clock = Clock()
    answered(tmp_path, clock, 1, 2)
    async with reviewer(tmp_path, clock, start="review").run_test(size=(80, 24)) as pilot:
        await sees(pilot, "Nothing is due.")
        await keys(pilot, "enter")
        await sees(pilot, "What is 1 and 1?")
        await sees(pilot, "review · 2 left")  # as in a review of questions that are due
        await keys(pilot, "2", "enter")
        await sees(pilot, "saved")
        await sees(pilot, "review · 1 left")
        await keys(pilot, "enter")
        await sees(pilot, "What is 2 and 2?")
        await sees(pilot, "review · 1 left")
        await keys(pilot, "u")
        await sees(pilot, "What is 1 and 1?")
        await sees(pilot, "review · 2 left")
        await keys(pilot, "2", "enter")
        await sees(pilot, "saved")
        await keys(pilot, "enter")
        await sees(pilot, "review · 1 left")
        await keys(pilot, "s")
        await sees(pilot, "1 answered.")


async def test_skipping_says_whether_the_question_stays_due(tmp_path: Path) -> None:
    clock = Clock()
    answered(tmp_path, clock, 1, 2)
    async with reviewer(tmp_path, clock, start="review").run_test(size=(80, 24)) as pilot:
        await sees(pilot, "Nothing is due.")
        await keys(pilot, "enter")
        await sees(pilot, "s skip")
        await keys(pilot, "s")
        await sees(pilot, "The previous question is left for later.")
        assert "stays due" not in shown(pilot.app)
    clock.at += 5 * DAY
    async with reviewer(tmp_path, clock, start="review").run_test(size=(80, 24)) as pilot:
        await sees(pilot, "s skip")
        await keys(pilot, "s")
        await sees(pilot, "The previous question is left for later. It stays due.")


async def test_undoing_keeps_the_question_that_was_asked_early(tmp_path: Path) -> None:
    clock = Clock()
    answered(tmp_path, clock, 1, 2)
    async with reviewer(tmp_path, clock, start="review").run_test(size=(80, 24)) as pilot:
        await sees(pilot, "Nothing is due.")
        await keys(pilot, "enter")
        await sees(pilot, "What is 1 and 1?")
        await keys(pilot, "2", "enter")
        await sees(pilot, "saved")
        await keys(pilot, "enter")
        await sees(pilot, "What is 2 and 2?")
        await keys(pilot, "u")
        await sees(pilot, "Your last answer was undone.")
        await sees(pilot, "What is 1 and 1?")
        await keys(pilot, "2", "enter")
        await sees(pilot, "saved")
        await keys(pilot, "enter")
        await sees(pilot, "What is 2 and 2?")


async def test_reviews_have_a_daily_limit(tmp_path: Path) -> None:
    clock = Clock()
    answered(tmp_path, clock, 1, 2, 3)
    Progress.open(tmp_path).save_setting("review.cap", 1)
    clock.at += 5 * DAY
    async with reviewer(tmp_path, clock, start="review").run_test(size=(80, 24)) as pilot:
        await sees(pilot, "1 left")
        await keys(pilot, "2", "enter")
        await sees(pilot, "saved")
        await keys(pilot, "enter")
        await sees(pilot, "1 answered: today's limit is reached.")
        await sees(pilot, "2 more are due, over the limit of 1 review a day. To change it, press")
        assert "Nothing else is due." not in shown(pilot.app)
        assert "The next question is due" not in shown(pilot.app)


async def test_all_screens_agree_on_the_questions_over_the_limit(tmp_path: Path) -> None:
    clock = Clock()
    answered(tmp_path, clock, 1, 2)
    Progress.open(tmp_path).save_setting("review.new", 1)
    clock.at += 5 * DAY
    answered(tmp_path, clock, 3)  # due on a later day
    async with reviewer(tmp_path, clock).run_test(size=(80, 24)) as pilot:
        await sees(pilot, "1 due · about 1 minute, 1 more over today's limit")
    async with reviewer(tmp_path, clock, start="review").run_test(size=(120, 30)) as pilot:
        await sees(pilot, "review · 1 left")
        await keys(pilot, "2", "enter")
        await sees(pilot, "saved")
        await keys(pilot, "enter")
        await sees(pilot, "1 answered: today's limit is reached.")
        await sees(pilot, "1 more is due, over the limit of 1 new question a day. To change it,")
        await sees(pilot, "enter review more")
        await keys(pilot, "escape")
        await sees(pilot, "1 due, over today's limit")
        await keys(pilot, "p")
        await sees(pilot, "1 of these is due now, over the limit")
    async with reviewer(tmp_path, clock, start="review").run_test(size=(80, 24)) as pilot:
        await sees(pilot, "Today's limit is reached.")
        await sees(pilot, "1 question is due, over the limit of 1 new question a day")
        assert "Nothing is due" not in shown(pilot.app)


async def test_the_map_describes_the_questions_over_the_limit(tmp_path: Path) -> None:
    clock = Clock()
    answered(tmp_path, clock, 1, 2)
    Progress.open(tmp_path).save_setting("review.new", 0)
    clock.at += 5 * DAY
    async with reviewer(tmp_path, clock).run_test(size=(130, 30)) as pilot:
        await sees(pilot, "2 due, over today's limit")
        await keys(pilot, "down")
        await sees(pilot, "2 questions are due, over the ")
        await sees(pilot, "now")


async def test_enter_reviews_the_questions_over_the_limit_first(tmp_path: Path) -> None:
    clock = Clock()
    answered(tmp_path, clock, 3)
    clock.at += 5 * DAY
    answered(tmp_path, clock, 2)
    answered(tmp_path, clock, 1)  # due on a later day, as is sum-2
    Progress.open(tmp_path).save_setting("review.new", 0)
    async with reviewer(tmp_path, clock, start="review").run_test(size=(80, 24)) as pilot:
        await sees(pilot, "Press Enter to review it today after all, or press Esc to go back.")
        await keys(pilot, "enter")
        await sees(pilot, "What is 3 and 3?")
        await keys(pilot, "s")
        await sees(pilot, "1 question is due, over the limit")
        await keys(pilot, "enter")
        await sees(pilot, "What is 3 and 3?")
        await keys(pilot, "6", "enter")
        await sees(pilot, "saved")
        await keys(pilot, "enter")
        await sees(pilot, "1 answered. Nothing else is due.")
        await sees(pilot, "enter review ahead")
        await keys(pilot, "enter")
        await sees(pilot, "What is 1 and 1?")


async def test_a_changed_question_starts_again_and_says_why(tmp_path: Path) -> None:
    clock = Clock()
    answered(tmp_path, clock, 1)
    changed = msgspec.structs.replace(QUESTIONS[0], version=2)
    lesson = msgspec.structs.replace(LESSON, questions=(changed,))
    app = reviewer(tmp_path, clock, course=Course(lessons=(lesson,)), start="review")
    async with app.run_test(size=(80, 24)) as pilot:
        await sees(pilot, "This question has changed since you answered it")


async def test_a_draft_is_kept_for_the_next_review(tmp_path: Path) -> None:
    clock = Clock()
    answered(tmp_path, clock, 1)
    clock.at += 5 * DAY
    async with reviewer(tmp_path, clock, start="review").run_test(size=(80, 24)) as pilot:
        await sees(pilot, "What is 1 and 1?")
        await keys(pilot, "1", "7", "escape", "r")
        await sees(pilot, "17")
        await keys(pilot, "enter")
        await sees(pilot, "saved")


async def test_a_question_about_a_lab_opens_it_with_its_prompt(tmp_path: Path) -> None:
    clock = Clock()
    answered(tmp_path, clock, 1)
    clock.at += 5 * DAY
    async with reviewer(tmp_path, clock, start="review").run_test(size=(80, 24)) as pilot:
        await sees(pilot, "l lab")
        await keys(pilot, "l")
        await until(pilot, lambda: isinstance(pilot.app.screen, ExplorerScreen))
        await sees(pilot, LAB.prompt)
        await keys(pilot, "escape")
        await sees(pilot, "What is 1 and 1?")


@pytest.mark.parametrize("size", NORMAL_AND_SMALL)
@pytest.mark.parametrize("state", ["asked", "answered", "over", "nothing", "suspended"])
def test_how_it_looks(
    snap_compare: Callable[..., bool], tmp_path: Path, size: tuple[int, int], state: str
) -> None:
    clock = Clock()
    if state != "nothing":
        answered(tmp_path, clock, *((1, 2) if state == "asked" else (1,)))
    clock.at += 5 * DAY

    async def shows(pilot: Pilot[Any]) -> None:
        await sees(pilot, "●")
        if state == "nothing":
            await sees(pilot, "Nothing to review yet")
        else:
            await sees(pilot, "What is 1 and 1?")
        if state in ("answered", "over"):
            await keys(pilot, "2", "enter")
            await sees(pilot, "saved")
        if state == "suspended":
            await keys(pilot, "z")
            await sees(pilot, "1 question is no longer asked.")
            await keys(pilot, "z")
            await sees(pilot, "› ")
        if state == "over":
            await keys(pilot, "enter")
            await sees(pilot, "1 answered")
        await pilot.pause()

    app = reviewer(tmp_path, clock, start="review")
    assert snap_compare(app, run_before=shows, terminal_size=size)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (-5, "now"),
        (40, "in 1 minute"),
        (600, "in 10 minutes"),
        (DAY, "tomorrow"),
        (3 * DAY, "in 3 days"),
        (90 * DAY, "in 3 months"),
    ],
)
def test_times_in_words(seconds: float, said: str) -> None:
    assert when(Clock().at + seconds, Clock().at) == said
