"""Test keys and text fields that all labs share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import pytest

from tests.app.pressing import settle, tap
from tests.app.whole_app import until
from tests.labs.a_few import FEW_OR_ALL
from tests.labs.lab_stage import (
    BackendEngine,
    at_rest,
    do,
    editor,
    lab_app,
    screen_of,
    seen,
    state_of,
    write,
)
from tools.docs import bindings
from tutor.app.key_scheme import ARROWS
from tutor.app.labs.screen import LabScreen
from tutor.app.widgets.key_line import KeyLine
from tutor.app.widgets.prompt_editor import PromptEditor
from tutor.labs.kit import registry
from tutor.labs.kit.actions import EditText

if TYPE_CHECKING:
    from pathlib import Path

    from textual.pilot import Pilot

    from tutor.app.app import TutorApp


def _has_tab(name: str) -> bool:
    """Return whether Tab opens the next view. In the ghost text lab, it accepts a proposal."""
    view = registry.load_part(name, "view").VIEW
    return name != "ghost-text" and any(each.key == "tab" for each in bindings(view))


async def tab_and_shift_tab_are_opposite(name: str, pilot: Pilot[Any]) -> None:
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


def _has_text(name: str) -> bool:
    return any(isinstance(action, EditText) for action in registry.find(name).solution)


def a_text_that_changes_is_asked_about_or_marks_its_answers(name: str, state: Any) -> None:
    lab = registry.find(name)
    edit = next(action for action in lab.solution if isinstance(action, EditText))
    changed = lab.act(state, edit)
    assert lab.question(changed) is not None or not getattr(changed, "replies", ())


WANTED = ("r", "e", "g", "tab")
"""The keys that a newcomer looks for: run or stop, edit, goals and views."""


def _on_key_line(pilot: Pilot[Any]) -> dict[str, str]:
    """Return the keys on the key line, with their labels."""
    line = screen_of(pilot).query_one(KeyLine)
    entries = (entry for row in line.lines(line.content_size.width) for entry in row)
    return {entry.key: entry.label for entry in entries}


def _available(pilot: Pilot[Any]) -> set[str]:
    active = screen_of(pilot).active_bindings
    return {
        key for key in WANTED if key in active and active[key].binding.show and active[key].enabled
    }


@pytest.mark.parametrize("name", FEW_OR_ALL)
async def test_the_keys_of_a_lab(name: str, tmp_path: Path) -> None:
    """Test the keys of a lab in one session, because it takes long to start one for each test.

    The key line shows what a newcomer looks for, and the keys that move in each view. Tab and
    Shift+Tab are opposite. A text that changes is asked about, or its answers are marked.
    """
    engine = BackendEngine()
    engine.hold()
    async with lab_app(name, tmp_path, engine).run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: isinstance(cast("TutorApp", pilot.app).screen, LabScreen))
        await settle(pilot)
        assert _available(pilot) <= _on_key_line(pilot).keys()
        engine.release()
        await at_rest(pilot)
        assert "g" in _available(pilot)
        assert "z" in screen_of(pilot).active_bindings
        assert _available(pilot) <= _on_key_line(pilot).keys()
        view = registry.load_part(name, "view").VIEW
        if any(each.key == "e" and each.show for each in bindings(view)):
            assert "e" in _on_key_line(pilot)
        if _has_text(name):
            a_text_that_changes_is_asked_about_or_marks_its_answers(name, state_of(pilot))
        if _has_tab(name):
            await tab_and_shift_tab_are_opposite(name, pilot)
        await the_key_line_shows_the_keys_that_move_in_each_view(pilot)
        await pilot.resize_terminal(40, 12)
        await settle(pilot)
        assert _available(pilot) - {"tab"} <= _on_key_line(pilot).keys()
        await pilot.resize_terminal(80, 24)
        engine.hold()
        await tap(pilot, "r")
        if screen_of(pilot).busy:
            await until(pilot, lambda: bool(screen_of(pilot).aside))
            assert _on_key_line(pilot)["r"] == "stop"
            await tap(pilot, "r")
            assert _on_key_line(pilot)["r"] != "stop"


async def the_key_line_shows_the_keys_that_move_in_each_view(pilot: Pilot[Any]) -> None:
    views = getattr(screen_of(pilot).view, "VIEWS", ()) or ("",)
    for _ in views:
        entries, _last = screen_of(pilot).query_one(KeyLine).keys()
        arrows = {entry.key for entry in entries if set(entry.key) <= set(ARROWS)}
        assert arrows | _available(pilot) <= _on_key_line(pilot).keys()
        if len(views) > 1:
            await do(pilot, "tab")


async def test_the_key_line_shows_the_keys_that_the_goals_of_positions_need(
    tmp_path: Path,
) -> None:
    async with lab_app("positions", tmp_path).run_test(size=(80, 24)) as pilot:
        for pressed in ("", "w", "m", "z"):
            if pressed:
                await do(pilot, pressed)
            await at_rest(pilot)
            shown = _on_key_line(pilot)
            assert {"←→", "w", "m"} <= shown.keys()
            assert shown["w"] == "order"


async def test_a_reply_can_be_stopped_and_continued(tmp_path: Path) -> None:
    engine = BackendEngine()
    async with lab_app("generations", tmp_path, engine).run_test(size=(80, 24)) as pilot:
        await do(pilot, "e")
        editor(pilot).load("Hello there")
        engine.hold()
        await tap(pilot, "enter")
        await until(pilot, lambda: _on_key_line(pilot).get("r") == "stop")
        await tap(pilot, "r")
        assert not screen_of(pilot).busy
        assert "Stopped. Press r to continue." in seen(pilot)
        assert _on_key_line(pilot)["r"] == "continue"
        await tap(pilot, "right")  # moving does not start it again
        assert not screen_of(pilot).busy
        assert "Stopped. Press r to continue." in seen(pilot)
        engine.release()
        await do(pilot, "r")
        assert state_of(pilot).turn.written.done
        assert _on_key_line(pilot)["r"] == "ask again"


async def test_an_edited_text_is_asked_about_after_a_stop(tmp_path: Path) -> None:
    engine = BackendEngine()
    engine.hold()
    async with lab_app("merges", tmp_path, engine).run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: isinstance(cast("TutorApp", pilot.app).screen, LabScreen))
        await until(pilot, lambda: _on_key_line(pilot).get("r") == "stop")
        await tap(pilot, "r")
        assert not screen_of(pilot).busy
        engine.release()
        await write(pilot, "unbelievable")
        assert state_of(pilot).merges
        assert "Stopped" not in seen(pilot)


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
