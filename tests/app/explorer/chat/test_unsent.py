"""Test that unsent messages, and changes to earlier ones, stay where they were written."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from msgspec import UNSET
from msgspec.structs import replace

from tests.app.explorer.chat.test_chat_keys import editor, send, state, tree
from tests.app.explorer.chat.test_chat_update import Talk
from tests.app.explorer.test_keys import explorer
from tests.engine.fake_engine import split
from tutor.app.explorer import events
from tutor.app.explorer.chat.messages import messages
from tutor.app.explorer.chat.unsent import Written, written_in_field
from tutor.app.explorer.document import Document
from tutor.app.explorer.effects import SaveText, Start
from tutor.app.explorer.update import update
from tutor.app.widgets.prompt_editor import PromptEditor
from tutor.errors import EngineError
from tutor.lm.token_tree import MAXIMUM_BRANCHES, TreeFull, text_of

if TYPE_CHECKING:
    from pathlib import Path

    from tests.app.explorer.test_keys import Explorer


def mine(it: Explorer) -> list[str]:
    """Return the messages that the learner has sent."""
    steps = tree(it).steps
    found = [each for each in messages(steps) if each.role == "user"]
    return [text_of(steps[each.first : each.end]) for each in found]


def is_new(it: Explorer) -> bool:
    return "your last message" not in it.words


def saved_draft(it: Explorer) -> str:
    """Return the draft of the message that is in the learner's file."""
    texts = it.stage.progress.texts
    for info in texts.list("free"):
        document = Document.from_bytes(texts.read(info.id) or b"")
        return document.drafts.get("chat", "") if document else ""
    return ""


async def test_a_message_is_saved_while_it_is_written(tmp_path: Path) -> None:
    async with explorer(tmp_path, mode="chat") as it:
        await send(it, "Hello")
        await it.press("e", *"Bye")
        await it.until(lambda: saved_draft(it) == "Bye")
        await it.press("backspace", "backspace")
        await it.until(lambda: saved_draft(it) == "B")
        assert editor(it).text == "B"
        await it.press("enter")
        await it.until(lambda: mine(it) == ["Hello", "B"])
        await it.until(lambda: saved_draft(it) == "")


async def test_a_deleted_edit_does_not_turn_the_next_message_into_an_edit(tmp_path: Path) -> None:
    async with explorer(tmp_path, mode="chat") as it:
        await send(it, "Hello")
        await it.press("e", "up", "ctrl+u", "down", "escape", "e")
        assert is_new(it)
        await it.press("escape")
    async with explorer(tmp_path, mode="chat") as it:
        assert is_new(it)
        await it.press("N", "enter")
        assert mine(it) == ["Hello", "N"]


@pytest.mark.parametrize("restart", [False, True])
async def test_a_new_message_with_the_same_text_as_an_edit_is_a_new_message(
    tmp_path: Path, restart: bool
) -> None:
    async with explorer(tmp_path, mode="chat") as it:
        await send(it, "Hello")
        await it.press("e", "up", "!", "down")
        await it.type("Hello!")
        await it.press("escape", *([] if restart else "e"))
        if not restart:
            await check_the_same_text(it)
    if restart:
        async with explorer(tmp_path, mode="chat") as it:
            await check_the_same_text(it)


async def check_the_same_text(it: Explorer) -> None:
    assert editor(it).text == "Hello!"
    assert is_new(it)
    await it.press("up")
    assert editor(it).text == "Hello!"
    assert not is_new(it)
    await it.press("down", "enter")
    assert mine(it) == ["Hello", "Hello!"]
    assert state(it).document.changes == {"Hello": "Hello!"}  # the edit has not been sent


async def test_a_deleted_edit_leaves_the_message_as_it_was(tmp_path: Path) -> None:
    async with explorer(tmp_path, mode="chat") as it:
        await send(it, "Hello")
        await it.press("e", "N", "up", "ctrl+u", "escape", "e")
        assert editor(it).text == "N"
        assert is_new(it)
        await it.press("up")
        assert editor(it).text == "Hello"
        assert not is_new(it)


async def test_enter_in_a_deleted_edit_does_nothing(tmp_path: Path) -> None:
    async with explorer(tmp_path, mode="chat") as it:
        await send(it, "Hello")
        await it.press("e", "N", "up", "ctrl+u", "enter")
        assert editor(it).text == ""
        assert not is_new(it)
        await it.press("down")
        assert editor(it).text == "N"
        assert is_new(it)
        await it.press("enter")
        assert mine(it) == ["Hello", "N"]


