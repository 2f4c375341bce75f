"""Test the comparison of two distributions, against PyTorch's divergence and by its properties."""

from __future__ import annotations

import math
from functools import partial
from itertools import pairwise

import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.tiny_model import CONFIG, byte_fields, tiny_model
from tutor.errors import ModelError
from tutor.lm import sampling
from tutor.lm.comparison import Order, PositionPair, aligned
from tutor.lm.distribution import PLAIN, SamplerSettings
from tutor.lm.divergence import (
    Side,
    along,
    compare,
    divergence,
    log_probabilities,
    require_same_vocabulary,
)
from tutor.lm.inspect.interventions import switched_off
from tutor.lm.session import Session
from tutor.lm.tokenizer import Tokenizer

# few different values, so that ties are common
numbers = st.integers(-30, 30).map(lambda n: n / 3)
logits = st.lists(numbers, min_size=1, max_size=60).map(torch.tensor)
two_logits = st.integers(1, 60).flatmap(
    lambda n: st.tuples(*[st.lists(numbers, min_size=n, max_size=n).map(torch.tensor)] * 2)
)
settings = st.builds(
    SamplerSettings,
    temperature=st.sampled_from([0.0, 1e-300, 0.3, 1.0, 1.7, 100.0]),
    top_k=st.sampled_from([0, 1, 5]),
    top_p=st.floats(min_value=1e-6, max_value=1.0),
    min_p=st.floats(min_value=0.0, max_value=1.0),
)
some_ids = st.lists(st.integers(0, 3), min_size=1, max_size=12).map(tuple)


@given(logits, settings)
def test_log_probabilities_are_those_of_the_sampler(
    scores: torch.Tensor, chosen: SamplerSettings
) -> None:
    found = log_probabilities(scores, chosen).exp().float()
    assert torch.allclose(found, sampling.weigh(scores, chosen).sampled, atol=1e-6)


@given(two_logits)
def test_the_divergence_is_that_of_pytorch(both: tuple[torch.Tensor, torch.Tensor]) -> None:
    a, b = (log_probabilities(each, PLAIN) for each in both)
    expected = torch.nn.functional.kl_div(b, a, log_target=True, reduction="sum") / math.log(2)
    found = divergence(a, b)
    assert found == pytest.approx(float(expected), abs=1e-9)
    assert found >= -1e-9
    assert divergence(a, a) == 0


def test_the_divergence_is_infinite_if_b_never_chooses_a_token_of_a() -> None:
    scores = torch.tensor([2.0, 1.0, 0.0])
    whole = log_probabilities(scores, PLAIN)
    greedy = log_probabilities(scores, SamplerSettings(temperature=0))
    assert divergence(whole, greedy) == math.inf
    surprisal = -float(whole[0]) / math.log(2)
    assert divergence(greedy, whole) == pytest.approx(surprisal)


@given(some_ids, some_ids)
def test_places_go_to_the_end_of_both_texts(a: tuple[int, ...], b: tuple[int, ...]) -> None:
    places = aligned(a, b)
    assert places[-1] == PositionPair(len(a), len(b))
    for before, after in pairwise(places):
        assert (after.a - before.a, after.b - before.b) == (1, 1)
    if len(a) == len(b):
        assert places[0] == PositionPair(1, 1)
    else:
        assert len(places) == 1 or all(a[each.a - 1] == b[each.b - 1] for each in places)


@given(some_ids, some_ids, some_ids)
def test_the_common_ending_is_compared(
    a: tuple[int, ...], b: tuple[int, ...], ending: tuple[int, ...]
) -> None:
    assume(len(a) != len(b))
    assert len(aligned(a + ending, b + ending)) >= len(ending)


@pytest.mark.parametrize("order", ["change", "probability"])
def test_the_rows_are_those_of_both_sessions_in_order(order: Order) -> None:
    model = tiny_model()
    a, b = Side(Session(model, [1, 2, 3])), Side(Session(model, [1, 9, 3]))
    found = compare(a, b, PositionPair(3, 3), top=5, order=order)
    everything = range(CONFIG.vocabulary_size)
    rows_a = a.session.rows(3, PLAIN, everything)
    rows_b = b.session.rows(3, PLAIN, everything)
    changes = [y.probability - x.probability for x, y in zip(rows_a, rows_b, strict=True)]
    by_change = sorted(everything, key=lambda id_: -abs(changes[id_]))
    by_probability = sorted(everything, key=lambda id_: rows_a[id_].rank)
    expected = {"change": by_change, "probability": by_probability}[order]
    assert [row.token.id for row in found.rows] == expected[:5]
    for row in found.rows:
        assert (row.a, row.b) == (rows_a[row.token.id], rows_b[row.token.id])
        assert row.change == pytest.approx(changes[row.token.id])


def test_nothing_differs_before_the_texts_do() -> None:
    model = tiny_model()
    a, b = Side(Session(model, [1, 2, 3, 4])), Side(Session(model, [1, 2, 9, 4]))
    found = list(along(a, b, aligned(a.session.ids, b.session.ids)))
    assert [each.token.id for each in found] == [1, 2, 3, 4]
    assert [each.bits == 0 for each in found] == [True, True, False, False]


def test_only_b_runs_on_the_changed_network() -> None:
    model = tiny_model()
    changed = partial(switched_off, model.network, [(0, 0)])
    a, b = Side(Session(model, [1, 2, 3])), Side(Session(model, [1, 2, 3]), changed=changed)
    found = compare(a, b, PositionPair(3, 3), top=3, order="change")
    assert found.bits > 0
    plain = Session(model, [1, 2, 3]).logits(3)
    assert torch.equal(a.logits(3), plain)
    with changed():
        assert torch.equal(b.logits(3), Session(model, [1, 2, 3]).logits(3))


def test_models_with_other_tokens_cannot_be_compared() -> None:
    model, other = tiny_model(), tiny_model()
    model.card.name, other.card.name = "one", "other"
    require_same_vocabulary(model, other)
    fields = byte_fields()
    tokens = fields["tokenizer.ggml.tokens"]
    tokens[3], tokens[4] = tokens[4], tokens[3]
    other.tokenizer = Tokenizer.from_gguf(fields)
    with pytest.raises(ModelError, match="one and other have different vocabularies"):
        require_same_vocabulary(model, other)
