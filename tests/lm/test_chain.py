"""Test the sampler's steps against their formulas and against the stepper's sampler."""

from __future__ import annotations

import itertools
import math
from collections.abc import Collection, Sequence

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from tutor.lm import chain
from tutor.lm.chain import REMOVED
from tutor.lm.dials import ORDER, Dials, StepName
from tutor.lm.distribution import SamplerSettings
from tutor.lm.sampling import weigh

LOGITS = torch.tensor([2.0, 1.0, 0.5, -0.5, -1.0, -3.0])
FLOATS = st.lists(st.floats(-20, 20, width=32), min_size=1, max_size=30)
DIALS = st.builds(
    Dials,
    temperature=st.floats(0.05, 5),
    top_k=st.integers(0, 40),
    top_p=st.floats(0.01, 1),
    min_p=st.floats(0, 1),
)


def last(
    logits: Tensor, dials: Dials, order: Sequence[StepName], seen: Collection[int] = ()
) -> Tensor:
    """The logits after all steps."""
    after = chain.apply(logits, dials, order, seen)
    torch.testing.assert_close(after, list(chain.stages(logits, dials, order, seen))[-1][1])
    return after


@given(FLOATS, DIALS)
def test_in_the_usual_order_the_result_is_that_of_the_steppers_sampler(
    values: list[float], dials: Dials
) -> None:
    logits = torch.tensor(values)
    left = last(logits, dials, ORDER)
    settings = SamplerSettings(dials.temperature, dials.top_k, dials.top_p, dials.min_p)
    expected = weigh(logits, settings).sampled.double()
    # if a threshold is met exactly, the last bit of a sum decides
    ranked = chain.probabilities(logits / dials.temperature).sort(descending=True).values
    near = (ranked.cumsum(0) - dials.top_p).abs().min() < 1e-6
    ratio = (ranked / ranked.max() - dials.min_p).abs().min() < 1e-6
    if not (near or ratio):
        torch.testing.assert_close(chain.probabilities(left), expected, rtol=1e-4, atol=1e-6)


@given(FLOATS, DIALS, st.permutations(ORDER), st.sets(st.integers(0, 29)))
def test_at_least_one_token_is_kept_in_every_order(
    values: list[float], dials: Dials, order: list[StepName], seen: set[int]
) -> None:
    logits = torch.tensor(values)
    seen = {id_ for id_ in seen if id_ < len(values)}
    stages = [stage for stage, _ in chain.stages(logits, dials, order, seen)]
    left = last(logits, dials, order, seen)
    assert int((left != REMOVED).sum()) == stages[-1].kept >= 1
    for before, after in itertools.pairwise(stages):
        assert after.kept <= before.kept
    assert all(0 <= stage.removed_probability < 1 for stage in stages)


def test_temperature_divides() -> None:
    hot = chain.probabilities(chain.temperature(LOGITS, 2.0))
    expected = [math.exp(z / 2) for z in LOGITS.tolist()]
    assert hot.tolist() == pytest.approx([value / sum(expected) for value in expected])


def test_the_penalty_divides_positive_logits_and_multiplies_the_others() -> None:
    after = chain.repetition_penalty(LOGITS, 2.0, [0, 4, 4])
    assert after.tolist() == [1.0, 1.0, 0.5, -0.5, -2.0, -3.0]


def test_top_k_top_p_and_min_p() -> None:
    p = chain.probabilities(LOGITS).tolist()
    assert (chain.top_k(LOGITS, 2) != REMOVED).tolist() == [True, True, *[False] * 4]
    nucleus = chain.top_p(LOGITS, p[0] + p[1] / 2)
    assert (nucleus != REMOVED).tolist() == [True, True, *[False] * 4]
    ratio = chain.min_p(LOGITS, p[2] / p[0] - 1e-6)
    assert (ratio != REMOVED).tolist() == [True, True, True, *[False] * 3]


def test_the_order_matters() -> None:
    dials = Dials(temperature=3.0, top_p=0.6)
    before = last(LOGITS, dials, ("temperature", "top-p"))
    after = last(LOGITS, dials, ("top-p", "temperature"))
    assert int((before != REMOVED).sum()) > int((after != REMOVED).sum())


def test_a_stage_reports_how_much_probability_was_removed() -> None:
    ((stage, _),) = chain.stages(LOGITS, Dials(top_k=1), ("top-k",), ())
    assert stage.kept == 1
    assert stage.removed_probability == pytest.approx(1 - chain.probabilities(LOGITS)[0].item())
    assert stage.entropy_bits == 0
