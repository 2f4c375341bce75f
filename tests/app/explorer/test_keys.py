"""Test the explorer through its keys, on a fake model with known answers."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
from textual.events import Key, Paste

from tests.app.explorer.explorer_stage import Stage, lines, press, settled, shown
from tests.app.pressing import tap
from tests.engine.fake_engine import CARD, FakeEngine, distribution, split
from tests.later import later
from tutor.app.explorer.chat.view import ConversationView
from tutor.app.explorer.pane import ExplorerPane
from tutor.app.explorer.screen import ExplorerScreen
from tutor.app.explorer.text_view import TextView
from tutor.app.explorer.xray.view import XRayView
from tutor.app.widgets.bars import LEVELS
from tutor.app.widgets.lines import Lines
from tutor.app.widgets.prompt_editor import PromptEditor
from tutor.engine.api import EngineState
from tutor.errors import ContextFull, EngineError
from tutor.lm.distribution import SamplerSettings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path

    from textual.pilot import Pilot

    from tutor.app.explorer.document import Mode
    from tutor.course.goals import Evidence
    from tutor.course.lesson import Lab

PROMPT = "The capital of France is"
PATIENCE = 20.0
FIRST_HEAD = (*["down"] * 3, *["left"] * 2)
"""Keys that choose the first head of the first layer in the x-ray."""


class Explorer:
    """An `ExplorerScreen` under a pilot."""

    def __init__(self, stage: Stage, pilot: Pilot[Any]) -> None:
        self.stage = stage
        self.pilot = pilot
        self.engine = stage.fake

    async def press(self, *keys: str) -> None:
        await press(self.pilot, *keys)

    async def type(self, text: str) -> None:
        await self.press(*text)

    async def settle(self) -> None:
        await settled(self.pilot)

    @property
    def screen(self) -> str:
        return shown(self.stage)

    @property
    def words(self) -> str:
        """The screen as one line, so that wrapping does not matter."""
        return " ".join(self.screen.split())

    @property
    def text(self) -> str:
        """The text on the screen, without the bars."""
        view = self.stage.screen.query_one(TextView)
        return "".join(view.plain[::2]).rstrip("▏")

    @property
    def conversation(self) -> list[str]:
        """The lines of the conversation on the screen."""
        return self.stage.screen.query_one(ConversationView).plain

    def line(self, start: str) -> str:
        """The line of the screen that begins with `start`."""
        return next(line for line in lines(self.stage) if line.strip().startswith(start))

    async def until(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < deadline, f"it did not happen; the screen is\n{self.screen}"
            await self.pilot.pause()


def saved_texts(it: Explorer, place: str) -> list[str]:
    """Return the ends of the saved texts, the most recently changed first."""
    return [info.title for info in it.stage.progress.texts.list(place)]


@asynccontextmanager
async def explorer(
    folder: Path,
    *,
    engine: FakeEngine | None = None,
    lab: Lab | None = None,
    mode: Mode | None = None,
    size: tuple[int, int] = (80, 24),
    on_stepped: Callable[[Evidence], Awaitable[str | None]] | None = None,
) -> AsyncIterator[Explorer]:
    stage = Stage(
        lambda engine, progress: ExplorerScreen(
            engine, progress, lab, mode=mode, on_stepped=on_stepped
        ),
        folder=folder,
        engine=engine,
    )
    async with stage.run_test(size=size) as pilot:
        await settled(pilot)
        yield Explorer(stage, pilot)


async def test_the_first_distribution_appears_without_a_key(tmp_path: Path) -> None:
    async with explorer(tmp_path) as it:
        assert it.text == PROMPT
        for word in ("␣Paris", "69.3 %", "12.00", "entropy 1.42 bits", "303 more", "1.5 %"):
            assert word in it.screen


async def test_enter_takes_the_token_named_beside_it(tmp_path: Path) -> None:
    async with explorer(tmp_path) as it:
        drawn = distribution(split(PROMPT)).drawn.token.text
        assert drawn.strip() in it.line("enter ◆")
        await it.press("enter")
        assert it.text == PROMPT + drawn
        assert "drawn by the model" in it.line("last")


async def test_digits_take_a_row(tmp_path: Path) -> None:
    async with explorer(tmp_path) as it:
        await it.press("2")
        assert it.text == PROMPT + " the"
        assert "chosen by you" in it.line("last")


async def test_arrows_move_to_a_row_and_enter_takes_it(tmp_path: Path) -> None:
    async with explorer(tmp_path) as it:
        await it.press("down")
        assert "␣the" in it.line("enter ›")
        await it.press("up", "up")
        assert "the model's draw" in it.line("enter ◆")
        await it.press("down", "down", "down", "enter")
        assert it.text == PROMPT + " known"


async def test_the_first_arrow_moves_from_the_row_that_is_marked(tmp_path: Path) -> None:
    async with explorer(tmp_path) as it:
        await it.press("s")
        while "␣Paris" in it.line("enter ◆"):
            await it.press("s")
        rows = [line.split()[1:3] for line in it.screen.splitlines()]
        assert ["2", "␣the"] in rows
        assert "␣the" in it.line("enter ◆")
        await it.press("down")
        assert "rank 3" in it.line("enter ›")
        await it.press("up")
        assert "the model's draw" in it.line("enter ◆")
        await it.press("up")
        assert "␣Paris" in it.line("enter ›")


async def test_a_token_of_only_spaces_has_a_bar(tmp_path: Path) -> None:
    async with explorer(tmp_path) as it:
        await it.press("e", "space", "enter")
        assert it.text == PROMPT + " "
        bars = it.stage.screen.query_one(TextView).plain[1]
        assert bars[len(PROMPT)] in LEVELS


async def test_u_and_b_undo_and_the_same_seed_draws_the_same(tmp_path: Path) -> None:
    async with explorer(tmp_path) as it:
        await it.press("enter", "enter", "enter")
        before = it.text
        await it.press("u", "b", "u")
        assert it.text == PROMPT
        await it.press("enter", "space", "enter")
        assert it.text == before


async def test_left_moves_back_without_losing_anything(tmp_path: Path) -> None:
    async with explorer(tmp_path) as it:
        await it.press("1", "1", "left", "left")
        assert "instead of ␣Paris" in it.screen
        assert "0.53 bits" in it.line("token 6")
        assert "keep it and move on" in it.line("enter ›")
        await it.press("right", "right")
        assert "next token" in it.screen
        assert it.text == PROMPT + " Paris,"


async def test_nothing_is_predicted_before_the_first_token(tmp_path: Path) -> None:
    async with explorer(tmp_path) as it:
        await it.press(*["left"] * 8)
        assert "no prediction" in it.line("token 1")
        assert "Nothing precedes the first token" in it.words
        assert "%" not in it.screen
        await it.press("0")
        assert "next token" in it.screen


async def test_choosing_earlier_forks_and_w_switches_back(tmp_path: Path) -> None:
    async with explorer(tmp_path) as it:
        await it.press("1", "1", "left", "left", "2")
        assert it.text == PROMPT + " the"
        assert "New branch 2" in it.screen
        await it.press("w", "up", "enter")
        assert it.text == PROMPT + " Paris,"
        await it.press("w", "2")
        assert it.text == PROMPT + " the"


async def test_w_with_one_branch_says_how_to_make_another(tmp_path: Path) -> None:
    async with explorer(tmp_path) as it:
        await it.press("w")
        assert "There is only one branch." in it.words


async def test_f_forks_and_d_removes_a_branch_at_once(tmp_path: Path) -> None:
    async with explorer(tmp_path) as it:
        await it.press("1", "f", "1")
        assert it.text == PROMPT + " Paris,"
        await it.press("w", "up", "down", "d")
        assert it.text == PROMPT + " Paris"
        assert "Removed branch 2." in it.screen


async def test_a_tenth_branch_is_refused(tmp_path: Path) -> None:
    async with explorer(tmp_path) as it:
        await it.press(*["f"] * 9)
        assert "9 branches" in it.screen
        assert it.text == PROMPT


async def test_r_runs_and_stops(tmp_path: Path) -> None:
    async with explorer(tmp_path) as it:
        it.engine.hold()
        await it.pilot.press("r")
        await it.pilot.press("1")
        it.engine.release()
        await it.settle()
        assert it.text.startswith(PROMPT)
        await it.press("r")
        assert "running" not in it.screen
        assert (
            "limit for one run" in it.words or "ended its text" in it.words or "full" in it.screen
        )


async def test_a_run_can_be_stopped_between_two_tokens(tmp_path: Path) -> None:
    async with explorer(tmp_path) as it:
        it.engine.hold()
        await it.pilot.press("r")
        await it.pilot.pause()
        length = len(it.text)
        await it.pilot.press("r")
        it.engine.release()
        await it.settle()
        assert len(it.text) == length
        assert "r stops" not in it.screen


async def test_s_restarts_from_the_prompt_with_a_new_seed(tmp_path: Path) -> None:
    async with explorer(tmp_path) as it:
        await it.press("1", "1", "s")
        assert it.text == PROMPT
        assert "seed 3" in it.screen
        assert "Branch 1 is kept" in it.words


async def test_keys_typed_while_a_step_is_under_way_are_kept_in_order(tmp_path: Path) -> None:
    async with explorer(tmp_path) as it:
        it.engine.hold()
        for key in ("1", "1", "u", "2"):
            await it.pilot.press(key)
        assert "keys waiting" in it.screen
        it.engine.release()
        await it.settle()
        assert it.text == PROMPT + " Paris."


# --- the prompt ----------------------------------------------------------------------------------


async def test_e_edits_the_prompt_and_enter_accepts(tmp_path: Path) -> None:
    async with explorer(tmp_path) as it:
        await it.press("e")
        await it.type("!?")
        await it.press("enter")
        assert it.text == PROMPT + "!?"


async def test_esc_leaves_the_prompt_unchanged_and_keeps_a_draft(tmp_path: Path) -> None:
    async with explorer(tmp_path) as it:
        await it.press("e")
        await it.type(" not")
        await it.press("escape")
        assert it.text == PROMPT
        assert isinstance(it.stage.screen, ExplorerScreen)
        await it.press("e", "enter")
        assert it.text == PROMPT + " not"


async def test_another_prompt_keeps_the_earlier_text(tmp_path: Path) -> None:
    async with explorer(tmp_path) as it:
        await it.press("1", "e")
        await it.type("!")
        await it.press("enter")
        assert it.text == PROMPT + "!"
        await it.press("w", "1")
        assert it.text == PROMPT + " Paris"


async def test_several_lines_can_be_pasted_and_control_characters_are_shown(
    tmp_path: Path,
) -> None:
    async with explorer(tmp_path) as it:
        await it.press("e")
        editor = it.stage.screen.query_one(PromptEditor)
        editor.clear()
        editor.post_message(Paste("one\r\ntwo\x1b[31m"))
        await it.settle()
        assert editor.text == "one\ntwo␛[31m"
        await it.press("enter")
        assert it.text == "one⏎two␛[31m"


async def test_tabs_and_joined_characters_reach_the_model_as_they_were_pasted(
    tmp_path: Path,
) -> None:
    text = "\treturn 👨\u200d👩\u200d👧 می\u200cخواهم"
    async with explorer(tmp_path) as it:
        await it.press("e")
        editor = it.stage.screen.query_one(PromptEditor)
        editor.clear()
        editor.post_message(Paste(text))
        await it.settle()
        assert editor.text == text


async def test_a_constantly_changing_text_is_saved(tmp_path: Path) -> None:
    async with explorer(tmp_path) as it:
        deadline = time.monotonic() + 20
        while not it.stage.progress.texts.list("free"):
            assert time.monotonic() < deadline
            await it.pilot.press("1", "u")


async def test_a_backslash_before_enter_starts_a_new_line(tmp_path: Path) -> None:
    async with explorer(tmp_path) as it:
        await it.press("e", "backslash", "enter")
        await it.type("a")
        await it.press("enter")
        assert it.text == PROMPT + "⏎a"


async def test_up_goes_back_to_earlier_prompts(tmp_path: Path) -> None:
    async with explorer(tmp_path) as it:
        for text in ("Hello", "The cat"):
            await it.press("e")
            it.stage.screen.query_one(PromptEditor).load(text)
            await it.press("enter")
        await it.press("escape")
    async with explorer(tmp_path) as it:  # they are kept
        await it.press("e")
        editor = it.stage.screen.query_one(PromptEditor)
        assert editor.text == "The cat"
        await it.press("!", "up")
        assert editor.text == "Hello"
        await it.press("down")
        assert editor.text == "The cat!"
        await it.press("up", "enter")
        assert it.text == "Hello"


async def test_an_empty_prompt_is_refused(tmp_path: Path) -> None:
    async with explorer(tmp_path) as it:
        await it.press("e")
        it.stage.screen.query_one(PromptEditor).clear()
        await it.press("enter")
        assert "Write at least one character" in it.words
        await it.press("escape")
        assert it.text == PROMPT


@pytest.mark.parametrize("mode", ["text", "chat"])
async def test_a_prompt_longer_than_the_context_stays_in_the_editor(
    tmp_path: Path, mode: Mode
) -> None:
    draft = "q" * (CARD.context + 1)
    async with explorer(tmp_path, mode=mode) as it:
        if mode == "text":
            await it.press("e")
        editor = it.stage.screen.query_one(PromptEditor)
        editor.load(draft)
        await it.press("enter")
        assert ContextFull.title in it.screen
        assert editor.text == draft
        assert it.stage.screen.focused is editor
        await it.press("escape", "escape")
    async with explorer(tmp_path, mode=mode) as it:
        if mode == "text":
            assert it.text == PROMPT
            await it.press("e")
        assert it.stage.screen.query_one(PromptEditor).text == draft


async def test_a_message_that_does_not_fit_stays_in_the_editor(tmp_path: Path) -> None:
    async with explorer(tmp_path, mode="chat") as it:
        await it.type("Hi")
        await it.press("enter", "escape", "u", "e")
        it.stage.screen.query_one(PromptEditor).load("q" * CARD.context)
        await it.press("enter")
        assert ContextFull.title in it.screen
        assert it.stage.screen.query_one(PromptEditor).text == "q" * CARD.context
        it.stage.screen.query_one(PromptEditor).load("No")
        await it.press("enter")
        assert it.stage.screen.query_one(PromptEditor).text == ""


async def test_keys_after_a_prompt_belong_to_the_new_text(tmp_path: Path) -> None:
    async with explorer(tmp_path) as it:
        await it.press("e")
        await it.type("!")
        it.engine.hold()
        for key in ("enter", "1"):
            await it.pilot.press(key)
        it.engine.release()
        await it.settle()
        assert it.text.startswith(PROMPT + "!")
        assert "chosen by you" in it.line("last")


async def test_processing_a_long_text_shows_its_progress_and_can_be_stopped(
    tmp_path: Path,
) -> None:
    async with explorer(tmp_path) as it:
        await it.press("e")
        it.stage.screen.query_one(PromptEditor).load("q" * 200)
        it.engine.hold(at="surprisals")
        await it.pilot.press("enter")
        await it.until(lambda: "processing 1 of 200 tokens" in it.screen)
        assert not any(" %" in line for line in lines(it.stage))
        assert "r stop" in it.words
        await it.pilot.press("r")
        await it.until(lambda: "Processing stopped" in it.words)
        assert not any(" %" in line for line in lines(it.stage))
        it.engine.release()
        await it.press("1")
        assert "201 of" in it.screen


# --- several texts -------------------------------------------------------------------------------


async def test_o_starts_another_text_and_opens_the_first_again(tmp_path: Path) -> None:
    async with explorer(tmp_path) as it:
        await it.press("1", "o", "n")
        await it.type("!")
        await it.press("enter")
        assert it.text == PROMPT + "!"
        await it.press("o")
        assert "2 of 20 saved" in it.words
        await it.press("down", "enter")
        assert it.text == PROMPT + " Paris"
        await it.press("1", "escape")
        assert saved_texts(it, "free") == [PROMPT + " Paris,", PROMPT + "!"]


async def test_a_text_that_was_only_opened_comes_back_the_next_time(tmp_path: Path) -> None:
    async with explorer(tmp_path) as it:
        await it.press("1", "o", "n")
        await it.type("!")
        await it.press("enter", "o", "down", "enter")
        assert it.text == PROMPT + " Paris"
        await it.press("escape")
    async with explorer(tmp_path) as it:
        assert it.text == PROMPT + " Paris"


async def test_a_new_chat_does_not_take_away_the_text(tmp_path: Path) -> None:
    async with explorer(tmp_path) as it:
        await it.press("1", "c")
        await it.type("Cats?")
        await it.press("enter", "escape", "N")
        await it.type("Hi")
        await it.press("enter", "escape", "c")
        assert it.text == PROMPT + " Paris"
    async with explorer(tmp_path, mode="text") as it:
        assert it.text == PROMPT + " Paris"
        await it.press("o")
        assert f"● {PROMPT} Paris" in it.line("›")
        assert "chat: Hi" in it.line("›")
        assert "Cats?  text: " in it.screen
        await it.press("down", "enter", "escape")
        assert "  Cats?" in it.conversation
        await it.press("c")
        assert it.text == PROMPT + " Paris"


async def test_two_sessions_on_the_same_text_keep_both(tmp_path: Path) -> None:
    async with explorer(tmp_path) as it:
        await it.press("1", "escape")
    async with explorer(tmp_path) as one, explorer(tmp_path) as two:
        await one.press("1", "escape")
        await one.until(lambda: not one.stage.progress.unsaved)
        await two.press("u", "2", "o")
        await two.until(lambda: not two.stage.progress.unsaved)
        await two.press("escape", "o")
        assert sorted(saved_texts(two, "free")) == [PROMPT + " Paris,", PROMPT + " the"]
        assert "Yours is now a separate text" in two.words


async def test_a_starred_text_is_marked(tmp_path: Path) -> None:
    async with explorer(tmp_path) as it:
        await it.press("1", "o", "k")
        assert "*" in it.line("›")
        await it.until(lambda: not it.stage.progress.unsaved)
        await it.press("escape", "1", "o")
        assert "*" in it.line("›")


# --- search --------------------------------------------------------------------------------------


async def test_slash_finds_any_token_and_takes_it(tmp_path: Path) -> None:
    async with explorer(tmp_path) as it:
        await it.press("slash")
        await it.type("Seine")
        assert "␣Seine" in it.line("›")
        await it.press("enter")
        assert it.text == PROMPT + " Seine"
        assert "chosen by you" in it.line("last")


async def test_enter_takes_what_was_typed_even_before_it_is_found(tmp_path: Path) -> None:
    async with explorer(tmp_path) as it:
        await it.press("slash")
        it.engine.hold("find")
        await tap(it.pilot, *"Seine", "enter")
        assert "␣Paris" in it.line("›"), "the rows are still those before the text"
        it.engine.release()
        await it.settle()
        assert it.text == PROMPT + " Seine"


async def test_enter_before_a_search_counts_for_the_text_of_then_only(tmp_path: Path) -> None:
    async with explorer(tmp_path) as it:
        await it.press("slash")
        it.engine.hold("find")
        await tap(it.pilot, *"Sein", "enter", "e")
        it.engine.release()
        await it.settle()
        assert it.text == PROMPT
        assert "␣Seine" in it.line("›")


async def test_the_search_starts_with_the_most_probable_tokens(tmp_path: Path) -> None:
    async with explorer(tmp_path) as it:
        await it.press("slash")
        assert "␣Paris" in it.line("›")
        await it.press("down", "enter")
        assert it.text == PROMPT + " the"


async def test_a_search_for_several_tokens_shows_them(tmp_path: Path) -> None:
    async with explorer(tmp_path) as it:
        await it.press("slash")
        await it.type("zq")
        assert "z · q" in it.screen
        await it.press("enter")
        assert it.text == PROMPT + "z"


async def test_esc_closes_the_search_and_takes_nothing(tmp_path: Path) -> None:
    async with explorer(tmp_path) as it:
        await it.press("slash")
        await it.type("[/")
        assert "[/" in it.line("›")
        await it.press("escape")
        assert it.text == PROMPT
        assert "the model's draw" in it.screen


# --- sampler -------------------------------------------------------------------------------------


async def test_t_changes_the_sampler_and_the_table_follows(tmp_path: Path) -> None:
    async with explorer(tmp_path) as it:
        await it.press("t")
        assert "temperature → top-k → top-p → min-p → draw" in it.screen
        await it.press("left", "left")
        assert "0.80" in it.line("› 1")
        assert "sampled" in it.screen
        await it.press("down", "right")
        assert "cut by top-k" in it.screen
        assert "1 of 315 tokens kept" in it.screen
        await it.press("z")
        assert "sampled" not in it.screen
        await it.press("g")
        assert "greedy" in it.line("next token")
        await it.press("escape")
        assert "applied in order" not in it.screen
        assert "greedy" in it.line("next token")


async def test_stepping_works_while_the_sampler_is_open(tmp_path: Path) -> None:
    async with explorer(tmp_path) as it:
        await it.press("t", "g", "enter", "enter")
        assert it.text == PROMPT + " Paris,"
        assert "applied in order" in it.screen


async def test_a_setting_applies_after_the_keys_pressed_before_it(tmp_path: Path) -> None:
    drawn = distribution(split(PROMPT), SamplerSettings(temperature=5.0)).drawn.token.text
    assert drawn != " Paris"  # greedy would take it
    async with explorer(tmp_path) as it:
        await it.press("t", *["right"] * 13)
        assert "4.00" in it.line("› 1")
        it.engine.hold()
        for key in ("right", "enter", "g"):
            await it.pilot.press(key)
        assert "0 greedy" in it.line("› 1")
        it.engine.release()
        await it.settle()
        assert it.text == PROMPT + drawn
        assert "0 greedy" in it.line("› 1")


async def test_keys_right_after_opening_a_panel_reach_it(tmp_path: Path) -> None:
    async with explorer(tmp_path) as it:
        for key, character in (("t", "t"), ("left", None), ("left", None)):
            it.stage.post_message(Key(key, character))
        await it.until(lambda: "0.80" in it.screen)
        await it.settle()
        assert "0.80" in it.line("› 1")
        assert "next token" in it.screen


async def test_keys_right_after_opening_the_editor_reach_it(
    tmp_path: Path,
) -> None:
    async with explorer(tmp_path) as it:
        for key in "exbfn":
            it.stage.post_message(Key(key, key))
        editor = it.stage.screen.query_one(PromptEditor)
        await it.until(lambda: editor.text == PROMPT + "xbfn")
        it.stage.post_message(Key("w", "w"))
        it.stage.post_message(Key("enter", None))
        await it.until(lambda: it.text == PROMPT + "xbfnw")


async def test_rows_stay_visible_while_the_sampler_is_open(tmp_path: Path) -> None:
    async with explorer(tmp_path) as it:
        await it.press("e")
        it.stage.screen.query_one(PromptEditor).load(PROMPT + " a city on a river" * 8)
        await it.press("enter", "1", "left", "2", "f", "t", "left")
        rows = [line for line in lines(it.stage) if " %" in line]
        assert len(rows) >= 5


# --- chat ----------------------------------------------------------------------------------------


async def test_a_conversation_asks_for_a_message_and_answers_it(tmp_path: Path) -> None:
    async with explorer(tmp_path, mode="chat") as it:
        assert "your message" in it.screen
        await it.type("Hello")
        await it.press("enter")
        assert "drawn by the model" in it.line("last")
        await it.until(lambda: "r stops" not in it.screen)
        await it.press("escape", "m")
        pane = it.stage.screen.query_one(ExplorerPane)
        tree = pane.state.tree
        assert tree is not None
        start = "<|im_start|>user\nHello<|im_end|>\n<|im_start|>assistant\n"
        assert "".join(token.text for token in tree.tokens).startswith(start)


async def test_the_first_message_can_be_written_before_the_model_is_ready(tmp_path: Path) -> None:
    engine = FakeEngine(state=EngineState.LOADING)
    async with explorer(tmp_path, mode="chat", engine=engine) as it:
        await it.type("Hello")
        await it.press("enter")
        assert it.engine.calls == []
        engine.become(EngineState.READY)
        await it.settle()
        assert "drawn by the model" in it.line("last")


async def test_special_tokens_are_hidden_until_m(tmp_path: Path) -> None:
    engine = FakeEngine()
    async with explorer(tmp_path, mode="chat", engine=engine, size=(80, 40)) as it:
        await it.type("Hello")
        await it.press("enter")
        assert it.conversation[:2] == ["You", "  Hello"]
        assert "<|im_" not in it.screen
        await it.press("escape", "m")
        assert "  <|im_start|>user⏎" in it.conversation
        assert "<|im_end|>" in it.conversation[-1]


async def test_the_next_message_continues_the_conversation(tmp_path: Path) -> None:
    async with explorer(tmp_path, mode="chat") as it:
        await it.type("Hi")
        await it.press("enter", "escape")
        await it.press("u", "e")
        await it.type("No")
        await it.press("enter")
        assert it.engine.calls.count("open_chat") == 1
        assert "append_turn" in it.engine.calls
        await it.press("escape", "o", "n")
        await it.type("New")
        await it.press("enter")
        assert it.engine.calls.count("open_chat") == 2
        await it.press("escape", "o")
        assert "2 of 20 saved" in it.words


async def test_text_and_conversation_are_separate(tmp_path: Path) -> None:
    async with explorer(tmp_path) as it:
        await it.press("1", "c")
        assert "your message" in it.screen
        await it.press("escape", "c")
        assert it.text == PROMPT + " Paris"


async def test_a_model_without_a_chat_template_says_so(tmp_path: Path) -> None:
    import msgspec

    engine = FakeEngine(card=msgspec.structs.replace(CARD, chat=False))
    async with explorer(tmp_path, mode="chat", engine=engine) as it:
        assert "has no chat template" in it.words
        assert "go back to the text" in it.words
        for offered in ("Chat with", "Sampler:", "write the next message"):
            assert offered not in it.words
        await it.press("e", "c")
        assert it.text == PROMPT


async def test_a_full_context_says_what_to_do(tmp_path: Path) -> None:
    async with explorer(tmp_path) as it:
        await it.press("e")
        it.stage.screen.query_one(PromptEditor).load("q" * CARD.context)
        await it.press("enter")
        assert f"{CARD.context} of {CARD.context} tokens" in it.screen
        assert "The context window is full" in it.words
        await it.press("enter")
        assert ContextFull.title in it.screen
        assert f"{CARD.context} of {CARD.context} tokens" in it.screen


# --- x-ray ---------------------------------------------------------------------------------------


async def test_the_headings_of_the_xray_fit_a_small_terminal(tmp_path: Path) -> None:
    async with explorer(tmp_path, size=(40, 12)) as it:
        await it.press("1", "x", *FIRST_HEAD)
        await it.until(lambda: "layer  1/4  head  1/3" in it.screen)
        await it.press("tab", "p")
        await it.until(lambda: "predicts" in it.screen)
        assert it.line("layer  predicts").endswith(" ␣Paris")


async def test_x_shows_attention_and_lens_and_esc_comes_back(tmp_path: Path) -> None:
    async with explorer(tmp_path) as it:
        await it.press("1", "x", *FIRST_HEAD)
        assert "layer  1 of 4" in it.screen
        await it.press("up", "right")
        assert "layer  2 of 4" in it.screen
        assert "head  2 of 3" in it.screen
        await it.press("p")
        assert "token 5 of 6" in it.screen
        await it.press("tab")
        assert "probability of ␣Paris" in it.screen
        await it.press("escape")
        assert it.text == PROMPT + " Paris"


async def test_layers_and_heads_end_at_the_first_and_the_last(tmp_path: Path) -> None:
    async with explorer(tmp_path) as it:
        await it.press("1", "x", "down", "left")
        assert "layer  1 of 4" in it.screen
        assert "head  1 of 3" in it.screen
        await it.press(*["up"] * 5, *["right"] * 5)
        assert "layer  4 of 4" in it.screen
        assert "head  3 of 3" in it.screen


async def test_the_layers_of_a_long_text_are_requested_one_at_a_time(tmp_path: Path) -> None:
    async with explorer(tmp_path) as it:
        await it.press("e")
        it.stage.screen.query_one(PromptEditor).load("q" * 80)
        await it.press("enter", "x", *FIRST_HEAD)
        view = it.stage.screen.query_one(XRayView)
        first = view.query_one("#rows", Lines).plain
        assert first[-1].strip().startswith("80 ")
        await it.press("k", "up")
        assert "layer  2 of 4" in it.screen
        second = view.query_one("#rows", Lines).plain
        assert second[-1].strip().startswith("79 ")
        assert second[:-1] != first[1:]
        it.engine.hold("xray")
        await it.pilot.press("up")
        await it.until(lambda: "computing the x-ray" in it.screen)
        it.engine.release()
        await it.press("down")
        assert view.query_one("#rows", Lines).plain == second


async def test_the_lens_shows_the_token_it_is_about(tmp_path: Path) -> None:
    async with explorer(tmp_path, size=(40, 12)) as it:
        await it.press("1", "x", "tab", "p")
        assert "after ␣is" in it.screen
        assert "The capital of France is" in it.screen


async def test_on_a_wide_terminal_the_xray_is_beside_the_text(tmp_path: Path) -> None:
    async with explorer(tmp_path, size=(160, 40)) as it:
        await it.press("1", "x")
        assert isinstance(it.stage.screen, ExplorerScreen)
        assert "how much ␣Paris attends to" in it.screen
        assert "next token" in it.screen
        await it.press("2", "tab")
        assert it.text.startswith(PROMPT + " Paris.")
        assert "each layer would predict" in it.screen
        assert "after ." in it.words
        await it.press("p")
        assert "after ␣Paris" in it.words
        assert "instead of ␣Paris" in it.screen
        await it.press("escape")
        assert "each layer would predict" not in it.screen
        assert isinstance(it.stage.screen, ExplorerScreen)


async def test_branches_out_of_view_are_counted(tmp_path: Path) -> None:
    async with explorer(tmp_path) as it:
        await it.press(*["f", "1"] * 8, "w")
        assert "branches: 4 above, 0 below" in it.screen
        await it.press(*["up"] * 9)
        assert "branches: 0 above, 4 below" in it.screen
        assert "› 1  (nothing" in it.line("› ")


async def test_the_list_shows_four_branches_and_w_goes_round(tmp_path: Path) -> None:
    async with explorer(tmp_path) as it:
        await it.press(*["f", "1"] * 3, "w")
        assert "above" not in it.screen
        await it.press("w")
        assert "› 1  (nothing" in it.line("› ")


async def test_a_branch_that_is_brought_back_is_selected_again(tmp_path: Path) -> None:
    async with explorer(tmp_path) as it:
        await it.press("1", "f", "1", "left", "f", "w", "d", "u")
        assert "3●" in it.line("› ")


async def test_a_new_prompt_says_that_the_added_tokens_are_kept(tmp_path: Path) -> None:
    async with explorer(tmp_path) as it:
        await it.press("1", "e")
        await it.type("!")
        await it.press("enter")
        assert "The earlier text is kept as branch 1. Press w to switch." in it.words


async def test_a_new_prompt_is_listed_as_a_text_of_its_own(tmp_path: Path) -> None:
    async with explorer(tmp_path) as it:
        await it.press("1", "e", *["backspace"] * len(PROMPT))
        await it.type("My cat")
        await it.press("enter", "w")
        assert it.line("› ").strip().startswith("› 2● My cat")
        assert "└" not in it.screen
        assert "after token 0" not in it.screen


async def test_attention_can_be_sorted_by_weight(tmp_path: Path) -> None:
    async with explorer(tmp_path) as it:
        await it.press("x", "o")
        figures = [
            float(line.split(" %")[0].split()[-1]) for line in lines(it.stage) if " %" in line
        ]
        assert figures == sorted(figures, reverse=True)
        assert len(figures) == 5


async def test_leaving_the_xray_cancels_it(tmp_path: Path) -> None:
    async with explorer(tmp_path) as it:
        it.engine.hold()
        await it.pilot.press("x")
        await it.until(lambda: "xray" in it.engine.calls)
        await it.pilot.press("escape")
        await it.until(lambda: "xray" in it.engine.cancelled)
        it.engine.release()
        await it.press("enter")
        assert "drawn by the model" in it.line("last")


async def test_the_xray_opens_once_the_model_is_ready(tmp_path: Path) -> None:
    engine = FakeEngine(state=EngineState.LOADING)
    async with explorer(tmp_path, engine=engine) as it:
        await it.press("x")
        assert "The x-ray opens as soon as the model has processed the text." in it.words
        engine.become(EngineState.READY)
        await it.until(lambda: "x-ray" in lines(it.stage)[0])
        await it.press("escape")
        assert "␣Paris" in it.screen
        assert "The x-ray opens" not in it.words


async def test_the_xray_opens_once_the_text_is_tokenized(tmp_path: Path) -> None:
    engine = FakeEngine(state=EngineState.LOADING)
    async with explorer(tmp_path, engine=engine) as it:
        engine.hold()
        engine.become(EngineState.READY)
        await it.pilot.press("x")
        await it.until(lambda: "The x-ray opens as soon as" in it.words)
        engine.release()
        await it.until(lambda: "x-ray" in lines(it.stage)[0])


async def test_an_xray_that_waits_does_not_open_over_the_editor(tmp_path: Path) -> None:
    engine = FakeEngine(state=EngineState.LOADING)
    async with explorer(tmp_path, engine=engine) as it:
        await it.press("x", "e")
        engine.become(EngineState.READY)
        await it.settle()
        await it.press("escape")
        assert "␣Paris" in it.screen
        assert "xray" not in engine.calls


# --- the engine ----------------------------------------------------------------------------------


async def test_the_table_appears_once_the_model_is_ready(tmp_path: Path) -> None:
    engine = FakeEngine(state=EngineState.LOADING)
    async with explorer(tmp_path, engine=engine) as it:
        assert it.text == PROMPT
        assert "not ready yet" in it.words
        await it.press("enter", "1", "x", "slash", "t", "escape")
        engine.become(EngineState.READY)
        await it.settle()
        assert "␣Paris" in it.screen
        assert it.text == PROMPT


async def test_a_failed_request_is_reported_and_the_next_key_retries(tmp_path: Path) -> None:
    async with explorer(tmp_path) as it:
        it.engine.fail_with = EngineError("The engine's process ended.", "It is started again.")
        await it.press("1")
        assert "The engine's process ended." in it.words
        assert it.text == PROMPT + " Paris"
        await it.press("1")
        assert it.text == PROMPT + " Paris,"


async def test_stepping_continues_after_an_engine_restart(tmp_path: Path) -> None:
    async with explorer(tmp_path) as it:
        await it.press("1")
        dead = EngineError("The engine's process was killed.", "Try again.")
        it.engine.become(EngineState.STARTING, "starting again", dead)
        await it.settle()
        assert "Your text is kept" in it.words
        it.engine.become(EngineState.READY)
        await it.press("1")
        assert it.text == PROMPT + " Paris,"


async def test_y_restarts_a_stopped_engine(tmp_path: Path) -> None:
    async with explorer(tmp_path) as it:
        failure = EngineError("The engine ended three times.", "Start it again.")
        it.engine.become(EngineState.STOPPED, "", failure)
        await it.settle()
        assert "ended three times" in it.words
        assert "y retry" in it.screen
        await it.press("y")
        assert it.engine.restarts == 1
        assert "ended three times" not in it.words


async def test_moving_on_cancels_the_earlier_request(tmp_path: Path) -> None:
    async with explorer(tmp_path) as it:
        await it.press("1", "1", "1")
        it.engine.hold()
        await it.pilot.press("left")
        await it.until(lambda: it.engine.calls[-1] == "distribution")
        await it.pilot.press("left")
        await it.until(lambda: bool(it.engine.cancelled))
        it.engine.release()
        await it.settle()
        assert "instead of ," in it.screen


async def test_leaving_cancels_requests_and_closes_sessions(tmp_path: Path) -> None:
    async with explorer(tmp_path) as it:
        it.engine.hold()
        await it.pilot.press("1")
        await it.until(lambda: it.engine.calls[-1] == "distribution")
        await it.pilot.press("escape")
        await it.until(lambda: bool(it.engine.cancelled))
        await it.until(lambda: all(session.closed for session in it.engine.sessions))


# --- what is saved -------------------------------------------------------------------------------


async def test_text_branches_and_sampler_are_restored(tmp_path: Path) -> None:
    async with explorer(tmp_path) as it:
        await it.press("2", "left", "1", "t", "left", "escape", "escape")
    async with explorer(tmp_path) as it:
        assert it.text == PROMPT + " Paris"
        assert "T 0.90" in it.screen
        await it.press("w", "1")
        assert it.text == PROMPT + " the"


async def test_the_text_appears_before_the_engine_is_ready(tmp_path: Path) -> None:
    async with explorer(tmp_path) as it:
        await it.press("1", "escape")
    async with explorer(tmp_path, engine=FakeEngine(state=EngineState.STARTING)) as it:
        assert it.text == PROMPT + " Paris"


async def test_a_state_is_saved_without_leaving(tmp_path: Path) -> None:
    async with explorer(tmp_path) as it:
        await it.press("1")
        async with asyncio.timeout(10):
            await it.until(lambda: saved_texts(it, "free") == [PROMPT + " Paris"])


async def test_a_text_from_another_model_is_tokenized_again(tmp_path: Path) -> None:
    import msgspec

    async with explorer(tmp_path) as it:
        await it.press("1", "escape")
    other = FakeEngine(card=msgspec.structs.replace(CARD, sha256="e" * 64, name="Other"))
    async with explorer(tmp_path, engine=other) as it:
        assert "by another model" in it.words
        assert it.text == PROMPT + " Paris"
        assert it.engine.calls[0] == "open_text"


# --- labs ----------------------------------------------------------------------------------------


async def test_a_lab_is_told_of_every_step_and_its_message_is_shown(tmp_path: Path) -> None:
    from tutor.course.lesson import Lab

    heard: list[Evidence] = []

    async def stepped(evidence: Evidence) -> str | None:
        heard.append(evidence)
        return "Well found." if evidence.taken_rank == 3 else None

    lab = Lab(id="ranks", kind="stepper", task="Take a token of rank 3.", prompt=PROMPT)
    async with explorer(tmp_path, lab=lab, on_stepped=stepped) as it:
        assert "Take a token of rank 3." in it.words
        assert heard == []
        await it.press("1")
        assert "Well found." not in it.words
        await it.press("3")
        assert "Well found." in it.words
        await it.press("escape")
        assert (saved_texts(it, "free"), saved_texts(it, "ranks")) == ([], [PROMPT + " Paris and"])


async def test_a_lab_is_told_when_its_prompt_is_edited(tmp_path: Path) -> None:
    from tutor.course.lesson import Lab

    heard: list[Evidence] = []

    async def stepped(evidence: Evidence) -> None:
        heard.append(evidence)

    lab = Lab(id="edit", kind="stepper", task="Edit the prompt.", prompt=PROMPT)
    async with explorer(tmp_path, lab=lab, on_stepped=stepped) as it:
        await it.press("1")
        assert not heard[-1].prompt_changed
        await it.press("e")
        await it.type(" so")
        await it.press("enter")
        await it.until(lambda: heard[-1].prompt_changed)


# --- sizes ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [(40, 12), (80, 24), *later([(60, 20), (120, 30), (200, 60)])])
async def test_every_size_shows_text_rows_and_the_line_about_enter(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    async with explorer(tmp_path, size=size) as it:
        await it.press(
            "1", "2", "left", "1", "t", "escape", "x", "tab", "escape", "slash", "escape"
        )
        assert "enter" in it.screen
        assert "more" in it.screen
        assert "%" in it.screen
        assert all(len(line) <= size[0] for line in lines(it.stage))
