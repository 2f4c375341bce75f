"""Test that a quiz keeps what the learner did, and that saving never makes a key wait."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, cast

import msgspec
import pytest
from textual.events import Key

from tests.app.explorer.explorer_stage import shown
from tests.app.whole_app import keys, sees, until, whole_app
from tests.later import NORMAL_AND_SMALL
from tests.sample_course import COURSE, LESSON
from tutor.app.app import Patience
from tutor.app.base_screen import TutorScreen
from tutor.app.help import HelpScreen
from tutor.app.home.screen import HomeScreen
from tutor.app.quiz.screen import QuizScreen
from tutor.course.catalogue import Course
from tutor.errors import LessonError
from tutor.learner.errors import StoreFull
from tutor.learner.lock import locked
from tutor.learner.progress import Progress
from tutor.learner.records import LessonState

if TYPE_CHECKING:
    from pathlib import Path

    from textual.pilot import Pilot

    from tutor.app.app import TutorApp

SIZE = (80, 24)


def only(*ids: str) -> Course:
    """Return the sample course with only these questions."""
    questions = tuple(each for each in LESSON.questions if each.id in ids)
    return Course(lessons=(msgspec.structs.replace(LESSON, questions=questions),))


def seen(pilot: Pilot[Any]) -> str:
    return shown(cast("TutorApp", pilot.app))


def body(pilot: Pilot[Any]) -> list[str]:
    """Return the lines of the question on the screen."""
    return [line.rstrip() for line in seen(pilot).splitlines()[2:12]]


def place_of(app: TutorApp) -> str:
    assert isinstance(app.screen, TutorScreen)
    return app.screen.place


def is_elsewhere(app: TutorApp, before: str) -> bool:
    return place_of(app) != before


async def open_quiz(pilot: Pilot[Any]) -> None:
    await keys(pilot, "enter", "a")
    await sees(pilot, "question 1 of")
    await until(pilot, lambda: pilot.app.focused is not None)


DRAFTS = [
    ("cosine", ["c"], "› c "),
    ("true-of-probabilities", ["a", "c"], "[x] c"),
    ("bits", ["1", "full_stop", "5"], "> 1.5"),
    ("loop", ["down", "space", "up", "space"], "› 1 "),
    ("unit", [*"tok"], "> tok"),
    ("capital", [*"Lon"], "> Lon"),
]


@pytest.mark.parametrize(("question", "entered", "mark"), DRAFTS)
async def test_escape_keeps_what_was_entered(
    tmp_path: Path, question: str, entered: list[str], mark: str
) -> None:
    course = only(question)
    async with whole_app(tmp_path, course=course).run_test(size=SIZE) as pilot:
        await open_quiz(pilot)
        await keys(pilot, *entered)
        await sees(pilot, mark)
        before = body(pilot)
        await keys(pilot, "escape")
        assert "question 1 of" not in seen(pilot)
        await keys(pilot, "a")
        await sees(pilot, mark)
        assert pilot.app.focused is not None
        assert pilot.app.focused.__class__.__name__ in ("Choices", "Ordering", "TypedAnswer")
    # it is the same after a restart
    async with whole_app(tmp_path, course=course).run_test(size=SIZE) as pilot:
        await keys(pilot, "enter", "a")
        await sees(pilot, mark)
        lines = [line.replace("› [", "  [") for line in body(pilot)]
        assert lines == [line.replace("› [", "  [") for line in before]
    assert Progress.open(tmp_path).cards() == {}


async def test_hint_guess_and_attempt_are_kept_too(tmp_path: Path) -> None:
    course = only("cosine")
    async with whole_app(tmp_path, course=course).run_test(size=SIZE) as pilot:
        await open_quiz(pilot)
        await keys(pilot, "h", "g")
        await sees(pilot, "Hint:")
    app = whole_app(tmp_path, course=course)
    async with app.run_test(size=SIZE) as pilot:
        await keys(pilot, "enter", "a")
        await sees(pilot, "Hint:")
        await sees(pilot, "marked as a guess")
    draft = app.progress.lesson(LESSON.id).draft
    assert draft is not None
    assert (draft.hinted, draft.guessed, draft.attempt) == (True, True, 1)


@pytest.mark.parametrize(
    ("question", "answer", "said"),
    [
        ("cosine", ["a", "enter"], "enter next"),
        ("bits", ["2", "enter"], "✓ Right: 2 bits."),
        ("loop", ["space", "down", "up", "enter", "enter"], "are in the right position"),
        ("unit", [*"word", "enter"], "× “word” is not right."),
        ("capital", [*"Paris", "enter"], "most probable token"),
    ],
)
async def test_a_saved_answer_is_not_asked_for_again(
    tmp_path: Path, question: str, answer: list[str], said: str
) -> None:
    course = only(question)
    async with whole_app(tmp_path, course=course).run_test(size=SIZE) as pilot:
        await open_quiz(pilot)
        await keys(pilot, *answer)
        await sees(pilot, said)
    why = LESSON.question(question).why.split(" ")[0]  # type: ignore[union-attr]
    async with whole_app(tmp_path, course=course).run_test(size=SIZE) as pilot:
        await sees(pilot, "One question")
        pilot.app.navigator.open_quiz(course.lessons[0])  # type: ignore[attr-defined]
        await sees(pilot, "saved")
        await sees(pilot, why)
        if question != "capital":  # the model's earlier answer is not kept
            await sees(pilot, said)
        await keys(pilot, "enter")
        await sees(pilot, "of 1 right")
    assert Progress.open(tmp_path).cards()[question].answers == 1


async def test_a_second_attempt_is_still_one_after_a_restart(tmp_path: Path) -> None:
    course = only("unit")
    async with whole_app(tmp_path, course=course).run_test(size=SIZE) as pilot:
        await open_quiz(pilot)
        await keys(pilot, *"word", "enter")
        await sees(pilot, "is not right")
        await keys(pilot, "r")
        await sees(pilot, "a word or two")
        await keys(pilot, "t")
    app = whole_app(tmp_path, course=course)
    async with app.run_test(size=SIZE) as pilot:
        await keys(pilot, "enter")
        await sees(pilot, "> t")
        draft = app.progress.lesson(LESSON.id).draft
        assert draft is not None
        assert draft.attempt == 2


async def test_what_is_not_a_number_stays_and_is_not_graded(tmp_path: Path) -> None:
    course = only("bits")
    async with whole_app(tmp_path, course=course).run_test(size=SIZE) as pilot:
        await open_quiz(pilot)
        await keys(pilot, *"4/(√2·√2)", "enter")
        await sees(pilot, "“4/(√2·√2)” cannot be read as a number.")
        await sees(pilot, "> 4/(√2·√2)")
        assert Progress.open(tmp_path).cards() == {}
        await keys(pilot, *["backspace"] * 7, *"2 b", "enter")
        await sees(pilot, "“4/2 b” cannot be read as a number.")
        await keys(pilot, *"its", "enter")
        await sees(pilot, "✓ Right: 2 bits.")


# --- keys and instructions ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("cosine", ["a-d choose", "enter answer"]),
        ("true-of-probabilities", ["Tick every correct", "a-c tick", "enter answer"]),
        ("bits", ["a number", "enter answer", "h hint"]),
        ("loop", ["Press Space to pick up", "↑↓ choose", "space pick up", "enter answer"]),
        ("unit", ["a word or two", "enter answer", "tab leave field"]),
        ("capital", ["the next word", "enter answer", "tab leave field"]),
    ],
)
@pytest.mark.parametrize("size", NORMAL_AND_SMALL)
async def test_every_question_shows_its_keys(
    tmp_path: Path, question: str, expected: list[str], size: tuple[int, int]
) -> None:
    async with whole_app(tmp_path, course=only(question)).run_test(size=size) as pilot:
        await keys(pilot, "enter", "a")
        for words in expected:
            await sees(pilot, words)


@pytest.mark.parametrize(
    ("question", "advice"),
    [
        ("cosine", "Choose an answer first"),
        ("true-of-probabilities", "Tick the correct choices first (a-c)"),
        ("bits", "The field is empty."),
        ("unit", "The field is empty."),
        ("capital", "Nothing was typed."),
    ],
)
async def test_enter_without_an_answer_says_what_to_do(
    tmp_path: Path, question: str, advice: str
) -> None:
    async with whole_app(tmp_path, course=only(question)).run_test(size=SIZE) as pilot:
        await sees(pilot, "Fake-1K ●")
        await open_quiz(pilot)
        await keys(pilot, "enter")
        await sees(pilot, advice)
    assert Progress.open(tmp_path).cards() == {}


@pytest.mark.parametrize("following", ["true-of-probabilities", "bits", "unit"])
async def test_an_answer_never_counts_for_the_next_question(tmp_path: Path, following: str) -> None:
    """A slow connection delivers Enter and s together, so s is handled before the answer is."""
    course = only("cosine", following)
    async with whole_app(tmp_path, course=course).run_test(size=SIZE) as pilot:
        await open_quiz(pilot)
        await keys(pilot, "c")
        await sees(pilot, "› c ")
        pilot.app.post_message(Key("enter", None))
        pilot.app.post_message(Key("s", "s"))
        await sees(pilot, "is left for later.")
        await pilot.pause()
        assert pilot.app.progress.drain(10)  # type: ignore[attr-defined]
        assert Progress.open(tmp_path).cards() == {}


async def test_a_hint_below_the_edge_is_scrolled_into_view(tmp_path: Path) -> None:
    async with whole_app(tmp_path, course=only("cosine")).run_test(size=(40, 12)) as pilot:
        await open_quiz(pilot)
        assert "Hint:" not in seen(pilot)
        await keys(pilot, "h")
        await sees(pilot, "Hint:")


async def test_a_hint_says_that_it_makes_the_next_review_earlier(tmp_path: Path) -> None:
    said = "After a hint, a right answer can lead to an earlier review."
    async with whole_app(tmp_path, course=only("bits")).run_test(size=SIZE) as pilot:
        await open_quiz(pilot)
        assert said not in seen(pilot)
        await keys(pilot, "h")
        await sees(pilot, said)
        await keys(pilot, "9", "enter")
        await sees(pilot, "r try again")
        await keys(pilot, "r", "h")  # a right answer after a wrong one counts less in any case
        await sees(pilot, "Hint:")
        assert said not in seen(pilot)


async def test_the_help_says_that_a_hint_counts_only_where_it_does(tmp_path: Path) -> None:
    less = "A right answer then counts less."

    async def help_names_it(pilot: Pilot[Any]) -> bool:
        await keys(pilot, "question_mark")
        await sees(pilot, "Show a hint.")
        named = less in seen(pilot)
        await keys(pilot, "escape")
        return named

    async with whole_app(tmp_path, course=only("bits")).run_test(size=SIZE) as pilot:
        await open_quiz(pilot)
        await keys(pilot, "tab")
        assert await help_names_it(pilot)
        await keys(pilot, "g", "tab")  # a guess counts less in any case
        assert not await help_names_it(pilot)
        await keys(pilot, "g", "tab")
        assert await help_names_it(pilot)
        await keys(pilot, "h", "tab")
        assert not await help_names_it(pilot)
        await keys(pilot, "enter", "9", "enter")
        await sees(pilot, "r try again")
        await keys(pilot, "r", "tab")
        assert not await help_names_it(pilot)


async def test_a_guess_says_that_it_counts_less_if_it_does(tmp_path: Path) -> None:
    said = "After a guess, a right answer can lead to an earlier review."
    async with whole_app(tmp_path, course=only("bits")).run_test(size=SIZE) as pilot:
        await open_quiz(pilot)
        await keys(pilot, "tab", "g")
        await sees(pilot, said)
        await keys(pilot, "tab", "g")
        assert said not in seen(pilot)
        await keys(pilot, "9", "enter")
        await sees(pilot, "r try again")
        await keys(pilot, "r", "tab", "g")  # an answer after a wrong one counts less in any case
        await sees(pilot, "marked as a guess")
        assert said not in seen(pilot)


async def test_a_hint_for_a_guess_does_not_say_that_it_counts(tmp_path: Path) -> None:
    said = "After a hint, a right answer can lead to an earlier review."
    async with whole_app(tmp_path, course=only("bits")).run_test(size=SIZE) as pilot:
        await open_quiz(pilot)
        await keys(pilot, "h")
        await sees(pilot, said)
        await keys(pilot, "tab", "g")
        await sees(pilot, "marked as a guess")
        assert said not in seen(pilot)


async def test_a_quiz_opened_by_mistake_does_not_hide_the_screens_left_to_read(
    tmp_path: Path,
) -> None:
    async with whole_app(tmp_path).run_test(size=SIZE) as pilot:
        await open_quiz(pilot)
        await keys(pilot, "escape", "escape")
        await sees(pilot, "› Continue   2 One question, asked again and again · screen 1 of 3")
        await keys(pilot, "enter")
        await sees(pilot, "1 of 3")


# --- one quiz, one place --------------------------------------------------------------------------


async def test_from_a_question_to_the_lesson_and_back_is_the_same_quiz(tmp_path: Path) -> None:
    app = whole_app(tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await open_quiz(pilot)
        await keys(pilot, "a", "enter")
        await sees(pilot, "saved")
        await keys(pilot, "o")
        await sees(pilot, "1 of 3")
        await keys(pilot, "a")
        await sees(pilot, "question 1 of 6")
        assert sum(isinstance(each, QuizScreen) for each in app.screen_stack) == 1
        await keys(pilot, "enter")
        await sees(pilot, "question 2 of 6")
        await keys(pilot, "escape", "escape")
        assert isinstance(app.screen, HomeScreen)
    assert Progress.open(tmp_path).lesson(LESSON.id).question == "true-of-probabilities"


async def test_going_from_the_result_to_the_lesson_and_back_opens_no_more_screens(
    tmp_path: Path,
) -> None:
    app = whole_app(tmp_path, course=only("cosine"))
    async with app.run_test(size=SIZE) as pilot:
        await open_quiz(pilot)
        await keys(pilot, "s")
        await sees(pilot, "0 of 1 right")
        depth = len(app.screen_stack)
        for _ in range(3):
            await keys(pilot, *["down"] * 3, "enter")
            await sees(pilot, "1 of 3")
            await keys(pilot, "a")
            await sees(pilot, "question 1 of 1")
            await keys(pilot, "s")
            await sees(pilot, "0 of 1 right")
        assert len(app.screen_stack) == depth


@pytest.mark.parametrize("left", [(), ("unit",)])
async def test_a_lesson_that_lost_its_questions_can_be_continued(
    tmp_path: Path, left: tuple[str, ...]
) -> None:
    async with whole_app(tmp_path).run_test(size=SIZE) as pilot:
        await open_quiz(pilot)
        await keys(pilot, "a", "enter")
        await sees(pilot, "saved")
    async with whole_app(tmp_path, course=only(*left)).run_test(size=SIZE) as pilot:
        await sees(pilot, "Continue")
        await keys(pilot, "enter")
        await sees(pilot, "question 1 of 1" if left else "1 of 3")
        assert "a questions" not in seen(pilot)


async def test_the_saved_screen_is_the_one_the_learner_returns_to(tmp_path: Path) -> None:
    async with whole_app(tmp_path).run_test(size=SIZE) as pilot:
        await keys(pilot, "enter", "right")
        await sees(pilot, "2 of 3")
        await keys(pilot, "a")
        await sees(pilot, "question 1 of 6")
        await keys(pilot, "a", "enter")
        await sees(pilot, "saved")
        await keys(pilot, "o")
        await sees(pilot, "1 of 3")
        await keys(pilot, "escape", "escape")
        await sees(pilot, "2 of 3")
    assert Progress.open(tmp_path).lesson(LESSON.id).screen == "distribution"


async def test_enter_returns_to_the_field_that_tab_left(tmp_path: Path) -> None:
    app = whole_app(tmp_path, course=only("unit"))
    async with app.run_test(size=(80, 24)) as pilot:
        await keys(pilot, "enter", "a")
        await sees(pilot, "tab leave field")
        await keys(pilot, "tab")
        await sees(pilot, "tab type")
        await keys(pilot, "enter")
        await sees(pilot, "tab leave field")


@pytest.mark.parametrize("size", [(80, 14), (40, 12)])
async def test_the_result_can_be_scrolled_back_to_its_top(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    app = whole_app(tmp_path)
    async with app.run_test(size=size) as pilot:
        await keys(pilot, "enter", "a")
        await sees(pilot, "question 1")
        for _ in LESSON.questions:
            await until(pilot, lambda: app.focused is not None)
            before = place_of(app)
            await keys(pilot, "tab", "s")
            await until(pilot, partial(is_elsewhere, app, before))
        await sees(pilot, "0 of 6 right")
        await keys(pilot, *["down"] * 5)
        await until(pilot, lambda: "0 of 6 right" not in seen(pilot))
        await keys(pilot, *["up"] * 5)
        await sees(pilot, "0 of 6 right")


# --- saving ---------------------------------------------------------------------------------------


async def test_keys_work_while_another_session_holds_the_lock(tmp_path: Path) -> None:
    """Show the verdict only when the answer is on disk, and let every other key work meanwhile."""
    app = whole_app(tmp_path, course=only("cosine", "unit"), lock_patience=60.0)
    async with app.run_test(size=SIZE) as pilot:
        await open_quiz(pilot)
        await until(pilot, lambda: not app.progress.unsaved)
        with locked(tmp_path / "lock", 5.0):
            await keys(pilot, "a", "enter")
            await sees(pilot, "Saving your answer.")
            await keys(pilot, "enter", "s", "h", "r")  # there is no verdict to continue from yet
            assert "question 1 of 2" in seen(pilot)
            assert "× Not yet" not in seen(pilot)
            assert "✓ Right" not in seen(pilot)
            await keys(pilot, "question_mark")
            assert isinstance(app.screen, HelpScreen)
            await keys(pilot, "escape")
        await sees(pilot, "enter next")
        await sees(pilot, "saved")
        assert Progress.open(tmp_path).cards()["cosine"].answers == 1


async def test_leaving_waits_until_everything_is_saved(tmp_path: Path) -> None:
    app = whole_app(tmp_path, lock_patience=60.0, patience=Patience(quit=60.0))
    async with app.run_test(size=SIZE) as pilot:
        await keys(pilot, "enter")
        await sees(pilot, "1 of 3")
        await until(pilot, lambda: not app.progress.unsaved)
        with locked(tmp_path / "lock", 5.0):
            await keys(pilot, "right")
            await sees(pilot, "2 of 3")
            await keys(pilot, "escape", "q")
            await sees(pilot, "Saving your progress")
            await keys(pilot, "question_mark")
            assert isinstance(app.screen, HelpScreen)
        await until_left(pilot)
    assert Progress.open(tmp_path).lesson(LESSON.id).screen == "distribution"
    assert app.progress.unsaved == 0
    assert app.untold == []


async def until_left(pilot: Pilot[Any]) -> None:
    """Let the app work until it has ended."""
    app = cast("TutorApp", pilot.app)
    while app.return_code is None:
        await pilot.pause()


async def test_an_error_while_saving_is_shown_on_the_current_screen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: Progress, change: object) -> None:
        raise StoreFull("The disk is full.", "Make room.")

    async with whole_app(tmp_path).run_test(size=SIZE) as pilot:
        await keys(pilot, "enter")
        await sees(pilot, "1 of 3")
        monkeypatch.setattr(Progress, "change", full)
        await keys(pilot, "right")
        await sees(pilot, "2 of 3")
        await sees(pilot, "The disk is full. Make room.")


async def test_a_file_damaged_meanwhile_is_reported_at_once(tmp_path: Path) -> None:
    app = whole_app(tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await keys(pilot, "enter")
        await sees(pilot, "1 of 3")
        await until(pilot, lambda: not app.progress.unsaved)
        (tmp_path / "progress.json").write_bytes(b"")
        await keys(pilot, "right")
        await sees(pilot, "Saved progress was repaired.")


async def test_all_problems_found_at_the_start_are_shown(tmp_path: Path) -> None:
    progress = Progress.open(tmp_path)
    for screen in ("question", "again"):
        progress.save_lesson(LessonState(lesson=LESSON.id, screen=screen))
    (tmp_path / "progress.json").write_bytes(b"{}")
    course = Course(
        lessons=COURSE.lessons,
        problems=tuple(LessonError(f"0{n}.md, line 4: no title.", "Add one.") for n in (3, 4)),
    )
    async with whole_app(tmp_path, course=course).run_test(size=SIZE) as pilot:
        await sees(pilot, "Saved progress was repaired.")
        await sees(pilot, "03.md, line 4")
        await sees(pilot, "04.md, line 4")


async def test_the_stepper_opens_on_its_text_after_a_chat(tmp_path: Path) -> None:
    async with whole_app(tmp_path).run_test(size=SIZE) as pilot:
        await sees(pilot, "Fake-1K ●")
        await keys(pilot, "s")
        await sees(pilot, "The capital of France is")
        await keys(pilot, "escape", "c")
        await sees(pilot, "your message")
        await keys(pilot, "escape", "escape")
        await sees(pilot, "Begin")
        await keys(pilot, "s")
        await sees(pilot, "The capital of France is")
