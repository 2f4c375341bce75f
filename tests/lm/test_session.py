"""Test a session: its results, and how many tokens the network processes for them."""

from __future__ import annotations

import math
import random
from typing import Any

import pytest
import torch

from tests.tiny_model import CONFIG, tiny_model
from tutor.errors import ContextFull, RequestCancelled, TextError
from tutor.lm import session as session_module
from tutor.lm.distribution import PLAIN, Distribution, SamplerSettings
from tutor.lm.session import Session
from tutor.lm.trajectory import trajectory


@pytest.fixture
def model() -> Any:
    return tiny_model()


def cost(model: Any, action: Any) -> int:
    """Return how many tokens the network processes while `action` runs."""
    before: int = model.network.tokens_read
    action()
    return int(model.network.tokens_read - before)


def ask(session: Session, position: int | None = None) -> Distribution:
    where = len(session) if position is None else position
    return session.distribution(where, PLAIN, seed=0, top=5)


def test_each_token_is_processed_once(model: Any) -> None:
    session = Session(model, range(20))
    assert cost(model, lambda: ask(session)) == 20
    assert cost(model, lambda: ask(session)) == 0


def test_no_token_is_processed_before_it_is_needed(model: Any) -> None:
    session = Session(model, range(20))
    assert cost(model, lambda: session.append([1, 2])) == 0
    assert cost(model, lambda: ask(session, 3)) == 3


def test_adding_a_token_processes_one_token(model: Any) -> None:
    session = Session(model, range(10))
    ask(session)
    for id_ in (50, 60, 70):
        session.append([id_])
        assert cost(model, lambda: ask(session)) == 1


def test_going_back_and_forward_again_processes_no_token(model: Any) -> None:
    session = Session(model, range(20))
    at_end = ask(session)
    session.go_back(5)
    assert cost(model, lambda: ask(session)) == 0
    session.append(range(5, 20))
    assert cost(model, lambda: ask(session)) == 0
    assert ask(session) == at_end


def test_another_token_at_step_12_recomputes_only_from_there(model: Any) -> None:
    session = Session(model, range(30))
    ask(session)
    session.go_back(12)
    session.append([99, 13, 14, 15])
    assert cost(model, lambda: ask(session)) == 4


def test_a_fork_shares_results_and_leaves_the_other_session_unchanged(model: Any) -> None:
    session = Session(model, range(30))
    at_end = ask(session)
    other = session.fork(12)
    assert cost(model, lambda: ask(other)) == 0
    other.append([99])
    assert cost(model, lambda: ask(other)) == 1
    assert session.ids == tuple(range(30))
    assert cost(model, lambda: ask(session)) == 0
    assert ask(session) == at_end


def test_replacing_the_path_keeps_the_common_beginning(model: Any) -> None:
    session = Session(model, range(30))
    ask(session)
    session.replace([*range(25), 7, 8])
    assert session.ids == (*range(25), 7, 8)
    assert cost(model, lambda: ask(session)) == 2


def test_an_invalid_path_leaves_the_old_one(model: Any) -> None:
    session = Session(model, range(30))
    ask(session)
    for ids, error in (([], TextError), ([0, 1, 5000], TextError), ([0] * 401, ContextFull)):
        with pytest.raises(error):
            session.replace(ids)
    assert session.ids == tuple(range(30))
    assert cost(model, lambda: ask(session)) == 0


def test_dropping_results_changes_no_answer(model: Any) -> None:
    session = Session(model, range(30))
    before, size = ask(session), session.cache_bytes
    session.drop_computed()
    assert session.cache_bytes < size
    assert cost(model, lambda: ask(session)) == 30
    assert_close(ask(session), before)


def test_any_sequence_of_moves_gives_the_results_of_a_fresh_session(model: Any) -> None:
    chance = random.Random(3)
    session = Session(model, [1, 2, 3])
    for _ in range(60):
        move = chance.randrange(4)
        if move == 0 and len(session) > 1:
            session.go_back(chance.randint(1, len(session)))
        elif move == 1:
            session = session.fork(chance.randint(1, len(session)))
        elif move == 2:
            session.surprisals(0)
        else:
            session.append([chance.randrange(20) for _ in range(chance.randint(1, 4))])
        position = chance.randint(1, len(session))
        fresh = Session(tiny_model(), session.ids)
        assert_close(ask(session, position), ask(fresh, position))
        assert session.surprisals(0)[1:] == pytest.approx(fresh.surprisals(0)[1:], abs=1e-3)


def test_the_same_seed_and_choices_give_the_same_text(model: Any) -> None:
    def run(seed: int) -> list[int]:
        session = Session(model, [5, 6, 7])
        return [s.chosen.token.id for s in trajectory(session, PLAIN, seed, steps=12, top=3)]

    assert run(1) == run(1)
    assert run(1) != run(2)

    session = Session(model, [5, 6, 7])
    first = [s.chosen.token.id for s in trajectory(session, PLAIN, 1, steps=8, top=3)]
    session.go_back(6)
    again = [s.chosen.token.id for s in trajectory(session, PLAIN, 1, steps=5, top=3)]
    assert first[:3] + again == first


