"""Test what the x-ray says about the routers of mixtures of experts."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor

from tests.lm.architectures.folders import write_folder
from tests.lm.architectures.make_reference import IDS
from tutor.lm.inspect.hooks import InputRecorder, block_of, replaced
from tutor.lm.inspect.routing import mixture_of
from tutor.lm.inspect.steering import Steering
from tutor.lm.language_model import LanguageModel
from tutor.lm.load import load_model
from tutor.lm.session import Session
from tutor.models.find import from_path

TEXT = IDS[:9]
CASES = ("mixtral", "qwen2 with experts", "olmoe", "qwen3 with one of eight experts, tied")
Routes = list[list[tuple[int | None, float]]]


@pytest.fixture(scope="module", params=CASES)
def model(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> LanguageModel:
    folder = tmp_path_factory.mktemp("model") / "it"
    return load_model(from_path(write_folder(folder, request.param)))


@torch.inference_mode()
def routes_by_hand(model: LanguageModel, ids: list[int]) -> Routes:
    """Return the experts of the last token and their weights, from the inputs of the mixtures."""
    network, inputs = model.network, list[Tensor]()
    blocks = [block_of(network, layer) for layer in range(network.config.layers)]
    with replaced([(b, "feed_forward", InputRecorder(b.feed_forward, inputs)) for b in blocks]):
        network(torch.tensor(ids))
    return [_route(model, layer, x[-1]) for layer, x in enumerate(inputs)]


def _route(model: LanguageModel, layer: int, x: Tensor) -> list[tuple[int | None, float]]:
    config, mixture = model.network.config, mixture_of(model.network, layer)
    assert mixture is not None
    scores = mixture.router(x[None])[0].double()
    probabilities = (scores.exp() / scores.exp().sum()).tolist()
    order = sorted(range(config.experts), key=lambda expert: -probabilities[expert])
    chosen = order[: config.experts_used]
    total = sum(probabilities[expert] for expert in chosen) if config.normalized_experts else 1.0
    routed: list[tuple[int | None, float]] = [
        (each, probabilities[each] / total) for each in chosen
    ]
    if mixture.shared_router is not None:
        routed.append((None, 1 / (1 + float((-mixture.shared_router(x[None])).exp()))))
    return routed


def check(session: Session, position: int, wanted: Routes) -> None:
    found = session.xray(position)
    assert found.experts == session.model.network.config.experts
    assert [[each.expert for each in layer] for layer in found.routes] == [
        [expert for expert, _ in layer] for layer in wanted
    ]
    weights = [each.weight for layer in found.routes for each in layer]
    assert weights == pytest.approx([weight for layer in wanted for _, weight in layer], abs=1e-5)


def test_the_experts_and_their_weights(model: LanguageModel) -> None:
    session = Session(model, TEXT)
    for position in (0, 4, 8):
        check(session, position, routes_by_hand(model, TEXT[: position + 1]))


def test_tokens_go_to_different_experts(model: LanguageModel) -> None:
    session = Session(model, TEXT)
    first = {session.xray(position).routes[0][0].expert for position in range(len(TEXT))}
    assert len(first) > 1


def test_a_steered_network_chooses_other_experts(model: LanguageModel) -> None:
    config = model.network.config
    vector = 5 * torch.randn(config.width, generator=torch.Generator().manual_seed(1))
    plain, steered = Session(model, TEXT), Session(model, TEXT)
    steered.steer(Steering(vector, 0, 1.0))
    before, after = plain.xray(8).routes, steered.xray(8).routes
    assert before[0] == after[0]  # the vector is added after the first layer
    assert before[1] != after[1]


def test_a_model_without_experts(tmp_path: Path) -> None:
    model = load_model(from_path(write_folder(tmp_path / "it", "llama")))
    found = Session(model, TEXT).xray(2)
    assert (found.experts, found.routes) == (0, ())
