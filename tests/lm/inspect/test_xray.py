"""Test attention and the logit lens against a plain forward pass over the whole text."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from tests.tiny_model import CONFIG, tiny_model
from tutor.errors import TextError
from tutor.lm.distribution import PLAIN
from tutor.lm.network import KeyValueCache, Trace
from tutor.lm.session import Session

IDS = [7, 40, 41, 99, 7, 12]


@pytest.fixture
def model() -> Any:
    return tiny_model()


@pytest.mark.parametrize("position", range(len(IDS)))
def test_attention_agrees_with_a_pass_over_the_whole_text(model: Any, position: int) -> None:
    trace = Trace()
    model.network(torch.tensor(IDS), None, trace)
    xray = Session(model, IDS).xray(position)
    for layer in range(CONFIG.layers):
        for head in range(CONFIG.heads):
            expected = trace.attention[layer][head, position, : position + 1].tolist()
            found = xray.weights(layer, head).tolist()
            assert found == pytest.approx(expected, abs=1e-5)
            assert sum(found) == pytest.approx(1, abs=1e-5)


def test_for_a_long_text_only_layers_around_the_requested_one_are_returned(model: Any) -> None:
    everything = Session(model, IDS).xray(3)
    assert everything.held == range(CONFIG.layers)
    for layer in (*range(CONFIG.layers), CONFIG.layers + 5):
        one = Session(model, IDS).xray(3, layer, neighbors=False)
        (held,) = one.held
        assert held == min(layer, CONFIG.layers - 1)
        for head in range(CONFIG.heads):
            assert one.weights(held, head) == everything.weights(held, head)


def test_the_last_row_of_the_lens_is_the_distribution(model: Any) -> None:
    session = Session(model, IDS)
    xray = session.xray(2)
    assert [row.layer for row in xray.lens] == list(range(CONFIG.layers + 1))
    assert xray.target.id == IDS[3]
    found = session.distribution(3, PLAIN, seed=0, top=1)
    assert xray.lens[-1].top == found.rows[0].token
    assert xray.lens[-1].top_probability == pytest.approx(found.rows[0].probability, abs=1e-5)
    of_target = session.rows(3, PLAIN, [IDS[3]])[0].probability
    assert xray.lens[-1].target_probability == pytest.approx(of_target, abs=1e-5)


def test_the_first_row_of_the_lens_is_the_embedding_alone(model: Any) -> None:
    embedding = model.network.embedding(torch.tensor([IDS[1]]))
    expected = model.network.lens(embedding).softmax(-1)[0]
    first = Session(model, IDS).xray(1).lens[0]
    assert first.top.id == int(expected.argmax())
    assert first.target_probability == pytest.approx(float(expected[IDS[2]]), abs=1e-6)


def test_no_layer_gives_a_token_exactly_zero(model: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    logits = model.network.lens
    monkeypatch.setattr(model.network, "lens", lambda stream: 200 * logits(stream).sign())
    rows = Session(model, IDS).xray(1).lens
    assert 0 < min(row.target_probability for row in rows) < 1e-100


def test_at_the_end_the_target_is_the_most_probable_next_token(model: Any) -> None:
    session = Session(model, IDS)
    xray = session.xray(len(IDS) - 1)
    assert xray.target == session.distribution(len(IDS), PLAIN, seed=0, top=1).rows[0].token


def test_an_xray_changes_nothing_and_processes_one_token(model: Any) -> None:
    session = Session(model, IDS)
    before = session.distribution(len(IDS), PLAIN, seed=0, top=9)
    read = model.network.tokens_read
    session.xray(3)
    assert model.network.tokens_read == read + 1
    assert session.distribution(len(IDS), PLAIN, seed=0, top=9) == before
    assert model.network.tokens_read == read + 1


def test_an_xray_allocates_no_second_cache(model: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    session = Session(model, IDS)
    session.surprisals()
    held = session.cache_bytes
    made = []
    monkeypatch.setattr(KeyValueCache, "_allocate", lambda *_: made.append(1))
    session.xray(2)
    assert not made
    assert session.cache_bytes == held


@pytest.mark.parametrize("position", [-1, len(IDS)])
def test_positions_outside_the_text_are_errors(model: Any, position: int) -> None:
    with pytest.raises(TextError):
        Session(model, IDS).xray(position)