async def test_an_edit_stays_an_edit_of_its_version(tmp_path: Path) -> None:
    async with explorer(tmp_path, mode="chat") as it:
        await send(it, "Hello")
        await it.press("e", "up", "!", "enter", "up", "?", "escape", "p", "e")
        assert editor(it).text == "Hello!?"
        assert is_new(it)  # it is not an edit of the version that is on the screen
        await it.press("down")
        assert editor(it).text == "Hello"
        assert not is_new(it)
        await it.press("down")
        assert editor(it).text == ""
        await it.press("up", "up", "escape")
        document = state(it).document
        assert (document.drafts, document.place) == ({"chat": "Hello!?"}, "Hello!")
        assert document.changes == {}


async def test_messages_that_are_taken_back_return_to_their_own_places(tmp_path: Path) -> None:
    async with explorer(tmp_path, mode="chat") as it:
        await send(it, "Hello")
        await send(it, "Hi")
        await it.press("e")
        await it.type("New")
        await it.press("up", "up", "!")
        it.engine.hold(at="append_turn")
        await it.pilot.press("enter")
        await it.until(lambda: it.engine.calls[-1] == "append_turn")
        await it.pilot.press("escape")
        it.engine.release()
        await it.settle()
        assert editor(it).text == "Hello!"
        assert is_new(it)
        await it.press("escape", "e", "down", "down")
        assert editor(it).text == "New"


async def test_a_message_that_is_sent_again_and_taken_back_is_kept(tmp_path: Path) -> None:
    async with explorer(tmp_path, mode="chat") as it:
        await send(it, "Hello")
        await send(it, "Hi")
        await it.press("e", "N", "up", "up")
        it.engine.hold(at="append_turn")
        await it.pilot.press("enter")
        await it.until(lambda: it.engine.calls[-1] == "append_turn")
        await it.pilot.press("escape")
        it.engine.release()
        await it.settle()
        for _ in range(2):
            assert editor(it).text == "Hello"
            await it.press("escape", "e")
        await it.press("enter")
        assert mine(it) == ["Hello", "Hi", "Hello"]
        assert state(it).document.changes == {"": "N"}


@pytest.mark.parametrize("keys", [(), ("up", "!")])
async def test_a_message_that_fails_comes_back_to_an_open_field(
    tmp_path: Path, keys: tuple[str, ...]
) -> None:
    async with explorer(tmp_path, mode="chat") as it:
        await send(it, "Hello")
        it.engine.hold(at="append_turn")
        await it.press("e")
        await it.pilot.press(*"Why", "enter")
        await it.until(lambda: it.engine.calls[-1] == "append_turn")
        await it.pilot.press(*"And", *keys)
        it.engine.fail_with = EngineError("It ended.", "It starts again.")
        it.engine.release()
        await it.settle()
        assert it.stage.screen.focused is editor(it)
        assert editor(it).text == "Why\nAnd"
        assert state(it).document.changes == ({"Hello": "Hello!"} if keys else {})
        await it.press("escape", "e")
        assert editor(it).text == "Why\nAnd"


async def test_a_prompt_that_fails_is_beside_the_text_in_an_open_field(tmp_path: Path) -> None:
    async with explorer(tmp_path) as it:
        it.engine.hold(at="open_text")
        await it.press("e", "ctrl+u")
        await it.pilot.press(*"Why", "enter")
        await it.until(lambda: it.engine.calls[-1] == "open_text")
        await it.pilot.press("e", *"And")
        it.engine.fail_with = EngineError("It ended.", "It starts again.")
        it.engine.release()
        await it.settle()
        assert it.stage.screen.focused is editor(it)
        assert editor(it).text == "And"
        await it.press("up")
        assert editor(it).text == "Why"
        await it.press("!", "escape", "e")
        assert editor(it).text == "Why!"
    async with explorer(tmp_path) as it:
        await it.press("e")
        assert editor(it).text == "Why!"
        await it.press("down")
        assert editor(it).text == "And"


async def test_a_full_tree_keeps_the_prompt_and_the_text_in_an_open_field(tmp_path: Path) -> None:
    async with explorer(tmp_path) as it:
        await it.press("enter", *"f" * (MAXIMUM_BRANCHES - 1))
        it.engine.hold(at="open_text")
        await it.press("e", "ctrl+u")
        await it.pilot.press(*"Why", "enter")
        await it.until(lambda: it.engine.calls[-1] == "open_text")
        await it.pilot.press("e", *"And")
        it.engine.release()
        await it.settle()
        assert "already 9 branches" in it.words
        assert "Press Esc, then w." in it.words
        assert editor(it).text == "And"
        await it.press("up")
        assert editor(it).text == "Why"
        await it.press("escape", "w", "down", "d", "escape", "e", "down")
        assert editor(it).text == "And"


