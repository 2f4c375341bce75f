"""Test what wide screens show at the side, and that narrow screens do not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest

from tests.app.explorer.explorer_stage import shown
from tests.app.whole_app import keys, sees, until, whole_app
from tests.sample_course import LESSON
from tutor.app.widgets.meter import meter
from tutor.app.widgets.screen_list import screen_list
from tutor.course.catalogue import Course
from tutor.course.lesson import Lab, LiveGoal, Screen
from tutor.course.term import Term

if TYPE_CHECKING:
    from pathlib import Path

LONG = "A raw score " + "of a token " * 12 + "before softmax."
COURSE = Course(
    lessons=(msgspec.structs.replace(LESSON, learned=("A model answers one question.",)),),
    terms=(Term("logit", "Logit", LONG), Term("token", "Token", "A piece of text.")),
)


def test_a_list_of_screens_marks_the_current_one_and_those_seen() -> None:
    lines = screen_list(LESSON.screens, "distribution", {"question", "distribution"}, 20)
    assert lines.plain.split("\n") == ["✓ The question", "› The answer is a d…", "  And again"]


@pytest.mark.parametrize(("fraction", "drawn"), [(0, "────"), (0.99, "━━━─"), (1, "━━━━")])
def test_a_meter_is_full_only_at_the_end(fraction: float, drawn: str) -> None:
    assert meter(fraction, 4).plain == drawn


async def test_a_lesson_lists_its_screens_next_to_the_text(tmp_path: Path) -> None:
    async with whole_app(tmp_path).run_test(size=(120, 30)) as pilot:
        await sees(pilot, "Fake-1K ●")
        await keys(pilot, "enter")
        await sees(pilot, "› The question")
        await sees(pilot, "  And again")
        await keys(pilot, "enter")  # the stepper takes the place of the list
        await sees(pilot, "─ Stepper ─")
        assert "And again" not in shown(pilot.app)
        await pilot.resize_terminal(180, 30)
        await sees(pilot, "✓ The question")
        await pilot.resize_terminal(80, 24)
        await until(pilot, lambda: "✓ The question" not in shown(pilot.app))
        await sees(pilot, "The answer is a distribution")


async def test_a_chat_next_to_the_text_takes_the_keys_only_when_it_is_opened(
    tmp_path: Path,
) -> None:
    talk = Lab(id="talk", kind="chat", task="Talk to it.")
    screens = tuple(msgspec.structs.replace(each, lab=talk) for each in LESSON.screens[:2])
    lesson = msgspec.structs.replace(LESSON, screens=screens)
    async with whole_app(tmp_path, course=Course(lessons=(lesson,))).run_test(
        size=(130, 30)
    ) as pilot:
        await sees(pilot, "Fake-1K ●")
        await keys(pilot, "enter")
        await sees(pilot, "your message")
        await sees(pilot, "enter next")
        await keys(pilot, "l", *"Hi", "enter")
        await sees(pilot, "esc then s: another answer")
        await keys(pilot, "escape", "escape")
        await sees(pilot, "enter next")
        await keys(pilot, "enter")
        await sees(pilot, "2 of 2")
        await sees(pilot, "enter questions")


async def test_the_border_shows_whether_keys_go_to_the_text_or_to_the_stepper(
    tmp_path: Path,
) -> None:
    async with whole_app(tmp_path).run_test(size=(120, 30)) as pilot:
        await sees(pilot, "Fake-1K ●")
        await keys(pilot, "enter", "enter")
        await sees(pilot, "␣Paris")
        page, side = pilot.app.screen.query_one("#page"), pilot.app.screen.query_one("#lab-side")
        in_text = page.styles.border_top[1]
        assert in_text != side.styles.border_top[1]
        await keys(pilot, "l")
        await until(pilot, lambda: side.styles.border_top[1] == in_text)
        assert page.styles.border_top[1] != in_text
        await keys(pilot, "escape")
        await until(pilot, lambda: page.styles.border_top[1] == in_text)


async def test_the_glossary_shows_the_whole_meaning_of_the_selected_term(tmp_path: Path) -> None:
    async with whole_app(tmp_path, course=COURSE).run_test(size=(120, 30)) as pilot:
        await sees(pilot, "Fake-1K ●")
        await keys(pilot, "v")
        await sees(pilot, "─ Logit ─")
        await sees(pilot, "softmax.")
        await keys(pilot, "down")
        await sees(pilot, "─ Token ─")
        await keys(pilot, *"zzz")
        await until(pilot, lambda: "─ Token ─" not in shown(pilot.app))


async def test_the_end_of_a_lesson_has_what_was_learned_at_the_side(tmp_path: Path) -> None:
    async with whole_app(tmp_path, course=COURSE).run_test(size=(120, 30)) as pilot:
        await sees(pilot, "Fake-1K ●")
        pilot.app.navigator.open_end(COURSE.lessons[0])  # type: ignore[attr-defined]
        await sees(pilot, "─ What you have learned ─")
        await sees(pilot, "─ Where to go next ─")
        assert shown(pilot.app).count("A model answers one question.") == 1
        await pilot.resize_terminal(80, 24)
        await until(pilot, lambda: "─ Where to go next ─" not in shown(pilot.app))
        assert shown(pilot.app).count("A model answers one question.") == 1


async def test_the_goals_of_a_lab_are_next_to_the_list_and_to_the_lab(tmp_path: Path) -> None:
    async with whole_app(tmp_path).run_test(size=(170, 40)) as pilot:
        await sees(pilot, "Fake-1K ●")
        await keys(pilot, "l")
        await sees(pilot, "─ Three generations of chatbots ─")
        await sees(pilot, "○ Send 3 or more words")
        await keys(pilot, "enter")
        await sees(pilot, "─ Task and goals ─")
        await sees(pilot, "○ Send 3 or more words")
        assert "g goals" not in shown(pilot.app)
        await pilot.resize_terminal(80, 24)
        await sees(pilot, "g goals")
        assert "○ Send 3 or more words" not in shown(pilot.app)


@pytest.mark.parametrize("key", ["m", "i", "question_mark", "g"])
async def test_a_short_text_is_a_card_in_the_middle_of_a_large_screen(
    tmp_path: Path, key: str
) -> None:
    async with whole_app(tmp_path).run_test(size=(200, 60)) as pilot:
        await sees(pilot, "Fake-1K ●")
        await keys(pilot, key)
        card = pilot.app.screen.query_one(".card")
        await until(pilot, lambda: card.region.width == 100)
        left, right = card.region.x, 200 - card.region.right
        above, below = card.region.y, 60 - card.region.bottom
        assert abs(left - right) <= 1
        assert abs(above - below) <= 2
        await pilot.resize_terminal(80, 24)
        await until(pilot, lambda: card.region.width == 78)
        assert card.region.height == 20


async def test_a_question_that_does_not_fit_its_card_says_how_much_is_below(
    tmp_path: Path,
) -> None:
    question = msgspec.structs.replace(LESSON.questions[0], ask="A long question.\n\n" * 20)
    lesson = msgspec.structs.replace(LESSON, questions=(question,))
    app = whole_app(tmp_path, course=Course(lessons=(lesson,)))
    async with app.run_test(size=(120, 40)) as pilot:
        await sees(pilot, "Fake-1K ●")
        app.navigator.open_quiz(lesson)
        await sees(pilot, "more lines below")


async def test_the_selected_setting_is_described_next_to_the_list(tmp_path: Path) -> None:
    async with whole_app(tmp_path).run_test(size=(120, 30)) as pilot:
        await sees(pilot, "Fake-1K ●")
        await keys(pilot, "comma")
        await sees(pilot, "─ Settings ─")
        await sees(pilot, "─ Theme ─")
        await keys(pilot, "down")
        await sees(pilot, "─ Mouse ─")
        about = pilot.app.screen.query_one("#about").region
        assert about.x > pilot.app.screen.query_one("#list").region.right
        await pilot.resize_terminal(80, 24)
        await until(pilot, lambda: "─ Mouse ─" not in shown(pilot.app))


async def test_the_text_of_a_lesson_is_next_to_its_lab_on_a_large_screen(tmp_path: Path) -> None:
    lab = Lab(
        id="pieces",
        kind="live",
        live="tokens",
        task="Find a word.",
        goals=(LiveGoal("five-token-word"),),
        done="",
    )
    page = Screen(id="cut", title="Cut a text", body="A text is cut into tokens.", lab=lab)
    lesson = msgspec.structs.replace(LESSON, screens=(page,), questions=())
    app = whole_app(tmp_path, course=Course(lessons=(lesson,)))
    async with app.run_test(size=(200, 60)) as pilot:
        await sees(pilot, "Fake-1K ●")
        app.navigator.open_lab(lesson, lab)
        await sees(pilot, "─ Cut a text ─")
        await sees(pilot, "A text is cut into tokens.")
        await sees(pilot, "─ Task and goals ─")
        await pilot.resize_terminal(170, 40)
        await until(pilot, lambda: "A text is cut into tokens." not in shown(pilot.app))
        await sees(pilot, "─ Task and goals ─")
        await pilot.resize_terminal(200, 60)
        await sees(pilot, "A text is cut into tokens.")


async def test_the_search_shows_the_whole_text_of_the_selected_result(tmp_path: Path) -> None:
    async with whole_app(tmp_path, course=COURSE).run_test(size=(120, 30)) as pilot:
        await sees(pilot, "Fake-1K ●")
        await keys(pilot, "slash", *"logit")
        await sees(pilot, "─ Found ─")
        await sees(pilot, "─ Logit ─")
        await sees(pilot, "softmax.")
