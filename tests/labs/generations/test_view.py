"""Test the generations lab with its keys."""

from __future__ import annotations

import asyncio
import math
import re
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

import pytest
from msgspec.structs import replace

from tests.app.pressing import tap
from tests.app.whole_app import until
from tests.engine.fake_engine import END, VOCABULARY
from tests.labs.lab_stage import (
    BackendEngine,
    at_rest,
    do,
    editor,
    lab_app,
    seen,
    state_of,
    write,
)
from tests.later import NORMAL_AND_SMALL, SIZES
from tutor.app.explorer.chat.messages import messages
from tutor.app.explorer.document import Document
from tutor.app.explorer.pane import ExplorerPane
from tutor.app.explorer.screen import ExplorerScreen
from tutor.bots.files import shipped_probes, shipped_rules
from tutor.bots.probes import KINDS
from tutor.bots.retrieval_bot import RetrievalBot
from tutor.engine.api import EngineState
from tutor.labs.generations import lab
from tutor.labs.generations.actions import SendMessage
from tutor.labs.generations.backend import GenerationsBackend
from tutor.labs.generations.chat_lines import chat
from tutor.labs.generations.lab import GREEDY
from tutor.labs.generations.plain import describe
from tutor.labs.generations.probe_lines import probe_lines
from tutor.labs.generations.probes import CASES, Case
from tutor.labs.generations.questions import (
    Answer,
    AskGeneration,
    AskRetrieval,
    AskTraining,
    Chosen,
    Generated,
    Own,
    Question,
)
from tutor.labs.generations.state import Limits
from tutor.labs.generations.view import NEW_INTENT, NEW_RULE
from tutor.labs.kit.view import LabView
from tutor.lm.token_tree import Step

if TYPE_CHECKING:
    from pathlib import Path

    from tutor.app.app import TutorApp
    from tutor.labs.kit.backend import Backend, Tools


SHORT = Limits(length=12, probe_length=2)
LAB = replace(lab.LAB, start=partial(lab.start, SHORT))


def app_of(folder: Path, engine: BackendEngine | None = None) -> TutorApp:
    """Return the app with a clock that never advances, since times are on the screen."""
    return lab_app(LAB, folder, engine or BackendEngine(timeless))


def timeless(name: str, tools: Tools) -> Backend:
    return TrainedOnce(tools, clock=lambda: 7.0)


class TrainedOnce(GenerationsBackend):
    """The lab's backend. All tests share the bots that are trained, and the answers on the way."""

    _bots: ClassVar[dict[tuple[Own, int], RetrievalBot]] = {}
    _answers: ClassVar[dict[tuple[Own, int, int], Answer]] = {}

    def answer(self, question: Question) -> Answer:
        match question:
            case AskTraining(own=own, seed=seed, done=done):
                if (own, seed, done) not in self._answers:
                    self._train_up_to(done, own, seed)
                    self._answers[own, seed, done] = super().answer(question)
                return self._answers[own, seed, done]
            case AskRetrieval(own=own, seed=seed) if (own, seed) in self._bots:
                self._retrieval, self._trained_for = self._bots[own, seed], (own, seed)
        answer = super().answer(question)
        if isinstance(question, AskRetrieval) and self._retrieval is not None:
            self._bots[question.own, question.seed] = self._retrieval
        return answer

    def _train_up_to(self, done: int, own: Own, seed: int) -> None:
        """Take the steps whose answers came from another test."""
        if len(self._bot(own, seed).training.losses) > done:
            self._trained_for = None
        training = self._bot(own, seed).training
        while len(training.losses) < done:
            training.step()


class Wordy(TrainedOnce):
    """The lab's backend with a model that writes the same word until the limit."""

    def __init__(self, name: str, tools: Tools) -> None:
        super().__init__(tools, clock=lambda: 7.0)

    def answer(self, question: Question) -> Answer:
        answer = super().answer(question)
        if isinstance(answer, Generated) and isinstance(question, AskGeneration):
            words = (answer.written[1],) * (question.length - len(question.written))
            return replace(answer, written=words, ended=True)
        return answer


