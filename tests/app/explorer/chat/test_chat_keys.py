"""Test the chat through its keys, on a fake model."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import msgspec
import pytest
from textual.events import Key, MouseScrollUp, Paste

from tests.app.explorer.explorer_stage import lines
from tests.app.explorer.test_keys import Explorer, explorer
from tests.app.pressing import event_of, tap
from tests.engine.fake_engine import CARD, FakeEngine
from tests.later import later
from tutor.app.explorer.chat.editor import LATE, MessageEditor
from tutor.app.explorer.chat.first_messages import SUGGESTIONS
from tutor.app.explorer.chat.lines import editor_label
from tutor.app.explorer.chat.view import ConversationView
from tutor.app.explorer.distribution_table import DistributionTable
from tutor.app.explorer.document import CHAT_SAMPLER, FIRST_PROMPT, Document
from tutor.app.explorer.pane import ExplorerPane
from tutor.app.widgets.prompt_editor import LONGEST
from tutor.course.lesson import Lab

if TYPE_CHECKING:
    from pathlib import Path

    from tutor.app.explorer.state import State
    from tutor.lm.token_tree import TokenTree


def state(it: Explorer) -> State:
    return it.stage.screen.query_one(ExplorerPane).state


def tree(it: Explorer) -> TokenTree:
    found = state(it).tree
    assert found is not None
    return found


def view(it: Explorer) -> ConversationView:
    return it.stage.screen.query_one(ConversationView)


def editor(it: Explorer) -> MessageEditor:
    return it.stage.screen.query_one(MessageEditor)


def table_is_shown(it: Explorer) -> bool:
    return it.stage.screen.query_one(DistributionTable).display


async def send(it: Explorer, text: str) -> None:
    """Write a message, send it, and leave the field, so that letter keys work again."""
    if it.stage.screen.focused is not editor(it):
        await it.press("e")
    editor(it).insert(text)
    await it.press("enter")
    if it.stage.screen.focused is editor(it):
        await it.press("escape")


# --- the first message ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("keys", "chosen"),
    [
        (["enter"], 0),
        (["down", "enter"], 1),
        (["up", "enter"], len(SUGGESTIONS) - 1),
        (["3", "enter"], 2),
        (["4"], 3),
        (["escape", "2"], 1),
        (["escape", "down", "enter"], 1),
    ],
)
async def test_an_empty_chat_suggests_first_messages(
    tmp_path: Path, keys: list[str], chosen: int
) -> None:
    async with explorer(tmp_path, mode="chat") as it:
        assert all(text in it.screen for text in SUGGESTIONS)
        await it.press(*keys)
        assert it.conversation[1].strip() == SUGGESTIONS[chosen]


@pytest.mark.parametrize("size", [(80, 24), (40, 12)])
async def test_the_keys_beside_suggestions_are_about_suggestions(
    size: tuple[int, int], tmp_path: Path
) -> None:
    async with explorer(tmp_path, mode="chat", size=size) as it:
        await it.press("escape")
        assert "enter send 1-4 suggestion" in it.words
        for other in ("continue", "take", "distribution", "token", "undo"):
            assert other not in it.line("↑↓ choose")
        await it.press("question_mark")
        assert "Let the model continue its answer." not in it.words
        await it.press("escape", "2")
        assert "1-4" not in it.words


async def test_an_empty_chat_says_how_to_switch_its_settings_off(tmp_path: Path) -> None:
    async with explorer(tmp_path, mode="chat") as it:
        assert "Press Esc, then i, to switch these settings off." in it.words
        await it.press("escape")
        assert "Press i to switch these settings off." in it.words
        await it.press("i")
        assert "Sampler: plain sampling" in it.words


async def test_a_small_terminal_shows_every_suggestion(tmp_path: Path) -> None:
    async with explorer(tmp_path, mode="chat", size=(40, 12)) as it:
        numbers = [line.lstrip(" ›")[:1] for line in it.conversation]
        assert [each for each in numbers if each.isdigit()] == ["1", "2", "3", "4"]


async def test_e_writes_ones_own_message_instead_of_a_suggestion(tmp_path: Path) -> None:
    async with explorer(tmp_path, mode="chat") as it:
        await it.press("escape", "e")
        assert it.stage.screen.focused is editor(it)
        assert state(it).tree is None


async def test_a_message_of_ones_own_is_sent_as_it_is(tmp_path: Path) -> None:
    async with explorer(tmp_path, mode="chat") as it:
        await send(it, "I have 2 cats")
        assert it.conversation[:2] == ["You", "  I have 2 cats"]


async def test_a_pasted_number_is_ordinary_text(tmp_path: Path) -> None:
    async with explorer(tmp_path, mode="chat") as it:
        editor(it).post_message(Paste("2"))
        await it.settle()
        assert state(it).tree is None
        await it.type(" cats and 1 dog")
        await it.press("enter")
        assert it.conversation[:2] == ["You", "  2 cats and 1 dog"]


async def test_digits_are_ordinary_text_after_the_first_message(tmp_path: Path) -> None:
    async with explorer(tmp_path, mode="chat") as it:
        await send(it, "Hello")
        await send(it, "2")
        assert "  2" in it.conversation


async def test_a_lab_with_a_first_message_suggests_nothing(tmp_path: Path) -> None:
    lab = Lab(id="talk", kind="chat", task="Read it.", prompt="Hello")
    async with explorer(tmp_path, lab=lab) as it:
        assert it.conversation[:2] == ["You", "  Hello"]
        assert state(it).sampler.plain


# --- reading -------------------------------------------------------------------------------------


async def test_a_folded_chat_has_twelve_lines_of_conversation(tmp_path: Path) -> None:
    async with explorer(tmp_path, mode="chat") as it:
        for text in ("Hello", "Hi", "No"):
            await send(it, text)
        assert "Again the same answer" in it.words
        assert not table_is_shown(it)
        assert view(it).size.height >= 12
        await it.press("e")
        assert view(it).size.height >= 12


@pytest.mark.parametrize(
    ("size", "text", "rows"),
    [((80, 24), 8, 4), ((40, 12), 1, 2), ((100, 40), 16, 10), ((120, 40), 30, 30)],
)
async def test_most_of_a_chat_is_visible_beside_its_distribution(
    tmp_path: Path, size: tuple[int, int], text: int, rows: int
) -> None:
    async with explorer(tmp_path, mode="chat", size=size) as it:
        for message in ("Hello", "Hi", "No"):
            await send(it, message)
        await it.press("s", "escape", "d")  # with a second answer, and so a second branch
        table = it.stage.screen.query_one(DistributionTable)
        assert view(it).size.height - 1 >= text  # the last line says how much is hidden
        assert sum("%" in line for line in table.plain[:-1]) >= rows


async def test_the_settings_below_a_distribution_leave_room_for_the_chat(tmp_path: Path) -> None:
    async with explorer(tmp_path, mode="chat") as it:
        for message in ("Hello", "Hi", "No"):
            await send(it, message)
        await it.press("d", "t")
        assert view(it).size.height - 1 >= 8
        assert "› 1 temperature" in it.screen
        await it.press("down")
        assert "› 2 top-k" in it.screen
        assert "1 temperature" not in it.screen
        await it.press("escape", "d", "t")  # without the distribution, there is room for all
        assert "1 temperature" in it.screen
        assert "4 min-p" in it.screen


async def test_d_shows_the_distribution_of_the_token_in_focus(tmp_path: Path) -> None:
    async with explorer(tmp_path, mode="chat") as it:
        await send(it, "Hello")
        await it.press("left")
        assert "%" not in "".join(it.screen.split("\n")[:-6])
        await it.press("d")
        assert table_is_shown(it)
        last = [step for step in tree(it).steps if not step.token.special][-1]
        assert f"instead of {last.token.text}" in it.screen
        assert "bits" in it.line("token")
        await it.press("d")
        assert not table_is_shown(it)


@pytest.mark.parametrize(
    ("size", "heading"), [((80, 24), "after the message's end"), ((40, 12), "after the end")]
)
async def test_the_distribution_after_the_end_of_a_message_says_so(
    tmp_path: Path, size: tuple[int, int], heading: str
) -> None:
    async with explorer(tmp_path, mode="chat", size=size) as it:
        await send(it, "Hello")
        await it.press("d")
        assert it.line("after the").lstrip().startswith(f"{heading}  entropy")
        assert "next token" not in it.screen


async def test_escape_closes_the_distribution_before_it_leaves_the_chat(tmp_path: Path) -> None:
    async with explorer(tmp_path, mode="chat") as it:
        await send(it, "Hello")
        screen = it.stage.screen
        await it.press("d")
        assert "esc close" in it.words
        await it.press("escape")
        assert it.stage.screen is screen
        assert not table_is_shown(it)
        assert "esc back" in it.words
        await it.press("escape")
        assert it.stage.screen is not screen


async def test_the_arrow_keys_pass_tokens_that_are_hidden(tmp_path: Path) -> None:
    async with explorer(tmp_path, mode="chat") as it:
        await send(it, "Hello")
        await send(it, "Hi")
        seen = set()
        for _ in range(tree(it).length):
            await it.press("left")
            seen.add(tree(it).focus)
        tokens = tree(it).tokens
        texts = [tokens[at].text for at in sorted(seen)]
        assert "user" not in texts
        assert not any(tokens[at].special for at in seen)
        assert texts[0] == "Hello"
        await it.press("m", "left")
        assert tokens[tree(it).focus].text == "\n"


async def test_scrolling_up_stops_following_and_the_end_follows_again(tmp_path: Path) -> None:
    async with explorer(tmp_path, mode="chat") as it:
        for text in ("Hello", "Hi", "No", "Yes", "a", "the"):
            await send(it, text)
        end = it.conversation
        await it.press("pageup")
        assert "more lines" in it.conversation[-1]
        above = it.conversation
        it.engine.hold()
        await it.pilot.press("r")
        it.engine.release()
        await it.press("pageup")
        assert it.conversation != end
        assert state(it).scroll is not None
        await it.press("end")
        assert state(it).scroll is None
        assert "more line" not in it.screen
        await it.press("up")
        assert "↓" in it.conversation[-1]
        assert it.conversation != above


async def test_a_growing_reply_does_not_move_what_the_learner_reads(tmp_path: Path) -> None:
    engine = FakeEngine(card=msgspec.structs.replace(CARD, end_ids=()))
    async with explorer(tmp_path, mode="chat", engine=engine) as it:
        await it.press("escape", "i", "e")
        engine.hold(at="distribution")
        await it.type("Hello")
        await it.pilot.press("enter")
        engine.release()
        while len(view(it)._all) <= view(it).size.height + 3:
            await asyncio.sleep(0)
        engine.hold()  # two pages up is the beginning, as long as the reply is short
        await tap(it.pilot, "pageup", "pageup")
        top = it.conversation[0]
        length = tree(it).length
        engine.release()
        await it.until(lambda: tree(it).length > length + 3 or not state(it).running)
        assert it.conversation[0] == top == "You"


async def test_page_keys_scroll_while_a_message_is_written(tmp_path: Path) -> None:
    async with explorer(tmp_path, mode="chat") as it:
        for text in ("Hello", "Hi", "No", "Yes", "a", "the"):
            await send(it, text)
        await it.press("e")
        await it.type("So")
        await it.press("pageup")
        assert "more lines" in it.conversation[-1]
        assert editor(it).text == "So"


async def test_home_and_end_scroll_while_the_message_is_empty(tmp_path: Path) -> None:
    async with explorer(tmp_path, mode="chat") as it:
        for text in ("Hello", "Hi", "No", "Yes", "a", "the"):
            await send(it, text)
        await it.press("e", "home")
        assert state(it).scroll == 0
        await it.press("end")
        assert state(it).scroll is None
        await it.type("So")
        await it.press("home")
        assert state(it).scroll is None
        assert editor(it).cursor_location == (0, 0)


async def test_the_wheel_scrolls(tmp_path: Path) -> None:
    async with explorer(tmp_path, mode="chat") as it:
        for text in ("Hello", "Hi", "No", "Yes", "a", "the"):
            await send(it, text)
        view(it).post_message(MouseScrollUp(view(it), 1, 1, 0, -1, 0, False, False, False))
        await it.settle()
        assert "more lines" in it.conversation[-1]


async def test_a_click_moves_the_focus_to_a_token(tmp_path: Path) -> None:
    async with explorer(tmp_path, mode="chat") as it:
        await send(it, "Hello")
        await it.press("e")
        await it.type("So")
        await it.pilot.click(ConversationView, offset=(4, 1))
        await it.settle()
        assert tree(it).tokens[tree(it).focus].text == "Hello"
        assert it.stage.screen.focused is editor(it)


# --- writing -------------------------------------------------------------------------------------


async def test_up_edits_the_last_message_on_a_new_branch(tmp_path: Path) -> None:
    async with explorer(tmp_path, mode="chat") as it:
        await send(it, "Hello")
        await send(it, "Hi")
        before = tree(it).tokens
        await it.press("enter", "up")
        assert editor(it).text == "Hi"
        assert "your last message" in it.screen
        await it.type("!")
        await it.press("enter")
        assert "  Hi!" in it.conversation
        assert "  Hi" not in it.conversation
        assert "  Hello" in it.conversation
        assert tree(it).branch(1).tokens == before
        assert len(tree(it).branches) == 2


async def test_an_edit_says_that_it_replaces_the_last_message(tmp_path: Path) -> None:
    async with explorer(tmp_path, mode="chat") as it:
        await send(it, "Hello")
        await it.press("e", "up")
        assert "your last message enter replaces it (the old one is kept)" in it.words
        assert "↓ write a new one" in it.words


async def test_the_field_says_how_to_edit_the_last_message_of_a_stopped_answer(
    tmp_path: Path,
) -> None:
    engine = FakeEngine(card=msgspec.structs.replace(CARD, end_ids=()))
    async with explorer(tmp_path, mode="chat", engine=engine) as it:
        await it.press("escape", "i", "e")
        engine.hold(at="distribution", after=4)
        await it.type("Hello")
        await it.pilot.press("enter")
        await it.until(lambda: state(it).run_length > 2)
        await it.pilot.press("r")
        engine.release()
        await it.settle()
        assert "esc then r: continues or d: distribution ↑ edits your last one" in it.words
        await it.press("escape", "question_mark")
        assert "In the empty field, ↑ edits your last one." in it.words


async def test_the_first_message_can_be_edited(tmp_path: Path) -> None:
    async with explorer(tmp_path, mode="chat") as it:
        await send(it, "Hello")
        await it.press("enter", "up")
        await it.type(" world")
        await it.press("enter")
        assert it.conversation[:2] == ["You  version 2 of 2  esc then p/n", "  Hello world"]
        assert len(tree(it).branches) == 2


async def test_an_unchanged_edit_leaves_no_draft_and_down_writes_a_new_message(
    tmp_path: Path,
) -> None:
    async with explorer(tmp_path, mode="chat") as it:
        await send(it, "Hello")
        await it.press("e", "up", "down")
        assert editor(it).text == ""
        await it.press("up", "escape", "e")
        assert editor(it).text == ""
        assert "your last message" not in it.screen


async def test_a_changed_edit_is_kept_as_an_edit(tmp_path: Path) -> None:
    async with explorer(tmp_path, mode="chat") as it:
        await send(it, "Hello")
        await it.press("e", "up")
        await it.type("!")
        await it.press("escape", "e")
        assert editor(it).text == "Hello!"
        await it.press("enter")
        assert it.conversation[:2] == ["You  version 2 of 2  esc then p/n", "  Hello!"]


async def change_two_messages(it: Explorer) -> None:
    """Send two messages, write a third one, change the first two, and leave the field."""
    await send(it, "Hello")
    await send(it, "Hi")
    await it.press("e", "N", "up", "!", "up", "?", "escape")


async def test_all_messages_that_the_learner_has_changed_are_kept(tmp_path: Path) -> None:
    async with explorer(tmp_path, mode="chat") as it:
        await change_two_messages(it)
        for _ in range(2):
            await it.press("e")
            assert editor(it).text == "Hello?"
            assert "your last message" not in it.screen
            await it.press("down")
            assert editor(it).text == "Hi!"
            assert "your last message enter replaces it" in it.words
            await it.press("down")
            assert editor(it).text == "N"
            await it.press("up", "up", "escape")
    async with explorer(tmp_path, mode="chat") as it:
        assert editor(it).text == "Hello?"
        await it.press("down", "enter")  # replaces the last message
        assert "  Hi!" in it.conversation
        assert "  Hi" not in it.conversation
        assert editor(it).text == "N"
        await it.press("up", "up", "up")
        assert editor(it).text == "Hello?"
        await it.press("enter")
        assert it.conversation.count("  Hello?") == 1
        assert state(it).document.changes == {"": "N"}


async def test_down_in_an_edit_that_was_reopened_leads_to_the_new_message(tmp_path: Path) -> None:
    async with explorer(tmp_path, mode="chat") as it:
        await send(it, "Hello")
        await it.press("e", "up", "!", "escape", "e")
        assert "↓ write a new one" in it.words
        await it.press("down")
        assert editor(it).text == ""
        assert "your last message" not in it.screen
        await it.press("up")
        assert editor(it).text == "Hello!"
        assert "your last message" in it.screen


async def test_all_prompts_that_the_learner_has_changed_are_kept(tmp_path: Path) -> None:
    async with explorer(tmp_path) as it:
        await it.press("e", "!", "enter", "e", "?", "enter")
        await it.press("e", "x", "up", "y", "escape", "e")
        prompt = f"{FIRST_PROMPT}!"
        assert editor(it).text == f"{prompt}y"
        await it.press("down", "down")
        assert editor(it).text == f"{prompt}?x"
        await it.press("up", "up", "enter", "e")
        assert state(it).document.prompt == f"{prompt}y"
        assert editor(it).text == f"{prompt}?x"


async def test_esc_on_the_last_message_keeps_the_new_message(tmp_path: Path) -> None:
    async with explorer(tmp_path, mode="chat") as it:
        await send(it, "Hello")
        await it.press("e")
        await it.type("Why")
        await it.press("up")
        assert editor(it).text == "Hello"
        await it.press("escape", "e")
        assert editor(it).text == "Why"
        assert "your last message" not in it.screen
        await it.press("enter")
        assert "  Hello" in it.conversation
        assert "  Why" in it.conversation


@pytest.mark.parametrize("leave", ["mode", "new_chat", "dials"])
async def test_a_message_is_kept_when_an_action_of_the_palette_closes_its_field(
    tmp_path: Path, leave: str
) -> None:
    async with explorer(tmp_path, mode="chat") as it:
        await it.type("Why")
        pane = it.stage.screen.query_one(ExplorerPane)
        match leave:
            case "mode":
                pane.action_mode("text")
            case "new_chat":
                pane.action_new_chat("late")
            case _:
                pane.action_dials()
        await it.settle()
        texts = it.stage.progress.texts
        saved = [Document.from_bytes(texts.read(each.id) or b"") for each in texts.list("free")]
        documents = [state(it).document, *(each for each in saved if each is not None)]
        assert "Why" in [each.drafts.get("chat") for each in documents]


async def test_a_message_in_an_open_field_is_there_in_the_next_session(tmp_path: Path) -> None:
    async with explorer(tmp_path, mode="chat") as it:
        await it.type("Why")
    async with explorer(tmp_path, mode="chat") as it:
        assert editor(it).text == "Why"


async def test_a_message_is_shown_before_the_model_has_read_it(tmp_path: Path) -> None:
    async with explorer(tmp_path, mode="chat") as it:
        it.engine.hold()
        await it.type("Hello")
        await it.pilot.press("enter")
        await it.pilot.pause()
        assert it.conversation[:2] == ["You", "  Hello"]
        it.engine.release()
        await it.settle()


async def test_the_key_line_says_what_enter_and_escape_do_with_a_message(tmp_path: Path) -> None:
    async with explorer(tmp_path, mode="chat") as it:
        assert "enter send" in lines(it.stage)[-1]
        assert "esc leave field" in lines(it.stage)[-1]
        await it.press("escape", "c", "e")
        assert "enter accept" in lines(it.stage)[-1]


async def test_a_key_starts_a_new_chat_at_once(tmp_path: Path) -> None:
    async with explorer(tmp_path, mode="chat") as it:
        await send(it, "Hello")
        assert "N new chat" in lines(it.stage)[-1]
        assert "o new chat" not in it.screen
        await it.press("N")
        assert all(text in it.screen for text in SUGGESTIONS)
        assert "The last chat is saved. To open it, press Esc, then o." in it.words
        await it.press("escape")
        assert "The last chat is saved. To open it, press o." in it.words
        await it.press("o", "enter")
        assert it.conversation[:2] == ["You", "  Hello"]


async def test_the_title_shows_the_seed_of_the_text_that_is_open(tmp_path: Path) -> None:
    async with explorer(tmp_path, mode="chat") as it:
        assert "seed" not in lines(it.stage)[0]
        await send(it, "Hello")
        await it.press("s", "escape")
        assert "seed 3" in lines(it.stage)[0]
        await it.press("N")
        assert "seed" not in lines(it.stage)[0]  # nothing has been drawn yet
        await it.press("escape", "c")
        assert "seed 2" in lines(it.stage)[0]
        await it.press("c")
        assert "seed" not in lines(it.stage)[0]
        await send(it, "Hello")
        assert "seed 2" in lines(it.stage)[0]


async def test_a_new_chat_opens_its_field_wherever_the_last_chat_was_left(tmp_path: Path) -> None:
    async with explorer(tmp_path, mode="chat") as it:
        await send(it, "Hello")
        await it.press("e", "up")
        editor(it).insert(" there")
        await it.press("enter", "escape", "p", "left")
        assert not tree(it).at_end
        await it.press("N")
        assert it.stage.screen.focused is editor(it)
        assert "The last chat is saved. To open it, press Esc, then o." in it.words
        screen = it.stage.screen
        await it.press("escape")
        assert it.stage.screen is screen


async def test_a_hint_is_not_shown_in_the_list_or_in_the_stepper(tmp_path: Path) -> None:
    async with explorer(tmp_path, mode="chat") as it:
        await send(it, "Hello")
        await it.press("N", "escape", "o")
        assert "The last chat is saved." not in it.words
        await it.press("escape", "N", "escape", "c")
        assert state(it).mode == "text"
        assert "The last chat is saved." not in it.words
        await it.press("c")
        assert "The last chat is saved." not in it.words


async def test_the_list_of_chats_does_not_offer_the_empty_one(tmp_path: Path) -> None:
    async with explorer(tmp_path, mode="chat") as it:
        await send(it, "Hello")
        await it.press("N")
        await send(it, "Hi")
        await it.press("N", "escape", "o")
        assert "no message yet" not in it.words
        assert "Hi" in it.line("›")
        await it.press("down", "enter")
        assert it.conversation[:2] == ["You", "  Hello"]
        await it.press("escape", "o")
        listed = [line[5:].strip().split("  ")[0] for line in lines(it.stage) if "chat, " in line]
        assert listed == ["Hello", "Hi", "(no message yet)"]  # the last may have a draft


async def test_only_its_own_keys_work_in_the_list_of_chats(tmp_path: Path) -> None:
    async with explorer(tmp_path, mode="chat") as it:
        await send(it, "Hello")
        await it.press("s", "escape", "o")
        before = it.screen
        assert "version" not in lines(it.stage)[-1]
        for key in "cspNuderotxw":
            await it.press(key)
            assert it.screen == before, key


async def test_o_lists_the_chats_by_first_message(tmp_path: Path) -> None:
    async with explorer(tmp_path, mode="chat") as it:
        await send(it, "Hello")
        await send(it, "Hi")
        await it.press("o")
        assert "Hello" in it.line("›")
        assert "assistant" not in it.line("›")
        assert "n new chat" in lines(it.stage)[-1]
        await it.press("n")
        assert all(text in it.screen for text in SUGGESTIONS)
        await it.press("escape", "o", "enter")
        assert it.conversation[:2] == ["You", "  Hello"]


# --- answers -------------------------------------------------------------------------------------


async def test_s_lets_the_model_answer_again(tmp_path: Path) -> None:
    async with explorer(tmp_path, mode="chat") as it:
        await send(it, "Hello")
        first = tree(it).tokens
        await it.press("s")
        assert "Seed 3 gave the same answer. At T 0.20, a new seed" in it.words
        assert tree(it).current.seed == 3
        assert tree(it).length > tree(it).current.prompt_length
        assert tree(it).branch(1).tokens == first


async def test_r_stops_an_answer_and_continues_it(tmp_path: Path) -> None:
    async with explorer(tmp_path, mode="chat") as it:
        it.engine.hold(at="distribution")
        await it.type("Hello")
        await it.pilot.press("enter")
        await it.until(lambda: "r stop" in it.words)
        await it.pilot.press("r")
        it.engine.release()
        await it.settle()
        assert not state(it).running
        assert "esc then r: continues" in it.words
        await it.press("escape")
        assert "r continue" in lines(it.stage)[-1]
        assert "d distribution" in lines(it.stage)[-1]
        assert "s another answer" in it.words
        assert "The model has not answered yet. Press r to let it answer." in it.words
        await it.press("r")
        assert state(it).ended
        assert it.stage.screen.focused is view(it)


@pytest.mark.parametrize("keys", [("escape",), *later([("escape", "s"), ("escape", "r", "r")])])
async def test_a_message_typed_outside_the_field_is_complete(
    tmp_path: Path, keys: tuple[str, ...]
) -> None:
    async with explorer(tmp_path, mode="chat") as it:
        it.engine.hold(at="distribution", after=2)
        await it.type("Hello")
        await it.pilot.press("enter")
        await it.until(lambda: "r stop" in it.words)
        await it.pilot.press("r")
        it.engine.release()
        await it.settle()
        await it.press(*keys)
        await it.type("What is 2 + 2?")
        assert editor(it).text == "What is 2 + 2?"


@pytest.mark.parametrize("growing", [True, *later([False])])
async def test_a_text_pasted_outside_the_field_begins_the_next_message(
    tmp_path: Path, growing: bool
) -> None:
    async with explorer(tmp_path, mode="chat") as it:
        await send(it, "Hello")
        if growing:
            it.engine.hold(at="distribution")
            await it.press("e")
            await it.pilot.press(*"Hi", "enter")
            await it.until(lambda: state(it).running)
        assert not editor(it).has_focus
        it.stage.post_message(Paste("One\ntwo"))
        await it.until(lambda: editor(it).text == "One\ntwo")
        assert editor(it).has_focus
        it.engine.release()
        await it.settle()
        await it.press("enter")
        assert "  One" in it.conversation


async def test_a_pasted_text_that_is_too_long_says_that_its_end_is_missing(tmp_path: Path) -> None:
    async with explorer(tmp_path, mode="chat") as it:
        editor(it).post_message(Paste("x" * (LONGEST + 1)))
        await it.settle()
        said = "The end of the pasted text is missing. A text can have at most 32,000 characters."
        assert said in it.words
        assert len(editor(it).text) == LONGEST
        await it.press("backspace")
        assert said not in it.words
        editor(it).post_message(Paste("x"))  # fits exactly
        await it.settle()
        assert said not in it.words


async def test_a_space_outside_the_field_sends_and_opens_nothing(tmp_path: Path) -> None:
    async with explorer(tmp_path, mode="chat") as it:
        await it.press("escape", "space")
        assert state(it).tree is None
        await send(it, "Hello")
        await it.press("t", "space")
        assert state(it).panel == "dials"


async def test_an_answer_that_a_key_started_offers_another_one_while_it_is_generated(
    tmp_path: Path,
) -> None:
    async with explorer(tmp_path, mode="chat") as it:
        it.engine.hold(at="distribution")
        await it.type("Hello")
        await it.pilot.press("enter")
        await it.until(lambda: "r stop" in it.words)
        await it.pilot.press("r", "escape", "r")
        await it.until(lambda: "r stop" in lines(it.stage)[-1])
        assert "s another answer" in lines(it.stage)[-1]


async def test_the_arrow_keys_stay_on_the_line_beside_other_versions(tmp_path: Path) -> None:
    async with explorer(tmp_path, mode="chat") as it:
        await send(it, "Hello")
        await it.press("s")
        if state(it).panel is not None:
            await it.press("escape")
        assert len(tree(it).branches) == 2
        assert state(it).complete
        line = lines(it.stage)[-1]
        assert "p/n version" in line
        assert "←→ token" in line
        assert "s another answer N new chat" in it.words  # on the line above


async def test_the_field_is_open_again_after_an_answer(tmp_path: Path) -> None:
    async with explorer(tmp_path, mode="chat") as it:
        for message in ("Hello", "Hi", "s"):
            await it.type(message)
            await it.press("enter")
            assert state(it).ended
            assert f"  {message}" in it.conversation
        assert it.stage.screen.focused is editor(it)
        assert "esc then s: another answer" in it.words
        assert editor_label(state(it), 38).plain.startswith("message  esc then s: another answer")
        assert len(tree(it).branches) == 1
    async with explorer(tmp_path, mode="chat") as it:
        await it.type("So")
        assert editor(it).text == "So"


@pytest.mark.parametrize("key", ["s", "r"])
async def test_the_field_stays_closed_after_an_answer_that_a_key_started(
    tmp_path: Path, key: str
) -> None:
    engine = FakeEngine(card=msgspec.structs.replace(CARD, end_ids=(), context=10_000))
    async with explorer(tmp_path, mode="chat", engine=engine) as it:
        await it.press("escape", "i", "e")
        await it.type("Hello")
        await it.press("enter", "escape", key)
        assert not state(it).running
        assert view(it).has_focus
        await it.press("d")
        assert table_is_shown(it)
        await it.press("d", "enter")
        assert editor(it).has_focus
        assert editor(it).text == ""


@pytest.mark.parametrize("late", [True, False])
async def test_escape_pressed_as_an_answer_ends_does_not_leave_the_chat(
    tmp_path: Path, late: bool
) -> None:
    async with explorer(tmp_path, mode="chat") as it:
        await send(it, "Hello")
        screen = it.stage.screen
        await it.press("s")
        ended_at = screen.query_one(ExplorerPane).ended_at
        assert ended_at is not None
        pressed = Key("escape", None)
        pressed.time = ended_at + (LATE / 2 if late else 2 * LATE)
        it.stage.post_message(pressed)
        said = "The answer had already ended, so Esc did nothing."
        await it.until(lambda: said in it.words if late else it.stage.screen is not screen)
        await it.settle()
        assert (it.stage.screen is screen) is late


async def test_escape_leaves_the_stepper_although_an_answer_was_stopped_by_the_change(
    tmp_path: Path,
) -> None:
    engine = FakeEngine(card=msgspec.structs.replace(CARD, end_ids=(), context=10_000))
    async with explorer(tmp_path, mode="chat", engine=engine) as it:
        await send(it, "Hello")
        if state(it).panel is not None:
            await it.press("escape")
        screen = it.stage.screen
        engine.hold()
        await it.pilot.press("s", "c")
        engine.release()
        await it.until(lambda: state(it).mode == "text")
        await it.press("escape")
        assert it.stage.screen is not screen


@pytest.mark.parametrize("late", [True, False])
async def test_a_key_pressed_as_the_answer_ends_is_not_typed(tmp_path: Path, late: bool) -> None:
    async with explorer(tmp_path, mode="chat") as it:
        await it.type("Hello")
        await it.press("enter")
        await it.until(lambda: state(it).ended and it.stage.screen.focused is editor(it))
        opened_at = editor(it).opened_at
        assert opened_at is not None
        pressed = Key("r", "r")
        pressed.time = opened_at + (LATE / 2 if late else 2 * LATE)
        editor(it).post_message(pressed)
        await it.settle()
        assert editor(it).text == ("" if late else "r")
        assert ("The answer had already ended, so r did nothing." in it.words) is late
        await it.type("Hi")  # other letters are never lost
        assert editor(it).text == ("Hi" if late else "rHi")


@pytest.mark.parametrize("begun_by_key", [False, True])
async def test_escape_stops_an_answer_and_a_second_one_stays_in_the_chat(
    tmp_path: Path, begun_by_key: bool
) -> None:
    engine = FakeEngine(card=msgspec.structs.replace(CARD, end_ids=()))
    async with explorer(tmp_path, mode="chat", engine=engine) as it:
        screen = it.stage.screen
        await it.press("escape", "i", "e")
        engine.hold(at="distribution", after=4)  # the answer cannot end before the key arrives
        await it.type("Hello")
        await it.pilot.press("enter")
        await it.until(lambda: state(it).run_length > 2)
        if begun_by_key:
            await it.pilot.press("r", "escape", "r")
            await it.until(lambda: state(it).running)
        assert "esc stop it" in it.words
        await it.pilot.press("escape")
        engine.release()
        await it.settle()
        assert not state(it).running
        assert screen.focused is (view(it) if begun_by_key else editor(it))
        stopped = tree(it).tokens
        await it.press("escape")
        assert it.stage.screen is screen
        assert tree(it).tokens == stopped
        assert "esc back" in it.words
        pressed = Key("escape", None)
        pressed.time += 2 * LATE
        it.stage.post_message(pressed)
        await it.until(lambda: it.stage.screen is not screen)
        assert it.stage.screen is not screen


@pytest.mark.parametrize(
    ("at", "unfolded"), [("open_chat", False), ("append_turn", False), ("append_turn", True)]
)
async def test_escape_before_the_model_has_received_a_message_takes_it_back(
    tmp_path: Path, at: str, unfolded: bool
) -> None:
    async with explorer(tmp_path, mode="chat") as it:
        screen = it.stage.screen
        if at == "append_turn":
            await send(it, "Hello")
        if unfolded:
            await it.press("d")
        earlier = state(it).path
        it.engine.hold(at=at)
        if screen.focused is not editor(it):
            await it.pilot.press("e")
        await it.pilot.press(*"Why", "enter")
        await it.until(lambda: it.engine.calls[-1] == at)
        assert "esc stop it" in it.words
        if not unfolded:
            assert "esc take the message back" in it.words
            assert "s another answer" not in it.words  # these keys would begin a message
        await it.pilot.press("escape")
        it.engine.release()
        await it.settle()
        assert it.engine.cancelled == [at]
        assert it.stage.screen is screen
        assert screen.focused is editor(it)
        assert editor(it).text == "Why"
        assert "Your message was not sent. Press Enter to send it." in it.words
        assert state(it).path == earlier
        await it.press("escape")
        assert "Your message was not sent. Press e to edit and send it." in it.words
        assert it.stage.screen is screen
        await it.press("e", "enter")
        assert it.conversation.count("  Why") == 1
        assert state(it).ended


@pytest.mark.parametrize("opened_by", ["enter", ""])
async def test_another_message_can_be_sent_before_the_first_one_is_received(
    tmp_path: Path, opened_by: str
) -> None:
    async with explorer(tmp_path, mode="chat") as it:
        it.engine.hold(at="open_chat")
        await it.pilot.press(*"Hello", "enter")
        await it.until(lambda: it.engine.calls[-1] == "open_chat")
        await it.pilot.press(*([opened_by] if opened_by else []), *"Why", "enter")
        it.engine.release()
        await it.settle()
        assert [line for line in it.conversation if line in ("  Hello", "  Why")] == [
            "  Hello",
            "  Why",
        ]


@pytest.mark.parametrize(
    ("typed", "sent", "left"),
    [
        (("Hello", "enter", "Why", "enter"), ["Hello", "Why"], ""),
        (("Hello", "enter", "enter"), ["Hello"], ""),
        (("Hello", "enter", "Wh"), ["Hello"], "Wh"),
    ],
)
async def test_keys_that_arrive_at_once_send_each_message_once(
    tmp_path: Path, typed: tuple[str, ...], sent: list[str], left: str
) -> None:
    async with explorer(tmp_path, mode="chat") as it:
        for word in typed:
            for key in [word] if word == "enter" else word:
                it.stage.post_message(event_of(key))
        await it.until(lambda: all(f"  {text}" in it.conversation for text in sent))
        await it.settle()
        messages = [line for line in it.conversation if line in ("  Hello", "  Why", "  HelloWhy")]
        assert messages == [f"  {text}" for text in sent]
        assert state(it).panel == "editor"  # the end of the answer opens it
        assert editor(it).text == left


async def test_a_suggestion_does_not_replace_the_draft(tmp_path: Path) -> None:
    async with explorer(tmp_path, mode="chat") as it:
        await it.type("Mine")
        await it.press("escape", "2")
        assert it.conversation[:2] == ["You", f"  {SUGGESTIONS[1]}"]
        assert editor(it).text == "Mine"  # the end of the answer opens the field


async def test_an_edit_that_is_taken_back_still_replaces_the_last_message(tmp_path: Path) -> None:
    async with explorer(tmp_path, mode="chat") as it:
        await send(it, "Hello")
        await it.press("e", "up")
        editor(it).insert(" there")
        it.engine.hold(at="open_chat")
        await it.pilot.press("enter")
        await it.until(lambda: it.engine.calls[-1] == "open_chat")
        await it.pilot.press("escape")
        it.engine.release()
        await it.settle()
        assert it.conversation[:2] == ["You", "  Hello"]
        assert "your last message" in it.words
        await it.press("enter")
        assert it.conversation[:2] == ["You  version 2 of 2  esc then p/n", "  Hello there"]


async def test_escape_stops_an_answer_before_it_closes_the_distribution(tmp_path: Path) -> None:
    engine = FakeEngine(card=msgspec.structs.replace(CARD, end_ids=()))
    async with explorer(tmp_path, mode="chat", engine=engine) as it:
        screen = it.stage.screen
        await it.press("escape", "i", "e")
        engine.hold(at="distribution", after=4)
        await it.type("Hello")
        await it.pilot.press("enter")
        await it.until(lambda: state(it).run_length > 2)
        await it.pilot.press("d", "escape")
        engine.release()
        await it.settle()
        assert not state(it).running
        assert table_is_shown(it)
        await it.press("escape")
        assert not table_is_shown(it)
        assert it.stage.screen is screen


async def test_a_draft_survives_two_escapes_while_an_answer_grows(tmp_path: Path) -> None:
    async with explorer(tmp_path, mode="chat") as it:
        screen = it.stage.screen
        it.engine.hold(at="distribution")
        await it.type("Hello")
        await it.pilot.press("enter")
        await it.until(lambda: state(it).running)
        await it.pilot.press("enter", *"And", "escape")
        assert state(it).running  # only the field was closed
        await it.pilot.press("escape")
        it.engine.release()
        await it.settle()
        assert not state(it).running
        assert it.stage.screen is screen
        assert screen.focused is editor(it)
        assert editor(it).text == "And"


async def test_a_stopped_answer_leaves_the_learner_in_the_field(tmp_path: Path) -> None:
    engine = FakeEngine(card=msgspec.structs.replace(CARD, end_ids=()))
    async with explorer(tmp_path, mode="chat", engine=engine) as it:
        await it.press("escape", "i", "e")
        engine.hold(at="distribution", after=4)  # the answer cannot end before the key arrives
        await it.type("Hello")
        await it.pilot.press("enter")
        await it.until(lambda: state(it).run_length > 2)
        await it.pilot.press("r")
        engine.release()
        await it.settle()
        before = tree(it).tokens
        assert "esc then r: continues" in it.words
        await it.type("run")
        assert editor(it).text == "run"
        await it.press("escape")
        assert tree(it).tokens == before
        assert "enter write the next message" in it.words
        await it.press("enter")
        assert editor(it).text == "run"
        assert tree(it).tokens == before


async def test_a_message_can_be_written_while_the_answer_grows(tmp_path: Path) -> None:
    async with explorer(tmp_path, mode="chat") as it:
        it.engine.hold(at="distribution")
        await it.type("Hello")
        await it.pilot.press("enter")
        await it.until(lambda: state(it).running)
        await it.pilot.press("enter", *"And")
        assert "esc then r: stops" in it.words
        it.engine.release()
        await it.until(lambda: state(it).ended)
        await it.type(" so")
        assert editor(it).text == "And so"
        await it.press("enter")
        assert "  And so" in it.conversation


async def test_a_learner_who_inspects_an_answer_is_not_moved_to_the_field(tmp_path: Path) -> None:
    async with explorer(tmp_path, mode="chat") as it:
        it.engine.hold(at="distribution")
        await it.type("Hello")
        await it.pilot.press("enter")
        await it.until(lambda: state(it).running)
        await it.pilot.press("d")
        it.engine.release()
        await it.until(lambda: state(it).ended)
        assert state(it).panel is None
        assert it.stage.screen.focused is view(it)


async def test_r_adds_nothing_to_a_complete_answer(tmp_path: Path) -> None:
    async with explorer(tmp_path, mode="chat") as it:
        await send(it, "Hello")
        before = tree(it).tokens
        assert "r continue" not in it.words
        await it.press("r")
        assert tree(it).tokens == before
        complete = "The answer is complete. Press e to write, or s for another answer."
        assert complete in it.words
        await it.press("left", "r")
        assert tree(it).tokens == before
        assert complete in it.words
        await it.press("u", "r")
        assert state(it).complete


async def test_enter_writes_a_message_while_an_answer_grows(tmp_path: Path) -> None:
    async with explorer(tmp_path, mode="chat") as it:
        it.engine.hold(at="distribution")
        await it.type("Hello")
        await it.pilot.press("enter")
        await it.until(lambda: "r stop" in it.words)
        assert "enter message" in it.words
        await it.pilot.press("enter")
        await it.until(lambda: it.stage.screen.focused is editor(it))
        it.engine.release()
        await it.settle()
        await it.type("run")
        assert editor(it).text == "run"
        await it.press("escape", "r")
        assert state(it).complete


async def test_enter_in_an_empty_field_does_nothing(tmp_path: Path) -> None:
    async with explorer(tmp_path, mode="chat") as it:
        await it.type("Hello")
        await it.press("enter", "enter", "enter")
        assert state(it).note is None
        assert state(it).complete


async def test_i_switches_to_plain_sampling_and_back(tmp_path: Path) -> None:
    async with explorer(tmp_path, mode="chat") as it:
        assert "as SmolLM2's model card recommends" in it.words
        await send(it, "Hello")
        assert (state(it).sampler, "T 0.20  top-p 0.9" in it.screen) == (CHAT_SAMPLER, True)
        await it.press("i")
        assert state(it).sampler.plain
        assert "plain sampling" in it.screen
        await it.press("i")
        assert state(it).sampler == CHAT_SAMPLER
        await it.press("c")
        assert state(it).sampler.plain


async def test_the_settings_of_a_conversation_are_restored(tmp_path: Path) -> None:
    async with explorer(tmp_path, mode="chat") as it:
        await send(it, "Hello")
        await it.press("i", "escape")
    async with explorer(tmp_path, mode="chat") as it:
        assert state(it).sampler.plain
        assert it.conversation[:2] == ["You", "  Hello"]


async def test_a_full_conversation_says_what_to_do(tmp_path: Path) -> None:
    engine = FakeEngine(card=msgspec.structs.replace(CARD, context=40, end_ids=()))
    async with explorer(tmp_path, mode="chat", engine=engine) as it:
        await it.press("escape", "i", "e")
        await send(it, "Hello")
        assert "chat: 40 of 40 tokens" in it.screen
        assert "edit your last message" in it.words


@pytest.mark.parametrize("size", [(40, 12), (80, 24), *later([(60, 20), (120, 40), (200, 60)])])
async def test_every_size_shows_the_conversation(tmp_path: Path, size: tuple[int, int]) -> None:
    async with explorer(tmp_path, mode="chat", size=size) as it:
        await send(it, "Hello")
        assert "You" in it.conversation
        await it.press("left", "d", "d", "t", "escape", "slash", "escape", "e", "escape")
        assert "Fake-1K" in it.conversation
        assert all(len(line) <= size[0] for line in lines(it.stage))


async def test_the_title_and_the_key_line_name_the_mode(tmp_path: Path) -> None:
    async with explorer(tmp_path, mode="chat", size=(80, 60)) as it:
        await send(it, "Hello")
        assert lines(it.stage)[0].split()[0] == "chat"
        await it.press("question_mark")
        assert "c stepper Switch to the stepper" in it.words
        await it.press("escape", "c")
        assert lines(it.stage)[0].split()[0] == "stepper"
        await it.press("c")
        assert lines(it.stage)[0].split()[0] == "chat"


async def test_the_field_says_how_to_see_the_distribution_of_a_stopped_answer(
    tmp_path: Path,
) -> None:
    engine = FakeEngine(card=msgspec.structs.replace(CARD, end_ids=()))
    async with explorer(tmp_path, mode="chat", engine=engine) as it:
        await it.press("escape", "i", "e")
        engine.hold(at="distribution", after=4)
        await it.type("Hello")
        await it.pilot.press("enter")
        await it.until(lambda: state(it).run_length > 2)
        assert "d distribution" in it.words
        await it.pilot.press("r")
        engine.release()
        await it.settle()
        assert "or d: distribution" in it.words
        await it.press("escape", "d")
        assert table_is_shown(it)
        assert "↑↓ row" in it.words


# --- versions ------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [(80, 24), (40, 12)])
async def test_the_key_line_says_how_to_see_the_earlier_answer(
    size: tuple[int, int], tmp_path: Path
) -> None:
    async with explorer(tmp_path, mode="chat", size=size) as it:
        await send(it, "Hello")
        assert "p/n version" not in it.words
        await it.press("s", "escape")
        assert "p/n version" in it.words


async def test_a_hidden_heading_still_says_which_answer_it_is(tmp_path: Path) -> None:
    async with explorer(tmp_path, mode="chat", size=(40, 9)) as it:
        await send(it, "Hello")
        await it.press("s")
        assert "Fake-1K  answer 2 of 2  p/n" not in it.conversation
        assert "answer 2 of 2  p/n" in it.conversation[-1]
        assert "lines" in it.conversation[-1]


async def test_a_label_is_not_shown_below_another_answer(tmp_path: Path) -> None:
    async with explorer(tmp_path, mode="chat") as it:
        await send(it, "Hello")
        await it.press("s")
        for __ in range(3):
            await send(it, "Hello")
        labels: list[str] = []
        while it.conversation[0] != "You" or not labels:
            await it.press("up")
            labels = [line for line in it.conversation if "answer 2 of 2" in line]
            assert all(line.startswith("Fake-1K") for line in labels)


@pytest.mark.parametrize(
    ("size", "note", "in_field"),
    [
        (
            (80, 24),
            "  message 1, further up, has 2 answers:  p/n",
            "  message 1, further up, has 2 answers:  esc then p/n",
        ),
        ((40, 12), "  ↑ message 1:  p/n", "      "),
    ],
)
async def test_keys_that_act_on_a_message_out_of_view_say_where_it_is(
    tmp_path: Path, size: tuple[int, int], note: str, in_field: str
) -> None:
    async with explorer(tmp_path, mode="chat", size=size) as it:
        await send(it, "Hello")
        await it.press("s")
        assert "message 1" not in it.screen
        for __ in range(5):
            await send(it, "Hello")
        assert "Fake-1K  answer 2 of 2  p/n" not in it.conversation
        assert it.conversation[-1].startswith(note)
        await it.press("e")
        assert it.conversation[-1].startswith(in_field)
        await it.press("escape", *["pageup"] * 15)
        assert "Fake-1K  answer 2 of 2  p/n" in it.conversation
        assert "message 1" not in it.screen


async def test_a_message_with_versions_below_the_view_is_said_to_be_further_down(
    tmp_path: Path,
) -> None:
    async with explorer(tmp_path, mode="chat") as it:
        for __ in range(6):
            await send(it, "Hello")
        await it.press("s")
        await it.press(*["pageup"] * 15)
        assert it.conversation[-1].startswith("  message 6, further down, has 2 answers:  p/n")


async def test_an_answer_that_a_message_cut_off_is_marked(tmp_path: Path) -> None:
    engine = FakeEngine(card=msgspec.structs.replace(CARD, end_ids=()))
    async with explorer(tmp_path, mode="chat", engine=engine) as it:
        await it.press("escape", "i", "e")
        engine.hold(at="distribution", after=4)
        await it.type("Hello")
        await it.pilot.press("enter")
        await it.until(lambda: state(it).run_length > 2)
        await it.pilot.press("enter", *"Hi")
        assert "stopped" not in "".join(it.conversation)
        await it.pilot.press("enter")
        engine.release()
        await it.settle()
        assert [line.version for line in view(it)._all if line.speaker == "Fake-1K"] == [
            "stopped",
            "",
        ]


async def test_an_answer_that_the_model_ended_is_not_marked(tmp_path: Path) -> None:
    async with explorer(tmp_path, mode="chat", size=(80, 60)) as it:
        await send(it, "Hello")
        await send(it, "Hi")
        assert it.conversation.count("Fake-1K") == 2


async def test_switching_an_earlier_answer_says_which_and_how_to_go_back(tmp_path: Path) -> None:
    async with explorer(tmp_path, mode="chat") as it:
        await send(it, "Hello")
        await it.press("s")
        await send(it, "What")
        await send(it, "Hi")
        before = tree(it).tokens
        for key, back in ("pn", "np"):
            await it.press(key)
            assert "Message 1, answer 1 of 2. What followed answer 2 is kept." in it.words
            assert f"Press {back} to go back." in it.words
            assert "  Hi" not in it.conversation
            await it.press(back)
            assert tree(it).tokens == before


async def test_w_goes_back_to_one_of_several_conversations_with_the_same_answer(
    tmp_path: Path,
) -> None:
    async with explorer(tmp_path, mode="chat") as it:
        await send(it, "Hello")
        await it.press("s")
        await send(it, "What")
        await it.press("s", "escape", "p", "left", "home")
        await it.press(*["left"] * 30, "p")
        assert tree(it).number == 1
        assert "Press w to go back." in it.words


async def test_p_and_n_go_through_the_answers(tmp_path: Path) -> None:
    async with explorer(tmp_path, mode="chat") as it:
        await send(it, "Hello")
        assert "p/n" not in it.words
        await it.press("s")
        await it.press("s")
        assert "Fake-1K  answer 3 of 3  p/n" in it.conversation
        third = tree(it).tokens
        await it.press("p")
        assert "Fake-1K  answer 2 of 3  p/n" in it.conversation
        assert "Answer 2 of 3. Press p or n for another version." in it.words
        await it.press("p")
        assert tree(it).number == 1
        await it.press("p")
        assert tree(it).tokens == third
        await it.press("n")
        assert "Fake-1K  answer 1 of 3  p/n" in it.conversation


async def test_headings_name_the_keys_for_versions_as_the_focus_changes(tmp_path: Path) -> None:
    async with explorer(tmp_path, mode="chat") as it:
        await send(it, "Hello")
        await it.press("s")
        assert "Fake-1K  answer 2 of 2  p/n" in it.conversation
        await it.press("e")
        assert "Fake-1K  answer 2 of 2  esc then p/n" in it.conversation
        await it.press("escape")
        assert "Fake-1K  answer 2 of 2  p/n" in it.conversation


async def test_headings_name_no_keys_while_letters_begin_a_message(tmp_path: Path) -> None:
    async with explorer(tmp_path, mode="chat") as it:
        await send(it, "Hello")
        await it.press("e", "up")
        editor(it).insert(" there")
        it.engine.hold(at="distribution")
        await it.pilot.press("enter")
        await it.until(lambda: "You  version 2 of 2" in it.conversation)
        assert state(it).running
        it.engine.release()
        await it.settle()
        assert "You  version 2 of 2  esc then p/n" in it.conversation


async def test_the_field_does_not_show_keys_that_would_be_typed(tmp_path: Path) -> None:
    async with explorer(tmp_path, mode="chat") as it:
        await send(it, "Hello")
        await it.press("s", "p")
        assert "Press p or n for another version." in it.words
        await it.press("e")
        assert it.stage.screen.focused is editor(it)
        assert "Press p or n" not in it.words


async def test_enter_writes_a_message_after_another_version_was_looked_at(tmp_path: Path) -> None:
    async with explorer(tmp_path, mode="chat") as it:
        await send(it, "Hello")
        await send(it, "Hi")
        await it.press("e", "up")
        await it.type("!")
        await it.press("enter", "escape", "p")
        assert not tree(it).at_end  # the focus is at the message, so that n goes back
        assert "enter write the next message" in it.words
        await it.press("n", "enter")
        assert it.stage.screen.focused is editor(it)


async def test_an_edited_message_says_where_the_earlier_one_is(tmp_path: Path) -> None:
    async with explorer(tmp_path, mode="chat") as it:
        await send(it, "Hello")
        await send(it, "Hi")
        await it.press("e", "up")
        await it.type("!")
        await it.press("enter", "escape")
        assert "Your message was edited. The earlier version is kept" in it.words
        assert "You  version 2 of 2  p/n" in it.conversation
        await it.press("p")
        assert "  Hi" in it.conversation
        await it.press("w")
        assert "message 2, version 1 of 2: Hi" in it.words
        assert "message 2, version 2 of 2: Hi!" in it.words


async def test_the_branches_are_shown_only_while_one_is_chosen(tmp_path: Path) -> None:
    async with explorer(tmp_path, mode="chat") as it:
        await send(it, "Hello")
        await it.press("s", "escape")
        assert "seed 3" in it.screen
        height = view(it).size.height
        await it.press("w")
        assert "nothing added" in it.screen or ", seed 3" in it.screen
        await it.press("escape")
        assert ", seed 3" not in it.screen.replace("with seed 3", "")
        assert view(it).size.height == height
        await it.press("w", "up", "enter")
        assert tree(it).number == 1
        assert view(it).size.height >= height


async def test_letters_write_the_next_message_while_an_answer_grows(tmp_path: Path) -> None:
    async with explorer(tmp_path, mode="chat") as it:
        await send(it, "Hi")
        await it.press("e")
        it.engine.hold(at="distribution")
        await it.type("Hello")
        await it.pilot.press("enter")
        await it.pilot.press(*"Stop", "space", *"it")  # s, o and p are keys after an answer
        assert editor(it).text == "Stop it"
        it.engine.release()
        await it.until(lambda: state(it).handed_in is None and state(it).complete)
        assert editor(it).text == "Stop it"
        assert "  Hello" in it.conversation
        await it.press("enter")
        assert "  Stop it" in it.conversation
        assert len(tree(it).branches) == 1
