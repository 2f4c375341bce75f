"""Test the prompting lab: the prompts, the answers, and the scores."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.labs.lab_backend import backend, done, settled, small_model
from tutor.errors import LabError, TextError
from tutor.labs.kit.actions import Adjust, Choose, EditText, MoveFocus, Run, ShowView, Toggle
from tutor.labs.kit.prompts.local import label_ids, prompt_ids
from tutor.labs.kit.prompts.questions import Read, Try
from tutor.labs.kit.prompts.scores import Trial, Tried, difference, score
from tutor.labs.kit.prompts.tasks import tasks
from tutor.labs.kit.prompts.version import (
    PARTS,
    WRITTEN,
    Version,
    assemble,
    choices,
    differing,
    idle,
    on_task,
    plain_version,
    whole_answer,
)
from tutor.labs.prompting import lab
from tutor.labs.prompting.lab import Copy, Recall
from tutor.lm.chat import chat_ids, text_ids
from tutor.lm.session import Session

SENTIMENT = tasks()["sentiment"]
MONTH = tasks()["month"]


def version(**parts: Any) -> Version:
    return msgspec.structs.replace(plain_version(SENTIMENT), **parts)


def text_of(**parts: Any) -> str:
    return assemble(version(frame="text", **parts), SENTIMENT, SENTIMENT.items[0]).text


# --- the prompt -----------------------------------------------------------------------------------


def test_a_prompt_with_all_parts_as_plain_text() -> None:
    assert text_of(
        system="S.",
        role="R.",
        steps="T.",
        rule="O.",
        marks="tags",
        examples=2,
        order="turned round",
    ) == (
        "S.\n\nR. Say whether the review is positive or negative. O.\n\nT.\n\n"
        "Review: <text>a wonderful evening</text>\nSentiment: positive\n\n"
        "Review: <text>the soup was cold</text>\nSentiment: negative\n\n"
        "Review: <text>a waste of time</text>\nSentiment:"
    )


def test_a_rule_can_follow_the_material() -> None:
    assert text_of(instruction="", rule="O.", place="after").endswith("time\n\nO.\nSentiment:")


def test_examples_as_turns_are_messages_with_answers() -> None:
    prompt = assemble(version(frame="turns", examples=1), SENTIMENT, SENTIMENT.items[0])
    assert [(message.role, message.content) for message in prompt.messages] == [
        ("user", "Say whether the review is positive or negative.\n\nReview: the soup was cold"),
        ("assistant", "negative"),
        ("user", "Review: a waste of time"),
    ]


@pytest.mark.parametrize("frame", ["chat", "turns", "text"])
def test_prompts_of_a_version_differ_only_in_the_item(frame: str) -> None:
    made = version(frame=frame, examples=4)
    one, other = (
        prompt_ids(small_model(), assemble(made, SENTIMENT, item)) for item in SENTIMENT.items[:2]
    )
    shared = next(at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b)
    assert len(one) - shared < 25


def test_the_answer_prefix_ends_the_prompt() -> None:
    item = SENTIMENT.items[0]
    made = version(frame="turns", begin="Sentiment:")
    ids = prompt_ids(small_model(), assemble(made, SENTIMENT, item))
    assert small_model().tokenizer.decode(ids).decode().endswith("assistant\nSentiment:")
    assert text_of(begin="Sentiment:") == text_of()
    assert whole_answer(made, " positive") == " positive"
    assert whole_answer(version(begin='{"a'), '": 1}') == '{"a": 1}'


def test_in_plain_text_the_answer_is_the_first_line() -> None:
    assert whole_answer(version(frame="text"), "\n positive\nReview: x") == "positive"
    assert whole_answer(version(), "positive\nyes") == "positive\nyes"


def test_special_tokens_written_in_a_part_stay_text(tmp_path: Path) -> None:
    made = version(system="<|im_end|>", frame="turns")
    reading = backend("prompting", tmp_path).answer(Read(Trial("sentiment", made), 0))
    assert any("<|im_end|>" in each.text and not each.special for each in reading.stretches)
    assert next(each for each in reading.stretches if each.special).text == "<|im_start|>"


def test_the_prompt_shown_is_the_prompt_of_the_model(tmp_path: Path) -> None:
    for frame in ("chat", "turns", "text"):
        made = version(frame=frame, examples=1)
        reading = backend("prompting", tmp_path).answer(Read(Trial("sentiment", made), 3))
        ids = prompt_ids(small_model(), assemble(made, SENTIMENT, SENTIMENT.items[3]))
        whole = "".join(each.text for each in reading.stretches)
        assert whole.encode() == small_model().tokenizer.decode(ids)
        assert reading.tokens == len(ids)


@given(st.sampled_from(PARTS), st.integers(-3, 3), st.integers(-20, 20))
def test_changing_a_part_stays_among_its_choices(part: Any, by: int, tasks_on: int) -> None:
    at_first = lab.act(lab.start(), Choose(tasks_on, "task"))
    if idle(at_first.version, part):
        with pytest.raises(LabError, match=r"no examples to order|no output rule to move"):
            lab.act(at_first, Adjust(by, part))
        return
    state = lab.act(at_first, Adjust(by, part))
    assert getattr(state.version, part) in choices(state.about, part)
    assert differing(*state.sides) in ((), (part,))


def test_a_version_moves_to_another_task_and_keeps_the_learners_text() -> None:
    made = version(rule=SENTIMENT.constraint, role="You are Ada.", examples=3)
    there = on_task(made, SENTIMENT, MONTH)
    assert there.instruction == MONTH.instruction
    assert there.rule == MONTH.constraint
    assert (there.role, there.examples) == ("You are Ada.", 3)
    assert on_task(there, MONTH, SENTIMENT) == made


def test_parts_without_effect_make_no_difference() -> None:
    assert differing(version(place="after"), version()) == ()
    assert differing(version(place="after", rule="x"), version()) == ("rule",)
    assert differing(version(place="after", rule="x"), version(rule="x")) == ("place",)
    assert differing(version(order="turned round", examples=1), version(examples=1)) == ()


# --- the answers ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def scored(tmp_path_factory: pytest.TempPathFactory) -> lab.State:
    there = backend("prompting", tmp_path_factory.mktemp("lab"))
    found: lab.State = done("prompting", there, Choose(-5, "task"), Adjust(2, "examples"), Run())
    return found


def test_answers_and_probabilities_equal_those_of_the_model(scored: lab.State) -> None:
    model = small_model()
    made = scored.sides[1]
    for at in (0, 7):
        tried = scored.tried(1, at)
        assert tried is not None
        prompt = assemble(made, SENTIMENT, SENTIMENT.items[at])
        session = Session(model, chat_ids(model, prompt.messages))
        assert tried.tokens == len(session)
        shares = torch.softmax(session.logits(len(session)).double(), dim=-1)
        assert tried.rows[0].probability == pytest.approx(float(shares.max()), rel=1e-3)
        for name, share in zip(SENTIMENT.labels, tried.labels, strict=True):
            starts = {
                model.tokenizer.encode(space + word)[0]
                for space in ("", " ")
                for word in (name, name.capitalize())
            }
            unique = starts & label_ids(model, SENTIMENT.labels)[SENTIMENT.labels.index(name)]
            assert share == pytest.approx(float(shares[list(unique)].sum()), rel=1e-3)
        written: list[int] = []
        while len(written) < SENTIMENT.most_tokens:
            id_ = int(session.logits(len(session)).argmax())
            if id_ in model.tokenizer.end_ids:
                break
            session.append([id_])
            written.append(id_)
        assert model.tokenizer.decode(written).decode("utf-8", "replace") == tried.written


def test_labels_do_not_share_a_beginning() -> None:
    for task in tasks().values():
        found = label_ids(small_model(), task.labels)
        assert sum(map(len, found)) == len(set().union(*found))


def test_an_answer_in_plain_text_ends_with_its_line(tmp_path: Path) -> None:
    made = version(frame="text", examples=4)
    tried = backend("prompting", tmp_path).answer(Try(Trial("sentiment", made), 0))
    session = Session(small_model(), text_ids(small_model(), text_of(examples=4)))
    assert tried.tokens == len(session)
    assert tried.written.strip().count("\n") == 0


def test_samples_are_reproducible_and_differ_from_greedy(tmp_path: Path) -> None:
    hot = Try(Trial("sentiment", version(temperature=1.5)), 2)
    one, again = (backend("prompting", tmp_path).answer(hot) for _ in range(2))
    cold = backend("prompting", tmp_path).answer(Try(Trial("sentiment", version()), 2))
    assert one.written == again.written != cold.written
    assert one.rows == cold.rows  # before temperature


# --- counting -------------------------------------------------------------------------------------


def tried(written: str, labels: tuple[float, ...] = (0.6, 0.2)) -> Tried:
    return Tried(written, True, 10, (), labels, 0.1)


def counted_state(a: str, b: str) -> lab.State:
    """Return versions with these outcomes: + right, - wrong, ! wrong format, space for none."""
    sides = (version(), version(examples=1))
    results = {}
    for made, marks in zip(sides, (a, b), strict=True):
        found: list[Tried | None] = []
        for mark, item in zip(marks.ljust(20), SENTIMENT.items, strict=True):
            other = "positive" if item.answer == "negative" else "negative"
            said = {"+": item.answer, "-": other, "!": "I like it", " ": None}[mark]
            found.append(None if said is None else tried(said))
        results[Trial("sentiment", made)] = tuple(found)
    state = msgspec.structs.replace(lab.start(), task="sentiment", sides=sides, results=results)
    return state


def test_outcomes_are_counted_separately() -> None:
    state = counted_state("+-!+", "++++")
    found = score(state.results, state.trials[0])
    assert (found.right, found.wrong, found.form, found.asked) == (2, 1, 1, 4)
    assert found.by_share == 2  # positive has more everywhere, and two of four are positive
    apart = difference(state.results, *state.trials)
    assert (apart.asked, apart.only_a, apart.only_b) == (4, 0, 2)
    assert apart.chance == 0.5


def test_goals_need_complete_scores() -> None:
    half = counted_state("!" * 20, "+" * 19)
    assert lab.LAB.reached(half) == frozenset()
    assert lab.LAB.reached(counted_state("!" * 20, "+" * 20)) == {
        "examples-help",
        "no-format-error",
    }


# --- what the learner does ------------------------------------------------------------------------


def test_a_scored_version_is_kept_and_can_be_loaded(scored: lab.State) -> None:
    other = lab.act(lab.act(scored, Adjust(1, "examples")), Choose(1, "task"))
    looked = lab.act(other, ShowView("versions"))
    back = lab.act(lab.act(looked, MoveFocus(-20, "row")), Recall())
    assert back.task == "sentiment"
    assert back.trials[1] == scored.scored[0]
    assert score(back.results, back.trials[1]).asked == 20


def test_twelve_scored_versions_are_kept() -> None:
    state = lab.start()
    for length in range(1, 30):
        state = lab.act(state, EditText("x" * length, "role"))
        for item in range(20):
            state = lab.receive(state, Try(state.trials[1], item), tried("May"))
    assert len(state.scored) == lab.REMEMBERED
    assert state.scored[-1] == state.trials[1]
    assert len(state.results) <= 2 * lab.REMEMBERED + 2


def test_a_run_stops_and_continues(tmp_path: Path) -> None:
    there = backend("prompting", tmp_path)
    state = settled(lab.LAB, lab.start(), there)
    running = lab.act(state, Run())
    assert isinstance(lab.question(running), Try)
    assert lab.question(lab.act(running, Run())) is None
    assert lab.question(lab.act(running, Adjust(1, "role"))) is not None  # the item in focus
    assert not lab.act(running, Copy()).running


def test_the_learners_text_stays_a_choice() -> None:
    state = lab.act(lab.start(), EditText(" You are Ada. ", "role"))
    assert state.version.role == "You are Ada."
    turned = lab.act(state, Adjust(1, "role"))
    assert turned.version.role == ""
    assert lab.act(turned, Adjust(-1, "role")).version.role == "You are Ada."


def test_impossible_actions_are_refused() -> None:
    with pytest.raises(LabError):
        lab.act(lab.start(), Recall())
    with pytest.raises(LabError):
        lab.act(lab.start(), EditText("x", "frame"))
    with pytest.raises(TextError):
        lab.act(lab.start(), EditText("x" * (lab.LONGEST + 1), "role"))
    assert lab.act(lab.start(), Toggle("side")).side == 0
    assert set(PARTS) >= WRITTEN
