"""A text on its way through the network comes out as from a forward pass."""

from __future__ import annotations

import torch

from tests.labs.lab_backend import small_model
from tutor.lm.inspect.interventions import switched_off
from tutor.lm.inspect.passage import Passage
from tutor.lm.network import Trace

IDS = [5, 9, 300, 41, 7]


def step_by_step(passage: Passage) -> Passage:
    stops = 0
    while not passage.through:
        before = passage.done
        passage.go_on(0.0)
        assert passage.done == before + 1
        stops += 1
    assert stops == small_model().network.config.layers == passage.blocks
    return passage


@torch.inference_mode()
def test_block_by_block_it_is_the_forward_pass() -> None:
    network, trace = small_model().network, Trace()
    final = network(torch.tensor(IDS), None, trace)
    passage = step_by_step(Passage(network, IDS))
    assert torch.equal(network.norm(passage.stream), final)
    for ours, theirs in (
        (passage.trace.residuals, trace.residuals),
        (passage.trace.attention, trace.attention),
    ):
        assert len(ours) == len(theirs)
        assert all(torch.equal(one, other) for one, other in zip(ours, theirs, strict=True))


@torch.inference_mode()
def test_given_time_it_goes_through_at_once() -> None:
    passage = Passage(small_model().network, IDS[:1])
    passage.go_on(1000.0)
    assert passage.through


@torch.inference_mode()
def test_other_parts_are_in_the_network_only_while_it_goes_on() -> None:
    network = small_model().network

    def without() -> object:
        return switched_off(network, [(3, 1)], [4])

    with switched_off(network, [(3, 1)], [4]):
        cut = network(torch.tensor(IDS))
    whole, passage = step_by_step(Passage(network, IDS)), Passage(network, IDS, without)  # type: ignore[arg-type]
    passage.begin_like(whole, 3)
    assert passage.done == 3
    passage.go_on(0.0)
    assert torch.equal(network.norm(whole.stream), network(torch.tensor(IDS)))
    passage.go_on(1000.0)
    assert torch.equal(network.norm(passage.stream), cut)
    assert len(passage.trace.attention) == passage.blocks
    assert whole.done == whole.blocks
