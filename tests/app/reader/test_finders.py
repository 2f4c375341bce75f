"""Test the glossary and the search, from any screen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from textual.events import Key

from tests.app.explorer.explorer_stage import shown
from tests.app.whole_app import keys, sees, until, whole_app
from tests.later import NORMAL_AND_SMALL, later
from tests.sample_course import LESSON, SlowCourse
from tutor.app.home.screen import HomeScreen
from tutor.app.reader.finder import GlossaryScreen, SearchScreen, matching
from tutor.app.reader.lesson import LessonScreen
from tutor.app.widgets.menu import Menu
from tutor.course.catalogue import Course
from tutor.course.term import Term

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from textual.pilot import Pilot

TERMS = (
    Term("entropy", "Entropy", "The surprisal to be expected, in *bits*."),
    Term("logit", "Logit", "A raw score, before [softmax](glossary.md#softmax)."),
    Term("softmax", "Softmax", "Turns logits into probabilities."),
    Term("token", "Token", "A piece of text."),
)
COURSE = Course(lessons=(LESSON,), terms=TERMS)


def test_names_come_before_meanings() -> None:
    assert [term.id for term in matching(list(TERMS), "Soft-")] == ["softmax", "logit"]
    assert [term.id for term in matching(list(TERMS), "")] == [term.id for term in TERMS]


@pytest.mark.parametrize(
    "place", [(), ("enter", "a"), *later([("enter",), ("s",), ("p",), ("m",)])]
)
async def test_they_open_from_any_screen_and_return_to_it(
    tmp_path: Path, place: tuple[str, ...]
) -> None:
    async with whole_app(tmp_path, course=COURSE).run_test(size=(80, 24)) as pilot:
        await sees(pilot, "Fake-1K ●")
        await keys(pilot, *place)
        await pilot.pause()
        before = pilot.app.screen
        finders = (("v", GlossaryScreen), ("slash", SearchScreen))
        for key, kind in finders[:1] if place == ("s",) else finders:  # the stepper has its own /
            await keys(pilot, key)
            await until(pilot, lambda kind=kind: isinstance(pilot.app.screen, kind))  # type: ignore[misc]
            await keys(pilot, "escape")
            assert pilot.app.screen is before


async def test_the_glossary_is_filtered_and_opens_a_term(tmp_path: Path) -> None:
    async with whole_app(tmp_path, course=COURSE).run_test(size=(80, 24)) as pilot:
        await keys(pilot, "v")
        await sees(pilot, "4 terms")
        await keys(pilot, *"soft")
        await sees(pilot, "2 of 4 terms")
        assert "Entropy" not in shown(pilot.app)
        await keys(pilot, "down", "enter")
        await sees(pilot, "A raw score, before softmax.")
        await keys(pilot, "escape", *"xyz")
        await sees(pilot, "No term contains “softxyz”.")


async def test_a_term_does_not_offer_the_glossary_that_it_was_opened_from(tmp_path: Path) -> None:
    async with whole_app(tmp_path, course=COURSE).run_test(size=(80, 24)) as pilot:
        await keys(pilot, "v", *"soft", "down", "enter")
        await sees(pilot, "A raw score, before softmax.")
        assert "v glossary" not in shown(pilot.app)
        assert "/ search" in shown(pilot.app)
        await keys(pilot, "tab", "enter")  # the term in this text is above another term
        await sees(pilot, "v glossary")
        await keys(pilot, "v")
        await until(pilot, lambda: isinstance(pilot.app.screen, GlossaryScreen))


async def test_a_search_opens_a_screen_and_returns(tmp_path: Path) -> None:
    async with whole_app(tmp_path, course=COURSE).run_test(size=(80, 24)) as pilot:
        await keys(pilot, "slash", *"later")
        await sees(pilot, "And again")
        await keys(pilot, "enter")
        await sees(pilot, "3 of 3")
        await keys(pilot, "escape")
        await sees(pilot, "> later")
        await keys(pilot, *"zzz")
        await sees(pilot, "No lesson, term or question contains these words.")


async def test_slash_starts_a_new_search(tmp_path: Path) -> None:
    async with whole_app(tmp_path, course=COURSE).run_test(size=(80, 24)) as pilot:
        await keys(pilot, "slash", *"later")
        await sees(pilot, "And again")
        await sees(pilot, "/ search")
        await keys(pilot, "slash", *"softmax")
        await sees(pilot, "> softmax\n")
        await sees(pilot, "› Softmax")


async def test_text_typed_right_after_the_key_is_searched(tmp_path: Path) -> None:
    async with whole_app(tmp_path, course=COURSE).run_test(size=(80, 24)) as pilot:
        await sees(pilot, "Fake-1K ●")
        for key, character in (("slash", "/"), *((each, each) for each in "score")):
            pilot.app.post_message(Key(key, character))
        await sees(pilot, "> score")
        await sees(pilot, "Logit")


async def test_no_key_waits_for_a_search(tmp_path: Path) -> None:
    course = SlowCourse()
    async with whole_app(tmp_path, course=course).run_test(size=(80, 24)) as pilot:
        try:
            await keys(pilot, "slash", *"abc")
            await sees(pilot, "> abc")
            await sees(pilot, "searching…")
            await keys(pilot, "escape")
            assert isinstance(pilot.app.screen, HomeScreen)
        finally:
            course.go_on.set()


async def test_keys_pressed_during_a_search_open_what_it_finds(tmp_path: Path) -> None:
    course = SlowCourse()
    async with whole_app(tmp_path, course=course).run_test(size=(80, 24)) as pilot:
        try:
            await keys(pilot, "slash", *"token")
            await sees(pilot, "> token")
            await sees(pilot, "searching…")
            await keys(pilot, "down", "enter", "enter")
            assert isinstance(pilot.app.screen, SearchScreen)
        finally:
            course.go_on.set()
        await until(pilot, lambda: isinstance(pilot.app.screen, LessonScreen))
        assert [type(each) for each in pilot.app.screen_stack].count(LessonScreen) == 1
        await keys(pilot, "escape")
        await sees(pilot, "found")
        assert pilot.app.screen.query_one(Menu).cursor == 1


@pytest.mark.parametrize("size", NORMAL_AND_SMALL)
@pytest.mark.parametrize("key", ["v", "slash"])
def test_how_they_look(
    snap_compare: Callable[..., bool], tmp_path: Path, size: tuple[int, int], key: str
) -> None:
    async def shows(pilot: Pilot[Any]) -> None:
        await sees(pilot, "Fake-1K ●")
        await keys(pilot, key)
        await keys(pilot, *"token")
        await sees(pilot, "1 of 4 terms" if key == "v" else "found") if size[0] > 40 else None
        await sees(pilot, "Token")
        await pilot.pause()

    app = whole_app(tmp_path, course=COURSE)
    assert snap_compare(app, run_before=shows, terminal_size=size)
