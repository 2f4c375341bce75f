"""Test that everything that looks inside a network works for every family of models."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from tests.lm.architectures.make_reference import IDS
from tutor.errors import ModelUnsupported
from tutor.labs.anatomy import tensors
from tutor.labs.attention_formula.backend import head_vectors
from tutor.lm.fast.together import read_together
from tutor.lm.inspect import neurons
from tutor.lm.inspect.contributions import Parts, recorded
from tutor.lm.inspect.forward_pass import ForwardPass
from tutor.lm.inspect.interventions import switched_off
from tutor.lm.inspect.patching import PatchedRuns, Recording
from tutor.lm.inspect.rounding import through_block
from tutor.lm.language_model import LanguageModel
from tutor.lm.network import KeyValueCache, Trace, Transformer
from tutor.lm.patch import Column
from tutor.lm.session import Session

TEXT = IDS[:24]


def close(found: Tensor, wanted: Tensor, tolerance: float = 2e-4) -> None:
    largest = float(wanted.abs().max())  # the rounding errors of a vector depend on its length
    torch.testing.assert_close(found, wanted, rtol=tolerance, atol=tolerance + 1e-5 * largest)


@torch.inference_mode()
def logits_after(network: Transformer, ids: list[int]) -> Tensor:
    return network.logits(network(torch.tensor(ids))[-1])


def plain_network(model: LanguageModel) -> Transformer:
    """Return the plain network with the weights of the fast one."""
    fast = model.network
    plain = Transformer(fast.config)
    for name, weight in plain.named_parameters():
        path, _, kind = name.rpartition(".")
        if path in ("embedding", "positions"):
            path += ".matrix"
        module = fast.get_submodule(path)
        found = getattr(module, kind, None)
        if found is None:  # a FrozenNorm contains the weight times the square root of its length
            found = module.gain / len(weight) ** 0.5
        weight.data.copy_(found)
    return plain.requires_grad_(False).eval()


@torch.inference_mode()
def test_the_plain_network_computes_the_same(model: LanguageModel) -> None:
    fast, plain = model.network, plain_network(model)
    caches = [KeyValueCache(fast.config, capacity=1) for _ in range(2)]
    for chunk in torch.tensor(TEXT).split([1, 12, 1, 10]):
        traces = Trace(), Trace()
        found, wanted = fast(chunk, caches[0], traces[0]), plain(chunk, caches[1], traces[1])
        close(fast.logits(found), plain.logits(wanted))
        close(torch.stack(traces[0].residuals), torch.stack(traces[1].residuals))
        close(torch.stack(traces[0].attention), torch.stack(traces[1].attention))
    batch = torch.tensor([TEXT, TEXT[::-1]])
    close(fast(batch), plain(batch))


@torch.inference_mode()
def test_several_texts_in_one_pass(model: LanguageModel) -> None:
    network = model.network
    texts = [TEXT, TEXT[3:], TEXT[:1]]
    caches = [KeyValueCache(network.config) for _ in texts]
    for text, cache in zip(texts, caches, strict=True):
        network(torch.tensor(text), cache)
    new = [[7], [8, 10, 11], [9, 9]]
    finals = read_together(network, new, caches)
    for text, ids, final in zip(texts, new, finals, strict=True):
        assert len(final) == len(ids)
        close(network.logits(final[-1]), logits_after(network, [*text, *ids]))


def test_the_contributions_of_all_parts_add_up_to_the_logit(model: LanguageModel) -> None:
    session = Session(model, TEXT)
    found = session.attribution(len(TEXT) - 1)
    total = sum(each.logits for each in found.contributions)
    assert total == pytest.approx(found.logit, abs=2e-3)
    cap = model.network.config.logit_cap
    logit = logits_after(model.network, TEXT)[found.target.id]
    uncapped = logit if cap is None else cap * torch.atanh(logit / cap)
    assert found.logit == pytest.approx(float(uncapped), rel=1e-3, abs=2e-3)
    for layer in range(model.network.config.layers):
        sources = session.sources(len(TEXT) - 1, layer, 1)
        assert sum(sources) == pytest.approx(found.heads[layer][1], abs=1e-3)


def test_the_difference_of_two_logits(model: LanguageModel) -> None:
    found = Session(model, TEXT).attribution(len(TEXT) - 1, target=5, against=9)
    total = sum(each.logits for each in found.contributions)
    assert total == pytest.approx(found.logit, abs=2e-3)


@torch.inference_mode()
def test_the_parts_add_up_to_the_residual_stream(model: LanguageModel) -> None:
    parts = Parts()
    with recorded(model.network, parts):
        trace = Trace()
        model.network(torch.tensor(TEXT), None, trace)
    added = torch.stack(parts.attention) + torch.stack(parts.feed_forward)
    close(trace.residuals[0] + added.sum(dim=0), trace.residuals[-1])


def test_the_x_ray_ends_with_the_prediction(model: LanguageModel) -> None:
    found = Session(model, TEXT).xray(len(TEXT) - 1)
    logits = logits_after(model.network, TEXT)
    assert found.lens[-1].top.id == int(logits.argmax())
    probability = float(logits.softmax(-1).max())
    assert found.lens[-1].top_probability == pytest.approx(probability, abs=1e-4)


@pytest.mark.slow
def test_a_pass_that_pauses_between_blocks(model: LanguageModel) -> None:
    passage = ForwardPass(model.network, TEXT)
    while not passage.finished:
        passage.advance(0)
    with torch.inference_mode():
        close(model.network.lens(passage.stream[-1]), logits_after(model.network, TEXT))


def test_without_any_part_only_the_embedding_is_left(model: LanguageModel) -> None:
    config = model.network.config
    everything = [(layer, head) for layer in range(config.layers) for head in range(config.heads)]
    with switched_off(model.network, everything, range(config.layers)):
        trace = Trace()
        with torch.inference_mode():
            model.network(torch.tensor(TEXT), None, trace)
    if not config.output_bias:  # the bias is added without any head
        close(trace.residuals[-1], trace.residuals[0])


def test_patching_with_the_same_text_changes_nothing(model: LanguageModel) -> None:
    base = Recording(model.network, [TEXT])
    base.advance(1e9)
    close(base.logits(0), logits_after(model.network, TEXT))
    columns = [Column("head", "other", at, 1) for at in (3, len(TEXT) - 1)]
    runs = PatchedRuns(base, base.activations(0), columns, (5, 9))
    runs.advance(1e9)
    close(runs.logits(), base.logits(0).expand(model.network.config.layers, -1))


def test_a_patched_text_becomes_the_other_text(model: LanguageModel) -> None:
    """The whole difference between the texts goes through the residual stream at one position."""
    other = [*TEXT[:-1], 17]
    base = Recording(model.network, [TEXT, other])
    base.advance(1e9)
    runs = PatchedRuns(
        base, base.activations(1), [Column("residual", "other", len(TEXT) - 1)], (5, 9)
    )
    runs.advance(1e9)
    wanted = logits_after(model.network, other)
    close(runs.logits(), wanted.expand(model.network.config.layers, -1))


def test_the_tensors_in_the_lab_are_all_parameters(model: LanguageModel) -> None:
    found = list(tensors.tensors(model.network))
    assert sum(each.size for each in found) == model.card.parameters
    assert all(tensors.weights_of(each, 10_000).isfinite().all() for each in found)


@torch.inference_mode()
def test_the_neurons_add_up_to_the_feed_forward_network(model: LanguageModel) -> None:
    network, parts = model.network, Parts()
    activations: list[Tensor] = []
    with neurons.recorded(network, activations), recorded(network, parts):
        network(torch.tensor(TEXT))
    everyone = torch.arange(neurons.count(network.config))
    for layer, feed_forward in enumerate(parts.feed_forward):
        last = activations[layer][-1]
        added = last @ neurons.vectors(network, layer, everyone, last)
        if not network.config.feed_forward_bias:  # the bias belongs to no neuron
            close(added, feed_forward[-1])


@torch.inference_mode()
def test_switching_off_all_neurons_switches_off_the_feed_forward_network(
    model: LanguageModel,
) -> None:
    network, config = model.network, model.network.config
    if config.feed_forward_bias:  # the bias belongs to no neuron
        return
    with neurons.switched_off(network, [(1, each) for each in range(neurons.count(config))]):
        found = logits_after(network, TEXT)
    with switched_off(network, (), [1]):
        close(found, logits_after(network, TEXT))


@torch.inference_mode()
def test_the_strongest_neurons_are_active(model: LanguageModel) -> None:
    network, activations = model.network, list[Tensor]()
    with neurons.recorded(network, activations):
        network(torch.tensor(TEXT))
    last = activations[1][-1]
    found = neurons.strongest(network, 1, last, 5)
    added = last[:, None] * neurons.vectors(network, 1, torch.arange(len(last)), last)
    lengths = added.norm(dim=-1)
    close(lengths[found], lengths.topk(5).values)


def test_a_block_with_rounded_matrices(model: LanguageModel) -> None:
    config = model.network.config
    trace = Trace()
    with torch.inference_mode():
        model.network(torch.tensor(TEXT), None, trace)
    found = through_block(model.network, 1, 32, trace.residuals[1])
    assert found is not None
    after, errors = found
    close(after, trace.residuals[2])
    assert errors == [0, 0, 0, 0]
    halves = through_block(model.network, 1, 16, trace.residuals[1])
    assert halves is not None
    assert all(0 < error < 1e-3 for error in halves[1]), config


def test_the_formula_of_attention(model: LanguageModel) -> None:
    if model.network.config.score_cap is not None:
        with pytest.raises(ModelUnsupported):
            head_vectors(model.network, TEXT[:8], 1, 1)
        return
    found = head_vectors(model.network, TEXT[:8], 1, 1)
    scores = found.queries @ found.keys.T / found.queries.shape[-1] ** 0.5
    mask = torch.ones(8, 8, dtype=torch.bool).tril()
    close(scores.masked_fill(~mask, -torch.inf).softmax(-1), found.weights)
