"""Test the sampler workbench against the sampler of the stepper."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.labs.lab_backend import backend, done, small_model
from tutor.errors import TextError
from tutor.labs.kit.actions import Adjust, EditText, MoveFocus, Reset
from tutor.labs.sampler import lab as sampler
from tutor.labs.sampler.lab import LADDERS, Question, Reorder
from tutor.lm.chat import text_ids
from tutor.lm.dials import ORDER, Dials, value
from tutor.lm.distribution import PLAIN, SamplerSettings
from tutor.lm.session import Session

TEXT = "The capital of France is"


def session() -> Session:
    return Session(small_model(), text_ids(small_model(), TEXT))


def test_with_all_steps_off_it_shows_the_models_own_distribution(tmp_path: Path) -> None:
    answer = backend("sampler", tmp_path).answer(Question(TEXT, Dials(), ORDER))
    there = session()
    found = there.distribution(len(there), PLAIN, seed=0, top=10)
    assert [row.id for row in answer.rows[:10]] == [row.token.id for row in found.rows]
    for ours, theirs in zip(answer.rows, found.rows, strict=False):
        assert ours.before == ours.after == pytest.approx(theirs.probability, rel=1e-5)
    assert answer.entropy_bits == pytest.approx(found.entropy_bits, rel=1e-5)
    assert all(stage.kept == answer.vocabulary for stage in answer.stages)


def test_in_the_usual_order_it_matches_the_stepper(tmp_path: Path) -> None:
    dials = Dials(temperature=1.5, top_k=20, top_p=0.8, min_p=0.05)
    answer = backend("sampler", tmp_path).answer(Question(TEXT, dials, ORDER))
    there = session()
    settings = SamplerSettings(1.5, 20, 0.8, 0.05)
    found = there.distribution(len(there), settings, seed=0, top=30)
    assert answer.stages[-1].kept == found.kept
    assert answer.stages[-1].entropy_bits == pytest.approx(found.sampled_entropy_bits, rel=1e-4)
    for ours, theirs in zip(answer.rows, found.rows, strict=False):
        assert ours.removed_by == theirs.cut
        assert ours.after == pytest.approx(theirs.sampled_probability, rel=1e-4, abs=1e-9)


def test_the_repetition_penalty_lowers_tokens_of_the_text(tmp_path: Path) -> None:
    there = backend("sampler", tmp_path)
    seen = set(text_ids(small_model(), TEXT))
    plain = there.answer(Question(TEXT, Dials(), ORDER))
    penalized = there.answer(Question(TEXT, Dials(repetition=5.0), ORDER))
    had = [place for place, row in enumerate(plain.rows) if row.id in seen]
    assert had
    for place in had:
        assert penalized.rows[place].after < plain.rows[place].after


@given(
    st.lists(
        st.sampled_from(
            [
                MoveFocus(1, "step"),
                MoveFocus(-1, "step"),
                Adjust(1, "step"),
                Adjust(-1, "step"),
                Reorder(1),
                Reorder(-1),
            ]
        )
    )
)
def test_settings_stay_in_range_and_no_step_is_lost(actions: list[sampler.Action]) -> None:
    state = sampler.start()
    for action in actions:
        state = sampler.act(state, action)
        assert sorted(state.order) == sorted(ORDER)
        assert 0 <= state.focus < len(ORDER)
        for name in ORDER:
            assert value(state.dials, name) in LADDERS[name]
    assert sampler.act(state, Reset()).dials == Dials()


def test_the_mark_follows_a_step_that_is_moved() -> None:
    state = sampler.act(sampler.start(), Reorder(2))
    assert (state.order.index("repetition"), state.focus) == (2, 2)


def test_only_the_end_of_a_long_text_is_used() -> None:
    state = sampler.act(sampler.start(), EditText("x" * sampler.LONGEST + "yz"))
    assert state.text.endswith("yz")
    assert (len(state.text), state.left_out) == (sampler.LONGEST, 2)


def test_without_a_text_nothing_is_asked(tmp_path: Path) -> None:
    assert done("sampler", backend("sampler", tmp_path), EditText("")).answer is not None
    with pytest.raises(TextError):
        backend("sampler", tmp_path).answer(Question("", Dials(), ORDER))


def test_top_k_of_one_leaves_the_most_probable_token(tmp_path: Path) -> None:
    answer = backend("sampler", tmp_path).answer(Question(TEXT, Dials(top_k=1), ORDER))
    assert answer.first_after.after == 1
    assert answer.stages[2].removed_probability == pytest.approx(1 - answer.rows[0].before)
    assert math.isclose(answer.stages[-1].entropy_bits, 0, abs_tol=1e-9)
