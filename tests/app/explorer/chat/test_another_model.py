"""Test that a conversation is kept when the model changes, and is built again for the new model."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from tests.app.explorer.chat.test_chat_update import Talk
from tests.app.explorer.chat.test_conversation import laid_out
from tests.app.explorer.explorer_stage import Stage, settled, shown
from tests.app.explorer.test_update import answer_to
from tests.engine.fake_engine import CARD, FakeEngine, split
from tutor.app.explorer import events
from tutor.app.explorer.chat.layout import conversation_of
from tutor.app.explorer.chat.messages import messages
from tutor.app.explorer.document import Document
from tutor.app.explorer.effects import EngineInfo, Question, Rebuild, Start
from tutor.app.explorer.readout import said
from tutor.app.explorer.saved_texts import SavedTexts
from tutor.app.explorer.screen import ExplorerScreen
from tutor.engine.api import EngineState
from tutor.errors import ContextFull
from tutor.learner.background import BackgroundProgress
from tutor.learner.progress import Progress
from tutor.lm.distribution import ChatMessage, ModelCard, SamplerSettings
from tutor.lm.token_tree import text_of

if TYPE_CHECKING:
    from pathlib import Path

    from tutor.lm.distribution import Token

OTHER = replace(CARD, name="Other", sha256="0" * 64)


def change(talk: Talk, model: ModelCard = OTHER) -> None:
    talk.send(events.EngineChanged(EngineInfo(EngineState.READY, model=model)))


def tokens_of(branch: tuple[ChatMessage, ...]) -> tuple[Token, ...]:
    """Return the tokens of a conversation for the other model, whose template names the system."""
    text = "<|im_start|>system\nBe kind.<|im_end|>\n"
    text += "".join(f"<|im_start|>{each.role}\n{each.content}<|im_end|>\n" for each in branch)
    return tuple(split(text + "<|im_start|>assistant\n", special=True))


def rebuild(talk: Talk) -> Rebuild:
    """Answer the request to build the conversation again."""
    request = talk.state.request
    assert isinstance(request, Rebuild)
    talk.send(events.Rebuilt(request, tuple(tokens_of(branch) for branch in request.branches)))
    return request


def shown_messages(talk: Talk) -> list[tuple[str, str]]:
    steps = talk.tree.steps
    found = [each for each in messages(steps) if each.role != "system"]
    return [(each.role, text_of(steps[each.first : each.end]).strip()) for each in found]


def one_token(talk: Talk) -> None:
    question = talk.state.request
    assert isinstance(question, Question)
    talk.send(events.Answered(question, answer_to(question)))


@pytest.fixture
def talk() -> Talk:
    """A conversation with one message and its complete answer."""
    talk = Talk()
    talk.say("Hello")
    talk.answer()
    assert talk.state.ended
    return talk


def test_messages_and_answers_are_built_again_for_another_model(talk: Talk) -> None:
    before = shown_messages(talk)
    change(talk)
    assert talk.state.tree is None
    request = rebuild(talk)
    assert [(each.role, each.content) for each in request.branches[0]] == before
    assert shown_messages(talk) == before
    assert talk.text.endswith("<|im_end|>")
    assert talk.state.ended
    assert talk.tree.current.seed == 2
    note = str(talk.state.note)
    assert "You now chat with Other" in note
    assert "tokenized again" not in note
    talk.say("Why")
    assert shown_messages(talk)[:3] == [*before, ("user", "Why")]


def test_an_error_of_an_earlier_model_goes_when_another_model_is_ready(talk: Talk) -> None:
    change(talk)
    request = talk.state.request
    assert isinstance(request, Rebuild)
    talk.send(events.RequestFailed(request, ContextFull("It does not fit.", "Undo some.")))
    assert "This chat is kept" in str(getattr(talk.state.note, "next_step", ""))
    change(talk, replace(OTHER, name="Third", sha256="3"))
    rebuild(talk)
    assert "You now chat with Third" in str(talk.state.note)


def test_settings_that_wait_do_not_overtake_newer_ones(talk: Talk) -> None:
    first, second = SamplerSettings(temperature=0.5), SamplerSettings(temperature=0.9)
    talk.send(events.UseText("Why"), events.SetSampler(first))
    assert talk.state.sampler != first
    change(talk)
    talk.send(events.SetSampler(second))
    rebuild(talk)
    request = talk.state.request
    assert isinstance(request, Start)
    message = "<|im_start|>user\nWhy<|im_end|>\n<|im_start|>assistant\n"
    talk.send(events.TokensArrived(request, tuple(split(message, special=True))))
    assert talk.state.sampler == second


def test_every_version_of_a_conversation_is_built_again(talk: Talk) -> None:
    talk.say("What")
    talk.answer()
    talk.say("Yes", instead=True)
    talk.answer()
    change(talk)
    rebuild(talk)
    texts = [text_of(branch.steps) for branch in talk.tree.branches]
    assert "What" in texts[0]
    assert "Yes" in texts[1]
    assert talk.tree.number == 2


def test_an_answer_that_was_not_complete_can_be_continued() -> None:
    talk = Talk()
    talk.say("Hello")
    one_token(talk)
    talk.send(events.Signal.PAUSE, events.ShowPanel(None))
    before = shown_messages(talk)
    assert before[-1][1]
    change(talk)
    rebuild(talk)
    assert shown_messages(talk) == before
    assert not talk.state.complete
    talk.send(events.Signal.START)
    assert talk.state.running
    assert len(shown_messages(talk)) == 2


def test_another_answer_of_the_new_model_keeps_the_earlier_one(talk: Talk) -> None:
    change(talk)
    rebuild(talk)
    first = talk.text
    talk.send(events.Signal.NEW_SEED)
    assert shown_messages(talk)[-1] == ("assistant", "")
    assert "".join(token.text for token in talk.tree.branch(1).tokens) == first


def test_an_edited_first_message_keeps_the_conversation_with_another_model(talk: Talk) -> None:
    change(talk)
    rebuild(talk)
    first = talk.text
    talk.say("Yes", instead=True)
    assert "".join(token.text for token in talk.tree.branch(1).tokens) == first


def test_an_answer_that_was_being_generated_is_generated_again() -> None:
    talk = Talk()
    talk.say("Hello")
    change(talk)
    rebuild(talk)
    assert talk.state.running  # the first model had not answered yet
    one_token(talk)
    talk.state = replace(talk.state, engine=EngineInfo(EngineState.LOADING))
    change(talk, CARD)
    rebuild(talk)
    assert talk.state.running
    assert "answers again" in str(talk.state.note)
    assert len(talk.tree.branches) == 2


def test_a_message_that_the_first_model_had_not_received_is_sent_to_the_next(talk: Talk) -> None:
    talk.send(events.UseText("Why"), events.UseText("What"))
    change(talk)
    rebuild(talk)
    for text in ("Why", "What"):
        request = talk.state.request
        assert isinstance(request, Start)
        assert request.text == text
        assert request.path
        added = f"<|im_start|>user\n{text}<|im_end|>\n<|im_start|>assistant\n"
        talk.send(events.TokensArrived(request, tuple(split(added, special=True))))
    assert [text for role, text in shown_messages(talk) if role == "user"] == [
        "Hello",
        "Why",
        "What",
    ]


def shown_lines(talk: Talk) -> list[str]:
    return [line for line in laid_out(conversation_of(talk.state), 60) if line.strip()]


def test_an_answer_that_never_began_is_shown_under_no_models_name() -> None:
    talk = Talk()
    talk.say("Hello")
    talk.send(events.UseText("Why"))
    asked = ["You", "  Hello", "No answer", "You", "  Why"]
    assert shown_lines(talk) == asked
    change(talk)
    assert shown_lines(talk) == asked
    rebuild(talk)
    request = talk.state.request
    assert isinstance(request, Start)
    added = "<|im_end|>\n<|im_start|>user\nWhy<|im_end|>\n<|im_start|>assistant\n"
    talk.send(events.TokensArrived(request, tuple(split(added, special=True))))
    talk.answer()
    assert shown_lines(talk) == [*asked, "Other", "  Hello!"]


def test_an_answer_that_the_next_model_will_write_is_not_shown_under_the_first_ones_name() -> None:
    talk = Talk()
    talk.say("Hello")
    change(talk)
    assert shown_lines(talk) == ["You", "  Hello"]
    rebuild(talk)
    assert shown_lines(talk) == ["You", "  Hello", "Other"]


def test_a_message_that_waits_for_another_model_never_becomes_a_prompt(talk: Talk) -> None:
    change(talk)
    talk.send(events.UseText("Why"), events.ChangeMode("text"))
    assert talk.state.document.drafts == {"chat": "Why"}
    assert talk.state.request != Start("Why")


def test_a_message_that_is_sent_too_early_follows_the_conversation(talk: Talk) -> None:
    change(talk)
    talk.send(events.UseText("Why"))
    assert isinstance(talk.state.request, Rebuild)
    rebuild(talk)
    request = talk.state.request
    assert isinstance(request, Start)
    assert (request.text, request.path) == ("Why", talk.tree.tokens)


def test_a_conversation_that_does_not_fit_is_kept_and_shown(talk: Talk, tmp_path: Path) -> None:
    before = talk.tree
    change(talk)
    talk.send(events.UseText("Why"), events.UseText("What"))
    request = talk.state.request
    assert request is not None
    talk.send(events.RequestFailed(request, ContextFull("It does not fit.", "Go back.")))
    message = str(said(talk.state, 80))
    assert "It does not fit." in message
    assert "This chat is kept" in message
    assert isinstance(talk.state.note, ContextFull)
    assert (talk.state.panel, talk.state.document.drafts["chat"]) == ("editor", "Why\nWhat")
    progress = BackgroundProgress(Progress.open(tmp_path))
    SavedTexts(progress, None, None).save(talk.state.document)
    (info,) = SavedTexts(progress, None, None).list()
    assert (info.title, info.tokens) == ("Hello", before.length)
    again = Talk(SavedTexts(progress, None, None).recall())
    assert [each.tokens for each in again.tree.branches] == [
        each.tokens for each in before.branches
    ]


def test_a_template_that_drops_an_answer_does_not_lose_it(talk: Talk) -> None:
    change(talk)
    request = talk.state.request
    assert isinstance(request, Rebuild)
    talk.send(events.Rebuilt(request, (tokens_of(request.branches[0][:1]),)))
    assert "This chat is kept" in str(said(talk.state, 80))
    assert talk.state.to_rebuild is not None


def test_the_first_model_shows_a_conversation_as_it_was(talk: Talk) -> None:
    before = talk.tree
    change(talk)
    change(talk, CARD)
    assert talk.state.tree == before
    assert talk.state.to_rebuild is None


def test_a_model_that_cannot_chat_keeps_the_conversation(talk: Talk) -> None:
    change(talk, replace(OTHER, chat=False))
    assert talk.state.request is None
    assert "no chat template" in str(said(talk.state, 80))
    talk.send(events.ChangeMode("text"))
    assert talk.state.mode == "text"
    assert talk.state.document.title_beside == "Hello"
    change(talk, CARD)
    talk.send(events.ChangeMode("chat"))
    assert shown_messages(talk)[0] == ("user", "Hello")


def test_a_document_with_a_conversation_to_build_again_is_saved(talk: Talk) -> None:
    change(talk)
    document = Document.from_bytes(talk.state.document.to_bytes())
    assert document is not None
    assert document.to_rebuild is not None
    assert document.to_rebuild.tokens == talk.state.document.to_rebuild.tokens  # type: ignore[union-attr]


async def test_the_screen_shows_whose_answer_it_is(talk: Talk, tmp_path: Path) -> None:
    progress = BackgroundProgress(Progress.open(tmp_path))
    SavedTexts(progress, None, None).save(talk.state.document)
    assert progress.drain(60)
    stage = Stage(ExplorerScreen, folder=tmp_path, engine=FakeEngine(card=OTHER))
    async with stage.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        assert "Hello" in shown(stage)
        assert "Earlier answer" in shown(stage)
        assert "You now chat with Other." in shown(stage)
