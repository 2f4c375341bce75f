"""Tests of keys and of text fields that all labs share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.app.pressing import tap
from tests.labs.lab_stage import at_rest, do, editor, lab_app, screen_of, seen, state_of
from tools.docs import bindings
from tutor.app.widgets.prompt_editor import PromptEditor
from tutor.labs.kit import registry
from tutor.labs.kit.actions import EditText

if TYPE_CHECKING:
    from pathlib import Path


def _has_tab(name: str) -> bool:
    view = registry.load_part(name, "view").VIEW
    return name != "ghost-text" and any(each.key == "tab" for each in bindings(view))


@pytest.mark.parametrize("name", [name for name in registry.names() if _has_tab(name)])
async def test_tab_and_shift_tab_are_opposite(name: str, tmp_path: Path) -> None:
    """In the ghost text lab, Tab accepts a proposal."""
    async with lab_app(name, tmp_path).run_test(size=(80, 24)) as pilot:
        await at_rest(pilot)
        view, before = screen_of(pilot).view, state_of(pilot)
        assert view.has_focus
        drawn = seen(pilot)
        await tap(pilot, "tab")
        assert view.has_focus
        assert state_of(pilot) != before or seen(pilot) != drawn
        await do(pilot, "shift+tab")
        assert view.has_focus
        lab = registry.find(name)
        work = [lab.work.of(state, lab.start()) for state in (before, state_of(pilot))]
        for each in work:
            each.pop("looked", None)  # everything that the learner has looked at so far
        assert work[0] == work[1]


@pytest.mark.parametrize("name", registry.names())
async def test_a_text_that_changes_is_asked_about_or_marks_its_answers(
    name: str, tmp_path: Path
) -> None:
    lab = registry.find(name)
    texts = [action for action in lab.solution if isinstance(action, EditText)]
    async with lab_app(name, tmp_path).run_test(size=(80, 24)) as pilot:
        await at_rest(pilot)
        state = state_of(pilot)
        for action in texts[:1]:
            changed = lab.act(state, action)
            assert lab.question(changed) is not None or not getattr(changed, "replies", ())


async def test_the_up_key_recalls_what_was_entered_in_a_field(tmp_path: Path) -> None:
    async with lab_app("tokens", tmp_path).run_test(size=(80, 24)) as pilot:
        for text in ("one", "two"):
            await do(pilot, "e")
            editor(pilot).load(text)
            await do(pilot, "enter")
        await do(pilot, "e", "x", "up")
        assert editor(pilot).text == "one"
        await do(pilot, "up")  # there is nothing before it
        assert editor(pilot).text == "one"
        await do(pilot, "down")
        assert editor(pilot).text == "twox"


async def test_the_up_key_moves_through_the_lines_of_a_text_first(tmp_path: Path) -> None:
    async with lab_app("tokens", tmp_path).run_test(size=(80, 24)) as pilot:
        await do(pilot, "e", "enter", "e")
        editor(pilot).load("first\nsecond", ("earlier",))
        await do(pilot, "up")
        assert (editor(pilot).text, editor(pilot).cursor_location[0]) == ("first\nsecond", 0)
        await do(pilot, "up")
        assert editor(pilot).text == "earlier"


async def test_an_empty_field_has_a_sample(tmp_path: Path) -> None:
    async with lab_app("word-map", tmp_path).run_test(size=(40, 12)) as pilot:
        await do(pilot, "e")
        assert "for example: red green blue" in seen(pilot)
        await do(pilot, "up", "enter")
        assert state_of(pilot).chosen.written == "red green blue; one two three"


async def test_a_text_that_a_lab_refuses_can_be_corrected(tmp_path: Path) -> None:
    async with lab_app("certainty", tmp_path).run_test(size=(80, 24)) as pilot:
        await do(pilot, "e", "space", "enter")
        assert "The question is empty." in seen(pilot)
        assert isinstance(screen_of(pilot).focused, PromptEditor)
        await do(pilot, "W", "h", "o", "enter")
        assert state_of(pilot).own == "Who"