async def test_a_full_tree_keeps_an_edit_and_the_message_in_an_open_field(tmp_path: Path) -> None:
    async with explorer(tmp_path, mode="chat") as it:
        await send(it, "Hello")
        while len(tree(it).branches) < MAXIMUM_BRANCHES:
            await it.press(*(["escape"] if state(it).panel else []), "s")
        await it.press(*([] if state(it).panel else ["e"]), "up", "!")
        it.engine.hold(at="open_chat")
        await it.pilot.press("enter")
        await it.until(lambda: it.engine.calls[-1] == "open_chat")
        await it.pilot.press(*"And")
        it.engine.release()
        await it.settle()
        assert "already 9 branches" in it.words
        assert "Press Esc, then w." in it.words
        assert it.stage.screen.focused is editor(it)
        assert editor(it).text == "Hello!"
        await it.press("down")
        assert editor(it).text == "And"
        await it.press("escape")
        document = state(it).document
        assert (document.drafts, document.changes) == ({"chat": "And"}, {"Hello": "Hello!"})


def test_a_message_after_a_command_that_fails_is_kept_beside_a_newer_draft() -> None:
    talk = Talk()
    talk.say("Hello")
    while len(talk.tree.branches) < MAXIMUM_BRANCHES:
        talk.answer()
        talk.send(events.Signal.FORK)
    talk.send(events.UseText("One"))
    request = talk.state.request
    assert isinstance(request, Start)
    talk.send(events.Signal.FORK, events.UseText("Two"), events.LeaveEditor("Three"))
    talk.send(events.TokensArrived(request, tuple(split("One"))))
    assert isinstance(talk.state.note, TreeFull)
    assert talk.state.document.drafts == {"chat": "Two\nThree"}
    assert talk.state.panel == "editor"
    assert talk.state.running  # “One” is answered


def test_what_was_written_at_another_place_is_not_joined_to_a_message() -> None:
    talk = Talk()
    talk.say("Hello")
    talk.say("Hi")
    talk.send(events.UseText("Hello!", kept={"": "New"}, place="Hello"))
    _, happens = update(talk.state, events.Signal.SAVE)
    (saved,) = (each.document for each in happens if isinstance(each, SaveText))
    talk.send(events.UseText("Hi!", instead=True, place="Hi"), events.LeaveEditor("New"))
    talk.send(events.Signal.TAKE_BACK)
    assert written_in_field(talk.state) == Written("New", {"Hi": "Hi!", "Hello": "Hello!"}, "Hello")
    assert (saved.drafts, saved.place, saved.changes) == (
        {"chat": "Hello!"},
        "Hello",
        {"": "New"},
    )


async def test_a_suggestion_keeps_what_was_changed_in_the_field(tmp_path: Path) -> None:
    async with explorer(tmp_path, mode="chat") as it:
        await send(it, "Hello")
        await it.press("N", "x", "up", "!", "down", "backspace", "1")
        assert state(it).document.changes == {"Hello": "Hello!"}


def test_a_text_that_is_no_longer_among_the_earlier_ones_is_the_oldest() -> None:
    field = PromptEditor()
    field.load("New", ("One", "Two"), changes={"Zero": "0", "Two": "2", "": "New"})
    assert [*field._earlier] == ["Zero", "One", "Two"]
    assert field._pages == ["0", "One", "2", "New"]


def test_documents_without_places_open_with_all_texts() -> None:
    document = Document(mode="chat", drafts={"chat": "Hi!"})
    documents = [
        document,
        document.with_changes({"Hi": "Hi!"}),
        document.with_changes({"Hi": "Hi!", "": "New"}),
    ]
    assert all(each.draft_of is UNSET for each in documents)
    opened = [Document.from_bytes(each.to_bytes()) for each in documents]
    assert opened == documents
    states = [replace(Talk().state, document=each) for each in documents]
    assert [written_in_field(each) for each in states] == [
        Written("Hi!", {}, ""),
        Written("Hi!", {"Hi": "Hi!"}, ""),
        Written("New", {"Hi": "Hi!"}, ""),
    ]


def test_a_message_is_on_disk_once_whether_it_was_declined_or_received() -> None:
    """Wherever a kill stops tutor, the message is either in the field or in the conversation."""
    talk = Talk()

    def on_disk() -> tuple[str, int]:
        _, happens = update(talk.state, events.Signal.SAVE)
        (saved,) = (each.document for each in happens if isinstance(each, SaveText))
        document = Document.from_bytes(saved.to_bytes())
        assert document is not None
        sent = messages(document.chat.steps) if document.chat else ()
        return document.drafts.get("chat", ""), sum(each.role == "user" for each in sent)

    talk.send(events.UseText("Hello"))
    assert on_disk() == ("Hello", 0)
    request = talk.state.request
    assert isinstance(request, Start)
    talk.send(events.RequestFailed(request, EngineError("It ended.", "It starts again.")))
    assert on_disk() == ("Hello", 0)
    talk.send(events.UseText("Hello"), events.Signal.TAKE_BACK)
    assert on_disk() == ("Hello", 0)
    talk.send(events.LeaveEditor(""))
    assert on_disk() == ("", 0)
    talk.say("Hello")
    assert on_disk() == ("", 1)
