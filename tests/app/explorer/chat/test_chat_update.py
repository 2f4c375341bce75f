"""Test the chat as a function of state and event."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest
from msgspec.structs import replace

from tests.app.explorer.test_update import answer_to
from tests.engine.fake_engine import CARD, split
from tutor.app.explorer import events
from tutor.app.explorer.chat.first_messages import SUGGESTIONS, picked
from tutor.app.explorer.chat.lines import editor_label
from tutor.app.explorer.chat.loops import LENGTH, TIMES
from tutor.app.explorer.chat.unsent import text_to_edit
from tutor.app.explorer.document import CHAT_SAMPLER, Document
from tutor.app.explorer.effects import EngineInfo, Question, SaveText, Start
from tutor.app.explorer.readout import said
from tutor.app.explorer.saved_texts import SavedTexts
from tutor.app.explorer.state import State
from tutor.app.explorer.update import STAYS_IN_CHAT, update
from tutor.course.lesson import Lab
from tutor.course.model_value import Sampler
from tutor.engine.api import EngineState
from tutor.errors import ContextFull
from tutor.learner.background import BackgroundProgress
from tutor.learner.progress import Progress
from tutor.lm.distribution import PLAIN, ModelCard, SamplerSettings
from tutor.lm.token_tree import TokenTree

if TYPE_CHECKING:
    from pathlib import Path

FIRST = "<|im_start|>user\nHello<|im_end|>\n<|im_start|>assistant\n"


class Talk:
    """A conversation with the fake model, which answers on request."""

    def __init__(self, document: Document | None = None, card: ModelCard = CARD) -> None:
        self.state = State(document=document or Document(mode="chat"), advised=True)
        self.send(events.EngineChanged(EngineInfo(EngineState.READY, model=card)))

    def send(self, *happened: events.Event) -> None:
        for event in happened:
            self.state, _ = update(self.state, event)

    def say(self, text: str, *, instead: bool = False) -> Start:
        """Send a message, and have it tokenized."""
        self.send(events.UseText(text, instead))
        request = self.state.request
        assert isinstance(request, Start)
        said = f"<|im_start|>user\n{text}<|im_end|>\n<|im_start|>assistant\n"
        self.send(events.TokensArrived(request, tuple(split(said, special=True))))
        return request

    def answer(self, text: str = "") -> None:
        """Let the model write until it stops, or let it write `text` and stop."""
        tokens = iter(split(f"{text}<|im_end|>", special=True) if text else ())
        while isinstance(self.state.request, Question):
            question = self.state.request
            answer = answer_to(question)
            if (token := next(tokens, None)) is not None:
                found = answer.distribution
                found = replace(found, drawn=replace(found.drawn, token=token))
                answer = replace(answer, distribution=found)
            self.send(events.Answered(question, answer))

    @property
    def tree(self) -> TokenTree:
        assert self.state.tree is not None
        return self.state.tree

    @property
    def text(self) -> str:
        return "".join(token.text for token in self.tree.tokens)


def test_the_advised_settings_are_those_of_a_local_conversation_only() -> None:
    assert Talk().state.sampler == CHAT_SAMPLER
    assert Talk(Document()).state.sampler == PLAIN
    far = msgspec.structs.replace(CARD, host="example.org")
    assert Talk(card=far).state.sampler == PLAIN


def test_text_and_conversation_have_their_own_settings() -> None:
    talk = Talk()
    talk.say("Hello")
    warm = SamplerSettings(temperature=0.7)
    talk.send(events.SetSampler(warm), events.ChangeMode("text"))
    assert talk.state.sampler == PLAIN
    talk.send(events.ChangeMode("chat"))
    assert talk.state.sampler == warm


def test_the_settings_do_not_change_when_another_version_advises_others() -> None:
    talk = Talk()
    talk.say("Hello")
    assert talk.state.document.chat_sampler == CHAT_SAMPLER


def test_a_chat_that_an_earlier_version_saved_opens_with_its_settings(tmp_path: Path) -> None:
    talk = Talk()
    talk.say("Hello")
    earlier = msgspec.structs.replace(
        talk.state.document, sampler=SamplerSettings(top_k=3), chat_sampler=msgspec.UNSET
    )
    assert b"chat_sampler" not in earlier.to_bytes()
    progress = BackgroundProgress(Progress.open(tmp_path))
    SavedTexts(progress, None, None).save(earlier)
    document = SavedTexts(progress, None, None).recall()
    assert document.tree is not None
    assert document.tree.tokens == talk.tree.tokens
    assert Talk(document).state.sampler == SamplerSettings(top_k=3)


def test_a_lab_keeps_its_settings_in_its_conversation(tmp_path: Path) -> None:
    lab = Lab(id="l", kind="chat", task="Talk.", prompt="Hi", sampler=Sampler(temperature=0.6))
    texts = SavedTexts(BackgroundProgress(Progress.open(tmp_path)), lab, None)
    state = State(document=texts.recall(), advised=texts.advised)
    assert state.sampler == SamplerSettings(temperature=0.6)


@pytest.mark.parametrize(
    ("sampler", "note"),
    [
        (
            SamplerSettings(temperature=0.01),
            "Seed 3 gave the same answer. At T 0.01, a new seed often changes nothing.",
        ),
        (
            SamplerSettings(temperature=0),
            "Seed 3 gave the same answer. With greedy decoding, the seed changes nothing.",
        ),
        (SamplerSettings(top_p=0.01), "Seed 3 gave the same answer."),
        (
            SamplerSettings(temperature=0.7),
            "Another answer, with seed 3. Press p for the earlier one, which is kept.",
        ),
    ],
)
def test_a_new_seed_that_gives_the_same_answer_says_so(sampler: SamplerSettings, note: str) -> None:
    talk = Talk()
    talk.say("Hello")
    talk.send(events.SetSampler(sampler))
    talk.answer()
    first = talk.tree.tokens
    talk.send(events.Signal.NEW_SEED)
    assert "Another answer" in str(talk.state.note)
    talk.answer()
    assert (talk.tree.tokens == first) is ("same" in note)
    assert talk.state.ended
    assert talk.state.note == note


def test_an_answer_with_the_same_seed_is_not_said_to_be_the_same() -> None:
    talk = Talk()
    talk.say("Hello")
    talk.answer()
    first = talk.tree.tokens
    talk.say("Hello", instead=True)
    talk.answer()
    assert talk.tree.tokens == first
    assert talk.tree.number == 2
    assert "same" not in str(talk.state.note)


def test_the_third_answer_that_is_the_same_says_so() -> None:
    talk = Talk()
    repeated = "Again the same answer: small models tend to copy what is in the chat."
    answers = ("Yes", "Yes", "No", "No", "No", "No", "Yes")
    for place, text in enumerate(answers):
        note = repeated if place in (4, 5) else None
        talk.say("Hello")
        talk.answer(text)
        assert talk.text.endswith(f"assistant\n{text}<|im_end|>")
        assert talk.state.note == note


def test_a_remote_model_is_not_said_to_be_small() -> None:
    talk = Talk(card=replace(CARD, host="example.org"))
    for _ in range(4):
        talk.say("Hello")
        talk.answer("Yes")
    assert talk.state.note is None


def test_suggestions_are_chosen_by_nothing_or_by_a_number() -> None:
    state = Talk().state
    assert picked(state, "") == SUGGESTIONS[0]
    assert picked(state, " 2 ") == SUGGESTIONS[1]
    assert [picked(state, text) for text in ("9", "2 cats", "Hi")] == ["9", "2 cats", "Hi"]
    talk = Talk()
    talk.send(events.ChooseSuggestion(-1))
    assert picked(talk.state, "") == SUGGESTIONS[-1]
    talk.say("Hello")
    assert picked(talk.state, "2") == "2"


def test_another_answer_starts_at_once_with_a_new_seed() -> None:
    talk = Talk()
    talk.say("Hello")
    talk.answer()
    first = talk.tree.tokens
    talk.send(events.Signal.NEW_SEED)
    assert talk.state.running
    assert talk.text == FIRST
    talk.answer()
    assert talk.tree.current.seed == 3
    assert talk.tree.branch(1).tokens == first


def test_a_message_replaces_the_last_one_on_a_new_branch() -> None:
    talk = Talk()
    talk.say("Hello")
    talk.answer()
    first = talk.text
    talk.say("What")
    talk.answer()
    second = talk.tree.tokens
    request = talk.say("Yes", instead=True)
    assert "".join(token.text for token in request.path) == first
    assert talk.text.startswith(f"{first}<|im_start|>user\nYes<|im_end|>")
    assert "What" not in talk.text
    assert talk.tree.branch(1).tokens == second
    assert not talk.state.editing


def test_the_first_message_is_replaced_by_a_new_conversation() -> None:
    talk = Talk()
    talk.say("Hello")
    talk.answer()
    request = talk.say("Yes", instead=True)
    assert request.path == ()
    assert talk.text.startswith("<|im_start|>user\nYes<|im_end|>")


def test_a_message_that_does_not_fit_says_what_to_do() -> None:
    talk = Talk()
    talk.send(events.UseText("long"))
    request = talk.state.request
    assert request is not None
    talk.send(events.RequestFailed(request, ContextFull("It does not fit.", "Go back.")))
    assert isinstance(talk.state.note, ContextFull)
    assert talk.state.note.next_step == "Write a shorter message."
    assert (talk.state.panel, talk.state.document.drafts) == ("editor", {"chat": "long"})


def test_a_message_that_is_sent_before_the_first_one_was_received_follows_it() -> None:
    talk = Talk()
    talk.send(events.UseText("Hello"), events.UseText("Why"))
    for text in ("Hello", "Why"):
        request = talk.state.request
        assert isinstance(request, Start)
        assert request.text == text
        said = f"<|im_start|>user\n{text}<|im_end|>\n<|im_start|>assistant\n"
        talk.send(events.TokensArrived(request, tuple(split(said, special=True))))
    assert talk.text.index("Hello") < talk.text.index("Why")
    assert talk.state.running


def test_all_messages_and_drafts_that_were_not_sent_are_taken_back() -> None:
    talk = Talk()
    talk.send(events.UseText("Hello"), events.UseText("Why"), events.LeaveEditor("And"))
    warm = SamplerSettings(temperature=2.0)
    talk.send(events.SetSampler(warm), events.Signal.TAKE_BACK)
    assert talk.state.document.drafts == {"chat": "Hello\nWhy\nAnd"}
    assert talk.state.panel == "editor"
    assert talk.state.sampler == warm
    assert talk.state.handed_in is None
    assert talk.state.request is None
    talk.say("Hello")
    talk.send(events.Signal.TAKE_BACK)  # everything has been received
    assert talk.state.document.drafts == {}


def test_messages_that_were_not_sent_are_kept_as_a_draft_beside_a_text() -> None:
    talk = Talk()
    talk.send(events.UseText("Hello"), events.UseText("Why"), events.ChangeMode("text"))
    assert talk.state.document.drafts == {"chat": "Hello\nWhy"}
    assert talk.state.queue == ()
    assert talk.state.mode == "text"


def test_a_message_that_waits_is_not_in_the_field_again() -> None:
    talk = Talk()
    talk.send(events.UseText("Hello"), events.UseText("Why"))
    assert text_to_edit(talk.state) == ""
    talk.send(events.LeaveEditor("And"))
    assert text_to_edit(talk.state) == "And"


def test_a_message_after_an_edit_does_not_replace_it() -> None:
    talk = Talk()
    talk.say("Hello")
    talk.answer()
    talk.send(events.EditLast(on=True))
    assert talk.state.editing
    talk.send(events.UseText("Hello there", instead=True, place="Hello"))
    assert not talk.state.editing
    talk.send(events.Signal.TAKE_BACK)
    assert talk.state.editing
    assert text_to_edit(talk.state) == "Hello there"


def test_a_message_goes_to_the_chat_in_which_it_was_written() -> None:
    talk = Talk()
    talk.say("Hello")
    talk.send(events.Signal.PAUSE)
    talk.send(events.Signal.STEP, events.ChangeMode("text"))
    assert talk.state.mode == "chat"  # the change waits for the model
    talk.send(events.UseText("Why"))
    assert talk.state.note == STAYS_IN_CHAT
    question = talk.state.request
    assert isinstance(question, Question)
    talk.send(events.Answered(question, answer_to(question)))
    assert talk.state.mode == "chat"
    assert talk.state.request == Start("Why", chat=True, path=talk.tree.tokens)


def test_the_mode_does_not_change_below_a_field_that_is_open() -> None:
    talk = Talk()
    talk.say("Hello")
    talk.send(events.Signal.PAUSE, events.ShowPanel(None), events.Signal.STEP)
    talk.send(events.ChangeMode("text"))
    assert talk.state.note is None
    talk.send(events.ShowPanel("editor"))
    assert talk.state.note == STAYS_IN_CHAT
    talk.answer()
    assert talk.state.mode == "chat"


def test_a_text_is_saved_with_all_messages_that_were_not_received() -> None:
    talk = Talk()
    talk.send(events.UseText("Hello"), events.UseText("Why"), events.LeaveEditor(""))
    _, happens = update(talk.state, events.Signal.SAVE)
    (saved,) = (each.document for each in happens if isinstance(each, SaveText))
    assert saved.drafts == {"chat": "Hello\nWhy"}


def test_a_text_does_not_run_because_a_message_was_received_before_it_was_opened() -> None:
    talk = Talk()
    talk.send(events.UseText("Hello"))
    request = talk.state.request
    assert isinstance(request, Start)
    state = replace(talk.state, queue=(events.ChangeMode("text"),))
    talk.state, _ = update(state, events.TokensArrived(request, tuple(split("Hello"))))
    assert talk.state.mode == "text"
    assert not talk.state.running


def test_scrolling_lasts_until_the_learner_acts() -> None:
    talk = Talk()
    talk.say("Hello")
    talk.send(events.Scroll(0))
    question = talk.state.request
    assert isinstance(question, Question)
    talk.send(events.Answered(question, answer_to(question)))
    assert talk.state.running
    assert talk.state.scroll == 0
    talk.send(events.MoveToken(-1))
    assert talk.state.scroll is None


def test_an_answer_that_repeats_itself_is_stopped_and_can_be_continued() -> None:
    card = msgspec.structs.replace(CARD, end_ids=(), context=10_000)
    talk = Talk(card=card)
    talk.send(events.SetSampler(SamplerSettings(temperature=0)))
    talk.say("Hello")
    talk.answer()
    assert not talk.state.running
    assert "repeats itself" in str(talk.state.note)
    assert talk.state.panel == "editor"
    talk.send(events.LeaveEditor(""))
    length = talk.tree.length
    talk.send(events.Signal.START)
    talk.answer()
    assert talk.tree.length >= length + LENGTH + TIMES - 1
    assert talk.state.panel is None
    assert talk.tree.current.number == 1


def test_the_panel_is_folded_until_the_learner_unfolds_it() -> None:
    talk = Talk()
    assert talk.state.folded
    talk.send(events.Signal.FOLD)
    assert not talk.state.folded


def test_a_full_conversation_says_what_to_do() -> None:
    talk = Talk(card=msgspec.structs.replace(CARD, context=len(split(FIRST, special=True))))
    talk.say("Hello")
    talk.send(events.Signal.PAUSE)
    assert talk.state.full
    message = said(msgspec.structs.replace(talk.state, note=None), 80)
    assert "context window is full" in str(message)
    assert "edit your last message" in str(message)


def test_a_chat_says_what_is_possible_while_the_model_loads() -> None:
    state = State(document=Document(mode="chat"), engine=EngineInfo(EngineState.LOADING))
    assert "You can write a message" in str(said(state, 80))
    assert "table" not in str(said(state, 80))
    talk = Talk()
    talk.send(events.EngineChanged(EngineInfo(EngineState.LOADING)))
    talk.send(events.UseText("Hello"))
    assert talk.state.request is None
    talk.send(events.EngineChanged(EngineInfo(EngineState.READY, model=CARD)))
    assert talk.state.request == Start("Hello", chat=True)


def test_the_advice_for_a_message_that_does_not_fit_names_keys_that_work() -> None:
    talk = Talk()
    talk.say("Hello")
    talk.answer()
    talk.send(events.UseText("long"))
    request = talk.state.request
    assert request is not None
    talk.send(events.RequestFailed(request, ContextFull("It does not fit.", "Go back.")))
    assert "press Esc, then N for a new chat" in str(said(talk.state, 80))
    talk.send(events.LeaveEditor("long"))
    assert "press N for a new chat" in str(said(talk.state, 80))
    talk.send(events.ShowPanel("editor"))
    assert "press Esc, then N for a new chat" in str(said(talk.state, 80))


def test_no_shorter_message_is_advised_if_the_chat_alone_fills_the_context() -> None:
    talk = Talk()
    talk.say("Hello")
    talk.answer()
    small = replace(CARD, context=talk.tree.length)
    talk.send(events.EngineChanged(EngineInfo(EngineState.READY, model=small)))
    talk.send(events.UseText("Why"))
    request = talk.state.request
    assert isinstance(request, Start)
    talk.send(events.RequestFailed(request, ContextFull("It does not fit.", "Go back.")))
    assert isinstance(talk.state.note, ContextFull)
    assert talk.state.note.next_step.startswith("Press Esc, then N for a new chat, or ↑")


def test_the_field_says_that_r_stops_the_processing_of_the_text() -> None:
    talk = Talk()
    talk.say("Hello")
    talk.send(events.Signal.PAUSE, events.Reading(1, 500), events.ShowPanel("editor"))
    label = editor_label(talk.state, 80).plain
    assert "esc then r: stops" in label
    assert "message  esc then r: stops" in editor_label(talk.state, 30).plain
    assert "continues" not in label