class PatientEngine(BackendEngine):
    """An engine that answers as many requests as are `permitted`, and lets the others wait."""

    def __init__(self) -> None:
        super().__init__(timeless)
        self.permitted = math.inf

    async def work(self, name: str) -> None:
        self.permitted -= 1
        if self.permitted < 0:
            await asyncio.Event().wait()
        await super().work(name)


async def part(pilot: Any, name: str) -> None:
    await at_rest(pilot)
    while state_of(pilot).view != name:
        await do(pilot, "tab")


@pytest.mark.parametrize("size", SIZES)
def test_how_a_reply_looks(size: tuple[int, int], snap_compare: Any, tmp_path: Path) -> None:
    async def run(pilot: Any) -> None:
        await write(pilot, "My parrot ate my library card.")
        await do(pilot, "right", "down")

    assert snap_compare(app_of(tmp_path), terminal_size=size, run_before=run)


@pytest.mark.parametrize("size", SIZES)
def test_how_rules_look(size: tuple[int, int], snap_compare: Any, tmp_path: Path) -> None:
    async def run(pilot: Any) -> None:
        await part(pilot, "rules")
        await do(pilot, "a", "up", "enter")

    assert snap_compare(app_of(tmp_path), terminal_size=size, run_before=run)


@pytest.mark.parametrize("size", SIZES)
def test_how_intents_look(size: tuple[int, int], snap_compare: Any, tmp_path: Path) -> None:
    async def run(pilot: Any) -> None:
        await part(pilot, "intents")
        await do(pilot, "r", "down", "down")

    assert snap_compare(app_of(tmp_path), terminal_size=size, run_before=run)


@pytest.mark.parametrize("size", SIZES)
def test_how_probes_look(size: tuple[int, int], snap_compare: Any, tmp_path: Path) -> None:
    async def run(pilot: Any) -> None:
        await part(pilot, "probes")
        for _ in range(6):
            await do(pilot, "right", "down")
        await do(pilot, "r")

    assert snap_compare(app_of(tmp_path), terminal_size=size, run_before=run)


@pytest.mark.parametrize("size", NORMAL_AND_SMALL)
def test_how_the_table_looks(size: tuple[int, int], snap_compare: Any, tmp_path: Path) -> None:
    async def run(pilot: Any) -> None:
        await part(pilot, "table")

    assert snap_compare(app_of(tmp_path), terminal_size=size, run_before=run)


@pytest.mark.parametrize("size", [(80, 24), (56, 24), (40, 12)])
async def test_the_first_hints_are_whole_at_every_width(
    size: tuple[int, int], tmp_path: Path
) -> None:
    async with app_of(tmp_path).run_test(size=size) as pilot:
        await at_rest(pilot)
        hint = "They answer questions from visitors to a town library."
        assert hint in " ".join(seen(pilot).split())
        await do(pilot, "tab", "tab")
        assert "Press r to train." in " ".join(seen(pilot).split())


def trace_of_rules(pilot: Any) -> str:
    """Return the text of the first of three columns as one line."""
    return " ".join(" ".join(line[:26] for line in seen(pilot).splitlines()).split())


async def test_one_message_gets_three_replies_each_with_its_trace(tmp_path: Path) -> None:
    async with app_of(tmp_path).run_test(size=(80, 24)) as pilot:
        await at_rest(pilot)
        assert "Press e to write a message" in seen(pilot)
        await write(pilot, "When do you open on Friday?")
        shown = seen(pilot)
        assert "On Friday we are open" in shown
        assert "open-on-a-day" in shown
        assert "captured {1} “When do you” {3} “Friday”" in trace_of_rules(pilot)
        assert "hours" in shown
        assert "threshold 0.50: met" in shown
        assert not re.search(r"0\.50 +threshold", shown)
        assert "12 tokens, probability" in shown


async def test_the_screen_says_that_the_nearest_question_answers(tmp_path: Path) -> None:
    async with app_of(tmp_path).run_test(size=(80, 24)) as pilot:
        await write(pilot, "When do you open on Friday?")
        assert "nearest question answers" in seen(pilot)
        await write(pilot, "Qwrt zxcv plmk")
        assert state_of(pilot).turn.retrieval.reply.declined
        assert "nearest question answers" not in seen(pilot)
        assert "nearest question, cosine" in seen(pilot)


