"""Test steering against the same change made with PyTorch's own hooks, to within 1e-5."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor

from tests.tiny_model import CONFIG, tiny_model
from tutor.app import spoken
from tutor.errors import ModelError
from tutor.labs.kit.attribution.words import logits_of, part_name, sources_line
from tutor.lm.inspect.contributions import to_logit
from tutor.lm.inspect.forward_pass import ForwardPass
from tutor.lm.inspect.steering import (
    Steering,
    mean_difference,
    random_vectors,
    same_steering,
    steered,
    steering_of,
)
from tutor.lm.saved_steering import LARGEST_NUMBER, STRONGEST, packed
from tutor.lm.session import Session

IDS = [5, 80, 12, 299, 7, 7]
LAYER = 1
VECTOR = torch.linspace(-1, 2, CONFIG.width)


@pytest.fixture
def model() -> Any:
    return tiny_model()


@torch.inference_mode()
def by_hook(network: Any, ids: list[int], strength: float) -> Tensor:
    """Return the logits if a forward hook adds the vector to the block's output: [T, V]."""
    hook = network.blocks[LAYER].register_forward_hook(
        lambda _, inputs, stream: stream + strength * VECTOR
    )
    logits: Tensor = network.logits(network(torch.tensor(ids)))
    hook.remove()
    return logits


@pytest.mark.parametrize("strength", [-2.0, 0.0, 0.75])
@torch.inference_mode()
def test_a_steered_network_matches_a_forward_hook(model: Any, strength: float) -> None:
    expected = by_hook(model.network, IDS, strength)
    plain = model.network(torch.tensor(IDS))
    with steered(model.network, VECTOR, LAYER, strength):
        found = model.network.logits(model.network(torch.tensor(IDS)))
        passage = ForwardPass(model.network, IDS)
        passage.advance(60)
        in_slices = model.network.lens(passage.stream)
    assert torch.allclose(found, expected, atol=1e-5)
    assert torch.allclose(in_slices, expected, atol=1e-5)
    assert torch.equal(model.network(torch.tensor(IDS)), plain)


@torch.inference_mode()
def test_a_vector_is_the_difference_of_the_mean_last_streams(model: Any) -> None:
    texts = [[5, 80], [12, 299, 7], [3, 3, 3, 9]]
    recorded: list[Tensor] = []
    hooks = [
        block.register_forward_hook(lambda _, inputs, stream: recorded.append(stream[-1]))
        for block in model.network.blocks
    ]
    found = []
    for ids in texts:
        model.network(torch.tensor(ids))
    by_hand = torch.stack(recorded).view(len(texts), CONFIG.layers, CONFIG.width)
    for hook in hooks:
        hook.remove()
    for ids in texts:
        passage = ForwardPass(model.network, ids)
        passage.advance(60)
        found.append(passage.streams_at(-1)[1:])
    assert torch.allclose(torch.stack(found), by_hand, atol=1e-5)
    vector = mean_difference(found[:2], found[2:])
    assert torch.allclose(vector, (by_hand[0] + by_hand[1]) / 2 - by_hand[2], atol=1e-5)


def test_a_steered_session_computes_all_results_with_the_vector(model: Any) -> None:
    session = Session(model, IDS[:4], steering=Steering(VECTOR, LAYER, 1.5))
    assert torch.allclose(session.logits(4), by_hook(model.network, IDS[:4], 1.5)[-1], atol=1e-5)
    session.append(IDS[4:])  # with the key-value cache
    expected = by_hook(model.network, IDS, 1.5)
    assert torch.allclose(session.logits(6), expected[-1], atol=1e-5)
    assert torch.allclose(session.fork(5).logits(5), expected[4], atol=1e-5)
    bits = -expected.log_softmax(-1)[4, IDS[5]] / torch.tensor(2.0).log()
    assert session.surprisals()[5] == pytest.approx(float(bits), abs=1e-4)
    chances = expected[-1].softmax(-1)
    assert session.xray(5).lens[-1].top_probability == pytest.approx(float(chances.max()), abs=1e-5)
    assert session.attribution(5).logit == pytest.approx(float(expected[-1].max()), abs=1e-4)


def test_the_attribution_of_a_steered_logit_still_adds_up(model: Any) -> None:
    session = Session(model, IDS, steering=Steering(VECTOR, LAYER, 1.5))
    found = session.attribution(5)
    assert sum(each.logits for each in found.contributions) == pytest.approx(found.logit, abs=1e-4)


