"""Test what all labs share: the goals, the way back, and errors about refused texts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from textual.events import AppBlur, AppFocus

from tests.app.pressing import settle, tap
from tests.app.whole_app import until
from tests.labs.lab_stage import (
    BackendEngine,
    at_rest,
    click_line,
    do,
    editor,
    lab_app,
    screen_of,
    seen,
    state_of,
    write,
)
from tests.later import NORMAL_AND_SMALL
from tutor.app.labs.screen import LabScreen
from tutor.app.widgets.lab_card import LabTask
from tutor.app.widgets.prompt_editor import PromptEditor
from tutor.errors import EngineError
from tutor.labs.kit import registry

if TYPE_CHECKING:
    from pathlib import Path

    from textual.pilot import Pilot

LAST_GOAL = registry.find("adviser").goals[-1].says


async def test_esc_closes_the_goals_before_it_leaves_the_lab(tmp_path: Path) -> None:
    app = lab_app("adviser", tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await do(pilot, "g")
        assert LAST_GOAL in seen(pilot)
        await do(pilot, "escape")
        assert screen_of(pilot).is_current
        assert LAST_GOAL not in seen(pilot)
        await pilot.press("escape")
        await until(pilot, lambda: not isinstance(app.screen, LabScreen))


class Failing(BackendEngine):
    """An engine that fails while `fails` is set."""

    fails = True

    async def ask(self, expected: type, request: Any) -> Any:
        if self.fails:
            raise EngineError("It stopped.", "Try again.")
        return await super().ask(expected, request)


async def test_y_retries_a_failed_request(tmp_path: Path) -> None:
    engine = Failing()
    async with lab_app("adviser", tmp_path, engine).run_test(size=(80, 24)) as pilot:
        await at_rest(pilot)
        assert "y retry" in seen(pilot)
        engine.fails = False
        await do(pilot, "y", "tab", "tab")
        assert "your own task" in seen(pilot).lower()
        assert "y retry" not in seen(pilot)


async def test_an_error_about_one_text_goes_when_the_editor_closes(tmp_path: Path) -> None:
    async with lab_app("format", tmp_path).run_test(size=(80, 24)) as pilot:
        await at_rest(pilot)
        assert "esc back" in seen(pilot)
        await do(pilot, "p", "left_parenthesis", "enter")
        assert "The pattern is invalid" in seen(pilot)
        await do(pilot, "escape")
        assert "The pattern is invalid" not in seen(pilot)


async def test_an_error_about_an_action_goes_when_an_editor_opens(tmp_path: Path) -> None:
    async with lab_app("compare", tmp_path).run_test(size=(80, 24)) as pilot:
        await do(pilot, "down", "space")
        assert "There is no API key for" in seen(pilot)
        await do(pilot, "e")
        assert "There is no API key for" not in seen(pilot)


async def test_a_refused_text_stays_until_another_field_opens(tmp_path: Path) -> None:
    async with lab_app("injection", tmp_path).run_test(size=(80, 24)) as pilot:
        await do(pilot, "e", "ctrl+a", "backspace", "enter")
        assert "The text is empty." in seen(pilot)
        assert "y retry" not in seen(pilot)  # a refused text cannot be retried
        await do(pilot, "escape", "w")
        assert "The text is empty." not in seen(pilot)


async def test_an_answer_keeps_the_error_about_a_refused_text(tmp_path: Path) -> None:
    engine = BackendEngine()
    async with lab_app("injection", tmp_path, engine).run_test(size=(80, 24)) as pilot:
        await at_rest(pilot)
        engine.hold()
        await tap(pilot, "n")
        await tap(pilot, "e", "enter")
        assert screen_of(pilot).busy
        assert "The text is empty." in seen(pilot)
        engine.release()
        await at_rest(pilot)
        assert "The text is empty." in seen(pilot)
        await do(pilot, "x", "enter")
        assert "The text is empty." not in seen(pilot)


@pytest.mark.parametrize("name", ["certainty", "format", "generations"])
async def test_all_goals_can_be_read_on_a_small_screen(name: str, tmp_path: Path) -> None:
    lab = registry.find(name)
    async with lab_app(name, tmp_path).run_test(size=(40, 12)) as pilot:
        await at_rest(pilot)
        task = screen_of(pilot).query_one(LabTask)
        closed, read = task.plain, ""
        await do(pilot, "g")
        while task.plain != closed:
            assert len(task.plain) <= screen_of(pilot).query_one("#content").size.height
            read += " ".join(task.plain) + " "
            await do(pilot, "g")
        for goal in lab.goals:
            assert set(goal.says.split()) <= set(read.split())
        await do(pilot, "g", "escape")
        assert task.plain == closed


REFUSED = "* dragon * with no equals sign"


async def refused_rule(pilot: Pilot[Any]) -> None:
    await do(pilot, "tab", "a", "ctrl+u", *REFUSED, "enter")
    assert "This is not a complete rule." in seen(pilot)


def field_shown(pilot: Pilot[Any]) -> bool:
    return bool(screen_of(pilot).query_one(PromptEditor).region)


@pytest.mark.parametrize("key", ["tab", "shift+tab"])
@pytest.mark.parametrize("size", NORMAL_AND_SMALL)
async def test_tab_closes_a_field_and_keeps_its_text(
    key: str, size: tuple[int, int], tmp_path: Path
) -> None:
    async with lab_app("generations", tmp_path).run_test(size=size) as pilot:
        await refused_rule(pilot)
        await do(pilot, key)
        assert not field_shown(pilot)  # what looks like a field must take the keys
        assert REFUSED not in " ".join(seen(pilot).split())
        assert "Your text is kept." in seen(pilot)
        assert "This is not a complete rule." not in seen(pilot)
        assert state_of(pilot).view == "rules"
        await do(pilot, "shift+tab")
        assert state_of(pilot).view == "chat"
        assert "Your text is kept." not in seen(pilot)
        await do(pilot, "tab", "a")
        assert editor(pilot).text == REFUSED


async def test_a_click_beside_a_field_closes_it_and_keeps_its_text(tmp_path: Path) -> None:
    async with lab_app("generations", tmp_path).run_test(size=(80, 24)) as pilot:
        await refused_rule(pilot)
        await click_line(pilot, "answer", 3)
        assert not field_shown(pilot)
        assert screen_of(pilot).focused is screen_of(pilot).view
        await do(pilot, "a")
        assert editor(pilot).text == REFUSED


async def test_a_field_stays_open_while_another_window_has_the_focus(tmp_path: Path) -> None:
    async with lab_app("generations", tmp_path).run_test(size=(80, 24)) as pilot:
        await refused_rule(pilot)
        pilot.app.post_message(AppBlur())
        await settle(pilot)
        assert field_shown(pilot)
        pilot.app.post_message(AppFocus())
        await settle(pilot)
        assert editor(pilot).text == REFUSED


async def test_a_text_is_kept_when_the_learner_leaves_the_lab_with_an_open_field(
    tmp_path: Path,
) -> None:
    app = lab_app("generations", tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await refused_rule(pilot)
        app.pop_screen()
        await until(pilot, lambda: not isinstance(app.screen, LabScreen))
        app.navigator.open_live_lab("generations")
        await do(pilot, "a")
        assert editor(pilot).text == REFUSED


async def test_nothing_is_said_about_a_text_that_the_learner_did_not_write(tmp_path: Path) -> None:
    async with lab_app("generations", tmp_path).run_test(size=(80, 24)) as pilot:
        await do(pilot, "tab", "a", "escape")
        assert "Your text is kept." not in seen(pilot)


async def test_it_is_said_once_that_a_text_is_kept(tmp_path: Path) -> None:
    async with lab_app("generations", tmp_path).run_test(size=(80, 24)) as pilot:
        await do(pilot, "tab", "a", "ctrl+u", *REFUSED)
        for _ in range(3):
            await do(pilot, "escape")
            assert seen(pilot).count("Your text is kept.") == 1
            await do(pilot, "a")


async def test_a_text_that_the_learner_only_looked_at_is_no_draft(tmp_path: Path) -> None:
    async with lab_app("prompting", tmp_path).run_test(size=(80, 24)) as pilot:
        await do(pilot, "e")
        first = editor(pilot).text
        await do(pilot, "escape", "n", "e")  # the next task has another instruction
        assert editor(pilot).text != first


async def enter_two_texts(pilot: Pilot[Any]) -> None:
    await write(pilot, "one")
    await write(pilot, "two")


async def test_esc_on_an_earlier_text_keeps_the_text_being_written(tmp_path: Path) -> None:
    async with lab_app("tokens", tmp_path).run_test(size=(80, 24)) as pilot:
        await enter_two_texts(pilot)
        await do(pilot, "e", "x", "up")
        assert editor(pilot).text == "one"
        await do(pilot, "escape")
        assert "Your text is kept. It is in the field" in seen(pilot)
        await do(pilot, "e")
        assert editor(pilot).text == "twox"
        await do(pilot, "up", "down")
        assert editor(pilot).text == "twox"


async def test_esc_says_where_an_earlier_text_is_after_the_new_one_was_deleted(
    tmp_path: Path,
) -> None:
    async with lab_app("tokens", tmp_path).run_test(size=(80, 24)) as pilot:
        await enter_two_texts(pilot)
        await do(pilot, "e", "up", "y", "down", "ctrl+u", "escape")
        assert "Your earlier text is kept. Open the field and press ↑ to see it." in seen(pilot)
        await do(pilot, "e")
        assert editor(pilot).text == ""
        await do(pilot, "up")
        assert editor(pilot).text == "oney"


async def test_a_changed_earlier_text_and_the_new_text_are_both_kept(tmp_path: Path) -> None:
    async with lab_app("tokens", tmp_path).run_test(size=(80, 24)) as pilot:
        await enter_two_texts(pilot)
        await do(pilot, "e", "x", "up", "y", "escape")
        assert "Your text is kept. It is in the field" in seen(pilot)
        for _ in range(2):
            await do(pilot, "e")
            assert editor(pilot).text == "oney"
            await do(pilot, "up")
            assert editor(pilot).text == "twox"
            await do(pilot, "escape")
        await do(pilot, "e", "enter", "e", "up")
        assert editor(pilot).text == "twox"


async def test_other_drafts_of_a_field_are_there_after_leaving_the_lab(tmp_path: Path) -> None:
    app = lab_app("tokens", tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await enter_two_texts(pilot)
        await do(pilot, "e", "x", "up", "y", "enter")  # submits “oney” beside the draft “twox”
        app.pop_screen()
        await until(pilot, lambda: not isinstance(app.screen, LabScreen))
        app.navigator.open_live_lab("tokens")
        await do(pilot, "e", "up")
        assert editor(pilot).text == "twox"


async def test_nothing_is_said_about_an_earlier_text_that_was_only_read(tmp_path: Path) -> None:
    async with lab_app("tokens", tmp_path).run_test(size=(80, 24)) as pilot:
        await enter_two_texts(pilot)
        await do(pilot, "e", "up", "escape")
        assert "Your text is kept." not in seen(pilot)
        await do(pilot, "e")
        assert editor(pilot).text == "two"