async def test_a_long_generated_answer_takes_free_lines_or_says_where_the_rest_is(
    tmp_path: Path,
) -> None:
    engine = BackendEngine(Wordy)
    long = replace(lab.LAB, start=partial(lab.start, Limits(length=40)))
    async with lab_app(long, tmp_path, engine).run_test(size=(80, 24)) as pilot:
        await write(pilot, "When do you open on Friday?")
        shown = " ".join(" ".join(line[53:] for line in seen(pilot).splitlines()).split())
        assert " ".join(state_of(pilot).turn.written.text.split()) in shown
        assert "… Enter opens" not in shown
        await pilot.resize_terminal(60, 24)
        await at_rest(pilot)
        assert "… Enter opens" not in seen(pilot)
        await pilot.resize_terminal(80, 14)
        await at_rest(pilot)
        assert "… Enter opens it in chat" in seen(pilot)


@pytest.mark.parametrize(
    ("size", "named"),
    [
        ((68, 24), "Enter: stepper"),
        ((80, 24), "Enter opens the stepper"),
        ((120, 40), "Enter opens the stepper"),
    ],
)
async def test_the_key_that_opens_the_stepper_is_named_below_a_long_answer(
    tmp_path: Path, size: tuple[int, int], named: str
) -> None:
    long = replace(lab.LAB, start=partial(lab.start, Limits(length=40)))
    async with lab_app(long, tmp_path, BackendEngine(Wordy)).run_test(size=size) as pilot:
        await write(pilot, "When do you open on Friday?")
        assert named in seen(pilot)


async def test_the_generative_bot_says_how_many_messages_it_reads(tmp_path: Path) -> None:
    async with app_of(tmp_path).run_test(size=(80, 24)) as pilot:
        await write(pilot, "Do you have a book about my dog?")
        assert "reads all" not in seen(pilot)
        await write(pilot, "When do you open on Friday?")
        assert "reads all 2 messages" in seen(pilot)
        await do(pilot, "c")
        await write(pilot, "When do you open on Friday?")
        assert "reads all" not in seen(pilot)


async def test_long_words_of_a_trace_are_not_cut(tmp_path: Path) -> None:
    async with app_of(tmp_path).run_test(size=(80, 24)) as pilot:
        for _ in range(2):
            await write(pilot, "Do you have a book about my dog?")
        assert "captured “Do you have a book about” used 2 times so far" in trace_of_rules(pilot)


async def test_a_trace_that_does_not_fit_ends_in_an_ellipsis(tmp_path: Path) -> None:
    async with app_of(tmp_path).run_test(size=(80, 24)) as pilot:
        await write(pilot, "Do you have a book about my dog?")
        state = state_of(pilot)
        whole, cut = (
            [said for line in chat(state, 80, height) if (said := line.plain[:24].rstrip())]
            for height in (30, 10)
        )
        assert "…" not in whole[-1]
        assert len(cut) < len(whole)
        assert cut[-1].endswith("…")


