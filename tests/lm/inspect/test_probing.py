"""Test linear probes against autograd, and passes over several texts against the formula."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from tests.labs.by_formula import by_formula
from tests.labs.lab_backend import small_model
from tutor.lm.inspect.forward_pass import ForwardPass
from tutor.lm.inspect.probing import ManyTexts, in_batches, train
from tutor.lm.network import rotations

TEXTS = ([5, 9, 300, 41, 7], [800], [12, 13, 14], [5, 9, 300, 41, 8])
PENALTY = 0.1


def drawn(layers: int = 3, count: int = 20, width: int = 30) -> tuple[Tensor, Tensor]:
    """Return random vectors [layers, count, width] and labels that depend on them, with noise."""
    random = torch.Generator().manual_seed(3)
    x = torch.randn(layers, count, width, generator=random)
    noise = torch.randn(count, generator=random)
    return x + torch.arange(width), x[0, :, 0] + noise > 0


@torch.inference_mode()
@pytest.mark.parametrize("seconds", [0.0, 1000.0])
def test_several_texts_at_once_give_the_vectors_of_each_text_alone(seconds: float) -> None:
    texts = ManyTexts(small_model().network, TEXTS)
    while not texts.finished:
        texts.advance(seconds)
    alone = torch.stack([by_formula(ids)[2][:, -1] for ids in TEXTS], dim=1)
    # Both are in 32-bit floats and differ only in the order of their sums.
    assert texts.last_vectors() == pytest.approx(alone, abs=1e-4)


def test_a_probe_minimizes_the_penalized_loss() -> None:
    """The gradient is computed with autograd, from the weights instead of dot products."""
    x, labels = drawn()
    probes = train(x, labels, PENALTY)
    centered = x.double() - x.double().mean(dim=1, keepdim=True)
    scale = centered.square().mean(dim=(1, 2), keepdim=True).sqrt()
    weight = (probes.weight.double() * scale[..., 0]).requires_grad_()
    bias = probes.bias.double().requires_grad_()
    scores = torch.einsum("lnw,lw->ln", centered / scale, weight) + bias[:, None]
    chance = F.binary_cross_entropy_with_logits(
        scores, labels.double().expand_as(scores), reduction="none"
    )
    loss = (chance.mean(dim=1) + PENALTY / 2 * weight.square().sum(dim=1)).sum()
    loss.backward()
    assert weight.grad is not None
    assert bias.grad is not None
    assert weight.grad.abs().max() < 1e-6
    assert bias.grad.abs().max() < 1e-6
    assert probes.scores(x) == pytest.approx(scores.detach(), abs=1e-4)


@pytest.mark.parametrize("penalty", [1e-4, 1e-2, 1.0, 100.0])
def test_a_probe_is_the_one_that_gradient_descent_finds(penalty: float) -> None:
    x, labels = drawn(layers=1, count=12, width=5)
    centered = x.double() - x.double().mean(dim=1, keepdim=True)
    inputs = (centered / centered.square().mean().sqrt())[0]
    weight = torch.zeros(6, dtype=torch.float64, requires_grad=True)
    descent = torch.optim.LBFGS(
        [weight], max_iter=2000, tolerance_grad=1e-12, tolerance_change=1e-16,
        line_search_fn="strong_wolfe",
    )  # fmt: skip

    def loss() -> Tensor:
        descent.zero_grad()
        scores = inputs @ weight[:5] + weight[5]
        sign = torch.where(labels, 1.0, -1.0)
        found = F.softplus(-sign * scores).mean() + penalty / 2 * weight[:5].square().sum()
        found.backward()
        return found

    descent.step(loss)
    expected = inputs @ weight[:5].detach() + weight[5].detach()
    assert train(x, labels, penalty).scores(x)[0] == pytest.approx(expected, abs=1e-4)


def test_equal_examples_teach_a_probe_nothing() -> None:
    x = torch.ones(2, 6, 4)
    labels = torch.tensor([True, False] * 3)
    probes = train(x, labels)
    assert probes.scores(x).sigmoid() == pytest.approx(torch.full((2, 6), 0.5))
    assert torch.equal(probes.direction(0, x[0], labels), torch.zeros(4))


def test_the_direction_moves_one_class_as_far_as_the_other() -> None:
    x, labels = drawn()
    probes = train(x, labels)
    moved = x + torch.stack([probes.direction(at, x[at], labels) for at in range(3)])[:, None]
    before = probes.scores(x)[:, labels].mean(dim=1)
    after = probes.scores(moved)[:, ~labels].mean(dim=1)
    assert after == pytest.approx(before, abs=1e-4)


@given(st.lists(st.integers(1, 40), max_size=30), st.integers(1, 60))
def test_batches_contain_every_text_once_and_few_tokens(lengths: list[int], most: int) -> None:
    batches = in_batches(lengths, most)
    assert [at for batch in batches for at in batch] == list(range(len(lengths)))
    for batch in batches:
        assert len(batch) == 1 or sum(lengths[at] for at in batch) <= most
    for batch, following in pairwise(batches):
        assert sum(lengths[at] for at in batch) + lengths[following[0]] > most


@torch.inference_mode()
def test_a_vector_is_added_at_every_position_after_a_block() -> None:
    network = small_model().network
    vector = torch.arange(network.config.width) / 100
    whole, changed = ForwardPass(network, TEXTS[0]), ForwardPass(network, TEXTS[0])
    whole.advance(1000.0)
    changed.reuse(whole, 2)
    changed.add(vector)
    assert torch.equal(changed.stream, whole.trace.residuals[2] + vector)
    changed.advance(1000.0)
    expected = network.embedding(torch.tensor(TEXTS[0]))
    rotation, mask = rotations(network.config, 0, 5), torch.ones(5, 5).bool().tril()
    for at, block in enumerate(network.blocks):
        expected = block(expected + (vector if at == 2 else 0), rotation, mask)
    assert changed.stream == pytest.approx(expected, abs=1e-4)
    assert torch.equal(network.norm(whole.stream), network(torch.tensor(TEXTS[0])))
