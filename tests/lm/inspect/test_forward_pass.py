"""Test that a forward pass with pauses gives the same results as one without."""

from __future__ import annotations

import torch

from tests.labs.lab_backend import small_model
from tutor.lm.inspect.forward_pass import ForwardPass
from tutor.lm.inspect.interventions import switched_off
from tutor.lm.network import Trace

IDS = [5, 9, 300, 41, 7]


def step_by_step(passage: ForwardPass) -> ForwardPass:
    stops = 0
    while not passage.finished:
        before = passage.done
        passage.advance(0.0)
        assert passage.done == before + 1
        stops += 1
    assert stops == small_model().network.config.layers == passage.blocks
    return passage


@torch.inference_mode()
def test_block_by_block_the_result_is_the_same() -> None:
    network, trace = small_model().network, Trace()
    final = network(torch.tensor(IDS), None, trace)
    passage = step_by_step(ForwardPass(network, IDS))
    assert torch.equal(network.norm(passage.stream), final)
    for ours, theirs in (
        (passage.trace.residuals, trace.residuals),
        (passage.trace.attention, trace.attention),
    ):
        assert len(ours) == len(theirs)
        assert all(torch.equal(one, other) for one, other in zip(ours, theirs, strict=True))


@torch.inference_mode()
def test_with_enough_time_it_finishes_at_once() -> None:
    passage = ForwardPass(small_model().network, IDS[:1])
    passage.advance(1000.0)
    assert passage.finished


@torch.inference_mode()
def test_the_network_is_changed_only_while_blocks_run() -> None:
    network = small_model().network

    def without() -> object:
        return switched_off(network, [(3, 1)], [4])

    with switched_off(network, [(3, 1)], [4]):
        cut = network(torch.tensor(IDS))
    whole, passage = step_by_step(ForwardPass(network, IDS)), ForwardPass(network, IDS, without)  # type: ignore[arg-type]
    passage.reuse(whole, 3)
    assert passage.done == 3
    passage.advance(0.0)
    assert torch.equal(network.norm(whole.stream), network(torch.tensor(IDS)))
    passage.advance(1000.0)
    assert torch.equal(network.norm(passage.stream), cut)
    assert len(passage.trace.attention) == passage.blocks
    assert whole.done == whole.blocks