async def test_the_generated_answer_opens_in_the_stepper_at_the_token_in_focus(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[Document] = []
    app = app_of(tmp_path)
    monkeypatch.setattr(app.navigator, "open_conversation", opened.append)
    async with app.run_test(size=(80, 24)) as pilot:
        await at_rest(pilot)
        await write(pilot, "Hello")
        await do(pilot, "down", "down", "enter")
        written = state_of(pilot).turn.written
        tree, prompt = opened[0].chat, written.prompt
        assert tree is not None
        assert tree.tokens == (*prompt, *(each.token for each in written.tokens))
        assert tree.current.prompt_length == len(prompt)
        bits = tree.steps[len(prompt)].surprisal_bits
        assert bits == pytest.approx(-math.log2(written.tokens[0].probability))
        assert opened[0].sampler.greedy
        assert tree.focus == len(prompt) + 2


async def test_a_conversation_opens_with_the_end_of_its_answer_in_view(tmp_path: Path) -> None:
    app = app_of(tmp_path)
    token = VOCABULARY[300]  # four columns wide
    written = [Step(token, "drawn", 1.0)] * 80
    async with app.run_test(size=(80, 24)) as pilot:
        await at_rest(pilot)
        begin = Document.of_conversation([token] * 170, written, GREEDY, seed=3, at=0)
        app.navigator.open_conversation(begin)
        await until(pilot, lambda: isinstance(app.screen, ExplorerScreen))
        await until(pilot, lambda: "PgUp PgDn" in seen(pilot))
        assert "more line" not in seen(pilot)


async def test_only_replies_of_the_loaded_model_open_as_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reply that was restored from an earlier session has no prompt."""
    opened: list[Document] = []
    app = app_of(tmp_path)
    monkeypatch.setattr(app.navigator, "open_conversation", opened.append)
    async with app.run_test(size=(80, 24)) as pilot:
        await at_rest(pilot)
        for message in ("Hello", "Thanks", "Bye"):
            await write(pilot, message)
        await do(pilot, "down", "down", "enter")
        view = pilot.app.screen.query_one(LabView)
        turns = state_of(pilot).turns
        restored = replace(turns[0], written=replace(turns[0].written, prompt=()))
        view.state = replace(view.state, turns=(restored, *turns[1:]))
        await do(pilot, "enter")
        given = [
            [each.given for each in messages(begin.chat.steps) if each.role == "assistant"]
            for begin in opened
            if begin.chat is not None
        ]
        assert given == [[False, False, False], [True, False, False]]


async def test_a_conversation_opens_in_the_stepper(tmp_path: Path) -> None:
    """It opens beside the saved texts, and is saved itself when something changes."""
    app = app_of(tmp_path)
    prompt, written = VOCABULARY[300:304], [Step(token, "drawn", 1.0) for token in VOCABULARY[7:10]]
    async with app.run_test(size=(80, 24)) as pilot:
        await at_rest(pilot)
        begin = Document.of_conversation(prompt, written, GREEDY, seed=3, at=1)
        app.navigator.open_conversation(begin)
        await until(pilot, lambda: isinstance(app.screen, ExplorerScreen))
        await pilot.pause()
        pane = app.screen.query_one(ExplorerPane)
        tree = pane.state.document.chat
        assert tree is not None
        assert tree.tokens == (*prompt, *VOCABULARY[7:10])
        assert (tree.focus, tree.current.prompt_length, tree.current.seed) == (5, 4, 3)
        assert pane.state.sampler.greedy
        assert app.progress.texts.list("free") == []
        await until(pilot, lambda: pane.state.answer is not None)
        await pilot.press("f")

        def branches() -> int:
            return len(pane.state.tree.branches) if pane.state.tree else 0

        await until(pilot, lambda: branches() == 2)
        await pilot.press("escape")
        await at_rest(pilot)
        await until(pilot, lambda: len(app.progress.texts.list("free")) == 1)


async def test_a_comment_is_shown_while_a_rule_is_written(tmp_path: Path) -> None:
    async with app_of(tmp_path).run_test(size=(80, 24)) as pilot:
        await part(pilot, "rules")
        await do(pilot, "a", "up")
        assert "fits: Poor parrot!" in seen(pilot)
        await tap(pilot, *["backspace"] * len("= Poor parrot!"))
        assert "This is not a complete rule." in seen(pilot)
        await do(pilot, "enter")
        assert "Write a pattern" in seen(pilot)
        assert len(state_of(pilot).rules) == 49
        await tap(pilot, *"= Oh [b]dear")
        await do(pilot, "enter")
        assert len(state_of(pilot).rules) == 50
        assert "Oh [b]dear" in seen(pilot)
        await do(pilot, "d")
        assert len(state_of(pilot).rules) == 49


@pytest.mark.parametrize(("view", "example"), [("rules", NEW_RULE), ("intents", NEW_INTENT)])
async def test_an_example_is_not_a_part_of_what_is_typed(
    view: str, example: str, tmp_path: Path
) -> None:
    async with app_of(tmp_path).run_test(size=(80, 24)) as pilot:
        await part(pilot, view)
        await do(pilot, "a")
        assert f"↑ for example: {example[:30]}" in seen(pilot)
        await do(pilot, "p")
        assert editor(pilot).text == "p"
        await do(pilot, "backspace", "enter")
        assert editor(pilot).has_focus  # the empty field is refused


async def test_a_pattern_without_whole_words_has_no_line_for_them(tmp_path: Path) -> None:
    async with app_of(tmp_path).run_test(size=(80, 24)) as pilot:
        await write(pilot, "Do you have dragons?")
        await part(pilot, "rules")
        await do(pilot, "a", *"* dragon* = Ask the knights.", "enter")
        await part(pilot, "chat")
        await do(pilot, "r")
        assert "captured {1} “Do you have”" in trace_of_rules(pilot)
        assert "words" not in trace_of_rules(pilot)


@pytest.mark.parametrize("size", [(80, 24), (40, 12)])
async def test_a_reply_from_before_a_new_rule_is_marked(
    size: tuple[int, int], tmp_path: Path
) -> None:
    async with app_of(tmp_path).run_test(size=size) as pilot:
        await write(pilot, "My parrot is green.")
        assert f"0 of {len(shipped_rules().rules)} rules fit" in seen(pilot)
        await part(pilot, "rules")
        await do(pilot, "a", "up", "enter")
        await part(pilot, "chat")
        told = " ".join(seen(pilot).split())
        assert "rules fit" not in told
        assert state_of(pilot).turn.outdated == {"rules"}
        assert "Outdated: the" in told
        await do(pilot, "r")
        assert "Poor parrot!" in seen(pilot)
        assert "Outdated:" not in seen(pilot)


async def test_r_asks_again_after_a_new_rule_while_a_reply_is_still_being_written(
    tmp_path: Path,
) -> None:
    engine = PatientEngine()
    async with app_of(tmp_path, engine).run_test(size=(80, 24)) as pilot:
        await write(pilot, "My parrot is green.")
        engine.permitted = 2  # the generated reply does not come
        await pilot.press("s")
        await until(pilot, lambda: state_of(pilot).turn.retrieval is not None)
        await pilot.press("tab", "a", "up", "enter", "shift+tab")
        await until(pilot, lambda: "Press r to" in seen(pilot))
        assert "r ask again" in seen(pilot)
        assert "r stop" not in seen(pilot)
        engine.permitted = 1
        await pilot.press("r")
        await until(pilot, lambda: "Poor parrot!" in seen(pilot))


async def test_training_that_begins_is_announced_and_can_be_stopped(tmp_path: Path) -> None:
    engine = PatientEngine()
    async with app_of(tmp_path, engine).run_test(size=(80, 24)) as pilot:
        await part(pilot, "intents")
        assert "Press r to train." in seen(pilot)
        engine.permitted = 0
        await pilot.press("a", "up", "enter")
        await until(pilot, lambda: "Training begins now." in seen(pilot))
        assert "Press r to train." not in seen(pilot)
        assert "new seed" not in seen(pilot)
        await pilot.press("r")
        await until(pilot, lambda: "Press r to train." in seen(pilot))


@pytest.mark.parametrize("size", [(80, 24), (40, 12)])
async def test_training_is_told_in_words_that_lesson_one_uses(
    size: tuple[int, int], tmp_path: Path
) -> None:
    engine = PatientEngine()
    async with app_of(tmp_path, engine).run_test(size=size) as pilot:
        await at_rest(pilot)
        engine.permitted = 4  # the rules, and some steps of training
        await tap(pilot, "e", *"Hello you", "enter", "right")
        assert "Training: step 30 of 150" in seen(pilot)
        assert "━━━━──" in seen(pilot)
        assert "loss" not in seen(pilot)
        await tap(pilot, "tab", "tab")
        assert "error on the examples 0.239" in seen(pilot)
        assert "loss" not in seen(pilot).replace("glossary", "")


async def test_training_for_an_answer_can_be_stopped_but_not_started(tmp_path: Path) -> None:
    engine = PatientEngine()
    async with app_of(tmp_path, engine).run_test(size=(80, 24)) as pilot:
        await at_rest(pilot)
        engine.permitted = 1  # the rules answer, and the training does not begin
        await tap(pilot, "e", *"Hello", "enter", "tab", "tab")
        await until(pilot, lambda: "Training begins now." in seen(pilot))
        assert "r train" not in seen(pilot)
        await until(pilot, lambda: "r stop" in seen(pilot))
        assert "Press r to train." not in seen(pilot)
        await pilot.press("r")
        await until(pilot, lambda: "Press r to train." in seen(pilot))
        assert "r train" in seen(pilot)


async def test_before_the_first_answer_the_keys_and_the_notices_agree(tmp_path: Path) -> None:
    engine = PatientEngine()
    async with app_of(tmp_path, engine).run_test(size=(80, 24)) as pilot:
        engine.permitted = 1  # the rules answer, and the training does not begin
        await tap(pilot, "e", *"Hello", "enter")
        await until(pilot, lambda: "This bot is trained" in seen(pilot))
        await until(pilot, lambda: "r stop" in seen(pilot))
        assert "new seed" not in seen(pilot)
        await pilot.press("r")
        await until(pilot, lambda: "Stopped. Press r to continue." in seen(pilot))
        assert "r continue" in seen(pilot)
        await pilot.press("tab", "tab")
        await until(pilot, lambda: "r train" in seen(pilot))
        assert "Stopped." in seen(pilot)
        assert "Press r to continue" not in seen(pilot)
        engine.permitted = 0
        await pilot.press("r")
        await until(pilot, lambda: "Training begins now." in seen(pilot))
        assert "Stopped." not in seen(pilot)


async def test_a_lab_left_while_it_worked_continues_and_says_so(tmp_path: Path) -> None:
    engine = PatientEngine()
    app = app_of(tmp_path, engine)
    said = "This lab paused when you left it. It continues now."
    async with app.run_test(size=(80, 24)) as pilot:
        await at_rest(pilot)
        engine.permitted = 1  # the rules answer, and the training does not begin
        await tap(pilot, "e", *"Hello", "enter")
        await until(pilot, lambda: "This bot is trained" in seen(pilot))
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is not None and "write" not in seen(pilot))
        app.navigator.open_live_lab(LAB.name)
        await until(pilot, lambda: said in seen(pilot))
        engine.permitted = math.inf
        await pilot.press("escape")
        await until(pilot, lambda: "write" not in seen(pilot))
        app.navigator.open_live_lab(LAB.name)
        await at_rest(pilot)
        assert state_of(pilot).turn.written.done
        assert said not in seen(pilot)


async def test_a_sentence_is_tried_on_all_rules(tmp_path: Path) -> None:
    async with app_of(tmp_path).run_test(size=(80, 24)) as pilot:
        await part(pilot, "rules")
        await do(pilot, "e")
        await tap(pilot, *["backspace"] * len("My parrot ate my library card."))
        await tap(pilot, *"where is my dog")
        assert "dogs: Dogs are welcome" in seen(pilot)
        await do(pilot, "enter")
        assert "1 of 49 rules fits" in seen(pilot)


@pytest.mark.parametrize("view", ["intents", "probes", "table"])
async def test_a_message_can_be_written_from_other_views(view: str, tmp_path: Path) -> None:
    async with app_of(tmp_path).run_test(size=(80, 24)) as pilot:
        await at_rest(pilot)
        while state_of(pilot).view != view:
            await do(pilot, "tab")
        await do(pilot, "e")
        assert (state_of(pilot).view, editor(pilot).text) == ("chat", "")
        await do(pilot, *"Hello", "enter")
        assert state_of(pilot).turn.message == "Hello"


async def test_an_intent_is_added_and_learned(tmp_path: Path) -> None:
    async with app_of(tmp_path).run_test(size=(80, 24)) as pilot:
        await part(pilot, "intents")
        await do(pilot, "r")
        before = state_of(pilot).trained
        assert f"{before.right} of 100 held-out phrases right" in seen(pilot)
        await do(pilot, "a", "up", "enter")
        assert "music" in seen(pilot)
        assert state_of(pilot).ready
        assert f"{before.right} without yours" in seen(pilot)
        await do(pilot, "d")
        assert state_of(pilot).own == ()
        assert "d delete" not in seen(pilot)


def test_an_empty_reply_is_shown_and_counts_as_wrong() -> None:
    state = replace(lab.start(), kind=KINDS.index("adversarial"), probe=2, running=True)
    place = shipped_probes().probes.index(shipped_probes().of("adversarial")[state.probe])
    asked = AskGeneration((), (), 0, 10, Case(place, "generative"))
    empty = Generated((), (Chosen(END, 1.0, 1),), ended=True, milliseconds=1.0, weights=1)
    shown = [line.plain for line in probe_lines(lab.receive(state, asked, empty), 80, 20)]
    assert any(line.startswith("C generation × (empty reply)") for line in shown)


def test_an_empty_reply_is_shown_in_the_chat() -> None:
    state = lab.act(lab.start(), SendMessage("Hello"))
    empty = Generated((), (Chosen(END, 1.0, 1),), ended=True, milliseconds=1.0, weights=1)
    state = lab.receive(state, AskGeneration((), (), 0, 10), empty)
    assert any("(empty reply)" in line.plain for line in chat(state, 80, 20))
    assert "(empty reply)" in " ".join(describe(state)["turns"])


async def test_probes_are_run_after_a_prediction_and_can_be_stopped(tmp_path: Path) -> None:
    engine = BackendEngine(timeless)
    async with app_of(tmp_path, engine).run_test(size=(80, 24)) as pilot:
        await part(pilot, "probes")
        await do(pilot, "enter")
        assert "A prediction is missing" in seen(pilot)
        for _ in range(6):
            await do(pilot, "left", "down")
        engine.hold()
        await pilot.press("r")
        await pilot.pause()
        assert state_of(pilot).running
        await pilot.press("r")
        await at_rest(pilot)
        assert not state_of(pilot).running
        engine.release()
        await do(pilot, "r")
        assert len(state_of(pilot).results) == len(CASES)
        assert "11/30" in seen(pilot)
        assert "r run again" in seen(pilot)
        finished = state_of(pilot)
        await do(pilot, "enter")
        assert state_of(pilot) == finished
        engine.hold()
        await pilot.press("r")
        await pilot.pause()
        assert state_of(pilot).results == {}
        assert "The scores were removed. Press u to undo." in seen(pilot)
        await pilot.press("u")
        await at_rest(pilot)
        engine.release()
        assert state_of(pilot) == finished
        await do(pilot, "right")
        assert "You can't change predictions" in seen(pilot)
        await do(pilot, "tab")
        assert "11 of 30 probes" in seen(pilot)
        assert "5,328,128 weights" in " ".join(seen(pilot).split())


async def test_each_view_has_its_own_keys(tmp_path: Path) -> None:
    async with app_of(tmp_path).run_test(size=(80, 24)) as pilot:
        await at_rest(pilot)
        assert "new chat" not in seen(pilot)  # no message has been sent yet
        await part(pilot, "table")
        assert "write" not in seen(pilot)
        before = state_of(pilot)
        await do(pilot, "d", "a", "enter", "right", "down")
        assert state_of(pilot) == before
        await do(pilot, "shift+tab")
        assert "predict" in seen(pilot)


async def test_another_model_is_mentioned_only_where_results_are_computed_again(
    tmp_path: Path,
) -> None:
    engine = BackendEngine(timeless)

    async def load(pilot: Any, model: str) -> bool:
        engine.card = replace(engine.card, sha256=model)
        engine.become(EngineState.READY)
        await at_rest(pilot)
        return "Another model was loaded" in seen(pilot)

    async with app_of(tmp_path, engine).run_test(size=(80, 24)) as pilot:
        await at_rest(pilot)
        assert not await load(pilot, "another")
        await write(pilot, "hello")
        await at_rest(pilot)
        assert await load(pilot, "a third")
