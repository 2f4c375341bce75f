"""Test the certainty lab: its answers are the model's, and are judged by the stated rules."""

from __future__ import annotations

import math
from functools import partial
from pathlib import Path as Folder
from typing import Any, Literal

import msgspec
import pytest

from tests.labs.lab_backend import backend, done, settled, small_model
from tutor.errors import LabError
from tutor.labs.certainty import lab
from tutor.labs.certainty.lab import SYSTEM, Limits, Prompt
from tutor.labs.certainty.real_and_invented import Item
from tutor.labs.kit.actions import Choose, EditText, Run, ShowView
from tutor.labs.kit.progress import Progress
from tutor.labs.kit.reply import Reply
from tutor.lm.chat import chat_ids
from tutor.lm.distribution import ChatMessage
from tutor.lm.session import Session

FEW = (
    Item(
        kind="places",
        real=True,
        ask="What is the capital of France?",
        accept=("Paris",),
        fact="The capital of France is Paris.",
    ),
    Item(
        kind="places",
        real=False,
        ask="In which year was the Treaty of Belmark signed?",
        accept=(),
        fact="No treaty by the name of Belmark is known.",
    ),
)


LIMITS = Limits(items=FEW, draws=4, length=10)
LAB = msgspec.structs.replace(lab.LAB, start=partial(lab.start, LIMITS))


def written(reply: Reply) -> Reply:
    return Reply((*reply.ids, 1), (*reply.pieces, b" x"), (*reply.logs, -1.0), True)


def test_an_answer_takes_the_most_probable_token_each_time(tmp_path: Folder) -> None:
    state = done(LAB, backend("certainty", tmp_path), Choose(1, "question"))
    assert state.item == FEW[0]
    reply = state.reply
    prompt = chat_ids(small_model(), [ChatMessage("user", FEW[0].ask)])
    session = Session(small_model(), prompt)
    for id_ in reply.ids:
        assert id_ == int(session.logits(len(session)).argmax())
        session.append([id_])
    bits = session.surprisals(len(prompt))
    nats = [-(each or 0.0) * math.log(2) for each in bits]
    assert reply.logs == pytest.approx(nats, rel=1e-3, abs=1e-5)
    assert reply.certainty == pytest.approx(
        math.prod(math.exp(each) for each in nats) ** (1 / len(nats)), rel=1e-3
    )
    assert reply.text == "The capital of France is Paris."


def test_samples_have_the_requested_number_and_follow_from_the_seed(tmp_path: Folder) -> None:
    there = backend("certainty", tmp_path)
    first = done(LAB, there, Run())
    drawn = first.draws[first.prompt]
    assert len(drawn) == 4
    assert len({reply.ids for reply in drawn}) > 1
    assert done(LAB, backend("certainty", tmp_path), Run()).draws == first.draws
    again = settled(lab.LAB, lab.act(first, Run()), there)
    assert again.draws[again.prompt] != drawn
    assert sum(count for _, count in lab.gists(again)) == 4


def test_the_way_of_asking_decides_the_prompt() -> None:
    state = lab.act(LAB.start(), Choose(1, "question"))
    assert state.prompt == Prompt(FEW[0].ask)
    state = lab.act(state, Choose(1, "way"))
    assert state.prompt == Prompt(f"{FEW[0].fact} {FEW[0].ask}")
    state = lab.act(state, Choose(1, "way"))
    assert state.prompt == Prompt(FEW[0].ask, SYSTEM)
    own = lab.act(state, EditText("  Who am I?  "))
    assert own.prompt == Prompt("Who am I?", SYSTEM)
    assert (own.item, own.accepted) == (None, ())
    assert lab.act(own, Choose(1, "question")).item == FEW[0]
    with pytest.raises(LabError):
        lab.act(own, EditText("  "))
    assert lab.act(own, EditText("x" * 500)).left_out == 500 - lab.LONGEST


def test_a_run_over_the_set_stops_and_continues_where_it_was() -> None:
    state: Any = lab.act(lab.act(LAB.start(), ShowView("calibration")), Run())
    asked = lab.question(state)
    assert asked is not None
    half = Reply((1,), (b"x",), (-1.0,))
    state = lab.receive(state, asked, lab.Answer((half,), 0.5))
    assert lab.progress(state) == Progress(0, 2)
    again = lab.question(state)
    assert again is not None
    assert again.replies == (half,)
    state = lab.receive(state, again, lab.Answer((written(half),), 0.5))
    far = lab.progress(state)
    assert (far.done, far.total) == (1, 2)
    assert far.seconds == pytest.approx(1.0)  # 2 tokens in 1 s, and 2 to come
    stopped = lab.act(state, Run())
    assert lab.question(stopped) is None
    state = lab.act(stopped, Run())
    last = lab.question(state)
    assert last is not None
    assert last.prompt == Prompt(FEW[1].ask)
    state = lab.receive(state, last, lab.Answer((written(Reply()),), 0.5))
    assert not state.running
    assert lab.question(lab.act(state, Run())) is None  # nothing is asked twice
    far = lab.progress(lab.act(state, ShowView("ways")))
    assert (far.done, far.total) == (2, 6)


