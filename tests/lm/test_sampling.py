"""Test the sampler: steps in the documented order, and draws that follow the distribution."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tutor.errors import ModelDamaged, SamplerError
from tutor.lm import sampling
from tutor.lm.distribution import PLAIN, Distribution, Row, SamplerSettings, Token


def token_of(id_: int) -> Token:
    return Token(id_, f"t{id_}", f"t{id_}".encode())


def answer(logits: torch.Tensor, settings: SamplerSettings, top: int | None = None) -> Distribution:
    top = len(logits) if top is None else top
    return sampling.distribution(logits, settings, position=3, seed=7, top=top, token_of=token_of)


# few different values, so that ties are common
logits_of_some_length = st.lists(
    st.integers(-30, 30).map(lambda n: n / 3), min_size=1, max_size=300
).map(torch.tensor)
any_settings = st.builds(
    SamplerSettings,
    temperature=st.sampled_from([0.0, 1e-300, 1e-3, 0.3, 1.0, 1.7, 100.0]),
    top_k=st.sampled_from([0, 1, 2, 5, 40, 10_000]),
    top_p=st.floats(min_value=1e-6, max_value=1.0),
    min_p=st.floats(min_value=0.0, max_value=1.0),
)


@given(logits_of_some_length, any_settings)
def test_probabilities_sum_to_one_before_and_after_the_sampler(
    logits: torch.Tensor, settings: SamplerSettings
) -> None:
    rows = answer(logits, settings).rows
    assert sum(row.probability for row in rows) == pytest.approx(1, abs=1e-6)
    assert sum(row.sampled_probability for row in rows) == pytest.approx(1, abs=1e-6)


@given(logits_of_some_length, any_settings)
def test_rows_are_ranked_by_logit_then_id(logits: torch.Tensor, settings: SamplerSettings) -> None:
    rows = answer(logits, settings).rows
    expected = sorted(range(len(logits)), key=lambda id_: (-float(logits[id_]), id_))
    assert [row.token.id for row in rows] == expected
    assert [row.rank for row in rows] == list(range(1, len(rows) + 1))
    assert [sampling.rank(logits, id_) for id_ in expected] == [row.rank for row in rows]


@given(logits_of_some_length, any_settings)
def test_the_tokens_kept_are_the_top_of_the_ranking(
    logits: torch.Tensor, settings: SamplerSettings
) -> None:
    found = answer(logits, settings)
    assert [row.cut is None for row in found.rows] == [row.rank <= found.kept for row in found.rows]
    assert all(row.sampled_probability == 0 for row in found.rows if row.cut)
    assert found.drawn.cut is None
    assert found.drawn.sampled_probability > 0


@given(logits_of_some_length, any_settings)
def test_fewer_rows_are_the_top_rows(logits: torch.Tensor, settings: SamplerSettings) -> None:
    all_rows, few = answer(logits, settings), answer(logits, settings, top=4)
    assert few.rows == all_rows.rows[:4]
    assert few.drawn == all_rows.drawn == all_rows.rows[all_rows.drawn.rank - 1]


@given(logits_of_some_length, any_settings)
def test_steps_agree_with_a_slow_implementation_of_their_definitions(
    logits: torch.Tensor, settings: SamplerSettings
) -> None:
    if settings.temperature < 1e-2:
        return
    by_rank = sorted(((-float(x), i) for i, x in enumerate(logits)))
    weights = [math.exp((-x + by_rank[0][0]) / settings.temperature) for x, _ in by_rank]
    left = weights[: settings.top_k or None]
    total, mass, kept = sum(left), 0.0, 0
    while kept < len(left) and (kept == 0 or mass / total < settings.top_p - 1e-6):
        mass += left[kept]
        kept += 1
    at_most = min(len(left), kept + sum(1 for w in left if w == left[kept - 1]))
    slack = 1e-6
    sure = sum(1 for w in left[:kept] if w >= settings.min_p + slack)
    possible = sum(1 for w in left[:at_most] if w >= settings.min_p - slack)
    assert min(sure, kept) <= answer(logits, settings, top=1).kept <= max(possible, 1)


@given(logits_of_some_length, st.integers())
def test_greedy_takes_the_most_probable_token_and_the_lowest_id_in_a_tie(
    logits: torch.Tensor, seed: int
) -> None:
    found = sampling.distribution(
        logits, SamplerSettings(temperature=0), position=0, seed=seed, top=1, token_of=token_of
    )
    best = float(logits.max())
    assert found.drawn.token.id == logits.tolist().index(best)
    assert found.drawn.sampled_probability == 1
    assert found.kept == 1
    assert found.sampled_entropy_bits == 0


@pytest.mark.parametrize("tighter", [{"top_k": 3}, {"top_p": 0.5}, {"min_p": 0.2}])
def test_a_tighter_setting_never_keeps_more(tighter: dict[str, float]) -> None:
    logits = torch.randn(2000, generator=torch.Generator().manual_seed(1)) * 2
    loose = SamplerSettings(temperature=0.9, top_k=50, top_p=0.95, min_p=0.01)
    settings = {name: getattr(loose, name) for name in loose.__struct_fields__} | tighter
    assert answer(logits, SamplerSettings(**settings)).kept < answer(logits, loose).kept


def test_each_row_names_the_step_that_removed_it() -> None:
    logits = torch.log(torch.tensor([0.4, 0.3, 0.15, 0.1, 0.05]))
    rows = answer(logits, SamplerSettings(top_k=4, top_p=0.8, min_p=0.5)).rows
    # after top-k, the first three have .85 of .95 (.89); .15 is less than half of .4
    assert [row.cut for row in rows] == [None, None, "min-p", "top-p", "top-k"]
    assert [row.sampled_probability for row in rows[:2]] == pytest.approx([4 / 7, 3 / 7])


def test_tokens_that_reach_top_p_exactly_are_enough() -> None:
    logits = torch.tensor([1.0, 0.0, 0.0])
    assert sampling.nucleus(logits, torch.tensor([0.5, 0.25, 0.25]), 3, 0.5) == 1


def test_top_p_can_keep_thousands_of_tokens() -> None:
    flat = torch.zeros(5000)
    assert answer(flat, SamplerSettings(top_p=0.9), top=1).kept == pytest.approx(4500, abs=1)


def test_temperature_divides_logits() -> None:
    logits = torch.tensor([2.0, 1.0, 0.0])
    rows = answer(logits, SamplerSettings(temperature=2)).rows
    assert [row.sampled_probability for row in rows] == pytest.approx(
        torch.softmax(logits / 2, 0).tolist()
    )
    assert [row.probability for row in rows] == pytest.approx(torch.softmax(logits, 0).tolist())


def test_min_p_is_applied_after_temperature() -> None:
    """A ratio of e^(-1/2) is enough and e^(-2/2) is not; e^-1 without temperature is not either."""
    found = answer(torch.tensor([0.0, -1.0, -2.0]), SamplerSettings(temperature=2.0, min_p=0.5))
    assert found.kept == 2


def test_tokens_are_drawn_from_the_distribution_after_the_settings() -> None:
    logits = torch.log(torch.tensor([0.5, 0.25, 0.125, 0.125]))
    settings = SamplerSettings(temperature=0.5, top_k=2)  # leaves 4/5 and 1/5
    draws = 4000
    counts = Counter(
        sampling.distribution(
            logits, settings, position=n, seed=11, top=0, token_of=token_of
        ).drawn.token.id
        for n in range(draws)
    )
    assert set(counts) == {0, 1}
    chi_square = sum((counts[i] - draws * p) ** 2 / (draws * p) for i, p in ((0, 0.8), (1, 0.2)))
    assert chi_square < 10.83  # 0.999 quantile for 1 degree of freedom


@pytest.mark.parametrize("scale", [0.01, 1.0, 3.0])
def test_the_probabilities_of_a_whole_vocabulary_sum_to_one(scale: float) -> None:
    logits = torch.randn(49_152, generator=torch.Generator().manual_seed(1)) * scale
    logits[0] = 12.0
    weights = sampling.weigh(logits, SamplerSettings(temperature=0.9))
    for probabilities in (weights.probabilities, weights.sampled):
        assert math.fsum(probabilities.tolist()) == pytest.approx(1, abs=1e-7)


def test_the_entropy_of_eight_equal_tokens_is_three_bits() -> None:
    assert answer(torch.zeros(8), PLAIN).entropy_bits == pytest.approx(3)
    assert answer(torch.tensor([0.0, -math.inf]), PLAIN).entropy_bits == 0


def test_surprisal_of_a_row() -> None:
    row = Row(1, token_of(0), 0.25, 0.0, 0.25)
    assert row.surprisal_bits == 2


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_logits_that_are_not_finite_are_an_error(bad: float) -> None:
    with pytest.raises(ModelDamaged, match="NaN"):
        answer(torch.tensor([0.0, bad]), PLAIN)


@pytest.mark.parametrize(
    "bad",
    [
        {"temperature": math.nan},
        {"temperature": -0.1},
        {"temperature": math.inf},
        {"top_k": -1},
        {"top_p": math.nan},
        {"top_p": 0.0},
        {"top_p": 1.1},
        {"min_p": math.nan},
        {"min_p": -0.1},
    ],
)
def test_settings_out_of_range_are_an_error(bad: dict[str, Any]) -> None:
    with pytest.raises(SamplerError):
        SamplerSettings(**bad)


@given(
    st.integers(1, 12).map(lambda blocks: 256 * blocks),
    st.integers(0, 2**31),
    st.integers(1, 40),
    st.integers(0, 20),
)
def test_a_ranking_is_the_beginning_of_a_stable_sort(
    size: int, seed: int, values: int, count: int
) -> None:
    random = torch.Generator().manual_seed(seed)
    scores = torch.randint(0, values, (size,), generator=random).float()  # with many ties
    wanted = torch.sort(scores, descending=True, stable=True).indices[:count]
    assert sampling.ranked(scores, count).tolist() == wanted.tolist()
