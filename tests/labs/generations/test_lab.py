"""Test the lab on three generations of bots: the bots, and the actions on them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.labs.lab_backend import backend, done, settled, small_model
from tutor.bots.errors import BotError
from tutor.bots.files import shipped_bank, shipped_probes, shipped_rules
from tutor.bots.probes import BOTS, KINDS
from tutor.errors import LabError
from tutor.labs.generations import lab
from tutor.labs.generations import probes as bot_probes
from tutor.labs.generations.actions import (
    AddIntent,
    AskAgain,
    DropIntent,
    DropRule,
    NewConversation,
    PutRule,
    RestoreRules,
    SendMessage,
    Train,
)
from tutor.labs.generations.chat_lines import chat
from tutor.labs.generations.lab import LAB
from tutor.labs.generations.probes import CASES, Case, Result
from tutor.labs.generations.questions import AskGeneration, AskTraining, Trained
from tutor.labs.generations.state import (
    LONGEST,
    MOST_TURNS,
    Limits,
    State,
    Written,
    conversation,
)
from tutor.labs.kit.actions import Choose, EditText, MoveFocus, Run, ShowView
from tutor.lm.chat import chat_ids
from tutor.lm.distribution import ChatMessage
from tutor.lm.session import Session

PARROT = "My parrot ate my library card."
MUSIC = "music: do you lend records; where are the CDs; any vinyl = Upstairs, left."


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> State:
    """Return a state with one message that all three bots have answered."""
    there = backend("generations", tmp_path_factory.mktemp("lab"))
    state: State = done("generations", there, SendMessage(PARROT))
    return state


def test_one_message_is_answered_by_all_three(asked: State) -> None:
    turn = asked.turn
    assert turn is not None
    assert turn.rules is not None
    assert turn.retrieval is not None
    assert turn.rules.reply.text == "I did not understand. Try: hours, card, renew."
    assert turn.retrieval.reply.likely[0].intent == "lost-card"
    assert turn.written.done
    assert asked.ready
    assert LAB.question(asked) is None


def test_the_rule_that_answers_a_message_is_selected() -> None:
    state = lab.act(lab.start(), SendMessage("Where can I park my bike?"))
    assert state.rules_shown[state.rule].name == "parking"


def test_a_new_seed_that_changes_nothing_is_reported(asked: State) -> None:
    replace = msgspec.structs.replace
    first = asked.turn
    assert first is not None
    assert not first.unchanged

    def once_more(state: State, written: Written) -> State:
        state = lab.act(state, AskAgain(new_seed=True))
        assert state.turn is not None
        return replace(state, turns=(replace(state.turn, written=written),))

    same = once_more(asked, first.written)
    assert same.turn is not None
    assert same.turn.unchanged
    assert "seed 1: same answer" in chat(same, 80, 18)[0].plain
    shorter = replace(first.written, tokens=first.written.tokens[:3])
    growing = once_more(same, shorter)
    assert growing.turn is not None
    assert not growing.turn.unchanged  # it may still become the same
    assert chat(growing, 40, 8)[0].plain.endswith("seed 2")
    other = once_more(same, replace(shorter, ended=True))
    assert other.turn is not None
    assert not other.turn.unchanged


def test_each_generated_token_is_the_most_probable_one(asked: State) -> None:
    assert asked.turn is not None
    prompt = chat_ids(small_model(), [ChatMessage("user", PARROT)])
    session = Session(small_model(), prompt)
    assert [token.id for token in asked.turn.written.prompt] == prompt
    for chosen in asked.turn.written.tokens:
        shares = session.logits(len(session)).softmax(-1)
        assert chosen.token.id == int(shares.argmax())
        assert chosen.rank == 1
        assert chosen.probability == pytest.approx(float(shares[chosen.token.id]), rel=1e-3)
        session.append([chosen.token.id])


def test_the_model_gets_the_whole_conversation_and_retrieval_only_the_last_message(
    asked: State, tmp_path: Path
) -> None:
    state = lab.act(asked, SendMessage("Hello"))
    messages = conversation(state.turns)
    assert [each.role for each in messages] == ["user", "assistant", "user"]
    assert asked.turn is not None
    assert messages[1].content == asked.turn.written.text
    state = settled(LAB, state, backend("generations", tmp_path))
    alone = done("generations", backend("generations", tmp_path), SendMessage("Hello"))
    assert state.turn.retrieval.reply == alone.turn.retrieval.reply


def test_a_new_seed_samples_and_asking_again_does_not(asked: State, tmp_path: Path) -> None:
    there = backend("generations", tmp_path)
    again = settled(LAB, lab.act(asked, AskAgain()), there)
    lucky = settled(LAB, lab.act(asked, AskAgain(new_seed=True)), there)
    assert asked.turn is not None
    ids = [each.token.id for each in asked.turn.written.tokens]
    assert [each.token.id for each in again.turn.written.tokens] == ids
    assert (again.turn.seed, lucky.turn.seed) == (0, 1)
    assert [each.token.id for each in lucky.turn.written.tokens] != ids


def test_a_new_message_cuts_the_last_answer_short() -> None:
    state = lab.act(lab.act(lab.start(), SendMessage("one")), SendMessage("two"))
    assert state.turns[0].cut
    assert not state.turns[1].cut
    with pytest.raises(LabError):
        lab.act(state, SendMessage("  "))
    assert len(lab.act(state, SendMessage("x" * 999)).turns[-1].message) == LONGEST
    for number in range(MOST_TURNS + 5):
        state = lab.act(state, SendMessage(str(number)))
    assert len(state.turns) == MOST_TURNS
    assert lab.act(state, NewConversation()).turns == ()
    with pytest.raises(LabError):
        lab.act(lab.act(state, NewConversation()), AskAgain())


# --- rules ----------------------------------------------------------------------------------------


def test_the_learners_own_rule_is_tried_on_the_sentence_at_once() -> None:
    state = lab.act(lab.start(), EditText("Where is my parrot?"))
    assert "where-is" not in state.fits
    state = lab.act(state, PutRule("60: * parrot * = Poor {1}!"))
    assert list(state.fits) == ["yours-1"]
    assert state.rules_shown[state.rule].name == "yours-1"
    state = lab.act(state, PutRule("70: * my parrot * = Oh.", "yours-1"))
    assert [rule.answers for rule in state.rules if rule.own] == [("Oh.",)]
    state = lab.act(lab.act(state, ShowView("rules")), DropRule())
    assert not state.fits
    with pytest.raises(BotError):
        lab.act(state, PutRule("nonsense"))


def test_original_rules_can_be_deleted_and_restored() -> None:
    state = lab.act(lab.start(), ShowView("rules"))
    for _ in range(len(state.rules) + 1):
        state = lab.act(lab.act(state, MoveFocus(3, "row")), DropRule())
    assert state.rules == ()
    assert lab.act(state, RestoreRules()).rules == shipped_rules().rules


# --- intents --------------------------------------------------------------------------------------


def test_the_learners_own_intent_is_learned(asked: State, tmp_path: Path) -> None:
    there = backend("generations", tmp_path)
    state = lab.act(asked, AddIntent(MUSIC))
    assert not state.ready
    assert isinstance(lab.question(state), AskTraining)
    state = settled(LAB, state, there)
    state = settled(LAB, lab.act(state, SendMessage("Do you lend old records?")), there)
    assert state.turn.retrieval.reply.text == "Upstairs, left."
    assert state.trained.of == asked.trained.of if asked.trained else False
    with pytest.raises(BotError):
        lab.act(state, AddIntent(MUSIC))
    state = lab.act(
        lab.act(lab.act(state, ShowView("intents")), MoveFocus(99, "row")), DropIntent()
    )
    assert (state.own, state.trained) == ((), None)
    with pytest.raises(BotError):
        lab.act(state, DropIntent())


def test_a_baseline_is_trained_before_an_own_intent(asked: State, tmp_path: Path) -> None:
    state = lab.act(lab.start(), AddIntent(MUSIC))
    assert lab.question(state) == AskTraining((), 1, 0)
    state = settled(LAB, state, backend("generations", tmp_path))
    assert asked.trained is not None
    assert state.first_right == asked.trained.right
    assert state.ready
    assert len(state.own) == 1
    assert not state.training


def test_training_stops_continues_and_starts_over(asked: State) -> None:
    state = lab.act(lab.start(), Train())
    assert lab.question(state) == AskTraining((), 1, 0)
    assert lab.question(lab.act(state, Train())) is None
    again = lab.act(asked, Train())
    assert lab.question(again) == AskTraining((), 2, 0)


def test_training_gives_the_same_result_after_a_restart_of_the_engine(tmp_path: Path) -> None:
    """A new engine knows nothing but the next question."""
    state = lab.act(lab.start(), Train())
    first = backend("generations", tmp_path)
    for _ in range(3):
        question = lab.question(state)
        assert question is not None
        answer = first.answer(question)
        assert isinstance(answer, Trained)
        state = lab.receive(state, question, answer)
    state = settled(LAB, state, backend("generations", tmp_path))
    whole = done("generations", backend("generations", tmp_path), Train())
    assert state.trained is not None
    assert state.trained.losses == whole.trained.losses
    assert state.first_right == state.trained.right


# --- probes ---------------------------------------------------------------------------------------


def predicted(state: State, by: int = 1) -> State:
    state = lab.act(state, ShowView("probes"))
    for _ in KINDS:
        state = lab.act(lab.act(state, Choose(by, "prediction")), MoveFocus(1, "row"))
    return state


def test_probes_run_only_after_all_predictions() -> None:
    with pytest.raises(LabError):
        lab.act(lab.start(), Run())
    state = predicted(lab.start(), by=-1)
    assert set(state.predictions.values()) == {"generative"}
    state = lab.act(state, Run())
    assert lab.question(state) is not None
    assert lab.question(lab.act(state, Run())) is None


def test_all_probes_are_run_and_scored(tmp_path: Path) -> None:
    there = backend("generations", tmp_path)
    state = lab.act(predicted(lab.start(Limits(probe_length=2))), Run())
    state = settled(LAB, state, there)
    assert set(state.results) == set(CASES)
    assert not state.running
    assert "compared" in LAB.reached(state)
    for bot in BOTS:
        assert bot_probes.score(state.results, bot)[1] == len(shipped_probes().probes)
        assert (bot_probes.milliseconds(state.results, bot) or 0) > 0
    assert bot_probes.score(state.results, "rules") == (11, 30)
    assert bot_probes.score(state.results, "rules", "paraphrase") == (0, 5)
    with pytest.raises(LabError):
        lab.act(state, Choose(1, "prediction"))
    changed = lab.act(state, PutRule("50: * parrot * = Hm."))
    assert {case.bot for case in changed.results} == {"retrieval", "generative"}
    assert "compared" not in LAB.reached(changed)


def test_each_bot_gets_its_part_of_a_conversation_in_a_probe() -> None:
    probes = shipped_probes().probes
    place = next(at for at, probe in enumerate(probes) if probe.kind == "multi-turn")
    state = predicted(lab.start())
    before = {case: Result("", True, 1.0) for case in CASES if case.probe < place}
    state = msgspec.structs.replace(state, results=before, running=True)
    state = msgspec.structs.replace(state, trained=Trained((0.0,), 1, 1, 1, (), 0.0))
    question: Any = lab.question(state)
    assert question.messages == (probes[place].before[0], probes[place].message)
    answered = {Case(place, bot): Result("", True, 1.0) for bot in BOTS if bot != "generative"}
    state = msgspec.structs.replace(state, results=before | answered)
    question = lab.question(state)
    assert isinstance(question, AskGeneration)
    assert [each.role for each in question.messages] == ["user", "assistant", "user"]


def test_the_bot_that_breaks_first_has_the_lowest_score() -> None:
    probes = shipped_probes().probes
    right = {"rules": 1, "retrieval": 2, "generative": 1}
    results = {}
    for place, probe in enumerate(probes):
        if probe.kind == "typo":
            number = shipped_probes().of("typo").index(probe)
            for bot in BOTS:
                results[Case(place, bot)] = Result("", number < right[bot], 1.0)
    assert bot_probes.breaks_first(results, "typo") == {"rules", "generative"}
    assert bot_probes.breaks_first(results, "adversarial") == frozenset()
    assert bot_probes.predicted_right(results, {"typo": "rules"}) == 1
    assert bot_probes.milliseconds({}, "rules") is None


def test_questions_from_the_bank_do_not_reach_the_goal(tmp_path: Path) -> None:
    there = backend("generations", tmp_path)
    state = done(
        "generations",
        there,
        SendMessage("Which bus goes there?"),
        NewConversation(),
        SendMessage("My card is gone"),
    )
    assert state.turn.rules.reply.declined
    assert not state.turn.retrieval.reply.declined
    assert "paraphrase" not in LAB.reached(state)
    assert len(shipped_bank().intents) == 20