def test_only_the_key_that_stops_ends_a_job() -> None:
    state: Any = lab.act(LAB.start(), Run())
    sampled = state.prompt
    steps: tuple[lab.Action, ...] = (ShowView("ways"), ShowView("answer"), EditText("Who?"))
    for action in (*steps, Choose[Literal["question", "way"]](1, "question")):
        state = lab.act(state, action)
        assert state.drawing == sampled
    state = lab.act(state, ShowView("ways"))
    asked = lab.question(state)
    assert asked is not None
    assert (asked.prompt, asked.seed) == (sampled, 1)
    state = lab.receive(state, asked, lab.Answer((written(Reply()),) * 4, 0.5))
    assert state.drawing is None
    assert len(state.draws[sampled]) == 4


def test_a_goal_is_reached_in_every_view() -> None:
    answers = {Prompt(item.ask): written(Reply()) for item in FEW}
    state = msgspec.structs.replace(LAB.start(), answers=answers)
    for view in lab.VIEWS:
        for way in lab.WAYS:
            shown = msgspec.structs.replace(state, view=view, way=way)
            assert "calibrated" in LAB.reached(shown)


def test_the_question_in_focus_comes_before_the_set() -> None:
    state: Any = lab.act(lab.act(LAB.start(), ShowView("ways")), Run())
    assert lab.question(state) is not None
    looked = lab.act(state, ShowView("answer"))
    assert looked.reply is None
    asked = lab.question(looked)
    assert asked is not None
    assert asked.prompt == looked.prompt


def told(text: str, log: float = -0.1) -> Reply:
    return Reply((1, 2), (text.encode(), b""), (log, log), True)


def test_answers_are_judged_by_whether_there_is_a_right_one() -> None:
    answers = {
        Prompt(FEW[0].ask): told("It is Paris."),
        Prompt(FEW[1].ask): told("It was in 1814."),
        Prompt(f"{FEW[1].fact} {FEW[1].ask}"): told("No such treaty is known."),
    }
    state = lab.State(limits=LIMITS, answers=answers)
    plain, fact = (list(lab.judged(state, way)) for way in ("plain", "fact"))
    assert [(each.verdict, each.good) for each in plain] == [("right", True), ("wrong", False)]
    assert [(each.verdict, each.good) for each in fact] == [("declined", True)]
    assert lab.tally(plain, real=True) == {"right": 1}
    assert lab.tally(plain, real=False) == {"wrong": 1}
    (found,) = [each for each in lab.calibration(plain) if each.count]
    assert (found.count, found.right) == (2, 1)
    assert found.certainty == pytest.approx(math.exp(-0.1))


def test_an_answer_about_something_invented_is_right_only_with_its_fact() -> None:
    item = Item(kind="people", real=False, ask="?", accept=("1871",), fact="In 1871.")
    assert item.accepted(with_fact=False) == ()
    assert item.accepted(with_fact=True) == ("1871",)


def test_what_run_does_follows_from_what_is_answered() -> None:
    state = LAB.start()
    state = msgspec.structs.replace(state, at=0)
    assert lab.does(state) == "draw"
    drawing = lab.act(state, Run())
    assert lab.does(drawing) == "stop"
    some = {state.prompt: (written(Reply()), Reply())}
    assert lab.does(msgspec.structs.replace(state, draws=some)) == "draw_rest"
    all_ = {state.prompt: (written(Reply()),)}
    assert lab.does(msgspec.structs.replace(state, draws=all_)) == "redraw"
    state = lab.act(state, ShowView("calibration"))
    assert lab.does(state) == "ask_all"
    running = lab.act(state, Run())
    assert lab.does(running) == "stop"
    assert not lab.act(running, Run()).running
    others: tuple[lab.Action, ...] = (Choose(1, "way"), ShowView("answer"), ShowView("ways"))
    for action in others:
        still = lab.act(running, action)
        assert still.running == ("plain",)
        assert lab.does(still) == "stop"
        assert not lab.act(still, Run()).running
    answers = {Prompt(item.ask): written(Reply()) for item in FEW[:1]}
    assert lab.does(msgspec.structs.replace(state, answers=answers)) == "ask_rest"
    answers = {Prompt(item.ask): written(Reply()) for item in FEW}
    assert lab.does(msgspec.structs.replace(state, answers=answers)) is None