@torch.inference_mode()
def test_the_attribution_tells_the_vector_from_the_feed_forward_network(model: Any) -> None:
    session = Session(model, IDS, steering=Steering(VECTOR, LAYER, 1.5))
    found = session.attribution(5)
    streams: list[Tensor] = []
    network = model.network
    hooks = [
        network.blocks[LAYER].register_forward_hook(
            lambda _, inputs, stream: stream + 1.5 * VECTOR
        ),
        network.blocks[LAYER].feed_forward.register_forward_hook(
            lambda _, inputs, added: streams.append(added[-1])
        ),
        network.norm.register_forward_hook(lambda _, inputs, out: streams.append(inputs[0][-1])),
    ]
    network.logits(network(torch.tensor(IDS)))
    for hook in hooks:
        hook.remove()
    added, stream = streams[0], streams[-1]
    expected = to_logit(network, stream, torch.stack([added, 1.5 * VECTOR]), found.target.id)
    assert found.feed_forward[LAYER] == pytest.approx(float(expected[0]), abs=1e-4)
    assert found.steering == pytest.approx(float(expected[1]), abs=1e-4)
    (part,) = [each.part for each in found.contributions if each.logits == found.steering]
    assert part_name(part) == spoken.part(part) == "steering vector"
    assert logits_of(found, part) == found.steering
    assert "No part of the network computes it." in sources_line([], None, part, 80).plain


def test_an_attribution_without_steering_has_no_such_part(model: Any) -> None:
    found = Session(model, IDS).attribution(5)
    assert found.steering == 0
    assert not any(each.part.steering for each in found.contributions)


@pytest.mark.parametrize(("size", "layer"), [(3, 0), (CONFIG.width, 99), (CONFIG.width, -1)])
def test_a_vector_for_another_model_is_refused(model: Any, size: int, layer: int) -> None:
    model.card.name = "Tiny"
    with pytest.raises(ModelError, match="doesn't fit Tiny"):
        steering_of(model, packed([0.0] * size), layer, 1.0)


@pytest.mark.parametrize(
    ("number", "strength"),
    [(math.nan, 1.0), (math.inf, 1.0), (3e38, 20.0), (1.0, math.nan), (1.0, math.inf), (1.0, 21.0)],
)
def test_steering_without_finite_results_is_refused(
    model: Any, number: float, strength: float
) -> None:
    with pytest.raises(ModelError, match="can't be steered with these numbers"):
        steering_of(model, packed([number] * CONFIG.width), 0, strength)


@pytest.mark.parametrize("strength", [-STRONGEST, STRONGEST])
def test_the_strongest_steering_has_finite_results(model: Any, strength: float) -> None:
    steering = steering_of(model, packed([LARGEST_NUMBER] * CONFIG.width), 0, strength)
    session = Session(model, IDS, steering=steering)
    assert all(bits is not None and math.isfinite(bits) for bits in session.surprisals()[1:])
    assert math.isfinite(session.attribution(5).logit)


def test_the_same_steering_is_recognized(model: Any) -> None:
    values = packed(VECTOR.tolist())
    one = steering_of(model, values, 1, 2.0)
    assert torch.equal(one.vector, VECTOR)
    assert same_steering(one, steering_of(model, values, 1, 2.0))
    assert not same_steering(one, steering_of(model, values, 1, 1.0))
    assert not same_steering(one, None)
    assert same_steering(None, None)


def test_steering_drops_the_computed_results(model: Any) -> None:
    session = Session(model, IDS)
    plain = session.logits(6)
    session.steer(Steering(VECTOR, LAYER, 1.0))
    assert session.unread(6) == 6
    assert not torch.allclose(session.logits(6), plain, atol=1e-2)
    session.steer(None)
    assert session.steering is None
    assert torch.equal(session.logits(6), plain)


def test_random_vectors_have_the_given_length_and_are_always_the_same() -> None:
    drawn = list(random_vectors(3, 64, 5.0))
    assert [float(each.norm()) for each in drawn] == pytest.approx([5.0] * 3)
    assert abs(float(torch.cosine_similarity(drawn[0], drawn[1], dim=0))) < 0.5
    assert all(map(torch.equal, drawn, random_vectors(3, 64, 5.0)))