def test_a_trajectory_stops_after_an_end_token(model: Any) -> None:
    session = Session(model, [5])
    (end,) = {2} & set(model.tokenizer.end_ids)
    with torch.no_grad():
        # a network that predicts only the end token: all final vectors are the same
        model.network.norm.weight.zero_()
    model.network.logits = lambda hidden: (
        torch.eye(CONFIG.vocabulary_size)[[end] * len(hidden)] * 50
    )
    steps = list(trajectory(session, PLAIN, 0, steps=10, top=1))
    assert [step.chosen.token.id for step in steps] == [end]
    assert session.ended


def test_a_long_text_is_processed_in_chunks_and_can_be_canceled_between_them(model: Any) -> None:
    calls = 0

    def cancel_at_third_chunk() -> None:
        nonlocal calls
        calls += 1
        if calls == 3:
            raise RequestCancelled("")

    session = Session(model, [4] * 390, check_cancelled=cancel_at_third_chunk)
    with pytest.raises(RequestCancelled):
        ask(session)
    assert model.network.tokens_read == 2 * session_module.CHUNK
    assert cost(model, lambda: ask(session)) == 390 - 2 * session_module.CHUNK


def test_surprisals_agree_with_the_distributions(model: Any) -> None:
    session = Session(model, [5, 9, 200, 9, 5] * 9)
    bits = session.surprisals()
    assert bits[0] is None
    for position in range(1, len(session)):
        row = session.rows(position, PLAIN, [session.ids[position]])[0]
        assert bits[position] == pytest.approx(row.surprisal_bits, abs=1e-3)
    assert session.surprisals(40) == bits[40:]
    assert cost(model, session.surprisals) == 0


def test_rows_of_any_token(model: Any) -> None:
    session = Session(model, [1, 2, 3])
    everything = session.distribution(3, PLAIN, seed=0, top=CONFIG.vocabulary_size)
    ids = [row.token.id for row in everything.rows]
    assert session.rows(3, PLAIN, ids) == everything.rows
    greedy = session.rows(3, SamplerSettings(temperature=0), ids[:2])
    assert [row.cut for row in greedy] == [None, "greedy"]


def test_find_returns_exact_matches_first_and_then_the_most_probable(model: Any) -> None:
    session = Session(model, [1, 2, 3])
    found = session.find(3, PLAIN, "w", limit=10)
    assert found[0].token.text == "w" or found[0].token.text == " w"
    assert {row.token.text for row in found[:2]} == {"w", " w"}
    others = found[2:]
    assert {"W", " wo"} <= {row.token.text for row in others}
    assert [row.rank for row in others] == sorted(row.rank for row in others)
    assert len(session.find(3, PLAIN, "e", limit=1)) == 1


@pytest.mark.parametrize("query", ["", "no token is like this"])
def test_a_search_that_finds_nothing_is_an_error(model: Any, query: str) -> None:
    with pytest.raises(TextError):
        Session(model, [1]).find(1, PLAIN, query, limit=5)


def test_a_text_longer_than_the_context_is_an_error_and_changes_nothing(model: Any) -> None:
    with pytest.raises(ContextFull, match="at most 400 tokens"):
        Session(model, [0] * 401)
    session = Session(model, [0] * 399)
    session.append([1])
    with pytest.raises(ContextFull):
        session.append([1])
    assert len(session) == 400
    assert ask(session).position == 400


@pytest.mark.parametrize("position", [0, -1, 4])
def test_positions_outside_the_text_are_errors(model: Any, position: int) -> None:
    session = Session(model, [1, 2, 3])
    with pytest.raises(TextError):
        ask(session, position)
    with pytest.raises(TextError):
        session.fork(position)
    with pytest.raises(TextError):
        session.go_back(position)


def test_ids_outside_the_vocabulary_are_errors(model: Any) -> None:
    with pytest.raises(TextError):
        Session(model, [300])
    session = Session(model, [1])
    with pytest.raises(TextError):
        session.append([1, -1])
    assert session.ids == (1,)
    with pytest.raises(TextError):
        session.rows(1, PLAIN, [300])


def test_an_empty_path_is_an_error(model: Any) -> None:
    with pytest.raises(TextError, match="empty"):
        Session(model, [])


def assert_close(one: Distribution, other: Distribution) -> None:
    """Assert equality up to rounding: a chunk of tokens is summed in another order."""
    assert [row.token for row in one.rows] == [row.token for row in other.rows]
    assert one.drawn.token == other.drawn.token
    assert one.entropy_bits == pytest.approx(other.entropy_bits, abs=1e-3)
    for a, b in zip(one.rows, other.rows, strict=True):
        assert math.isclose(a.logit, b.logit, abs_tol=1e-3)
