"""Test that a session on llama.cpp returns what a session on our own network returns."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.lm.llamacpp.network_library import NetworkLibrary, llama_model
from tests.tiny_model import tiny_model
from tutor.errors import ContextFull, NotWithLlamaCpp, RequestCancelled, TextError
from tutor.lm.distribution import PLAIN, Distribution, SamplerSettings
from tutor.lm.llamacpp.library import BATCH
from tutor.lm.llamacpp.session import LlamaSession
from tutor.lm.session import Session
from tutor.lm.trajectory import trajectory

IDS = [5, 80, 120, 7, 7, 200, 31]
WARM = SamplerSettings(temperature=0.8, top_k=40, top_p=0.9)


def library_and_sessions(ids: list[int]) -> tuple[NetworkLibrary, LlamaSession, Session]:
    library = NetworkLibrary(tiny_model())
    return library, LlamaSession(llama_model(library), ids), Session(tiny_model(), ids)


def require_same(one: Distribution, other: Distribution) -> None:
    assert (one.position, one.vocabulary_size, one.kept) == (
        other.position,
        other.vocabulary_size,
        other.kept,
    )
    assert one.drawn.token == other.drawn.token
    assert one.entropy_bits == pytest.approx(other.entropy_bits, abs=1e-4)
    assert [row.token for row in one.rows] == [row.token for row in other.rows]
    for mine, theirs in zip(one.rows, other.rows, strict=True):
        assert mine.logit == pytest.approx(theirs.logit, abs=1e-4)
        assert mine.sampled_probability == pytest.approx(theirs.sampled_probability, abs=1e-5)


@pytest.mark.parametrize("sampler", [PLAIN, WARM, SamplerSettings(temperature=0)])
def test_every_position_has_the_same_distribution_in_any_order(sampler: SamplerSettings) -> None:
    _, session, ours = library_and_sessions(IDS)
    for position in (7, 3, 7, 1, 5):
        require_same(
            session.distribution(position, sampler, 3, 8),
            ours.distribution(position, sampler, 3, 8),
        )


@settings(max_examples=20, deadline=None)
@given(
    moves=st.lists(
        st.one_of(
            st.tuples(st.just("append"), st.integers(0, 299)),
            st.tuples(st.just("go back"), st.integers(1, 20)),
        ),
        max_size=12,
    )
)
def test_any_editing_leaves_the_same_distribution(moves: list[tuple[str, int]]) -> None:
    _, session, ours = library_and_sessions([9])
    for kind, number in moves:
        if kind == "append":
            session.append([number])
            ours.append([number])
        else:
            session.go_back(min(number, len(session)))
            ours.go_back(min(number, len(ours)))
        require_same(
            session.distribution(len(session), PLAIN, 0, 5),
            ours.distribution(len(ours), PLAIN, 0, 5),
        )
    assert session.tokens == ours.tokens


def test_generation_with_a_seed_draws_the_same_tokens() -> None:
    _, session, ours = library_and_sessions(IDS)
    drawn = [step.chosen.token.id for step in trajectory(session, WARM, 4, 12, 3)]
    assert drawn == [step.chosen.token.id for step in trajectory(ours, WARM, 4, 12, 3)]


def test_surprisals_rows_and_searches_are_the_same() -> None:
    _, session, ours = library_and_sessions(IDS * 12)
    assert session.surprisals()[0] is None
    assert session.surprisals()[1:] == pytest.approx(ours.surprisals()[1:], abs=1e-4)
    session.go_back(40)
    session.append([1, 2, 3])
    ours.go_back(40)
    ours.append([1, 2, 3])
    assert session.surprisals(38) == pytest.approx(ours.surprisals(38), abs=1e-4)
    found, wanted = session.find(4, PLAIN, "w", 5), ours.find(4, PLAIN, "w", 5)
    assert [row.token for row in found] == [row.token for row in wanted]
    assert [row.rank for row in session.rows(4, WARM, (9, 4))] == [
        row.rank for row in ours.rows(4, WARM, (9, 4))
    ]


def test_a_step_processes_one_token_and_going_back_none() -> None:
    library, session, _ = library_and_sessions(IDS)
    session.distribution(7, PLAIN, 0, 1)
    library.batches.clear()
    session.append([9])
    session.distribution(8, PLAIN, 0, 1)
    session.distribution(7, PLAIN, 0, 1)
    assert library.batches == [1]


def test_sessions_share_the_tokens_that_both_begin_with() -> None:
    library, session, ours = library_and_sessions(IDS)
    session.distribution(7, PLAIN, 0, 1)
    fork = session.fork(5)
    fork.append([11])
    library.batches.clear()
    found = fork.distribution(6, PLAIN, 0, 5)
    assert library.batches == [1]
    branch = ours.fork(5)
    branch.append([11])
    require_same(found, branch.distribution(6, PLAIN, 0, 5))
    assert len(session) == 7


def test_a_recurrent_model_starts_again_when_it_cannot_forget() -> None:
    library = NetworkLibrary(tiny_model(), recurrent=True)
    session, ours = LlamaSession(llama_model(library), IDS), Session(tiny_model(), IDS)
    for position in (7, 3, 6):
        require_same(
            session.distribution(position, PLAIN, 0, 5), ours.distribution(position, PLAIN, 0, 5)
        )
    assert sum(library.batches) == 7 + 3 + 3  # from 3 to 6, nothing has to be forgotten


def cancelled_after(calls: int) -> Callable[[], None]:
    left = [calls]

    def check() -> None:
        left[0] -= 1
        if left[0] < 0:
            raise RequestCancelled("Cancelled.")

    return check


def test_a_long_text_can_be_cancelled_between_two_batches() -> None:
    library = NetworkLibrary(tiny_model())
    model = llama_model(library)
    session = LlamaSession(model, IDS * 50, check_cancelled=cancelled_after(2))
    with pytest.raises(RequestCancelled):
        session.distribution(350, PLAIN, 0, 1)
    assert library.batches == [BATCH, BATCH]
    again = LlamaSession(model, IDS * 50)
    ours = Session(tiny_model(), IDS * 50)
    require_same(again.distribution(350, PLAIN, 0, 5), ours.distribution(350, PLAIN, 0, 5))
    assert sum(library.batches) == 350  # what was processed before is kept


def test_the_context_limits_the_text() -> None:
    _, session, _ = library_and_sessions([5] * 400)
    with pytest.raises(ContextFull, match="at most 400 tokens"):
        session.append([5])
    assert len(session) == 400
    with pytest.raises(ContextFull, match="at most 6 tokens"):
        LlamaSession(session.model, IDS, longest=6)


@pytest.mark.parametrize("id_", [-1, 300])
def test_an_unknown_token_is_refused(id_: int) -> None:
    _, session, _ = library_and_sessions(IDS)
    with pytest.raises(TextError, match="not in the vocabulary"):
        session.append([id_])
    with pytest.raises(TextError, match="not in the vocabulary"):
        session.rows(1, PLAIN, (id_,))
    with pytest.raises(TextError, match="is empty"):
        LlamaSession(session.model, [])


@pytest.mark.parametrize(
    "look",
    [
        lambda session: session.xray(1, 0),
        lambda session: session.attribution(1),
        lambda session: session.sources(1, 0, None),
        lambda session: session.occlusion(1, (0,)),
    ],
)
def test_nothing_looks_inside(look: Callable[[LlamaSession], object]) -> None:
    _, session, _ = library_and_sessions(IDS)
    with pytest.raises(NotWithLlamaCpp, match=r"llama\.cpp runs this model"):
        look(session)
