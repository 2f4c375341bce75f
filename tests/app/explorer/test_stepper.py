"""The stepper as a state machine: commands, answers, goals, memory."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import msgspec
import pytest

from tests.engine.fake_engine import CONTEXT, END, all_rows, distribution, split, token
from tutor.app.explorer import state
from tutor.app.explorer.guess import score as guess_score
from tutor.app.explorer.memory import Memory
from tutor.app.explorer.state import State
from tutor.app.explorer.stepper import MOST_ROWS, QUEUE_LIMIT, RUN_LIMIT, Answer, Stepper
from tutor.course.goals import Evidence
from tutor.course.lesson import Lab, Sampler
from tutor.errors import ContextFull, EngineError
from tutor.learner.background import BackgroundProgress
from tutor.learner.progress import Progress
from tutor.lm.distribution import SamplerSettings
from tutor.lm.token_tree import MAXIMUM_TOKENS, TokenTree
from tutor.text import visible

PROMPT = split("The capital of France is")


class Learner:
    """A stepper whose questions are answered on request."""

    def __init__(self) -> None:
        self.evidence: list[Evidence] = []
        self.state = State()
        self.stepper = Stepper(self.state, self.evidence.append)
        self.stepper.context = CONTEXT
        self.stepper.end_ids = frozenset({END.id})
        self.stepper.prompt(PROMPT)

    def answer(self, times: int = 1) -> None:
        for _ in range(times):
            question = self.stepper.question
            assert question is not None
            path = question.tokens[: question.position]
            stands = None
            if question.stands is not None:
                rows = all_rows(path, question.sampler)
                stands = next(row for row in rows if row.token.id == question.stands)
            missing = len(question.tokens) - (question.surprisals_from or len(question.tokens))
            found = distribution(path, question.sampler, question.seed, question.top)
            self.stepper.arrived(question, Answer(found, stands, (1.0,) * missing))

    @property
    def text(self) -> str:
        assert self.stepper.tree is not None
        return "".join(item.text for item in self.stepper.tree.tokens)


@pytest.fixture
def learner() -> Learner:
    return Learner()


def test_enter_takes_the_models_draw(learner: Learner) -> None:
    learner.answer()
    target = learner.stepper.target
    assert target is not None
    assert (target.row, target.how) == (distribution(PROMPT).drawn, "drawn")
    learner.stepper.step()
    assert learner.text == "The capital of France is" + target.row.token.text


def test_the_same_seed_and_choices_give_the_same_text() -> None:
    texts = []
    for _ in range(2):
        learner = Learner()
        for _ in range(10):
            learner.answer()
            learner.stepper.step()
        for _ in range(4):
            learner.stepper.back()
        for _ in range(4):
            learner.answer()
            learner.stepper.step()
        texts.append(learner.text)
    straight = Learner()
    for _ in range(10):
        straight.answer()
        straight.stepper.step()
    assert texts == [straight.text] * 2


def test_keys_typed_ahead_are_carried_out_in_order(learner: Learner) -> None:
    stepper = learner.stepper
    stepper.take(0)
    stepper.take(0)
    stepper.back()
    stepper.take(1)
    assert stepper.waiting == 4
    learner.answer(3)
    assert stepper.waiting == 0
    assert learner.text == "The capital of France is Paris."


def test_a_row_chosen_ahead_is_the_one_that_is_taken(learner: Learner) -> None:
    learner.answer()
    stepper = learner.stepper
    stepper.take(0)
    for _ in range(3):
        stepper.move_cursor(1)
    stepper.step()
    learner.answer()
    third = distribution(split("The capital of France is Paris")).rows[2].token.text
    assert learner.text == "The capital of France is Paris" + third


def test_typing_far_ahead_is_bounded_and_said(learner: Learner) -> None:
    for _ in range(QUEUE_LIMIT + 5):
        learner.stepper.step()
    assert learner.stepper.waiting == QUEUE_LIMIT
    assert "waiting" in str(learner.stepper.note)


def test_a_late_answer_to_an_old_question_is_dropped(learner: Learner) -> None:
    stepper = learner.stepper
    question = stepper.question
    assert question is not None
    stepper.set_sampler(SamplerSettings(top_k=1))
    stepper.arrived(question, Answer(distribution(PROMPT)))
    assert stepper.answer is None


def test_an_earlier_focus_offers_what_stands_there(learner: Learner) -> None:
    stepper = learner.stepper
    learner.answer()
    stepper.take(0)
    learner.answer()
    stepper.move_focus(-1)
    learner.answer()
    target = stepper.target
    assert target is not None
    assert target.row.token == token(" Paris")
    stepper.step()
    assert stepper.tree is not None
    assert stepper.tree.at_end
    assert len(stepper.tree.branches) == 1


def test_another_choice_earlier_makes_a_branch(learner: Learner) -> None:
    stepper = learner.stepper
    learner.answer()
    stepper.take(0)
    stepper.move_focus(-1)
    learner.answer()
    stepper.move_cursor(2)
    target = stepper.target
    assert target is not None
    assert "new branch" in target.reason
    stepper.step()
    assert stepper.tree is not None
    assert learner.text == "The capital of France is the"
    assert len(stepper.tree.branches) == 2


def test_before_the_first_token_there_is_no_question(learner: Learner) -> None:
    stepper = learner.stepper
    stepper.move_focus(-100)
    assert stepper.question is None
    stepper.step()
    stepper.take(0)
    assert stepper.tree is not None
    assert stepper.tree.focus == 1
    assert stepper.waiting == 1


def test_another_seed_starts_again_from_the_prompt(learner: Learner) -> None:
    stepper = learner.stepper
    learner.answer()
    stepper.step()
    before = learner.text
    stepper.new_seed()
    assert stepper.tree is not None
    assert learner.text == "The capital of France is"
    assert stepper.tree.current.seed == state.FIRST_SEED + 1
    stepper.switch(1)
    assert learner.text == before
    assert stepper.tree.current.seed == state.FIRST_SEED


def test_running_stops_at_an_end_token(learner: Learner) -> None:
    stepper = learner.stepper
    stepper.set_sampler(SamplerSettings(top_k=1))
    stepper.prompt(split("The"))
    stepper.end_ids = frozenset(item.id for item in split(" Paris"))
    stepper.prompt(PROMPT)
    learner.answer()
    stepper.toggle_run()
    assert stepper.ended
    assert not stepper.running
    assert stepper.run_length == 1


def test_running_stops_at_its_limit_and_goes_on(learner: Learner) -> None:
    stepper = learner.stepper
    stepper.end_ids = frozenset()
    stepper.context = 10_000
    learner.answer()
    stepper.toggle_run()
    while stepper.running:
        learner.answer()
    assert stepper.run_length == RUN_LIMIT
    assert str(RUN_LIMIT) in str(stepper.note)
    stepper.toggle_run()
    assert stepper.running
    assert stepper.run_length == 1


def test_any_command_pauses_a_run(learner: Learner) -> None:
    stepper = learner.stepper
    stepper.toggle_run()
    assert stepper.running
    stepper.back()
    assert not stepper.running


def test_a_full_context_is_said_and_nothing_is_lost(learner: Learner) -> None:
    stepper = learner.stepper
    stepper.context = len(PROMPT) + 1
    learner.answer()
    stepper.step()
    before = learner.text
    assert stepper.full
    learner.answer()
    stepper.step()
    assert isinstance(stepper.note, ContextFull)
    assert learner.text == before


def test_a_failure_keeps_the_text_and_stops_the_run(learner: Learner) -> None:
    stepper = learner.stepper
    stepper.toggle_run()
    stepper.failed(EngineError("The engine ended.", "It starts again."))
    assert not stepper.running
    assert stepper.waiting == 0
    assert learner.text == "The capital of France is"


def test_rows_beyond_the_last_are_asked_for(learner: Learner) -> None:
    stepper = learner.stepper
    learner.answer()
    stepper.move_cursor(1)
    for _ in range(60):
        stepper.move_cursor(1)
    question = stepper.question
    assert question is not None
    assert question.top == 120 <= MOST_ROWS
    learner.answer()
    assert stepper.target is not None
    assert stepper.target.row.rank == 61
    stepper.move_cursor(-61)
    assert stepper.target.how == "drawn"


def test_evidence_tells_of_ranks_taken_by_hand_only(learner: Learner) -> None:
    stepper = learner.stepper
    learner.answer()
    assert learner.evidence == []
    stepper.take(2)
    assert learner.evidence[-1].taken_rank == 3
    top = learner.evidence[-1].top_probability
    assert top == distribution(PROMPT).rows[0].probability
    learner.answer()
    assert learner.evidence[-1].taken_rank is None
    stepper.step()
    assert learner.evidence[-1].taken_rank is None
    assert learner.evidence[-1].branch_lengths == (2,)


def test_evidence_tells_of_the_text_and_the_distribution(learner: Learner) -> None:
    stepper = learner.stepper
    learner.answer()
    stepper.take(0)
    taken = distribution(PROMPT).rows[0].token
    assert learner.evidence[-1].written == taken.text
    learner.answer()
    seen, now = learner.evidence[-1], stepper.answer
    assert now is not None
    assert seen.shares[visible(now.distribution.rows[0].token.data)] == seen.top_probability
    assert seen.unlisted == now.distribution.rows[-1].probability
    assert (seen.entropy_bits, seen.kept) == (
        now.distribution.entropy_bits,
        now.distribution.kept,
    )
    assert not seen.prompt_changed
    stepper.set_sampler(SamplerSettings(top_k=2))
    learner.answer()
    assert learner.evidence[-1].kept == 2


def test_evidence_tells_of_another_prompt(learner: Learner) -> None:
    learner.stepper.given = "The capital of France is"
    learner.answer()
    learner.stepper.move_focus(-1)
    learner.answer()
    assert not learner.evidence[-1].prompt_changed
    learner.stepper.expect(lambda: None)
    learner.stepper.prompt(split("The capital of Italy is"))
    learner.answer()
    assert learner.evidence[-1].prompt_changed


def test_evidence_tells_of_the_end(learner: Learner) -> None:
    learner.answer()
    last = all_rows(PROMPT, SamplerSettings())[0]
    learner.stepper.take_found(msgspec.structs.replace(last, token=END))
    assert learner.evidence[-1].ended
    assert learner.evidence[-1].written == ""


# --- memory --------------------------------------------------------------------------------------


def lab(kind: str = "stepper", prompt: str = "Hello") -> Lab:
    return Lab(id="first-steps", kind=cast("Lab", kind), task="Step.", prompt=prompt)  # type: ignore[arg-type]


def test_the_state_is_found_again(tmp_path: Path, learner: Learner) -> None:
    progress = BackgroundProgress(Progress.open(tmp_path))
    learner.answer()
    learner.stepper.step()
    learner.state.model = "abc"
    learner.state.marks = True
    learner.state.drafts = {"chat": "Hel"}
    learner.stepper.set_sampler(SamplerSettings(temperature=0.7, top_k=40))
    Memory(progress, None, None).keep(learner.state)
    for again in (progress, BackgroundProgress(Progress.open(tmp_path))):
        back = Memory(again, None, None).recall()
        assert progress.drain(10)
        assert back.tree is not None
        assert learner.stepper.tree is not None
        assert back.tree.tokens == learner.stepper.tree.tokens
        assert (back.model, back.marks, back.sampler) == ("abc", True, learner.state.sampler)
        assert back.drafts == {"chat": "Hel"}


def test_each_lab_has_its_own_state(tmp_path: Path, learner: Learner) -> None:
    progress = BackgroundProgress(Progress.open(tmp_path))
    Memory(progress, None, None).keep(learner.state)
    fresh = Memory(progress, lab(), None).recall()
    assert fresh.prompt == "Hello"
    assert fresh.tree is None
    assert Memory(progress, lab("chat"), None).recall().mode == "chat"


def test_a_lab_begins_with_its_sampler_and_keeps_what_the_learner_sets(
    tmp_path: Path, learner: Learner
) -> None:
    greedy = msgspec.structs.replace(lab(), sampler=Sampler(temperature=0))
    progress = BackgroundProgress(Progress.open(tmp_path))
    memory = Memory(progress, greedy, None)
    state = memory.recall()
    assert state.sampler.greedy
    state.sampler = SamplerSettings(temperature=0.7)
    memory.keep(state)
    assert Memory(progress, greedy, None).recall().sampler == SamplerSettings(temperature=0.7)
    assert memory.fresh().sampler.greedy


def test_the_longest_text_there_can_be_is_kept(tmp_path: Path) -> None:
    words = split("The capital of France is a city. 中文 ")
    tokens = (words * (MAXIMUM_TOKENS // len(words) + 1))[:MAXIMUM_TOKENS]
    state = State()
    state.trees = {"text": TokenTree(tokens, 1), "chat": TokenTree(tokens, 1)}
    progress = BackgroundProgress(Progress.open(tmp_path))
    Memory(progress, None, None).keep(state)
    assert progress.drain(60)
    again = Memory(BackgroundProgress(Progress.open(tmp_path)), None, None).recall()
    assert [tree and tree.tokens for tree in again.trees.values()] == [tuple(tokens)] * 2


@pytest.mark.parametrize(
    "stored",
    [
        b"",
        b"{}x",
        b'{"version": 99}',
        b'{"sampler": {"temperature": -1}}',
        b'{"text": {"branches": [], "current": 1, "focus": 0}}',
        b'{"mode": "other"}',
    ],
)
def test_a_state_that_cannot_be_read_counts_as_none(stored: bytes) -> None:
    assert State.from_bytes(stored) is None


def test_another_model_splits_the_text_again(learner: Learner) -> None:
    learner.state.model = "one"
    learner.answer()
    learner.stepper.take(0)
    assert learner.state.belong_to("two")
    assert learner.state.tree is None
    assert learner.state.prompt == "The capital of France is Paris"
    assert not learner.state.belong_to("two")


# --- guessing ------------------------------------------------------------------------------------


def test_a_guess_costs_its_share_in_bits() -> None:
    assert guess_score.learner_bits(0.5, True, 1025) == 1
    assert guess_score.learner_bits(0.5, False, 1025) == 11


def test_all_bets_of_the_learner_add_up_to_one() -> None:
    size = 315
    for sureness in guess_score.SURENESS:
        right = 2 ** -guess_score.learner_bits(sureness, True, size)
        wrong = 2 ** -guess_score.learner_bits(sureness, False, size)
        assert right + (size - 1) * wrong == pytest.approx(1)
