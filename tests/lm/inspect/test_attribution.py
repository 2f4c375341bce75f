"""Test attribution against the weight matrices, computed by hand with PyTorch's own hooks."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from tests.tiny_model import CONFIG, tiny_model
from tutor.lm.attribution import Part
from tutor.lm.distribution import PLAIN
from tutor.lm.inspect.attribution import occlude
from tutor.lm.language_model import LanguageModel
from tutor.lm.session import Session

IDS = [5, 80, 12, 299, 7, 7]


@pytest.fixture
def model() -> Any:
    return tiny_model()


def by_hand(network: Any, target: int) -> tuple[float, list[list[float]], list[float]]:
    """Return the contributions of the embedding, the heads and the feed-forward networks."""
    answers: list[torch.Tensor] = []
    feed_forward: list[torch.Tensor] = []
    final: list[torch.Tensor] = []
    hooks = [network.norm.register_forward_pre_hook(lambda _, inputs: final.append(inputs[0][-1]))]
    for block in network.blocks:
        output = block.attention.output
        hooks += [
            output.register_forward_pre_hook(lambda _, inputs: answers.append(inputs[0][-1])),
            block.feed_forward.register_forward_hook(
                lambda _, inputs, added: feed_forward.append(added[-1])
            ),
        ]
    network(torch.tensor(IDS))
    for hook in hooks:
        hook.remove()
    root_mean_square = (final[0].square().mean() + CONFIG.norm_epsilon).sqrt()
    direction = network.head.weight[target] * network.norm.weight / root_mean_square
    heads = [
        [
            float(part @ matrix.T @ direction)
            for part, matrix in zip(
                answer.split(CONFIG.head_size),
                block.attention.output.weight.split(CONFIG.head_size, dim=1),
                strict=True,
            )
        ]
        for answer, block in zip(answers, network.blocks, strict=True)
    ]
    embedding = float(network.embedding.weight[IDS[-1]] @ direction)
    return embedding, heads, [float(added @ direction) for added in feed_forward]


@pytest.mark.parametrize("target", [7, 100])
def test_the_contributions_are_those_of_the_weight_matrices(model: Any, target: int) -> None:
    found = Session(model, IDS).attribution(len(IDS) - 1, target)
    embedding, heads, feed_forward = by_hand(model.network, target)
    assert found.embedding == pytest.approx(embedding, abs=1e-5)
    assert found.feed_forward == pytest.approx(feed_forward, abs=1e-5)
    for mine, theirs in zip(found.heads, heads, strict=True):
        assert mine == pytest.approx(theirs, abs=1e-5)


@pytest.mark.parametrize("position", range(len(IDS)))
@pytest.mark.parametrize("against", [None, 3])
def test_the_contributions_add_up_to_the_logit(
    model: Any, position: int, against: int | None
) -> None:
    session = Session(model, IDS)
    found = session.attribution(position, against=against)
    logits = session.logits(position + 1)
    target = int(logits.argmax())
    assert found.target.id == target
    assert found.logit == pytest.approx(
        float(logits[target] - (0 if against is None else logits[against])), abs=1e-5
    )
    total = found.embedding + sum(map(sum, found.heads)) + sum(found.feed_forward)
    assert total == pytest.approx(found.logit, abs=1e-4)


def test_the_difference_of_two_tokens_is_that_of_their_contributions(model: Any) -> None:
    session, last = Session(model, IDS), len(IDS) - 1
    difference = session.attribution(last, 7, 100)
    one, other = session.attribution(last, 7), session.attribution(last, 100)
    assert difference.against == other.target
    for between, a, b in zip(difference.heads, one.heads, other.heads, strict=True):
        assert between == pytest.approx([x - y for x, y in zip(a, b, strict=True)], abs=1e-5)


def test_every_part_is_listed_once_with_the_largest_first(model: Any) -> None:
    found = Session(model, IDS).attribution(len(IDS) - 1).contributions()
    parts = [each.part for each in found]
    assert len(set(parts)) == len(parts) == 1 + CONFIG.layers * (CONFIG.heads + 1)
    assert Part() in parts
    sizes = [abs(each.logits) for each in found]
    assert sizes == sorted(sizes, reverse=True)


def test_attribution_leaves_the_session_as_it_was(model: Any) -> None:
    session = Session(model, IDS)
    before = session.distribution(len(IDS), PLAIN, seed=0, top=5)
    session.attribution(2)
    assert session.distribution(len(IDS), PLAIN, seed=0, top=5) == before


def test_occlusion_is_the_difference_to_the_text_without_the_token(model: Any) -> None:
    session = Session(model, IDS)
    found = list(occlude(model, IDS, session.attribution(len(IDS) - 1, 7, 100)))
    assert [each.token.id for each in found] == IDS[:-1]

    def logits(ids: list[int]) -> torch.Tensor:
        return Session(model, ids).logits(len(ids))

    def difference(ids: list[int]) -> float:
        return float(logits(ids)[7] - logits(ids)[100])

    for index, each in enumerate(found):
        without = IDS[:index] + IDS[index + 1 :]
        assert each.logits == pytest.approx(difference(IDS) - difference(without), abs=1e-5)
        assert each.probability == pytest.approx(float(logits(without).softmax(-1)[7]), abs=1e-6)


def test_a_text_of_one_token_has_nothing_to_remove(model: Any) -> None:
    assert list(occlude(model, [5], Session(model, [5]).attribution(0))) == []


def test_the_default_model_in_its_own_number_format(language_model: LanguageModel) -> None:
    """Rounding to 4 bits leaves a small difference between the logit and its parts."""
    encode = language_model.tokenizer.encode
    session = Session(language_model, encode("The capital of France is"))
    (paris,), (london,) = encode(" Paris"), encode(" London")
    found = session.attribution(len(session) - 1, paris, london)
    total = found.embedding + sum(map(sum, found.heads)) + sum(found.feed_forward)
    assert total == pytest.approx(found.logit, abs=0.05)
    assert found.contributions()[0].part == Part(23, 4)
