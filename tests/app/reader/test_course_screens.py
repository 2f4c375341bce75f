"""Test the course map, lessons and quizzes with the keyboard."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, cast

import msgspec
import pytest

from tests.app.explorer.explorer_stage import lines, shown
from tests.app.whole_app import keys, sees, until, whole_app
from tests.engine.fake_engine import FakeEngine
from tests.sample_course import COURSE, LAB, LESSON
from tutor.app import lifetime
from tutor.app.background.goal_keeper import reached
from tutor.app.help import HelpScreen
from tutor.app.home.background_load import BREATH, BackgroundLoad
from tutor.app.quiz.answers import LETTERS, Ordering
from tutor.app.quiz.screen import QuizScreen
from tutor.course.catalogue import Course, Opening, load_course
from tutor.course.goals import Evidence
from tutor.course.questions.order import OrderQuestion
from tutor.course.questions.several import SeveralChoices
from tutor.course.questions.single import SingleChoice
from tutor.engine.api import EngineState
from tutor.errors import LessonError
from tutor.learner.errors import StoreFull
from tutor.learner.progress import Progress
from tutor.learner.records import Answered, Card, LessonRead, LessonState
from tutor.study.lesson_progress import lesson_progress

if TYPE_CHECKING:
    from pathlib import Path

    from textual.pilot import Pilot

    from tutor.app.app import TutorApp
    from tutor.course.lesson import Lesson
    from tutor.learner.records import LogEvent

SIZE = (80, 24)


def letters(
    pilot: Pilot[Any], question: SingleChoice | SeveralChoices, *, right: bool
) -> list[str]:
    """Return the letters of the right (or the first wrong) choices in this quiz's order."""
    seed = cast("TutorApp", pilot.app).progress.lesson(LESSON.id).quiz_seed
    order = question.display_order(seed)
    places = [order.index(i) for i, choice in enumerate(question.choices) if choice.right == right]
    return [LETTERS[place] for place in (places if right else places[:1])]


async def test_home_lists_lessons_and_begins(tmp_path: Path) -> None:
    async with whole_app(tmp_path).run_test(size=SIZE) as pilot:
        await sees(pilot, "› Begin      2 One question")
        await keys(pilot, "enter")
        await sees(pilot, "1 of 3")
        await sees(pilot, "which token comes")


async def test_home_continues_where_the_learner_left_off(tmp_path: Path) -> None:
    async with whole_app(tmp_path).run_test(size=SIZE) as pilot:
        await keys(pilot, "enter")
        await sees(pilot, "1 of 3")
        await keys(pilot, "right")
        await sees(pilot, "2 of 3")
        await sees(pilot, "Lab")
    async with whole_app(tmp_path).run_test(size=SIZE) as pilot:
        await sees(pilot, "Continue   2 One question, asked again and again · screen 2 of 3")
        await keys(pilot, "enter")
        await sees(pilot, "The answer is a distribution")


