"""Test replacing modules for a while: afterwards the network is the same, and as fast."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from tests.labs.lab_backend import small_model
from tests.tiny_model import tiny_model
from tutor.lm.inspect.hooks import InputRecorder, OutputRecorder, block_of, replaced
from tutor.lm.network import Transformer


class Zero(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.zeros_like(x)


@pytest.mark.parametrize("finished", [True, False], ids=["finished", "trainable"])
def test_a_module_is_replaced_and_restored(finished: bool) -> None:
    network: Transformer = small_model().network if finished else tiny_model().network
    block, read = block_of(network, 1), torch.tensor([5, 9, 5])
    part, plain = block.feed_forward, "feed_forward" in vars(block)
    assert plain is finished
    with torch.inference_mode():
        before = network(read)
        with replaced([(block, "feed_forward", Zero())]):
            assert not torch.equal(network(read), before)
        assert torch.equal(network(read), before)
    assert block.feed_forward is part
    assert ("feed_forward" in vars(block)) is plain
    assert dict(network.named_modules())["blocks.1.feed_forward"] is part


def test_nested_replacements_are_restored_in_the_right_order() -> None:
    network = small_model().network
    block = block_of(network, 0)
    part = block.feed_forward
    with replaced(
        [(block, "feed_forward", Zero()), (block, "feed_forward", InputRecorder(part, []))]
    ):
        assert isinstance(block.feed_forward, InputRecorder)
    assert block.feed_forward is part


@torch.inference_mode()
def test_recording_changes_nothing() -> None:
    network, read = small_model().network, torch.tensor([5, 9, 5])
    before = network(read)
    block = block_of(network, 2)
    inputs: list[torch.Tensor] = []
    outputs: list[torch.Tensor] = []
    inner = InputRecorder(block.feed_forward, inputs)
    with replaced([(block, "feed_forward", OutputRecorder(inner, outputs))]):
        assert torch.equal(network(read), before)
    (read_by_part,), (written) = inputs, outputs[0]
    assert read_by_part.shape == written.shape == (3, network.config.width)
    assert torch.equal(block.feed_forward(read_by_part), written)
