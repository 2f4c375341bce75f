"""Test the keys and the pictures of the ghost text lab."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from textual.events import Paste
from textual.widgets import _text_area

from tests.app.pressing import tap
from tests.app.whole_app import until
from tests.labs.lab_stage import BackendEngine, at_rest, do, lab_app, screen_of, seen, state_of
from tests.later import NORMAL_AND_SMALL, SIZES
from tutor.labs.ghost_text import lab as ghost_text
from tutor.labs.ghost_text.backend import GhostTextBackend
from tutor.labs.ghost_text.code_editor import CodeEditor
from tutor.labs.ghost_text.files import FILES

if TYPE_CHECKING:
    from pathlib import Path

    from textual.pilot import Pilot

    from tutor.app.app import TutorApp
    from tutor.labs.kit.backend import Backend, Tools


LAB = msgspec.structs.replace(
    ghost_text.LAB, start=partial(ghost_text.start, ghost_text.Limits(pause=0.01))
)


def briefly(name: str, tools: Tools) -> Backend:
    """Make a backend that proposes a few tokens."""
    return GhostTextBackend(tools, most=8)


def opened(folder: Path, engine: BackendEngine | None = None) -> TutorApp:
    return lab_app(LAB, folder, engine or BackendEngine(briefly))


def editor(pilot: Pilot[Any]) -> CodeEditor:
    return screen_of(pilot).query_one(CodeEditor)


async def rested(pilot: Pilot[Any]) -> None:
    """Wait until the pause is over and the model has made its proposal."""
    await at_rest(pilot)
    await until(pilot, lambda: state_of(pilot).resting)
    await at_rest(pilot)


async def write(pilot: Pilot[Any], text: str) -> None:
    """Type a text into an empty file."""
    await do(pilot, "e")
    editor(pilot).clear()
    await tap(pilot, *("enter" if char == "\n" else char for char in text))
    await rested(pilot)


@pytest.mark.parametrize("size", SIZES)
def test_how_it_looks(size: tuple[int, int], snap_compare: Any, tmp_path: Path) -> None:
    async def run(pilot: Any) -> None:
        await do(pilot, "down")

    assert snap_compare(opened(tmp_path), terminal_size=size, run_before=run)


@pytest.mark.slow
@pytest.mark.parametrize("size", NORMAL_AND_SMALL)
def test_how_it_looks_while_the_learner_types(
    size: tuple[int, int], snap_compare: Any, tmp_path: Path
) -> None:
    async def run(pilot: Any) -> None:
        await do(pilot, "o", "o", "tab")
        await rested(pilot)
        await write(pilot, "for x in y:\nif x == 'a':  # why\npass\ntotal = sum")

    assert snap_compare(opened(tmp_path), terminal_size=size, run_before=run)


async def test_ghost_text_is_after_the_cursor_and_can_be_accepted(tmp_path: Path) -> None:
    async with opened(tmp_path).run_test(size=(80, 24)) as pilot:
        await rested(pilot)
        ghost = state_of(pilot).ghost
        assert ghost
        assert editor(pilot).suggestion == ghost
        assert ghost not in editor(pilot).text
        await do(pilot, "tab")
        assert FILES[0].text[: FILES[0].cursor] + ghost in editor(pilot).text
        assert "parse" in seen(pilot)


async def test_accept_a_token_a_word_and_the_rest_then_undo(tmp_path: Path) -> None:
    async with opened(tmp_path).run_test(size=(80, 24)) as pilot:
        await write(pilot, "The capital of France is")
        whole = editor(pilot).text + state_of(pilot).ghost
        for key in ("right", "ctrl+right", "tab"):
            assert state_of(pilot).ghost
            await do(pilot, key)
            assert whole.startswith(editor(pilot).text)
        assert editor(pilot).text == whole
        await do(pilot, "ctrl+z")
        assert editor(pilot).text != whole
        assert state_of(pilot).text == editor(pilot).text


async def test_ghost_text_never_belongs_to_another_text(tmp_path: Path) -> None:
    """Hold the engine: only the rest of the last proposal may be shown, whatever is typed."""
    engine = BackendEngine(briefly)
    async with opened(tmp_path, engine).run_test(size=(80, 24)) as pilot:
        await rested(pilot)
        await do(pilot, "e")
        engine.hold()
        before = editor(pilot).suggestion
        assert before
        await pilot.press(before[0] if before[0] != " " else "space")
        assert editor(pilot).suggestion == before[1:]
        for key in ("~", "backspace", "backspace", "left", "right", "delete", "enter"):
            await pilot.press(key)
            assert editor(pilot).suggestion in ("", before, before[1:])
            assert editor(pilot).suggestion == state_of(pilot).ghost
        assert editor(pilot).suggestion == ""
        engine.release()


async def test_a_key_cancels_the_question_in_progress(tmp_path: Path) -> None:
    engine = BackendEngine(briefly)
    async with opened(tmp_path, engine).run_test(size=(80, 24)) as pilot:
        await rested(pilot)
        await do(pilot, "e")
        engine.hold()
        await pilot.press("~")  # No model proposes that.
        await until(pilot, lambda: screen_of(pilot).busy)
        given_up = len(engine.cancelled)
        await pilot.press("^")
        await until(pilot, lambda: len(engine.cancelled) > given_up)
        engine.release()
        await rested(pilot)
        assert state_of(pilot).proposal.context.endswith("return~^")


async def test_escape_dismisses_then_leaves_the_editor_then_the_lab(tmp_path: Path) -> None:
    async with opened(tmp_path).run_test(size=(80, 24)) as pilot:
        await rested(pilot)
        await do(pilot, "e")
        assert editor(pilot).has_focus
        await do(pilot, "escape")
        assert "dismissed" in seen(pilot)
        assert editor(pilot).has_focus
        await do(pilot, "escape")
        assert not editor(pilot).has_focus
        left = screen_of(pilot)
        await pilot.press("escape")
        await until(pilot, lambda: pilot.app.screen is not left)


async def test_another_first_token_in_the_editor_and_in_the_list(tmp_path: Path) -> None:
    async with opened(tmp_path).run_test(size=(80, 24)) as pilot:
        await rested(pilot)
        first = state_of(pilot).ghost
        await do(pilot, "down")
        second = state_of(pilot).ghost
        assert second != first
        await do(pilot, "up")
        assert state_of(pilot).ghost == first
        await do(pilot, "e", "ctrl+n")
        assert editor(pilot).suggestion == second


async def test_more_and_less_of_the_file(tmp_path: Path) -> None:
    async with opened(tmp_path).run_test(size=(80, 24)) as pilot:
        await do(pilot, "o", "left")
        assert "lines 2 to 3 of 3" in seen(pilot)
        assert "1  def f(values):" in seen(pilot)
        assert "2 ▏" in seen(pilot)
        await do(pilot, "right")
        assert "lines 1 to 3 of 3" in seen(pilot)
        assert "1 ▏def f(values):" in seen(pilot)


@pytest.mark.slow
async def test_files_keep_what_was_written(tmp_path: Path) -> None:
    async with opened(tmp_path).run_test(size=(80, 24)) as pilot:
        await write(pilot, "mine")
        await do(pilot, "escape", "escape")
        for _ in FILES:
            assert editor(pilot).text == state_of(pilot).text
            await do(pilot, "o")
        assert editor(pilot).text == "mine"
        await do(pilot, "z")
        assert editor(pilot).text == FILES[0].text


async def test_new_lines_keep_the_indent(tmp_path: Path) -> None:
    async with opened(tmp_path).run_test(size=(80, 24)) as pilot:
        await write(pilot, "if x:\ny = 1\nz")
        assert editor(pilot).text == "if x:\n    y = 1\n    z"
        editor(pilot).clear()
        await pilot.press("tab")
        assert editor(pilot).text == "    "


async def test_pasted_text_is_made_visible_and_cut(tmp_path: Path) -> None:
    async with opened(tmp_path).run_test(size=(80, 24)) as pilot:
        await write(pilot, "")
        editor(pilot).post_message(Paste("a\x1b[31m\r\n" + "x" * 30_000))
        await until(pilot, lambda: len(editor(pilot).text) > 1)
        assert "\x1b" not in editor(pilot).text
        assert len(editor(pilot).text) == ghost_text.LONGEST
        await pilot.press("y")
        assert len(editor(pilot).text) == ghost_text.LONGEST
        await rested(pilot)


async def test_without_a_parser_the_code_has_no_colors(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_text_area, "TREE_SITTER", False)
    async with opened(tmp_path).run_test(size=(80, 24)) as pilot:
        await rested(pilot)
        assert not editor(pilot).is_syntax_aware
        assert "def celsius_to_fahrenheit(c):" in seen(pilot)
