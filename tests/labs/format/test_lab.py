"""Test that answers match their format, and that their surprisal is the model's own."""

from __future__ import annotations

import math
import re
from functools import partial
from pathlib import Path as Folder
from typing import Any

import msgspec
import pytest

from tests.labs.lab_backend import backend, done, settled, small_model
from tutor import paths
from tutor.errors import LabError
from tutor.labs.format import lab
from tutor.labs.format.lab import EXAMPLES, Rule, SetRule, TakeToken, UndoToken
from tutor.labs.kit.actions import Choose, EditText, Run
from tutor.lm.chat import chat_ids
from tutor.lm.distribution import ChatMessage
from tutor.lm.language_model import LanguageModel
from tutor.lm.session import Session

DIGITS = SetRule(Rule("pattern", r"\d{4}"))
MESSAGE = "What is the capital of France?"


LAB = msgspec.structs.replace(lab.LAB, start=partial(lab.start, lab.Limits(free=8)))


def session() -> Session:
    return Session(small_model(), chat_ids(small_model(), [ChatMessage("user", MESSAGE)]))


def test_a_pattern_of_four_digits_gives_four_digits_for_any_message(tmp_path: Folder) -> None:
    state = done(LAB, backend("format", tmp_path), EditText(MESSAGE), DIGITS, Run())
    assert state.finished
    assert re.fullmatch(rb"\d{4}", state.text)
    assert state.written[-1].end


def test_removed_probability_and_surprisal_are_those_of_the_model(tmp_path: Folder) -> None:
    state = done(LAB, backend("format", tmp_path), EditText(MESSAGE), DIGITS, Run())
    digits = {
        id_
        for id_ in range(small_model().tokenizer.vocabulary_size)
        if re.fullmatch(rb"\d", small_model().tokenizer.token(id_).data)
    }
    path = session()
    for at, row in enumerate(state.written):
        shares = path.logits(len(path)).double().softmax(dim=-1)
        left = digits if at < 4 else set(small_model().tokenizer.end_ids)
        assert row.id == max(left, key=lambda id_: float(shares[id_]))
        assert state.removed[at] == pytest.approx(
            1 - sum(float(shares[id_]) for id_ in left), abs=1e-5
        )
        assert math.exp(row.log) == pytest.approx(float(shares[row.id]), rel=1e-3)
        kept = sum(float(shares[id_]) for id_ in left)
        assert row.after == pytest.approx(float(shares[row.id]) / kept, rel=1e-3)
        path.append([row.id])
    bits = path.surprisals(len(path) - len(state.written))
    assert sum(each or 0.0 for each in bits) * math.log(2) == pytest.approx(
        -state.log_probability, rel=1e-3
    )


@pytest.mark.slow
def test_lesson_8_shows_what_the_mask_removes(exact_model: LanguageModel, tmp_path: Folder) -> None:
    there = backend("format", tmp_path, exact_model)
    place = there.answer(lab.Look(lab.start().message, DIGITS.rule, ()))
    lesson = next(paths.lessons_folder().glob("08-*.md")).read_text("utf-8")
    screen = lesson[lesson.index("{#form}") : lesson.index("id: form-by-force")]
    assert f"took {100 * place.removed:.1f} % away" in screen
    for row in (*place.rows[:2], place.kept[0]):
        after = f"{100 * row.after:.1f} %" if row.after else "×"
        (line,) = (line for line in screen.splitlines() if line[4:].startswith(row.data.decode()))
        assert line.split()[2:5] == [f"{100 * row.before:.1f}", "%", after.split()[0]]


def test_the_free_answer_is_greedy(tmp_path: Folder) -> None:
    state = done(LAB, backend("format", tmp_path), EditText(MESSAGE))
    path = session()
    for id_ in state.free.ids:
        assert id_ == int(path.logits(len(path)).argmax())
        path.append([id_])
    assert state.free.text == "The capital of France is Paris."


def test_a_row_tells_whether_the_mask_allows_it(tmp_path: Folder) -> None:
    state = done(LAB, backend("format", tmp_path), EditText(MESSAGE), DIGITS)
    place = state.place
    assert (place.allowed, place.whole) == (10, False)
    assert [row.rank for row in place.rows] == list(range(1, lab.SHOWN + 1))
    assert all((row.after > 0) == bool(re.fullmatch(rb"\d", row.data)) for row in place.rows)
    assert sum(row.after for row in place.kept) == pytest.approx(1)
    assert [row.before for row in place.kept] == sorted(
        (row.before for row in place.kept), reverse=True
    )


def test_tokens_are_taken_and_undone(tmp_path: Folder) -> None:
    there = backend("format", tmp_path)
    state = done(LAB, there, EditText(MESSAGE), DIGITS, TakeToken(), TakeToken())
    assert len(state.written) == 2
    back = lab.act(state, UndoToken())
    assert back.written == state.written[:1]
    assert lab.question(back) is None  # The answer is already known.
    assert settled(lab.LAB, lab.act(back, TakeToken()), there).written == state.written
    assert lab.act(lab.start(), UndoToken()).written == ()


def test_a_run_can_be_stopped() -> None:
    state: Any = lab.act(lab.start(), Run())
    assert state.owed == lab.LIMITS.length
    assert lab.act(state, Run()).owed == 0


def test_the_answer_is_one_of_the_choices(tmp_path: Folder) -> None:
    rule = Rule("choices", "Paris | a city in France | Oslo")
    state = done(LAB, backend("format", tmp_path), EditText(MESSAGE), SetRule(rule), Run())
    assert state.text.decode() in rule.choices


def test_a_format_without_a_fitting_token_stops_the_answer() -> None:
    empty = lab.Place((), (), 0, 10, 1.0, False)
    state = lab.State(message="x", places={(): empty}, owed=3)
    assert state.stuck
    assert lab.act(state, TakeToken()).owed == 0


def test_invalid_formats_and_messages_are_refused() -> None:
    with pytest.raises(LabError):
        lab.act(lab.start(), SetRule(Rule("pattern", "(a")))
    with pytest.raises(LabError):
        lab.act(lab.start(), SetRule(Rule("choices", " | ")))
    with pytest.raises(LabError):
        lab.act(lab.start(), SetRule(Rule("choices", "|".join(map(str, range(99))))))
    with pytest.raises(LabError):
        lab.act(lab.start(), EditText("  "))


def test_every_example_is_valid_and_they_wrap_around() -> None:
    state = lab.start()
    for rule in EXAMPLES:
        assert state.rule == rule
        lab.made(rule)
        state = lab.act(state, Choose(1, "example"))
    assert state.rule == EXAMPLES[0]
    own = lab.act(state, SetRule(Rule("pattern", "a")))
    assert lab.act(own, Choose(1, "example")).rule == EXAMPLES[0]
