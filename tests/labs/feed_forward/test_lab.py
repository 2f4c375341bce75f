"""Test the lab on neurons against the feed-forward network written out."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
import torch.nn.functional as F

from tests.labs.lab_backend import at_last, backend, done, small_model
from tutor.labs.feed_forward import lab as feed_forward
from tutor.labs.feed_forward import plain
from tutor.labs.feed_forward.lab import (
    MOST_TOKENS,
    Neuron,
    NeuronRow,
    Neurons,
    Prediction,
    State,
)
from tutor.labs.kit.actions import EditText, MoveFocus, Reset, Toggle
from tutor.labs.kit.next_tokens.row import NextRow
from tutor.lm.chat import text_ids
from tutor.lm.inspect import neurons
from tutor.lm.inspect.hooks import InputRecorder, block_of, replaced
from tutor.lm.network import FeedForward

TEXT = "The little bird sat in the tree and sang."


@torch.inference_mode()
def test_activations_and_vectors_give_what_the_network_adds() -> None:
    network, ids = small_model().network, torch.tensor(text_ids(small_model(), TEXT))
    layer, found, inputs = 1, list[torch.Tensor](), list[torch.Tensor]()
    feed = block_of(network, layer).feed_forward
    assert isinstance(feed, FeedForward)
    with (
        neurons.recorded(network, found),
        replaced([(block_of(network, layer), "feed_forward", InputRecorder(feed, inputs))]),
    ):
        network(ids)
    gate, up = feed.gate_up(inputs[0]).chunk(2, dim=-1)
    torch.testing.assert_close(found[layer], F.silu(gate) * up)
    everyone = torch.arange(network.config.hidden)
    added = found[layer] @ neurons.vectors(network, layer, everyone, found[layer][-1])
    torch.testing.assert_close(added, feed(inputs[0]), rtol=1e-2, atol=1e-2)


@torch.inference_mode()
def test_a_neuron_that_is_off_adds_nothing_and_returns() -> None:
    network, ids = small_model().network, torch.tensor(text_ids(small_model(), TEXT))
    before, with_all, without = network(ids), list[torch.Tensor](), list[torch.Tensor]()
    with neurons.recorded(network, with_all):
        network(ids)
    with neurons.switched_off(network, [(2, 5), (2, 6)]), neurons.recorded(network, without):
        assert not torch.equal(network(ids), before)
    assert torch.equal(without[2], with_all[2])  # the mask is behind the recorder
    assert torch.equal(network(ids), before)


def test_the_rows_belong_to_the_block(tmp_path: Path) -> None:
    there = backend("feed-forward", tmp_path)
    found = at_last(there, feed_forward.Strongest(TEXT, 2))
    assert isinstance(found, Neurons)
    assert found.blocks == small_model().network.config.layers
    sizes = [abs(row.contribution) for row in found.rows]
    assert sizes == sorted(sizes, reverse=True)
    activations = list[torch.Tensor]()
    with torch.inference_mode(), neurons.recorded(small_model().network, activations):
        small_model().network(torch.tensor([token.id for token in found.tokens]))
    for row in found.rows:
        expected = activations[2][:, row.index].tolist()
        assert list(row.activations) == pytest.approx(expected, rel=1e-3, abs=1e-4)


def test_a_block_that_does_not_exist_is_the_last_one(tmp_path: Path) -> None:
    found = at_last(backend("feed-forward", tmp_path), feed_forward.Strongest(TEXT, 99))
    last = small_model().network.config.layers - 1
    assert found == at_last(backend("feed-forward", tmp_path), feed_forward.Strongest(TEXT, last))


def test_switching_off_and_on_again(tmp_path: Path) -> None:
    there = backend("feed-forward", tmp_path)
    off: State = done("feed-forward", there, EditText(TEXT), Toggle("neuron"))
    assert off.neuron is not None
    assert off.off == (off.neuron,)
    assert off.prediction is not None
    assert off.prediction.divergence > 0
    on = done("feed-forward", there, EditText(TEXT), Toggle("neuron"), Toggle("neuron"))
    assert on.off == ()
    assert on.prediction.divergence == pytest.approx(0, abs=1e-6)
    reset = done("feed-forward", there, EditText(TEXT), Toggle("neuron"), Reset())
    assert reset.off == ()


def test_neurons_of_several_blocks_can_be_off(tmp_path: Path) -> None:
    there = backend("feed-forward", tmp_path)
    steps = (Toggle("neuron"), MoveFocus(2, "block"), Toggle("neuron"), MoveFocus(-1, "block"))
    state = done("feed-forward", there, EditText("a b " * 40), *steps)
    assert [neuron.block for neuron in state.off] == [0, 2]
    assert len(state.shown.tokens) == MOST_TOKENS
    assert state.shown.left_out > 0


def test_plain_mode_counts_neurons_from_one_as_the_screen_does() -> None:
    token = small_model().tokenizer.token(9)
    rows = (NeuronRow(3, 1.0, (0.1,), (token,)),)
    state = State(known={0: Neurons(2, 8, (token,), 0, token, rows)}, off=(Neuron(0, 3),))
    said = plain.describe(state)
    assert said["neuron"][0] == "Block 1 of 2, neuron 4 of 8, switched off."
    assert said["neurons"][1] == "Row 1: neuron 4, +1.00, selected."
    assert said["off"] == ["Switched off: block 1, neuron 4."]


def test_goals_are_about_the_neuron_in_focus() -> None:
    token, other = small_model().tokenizer.token(9), small_model().tokenizer.token(10)
    rows = (NeuronRow(3, 1.0, (0.1, 0.2, 5.0), (other,)), NeuronRow(4, 0.5, (1, 1, 1), (token,)))
    known = {0: Neurons(2, 8, (token, token, token), 0, token, rows)}
    lost = Prediction((NextRow(token, 0.6, 0.2), NextRow(other, 0.2, 0.5)), 1.0)
    reached = feed_forward.LAB.reached
    assert reached(State(known=known)) == {"selective"}
    assert reached(State(known=known, row=1)) == {"promotes"}
    one = State(known=known, row=1, prediction=lost, off=(Neuron(0, 4),))
    assert reached(one) == {"promotes", "one-neuron"}
    two = State(known=known, prediction=lost, off=(Neuron(0, 3), Neuron(0, 4)))
    assert reached(two) == {"selective"}