async def test_escape_goes_back_and_q_leaves(tmp_path: Path) -> None:
    app = whole_app(tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await keys(pilot, "enter", "a", "escape", "escape")
        await sees(pilot, "Continue")
        await keys(pilot, "escape")  # there is no screen below the course map
        await sees(pilot, "Continue")
        await keys(pilot, "q")
    assert app.return_code == 0


async def test_a_lesson_leads_to_its_questions_and_is_read(tmp_path: Path) -> None:
    async with whole_app(tmp_path).run_test(size=SIZE) as pilot:
        await keys(pilot, "enter", "enter", "enter")
        await sees(pilot, "3 of 3")
        await keys(pilot, "enter")
        await sees(pilot, "question 1 of 6")
    state = Progress.open(tmp_path).lesson(LESSON.id)
    assert state.read
    assert state.seen == ("question", "distribution", "again")


async def test_the_whole_quiz_by_keys(tmp_path: Path) -> None:
    async with whole_app(tmp_path).run_test(size=SIZE) as pilot:
        await keys(pilot, "enter", "a")
        await sees(pilot, "Two vectors")
        single, several, _number, order = LESSON.questions[:4]
        assert isinstance(single, SingleChoice)
        assert isinstance(several, SeveralChoices)
        assert isinstance(order, OrderQuestion)

        await keys(pilot, *letters(pilot, single, right=False), "enter")
        await sees(pilot, "× Not yet.")
        await sees(pilot, "Your answer. ")
        await sees(pilot, "saved")
        await keys(pilot, "r")
        await sees(pilot, "hint")
        await keys(pilot, "h")
        await sees(pilot, "Hint: What does the cosine divide by?")
        await keys(pilot, *letters(pilot, single, right=True), "enter")
        await sees(pilot, "✓ Right.")
        await keys(pilot, "enter")

        await sees(pilot, "question 2 of 6")
        await keys(pilot, *letters(pilot, several, right=True), "enter")
        await sees(pilot, "you chose exactly the right answers")
        await keys(pilot, "enter")

        await sees(pilot, "question 3 of 6")
        await keys(pilot, "2", "tab", "g")  # the mark leads back to the field
        await sees(pilot, "marked as a guess")
        await keys(pilot, *" bits", "enter")
        await sees(pilot, "✓ Right: 2 bits.")
        await keys(pilot, "enter")

        await sees(pilot, "question 4 of 6")
        ordering = pilot.app.screen.query_one(Ordering)
        shown_order = list(ordering._order)
        for place in range(len(shown_order)):
            here = shown_order.index(place)
            await keys(pilot, *["up"] * 4, *["down"] * here)
            await keys(pilot, "space", *["up"] * (here - place), "space")
            shown_order.insert(place, shown_order.pop(here))
        await keys(pilot, "enter")
        await sees(pilot, "all items are in order")
        await keys(pilot, "enter")

        await sees(pilot, "question 5 of 6")
        await keys(pilot, *"Token", "enter")
        await sees(pilot, "✓ Right.")
        await keys(pilot, "enter")

        await sees(pilot, "question 6 of 6")
        await keys(pilot, *"Paris", "enter")
        await sees(pilot, "most probable token")
        await sees(pilot, "␣Paris")
        await keys(pilot, "enter")

        await sees(pilot, "6 of 6 right")
        await sees(pilot, "guessed")
        await keys(pilot, "escape")
        await sees(pilot, "Continue")
    cards = Progress.open(tmp_path).cards()
    assert {name for name, card in cards.items() if card.last_correct} == {
        question.id for question in LESSON.questions
    }
    assert cards["cosine"].answers == 2
    assert Progress.open(tmp_path).lesson(LESSON.id).question == ""


async def test_a_quiz_continues_at_the_same_question_in_the_same_order(tmp_path: Path) -> None:
    async with whole_app(tmp_path).run_test(size=SIZE) as pilot:
        await keys(pilot, "enter", "a")
        await sees(pilot, "question 1 of 6")
        await keys(pilot, "s")
        await sees(pilot, "question 2 of 6")
        before = [line for line in shown(pilot.app).splitlines() if "[ ]" in line]
    async with whole_app(tmp_path).run_test(size=SIZE) as pilot:
        await sees(pilot, "Continue   2 One question, asked again and again · 6 questions left")
        await keys(pilot, "enter")
        await sees(pilot, "question 2 of 6")
        await sees(pilot, "[ ] c")
        after = [line for line in shown(pilot.app).splitlines() if "[ ]" in line]
    assert before == after != []


async def test_the_result_opens_the_screen_of_a_question(tmp_path: Path) -> None:
    async with whole_app(tmp_path).run_test(size=SIZE) as pilot:
        await keys(pilot, "enter", "a")
        await sees(pilot, "question 1 of 6")
        for number in range(2, 7):
            await keys(pilot, *(["tab", "s"] if number == 6 else ["s"]))
            await sees(pilot, f"question {number} of 6")
        await keys(pilot, "tab", "s")
        await sees(pilot, "0 of 6 right")
        await keys(pilot, *["down"] * 3, "enter")
        await sees(pilot, "1 of 3")
        await keys(pilot, "escape")
        await sees(pilot, "0 of 6 right")


async def test_the_result_opens_the_lab_of_a_question(tmp_path: Path) -> None:
    course = Course(lessons=(_only("bits", "cosine"),))
    async with whole_app(tmp_path, course=course).run_test(size=SIZE) as pilot:
        await keys(pilot, "enter", "a")
        await sees(pilot, "question 1 of 2")
        await keys(pilot, "s")
        await sees(pilot, "question 2 of 2")
        await keys(pilot, "s")
        await sees(pilot, "0 of 2 right")
        await sees(pilot, "with a lab")
        await keys(pilot, *["down"] * 3)
        await sees(pilot, "l lab")
        await keys(pilot, "down")  # the screen of this question has no lab
        await until(pilot, lambda: "l lab" not in shown(pilot.app))
        await keys(pilot, "up", "l")
        await sees(pilot, LAB.prompt)
        await keys(pilot, "escape")
        await sees(pilot, "0 of 2 right")


async def test_a_guess_waits_for_the_model_and_says_so(tmp_path: Path) -> None:
    course = Course(lessons=(_only("capital"),))
    engine = FakeEngine()
    async with whole_app(tmp_path, engine, course).run_test(size=SIZE) as pilot:
        await keys(pilot, "enter", "a")
        await sees(pilot, "The capital of France is …")
        engine.become(EngineState.LOADING)
        await keys(pilot, *"Berlin", "enter")
        await sees(pilot, "not ready yet")
        engine.become(EngineState.READY)
        await keys(pilot, "enter")
        await sees(pilot, "Not yet: your guess has rank")
    assert Progress.open(tmp_path).cards()["capital"].answers == 1


async def test_an_answer_that_cannot_be_saved_is_reported_and_the_app_continues(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: Progress, event: LogEvent) -> None:
        raise StoreFull("The disk is full.", "Make room.")

    async with whole_app(tmp_path).run_test(size=SIZE) as pilot:
        await keys(pilot, "enter", "a")
        await sees(pilot, "question 1 of 6")
        monkeypatch.setattr(Progress, "record", full)
        await keys(pilot, "a", "enter")
        await sees(pilot, "The disk is full. Make room.")
        await sees(pilot, "Your answer was not saved, so this question stays open.")
        await keys(pilot, "enter")
        await sees(pilot, "question 2 of 6")


async def test_the_status_line_says_that_nothing_is_saved_until_something_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(self: Progress, event: LogEvent) -> None:
        raise StoreFull("The disk is full.", "Make room.")

    app = whole_app(tmp_path)
    async with app.run_test(size=(40, 12)) as pilot:
        await keys(pilot, "enter", "a")
        await sees(pilot, "question 1 of 6")
        assert "not saved" not in shown(app)
        with monkeypatch.context() as patched:
            patched.setattr(Progress, "record", full)
            await keys(pilot, "a", "enter")
            await until(pilot, lambda: lines(app)[0].endswith("not saved"))
            await keys(pilot, "question_mark")
            await until(pilot, lambda: isinstance(app.screen, HelpScreen))
            assert lines(app)[0].endswith("not saved")
            await keys(pilot, "escape")
            app.progress.record(LessonRead(at=1.0, lesson=LESSON.id))
            await until(pilot, lambda: not app.progress.unsaved)
            assert lines(app)[0].endswith("not saved")
        app.progress.record(LessonRead(at=2.0, lesson=LESSON.id))
        await until(pilot, lambda: "not saved" not in lines(app)[0])
        app.progress.refused = StoreFull("The disk is full.", "Make room.")
    lifetime._say_why_and_what_is_lost(app)
    said = "tutor: No space to save progress: The disk is full. Make room.\n"
    assert capsys.readouterr().err == said


async def test_a_lab_is_recorded_once_when_all_its_goals_are_reached(tmp_path: Path) -> None:
    app = whole_app(tmp_path)
    async with app.run_test(size=SIZE):
        unsure = Evidence(top_probability=0.1)
        against = Evidence(top_probability=0.9, taken_rank=60)
        assert await app.services.goals.stepped(LESSON, LAB, unsure) is None
        assert reached(LAB, app.progress.lesson(LESSON.id)) == {0}
        assert await app.services.goals.stepped(LESSON, LAB, against) == LAB.done
        assert await app.services.goals.stepped(LESSON, LAB, against) is None
    assert Progress.open(tmp_path).lesson(LESSON.id).labs_done == (LAB.id,)


async def test_goals_of_an_unfinished_lab_are_kept(tmp_path: Path) -> None:
    app = whole_app(tmp_path)
    async with app.run_test(size=SIZE):
        await app.services.goals.stepped(LESSON, LAB, Evidence(top_probability=0.1))
    app = whole_app(tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await keys(pilot, "enter", "right")
        await sees(pilot, "✓ Find a step whose top token has less than 20 %")
        await sees(pilot, "○ Choose a token of rank 50 or worse")
        against = Evidence(top_probability=0.9, taken_rank=60)
        assert await app.services.goals.stepped(LESSON, LAB, against) == LAB.done


async def test_the_lab_is_beside_the_text_if_there_is_room(tmp_path: Path) -> None:
    async with whole_app(tmp_path).run_test(size=(130, 40)) as pilot:
        await keys(pilot, "enter", "right")
        await sees(pilot, "next token")
        await sees(pilot, "The answer is a distribution")
        await keys(pilot, "l")
        assert pilot.app.focused is not None
        await keys(pilot, "escape")
        assert pilot.app.focused is None
        await pilot.resize_terminal(80, 24)
        await sees(pilot, "The answer is a distribution")
        assert "next token  " not in shown(pilot.app)


async def test_help_explains_the_keys_of_the_screen(tmp_path: Path) -> None:
    async with whole_app(tmp_path).run_test(size=SIZE) as pilot:
        await keys(pilot, "enter", "a")
        await sees(pilot, "question 1 of 6")
        await keys(pilot, "question_mark")
        await sees(pilot, "Show a hint. A right answer then counts less.")
        await keys(pilot, "escape")
        assert isinstance(pilot.app.screen, QuizScreen)


async def test_a_lesson_that_cannot_be_read_does_not_hide_others(tmp_path: Path) -> None:
    problem = LessonError("03-tokens.md, line 4: there is no title.", "Add a title.")
    course = Course(lessons=COURSE.lessons, problems=(problem,))
    async with whole_app(tmp_path, course=course).run_test(size=SIZE) as pilot:
        await sees(pilot, "03-tokens.md, line 4")
        await keys(pilot, "enter")
        await sees(pilot, "1 of 3")


async def test_the_course_map_fits_on_24_lines(tmp_path: Path) -> None:
    course = load_course()
    learner = Progress.open(tmp_path, clock=lambda: 1.8e9)
    question = course.outlines[0].questions[0]
    for at in (1.0, 2.0):
        learner.record(
            Answered(at=at, question=question.id, version=1, lesson="generations", correct=False)
        )
    async with whole_app(tmp_path, course=course).run_test(size=SIZE) as pilot:
        await sees(pilot, "1 due")
        assert len(course.outlines) == 14
        for outline in course.outlines:
            assert outline.title in shown(pilot.app)
        assert pilot.app.screen.query_one("#map").max_scroll_y == 0


def test_a_lesson_stays_done_when_later_answers_are_wrong() -> None:
    lesson = _only("bits", "cosine")
    state = LessonState(lesson=lesson.id, seen=tuple(each.id for each in lesson.screens))
    cards = {
        question.id: Card(
            question=question.id,
            version=question.version,
            lesson=lesson.id,
            answers=2,
            correct=1,
            last_correct=question.id == "bits",
            last_at=0.0,
        )
        for question in lesson.questions
    }
    where = lesson_progress(lesson, state, cards)
    assert (where.done, where.words, where.wrong_words) == (True, "done", "1 wrong")
    assert where.fraction == 1.0
    never = {**cards, "cosine": msgspec.structs.replace(cards["cosine"], correct=0)}
    where = lesson_progress(lesson, state, never)
    assert (where.words, where.short_words) == ("1 question left", "1 left")


async def test_an_error_inside_a_lesson_is_shown_when_the_lesson_was_read(
    tmp_path: Path,
) -> None:
    sound = "---\nid: small\nnumber: 1\ntitle: Small\nsummary: x\n---\n\n## One {#one}\n\nText.\n"
    (tmp_path / "01-small.md").write_text(sound.replace("Text.", "See [it](nowhere)."))
    opening = Opening(tmp_path)
    course = opening.course()
    app = whole_app(tmp_path / "me", course=course, opening=opening)
    async with app.run_test(size=SIZE) as pilot:
        await sees(pilot, "1 Small")
        assert not course.problems
        await sees(pilot, "01-small.md, line 10")


async def test_no_lesson_is_read_while_keys_are_pressed(tmp_path: Path) -> None:
    (tmp_path / "01-small.md").write_text("no lesson at all")
    opening = Opening(tmp_path)
    loading = BackgroundLoad(opening, quiet=600.0)
    loading.key_pressed()
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(loading.run(), 4 * BREATH)
    assert not opening.complete
    await BackgroundLoad(opening, quiet=0.0).run()
    assert opening.complete


def _only(*question_ids: str) -> Lesson:
    """Return the sample lesson with only these questions."""
    questions = tuple(LESSON.question(each) for each in question_ids)
    return msgspec.structs.replace(LESSON, questions=questions)
