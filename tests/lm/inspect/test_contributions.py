"""Test that corrections for rounding never hide a part that is missing or wrong."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from tests.tiny_model import CONFIG, tiny_model
from tutor.lm.inspect.contributions import of_heads, of_sources

LAYER, HEAD, LENGTH = 1, 1, 5
LARGEST = 2**-7
"""The largest correction, as a fraction of a part."""


@pytest.fixture
def network() -> Any:
    return tiny_model().network


@pytest.fixture
def attended() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return a head's weights and value vectors, and the outputs of all heads."""
    generator = torch.Generator().manual_seed(1)
    weights = torch.rand(LENGTH, generator=generator).softmax(-1)
    values = torch.randn(LENGTH, CONFIG.head_size, generator=generator)
    heads = torch.randn(CONFIG.heads, CONFIG.head_size, generator=generator)
    heads[HEAD] = weights @ values
    return weights, values, heads.flatten()


def test_sources_add_up_to_their_head(network: Any, attended: Any) -> None:
    weights, values, heads = attended
    terms = of_sources(network, LAYER, HEAD, weights, values, heads)
    whole = of_heads(network, LAYER, heads)[HEAD]
    torch.testing.assert_close(terms.sum(dim=0), whole)


@pytest.mark.parametrize("wrong", [0.5, 2.0])
def test_sources_with_wrong_weights_are_not_stretched_to_their_head(
    network: Any, attended: Any, wrong: float
) -> None:
    """Without the cap, the terms would add up to the head's output, however wrong they are."""
    weights, values, heads = attended
    right = of_sources(network, LAYER, HEAD, weights, values, heads)
    terms = of_sources(network, LAYER, HEAD, wrong * weights, values, heads)
    changed = (terms - wrong * right).abs()
    assert (changed <= LARGEST * (wrong * right).abs() + 1e-6).all()
    whole = of_heads(network, LAYER, heads)[HEAD]
    assert (terms.sum(dim=0) - whole).norm() > 0.9 * abs(wrong - 1) * whole.norm()
