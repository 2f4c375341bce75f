"""Compare the optimizer with PyTorch's own."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from tutor.lm.training.adamw import AdamW


@pytest.mark.parametrize("fused", [True, False])
def test_every_step_is_the_one_of_pytorch(fused: bool) -> None:
    assert [weights.tolist() for weights in _trained(AdamW, fused)] == [
        weights.tolist() for weights in _trained(torch.optim.AdamW, fused)
    ]


def _trained(kind: type[torch.optim.AdamW], fused: bool) -> list[torch.Tensor]:
    """Return the weights of a small network after a few steps."""
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(5, 7), nn.Tanh(), nn.Linear(7, 3))
    groups = [
        {"params": [network[0].weight, network[2].weight], "weight_decay": 0.1},
        {"params": [network[0].bias, network[2].bias], "weight_decay": 0.0},
    ]
    optimizer = kind(groups, betas=(0.9, 0.95), fused=fused)
    inputs, wanted = torch.randn(9, 5), torch.arange(9) % 3
    for step in range(1, 9):
        nn.functional.cross_entropy(network(inputs), wanted).backward()
        for group in optimizer.param_groups:
            group["lr"] = 0.01 * step
        optimizer.step()
        optimizer.zero_grad()
        assert all(weights.grad is None for weights in network.parameters())
    return [weights.detach() for weights in network.parameters()]
