"""Test that a `BlockStep` computes the same as the modules of its block."""

from __future__ import annotations

import msgspec
import pytest
import torch
from torch import Tensor

from tutor.lm.fast.linear import GROUP, Groups, Int4Linear
from tutor.lm.fast.network import FastBlock, build
from tutor.lm.fast.together import read_together
from tutor.lm.inspect.hooks import (
    InputRecorder,
    OutputRecorder,
    block_of,
    feed_forwards_of,
    replaced,
)
from tutor.lm.network import Config, KeyValueCache, Trace, Transformer

CONFIG = Config(
    vocabulary_size=96,
    width=64,
    layers=3,
    heads=4,
    key_value_heads=2,
    head_size=32,
    hidden=96,
    context=64,
)
IDS = [5, 17, 80, 3, 3, 41, 9, 66, 12]


def int4_network(config: Config = CONFIG) -> Transformer:
    """Return a fast network with random 4-bit matrices in its blocks."""
    plain = Transformer(config)
    random = torch.Generator().manual_seed(8)
    tensors: dict[str, Tensor] = {}
    for name, weight in plain.state_dict().items():
        if "norm" in name:
            tensors[name] = 1 + torch.rand(weight.shape, generator=random)
        elif name.startswith("blocks"):
            rows, columns = weight.shape
            quants = torch.randint(0, 16, (rows, columns), generator=random)
            scales = 0.01 + 0.02 * torch.rand(rows, columns // GROUP, generator=random)
            packed = Int4Linear.pack(Groups(4, quants, scales, -7.5 * scales))
            place = name.removesuffix("weight")
            tensors |= {place + part: tensor for part, tensor in packed.items()}
        else:
            tensors[name] = torch.randn(weight.shape, generator=random)
    return build(config, tensors)


def without_steps(network: Transformer) -> Transformer:
    """Make the network process every token with its modules."""
    for block in network.blocks:
        assert isinstance(block, FastBlock)
        assert block.step is not None
        block.step = None
    return network


def token_by_token(network: Transformer, ids: list[int], config: Config = CONFIG) -> Tensor:
    cache = KeyValueCache(config, capacity=1)
    return torch.cat([network(torch.tensor([id_]), cache) for id_ in ids])


@pytest.mark.parametrize("windows", [(), (2, None, 4)])
@torch.inference_mode()
def test_steps_compute_the_same_as_modules(windows: tuple[int | None, ...]) -> None:
    config = msgspec.structs.replace(CONFIG, windows=windows)
    found = token_by_token(int4_network(config), IDS, config)
    wanted = token_by_token(without_steps(int4_network(config)), IDS, config)
    assert not torch.equal(found[0], found[-1])
    torch.testing.assert_close(found, wanted)


@torch.inference_mode()
def test_steps_of_interleaved_texts_do_not_affect_each_other() -> None:
    network = int4_network()
    texts = [IDS, IDS[::-1]]
    caches = [KeyValueCache(CONFIG) for _ in texts]
    for ids in zip(*texts, strict=True):
        last = [network(torch.tensor([id_]), cache) for id_, cache in zip(ids, caches, strict=True)]
    for text, vector in zip(texts, last, strict=True):
        assert torch.equal(vector[0], token_by_token(network, text)[-1])


@torch.inference_mode()
def test_a_step_for_several_texts_computes_the_same_as_one_step_per_text() -> None:
    network = int4_network()
    texts = [IDS, IDS[3:], IDS[::-1]]
    caches = [KeyValueCache(CONFIG) for _ in texts]
    for text, cache in zip(texts, caches, strict=True):
        network(torch.tensor(text[:-1]), cache)
    copies = [cache.copy(cache.length) for cache in caches]
    found = torch.cat(read_together(network, [text[-1:] for text in texts], caches))
    wanted = [
        network(torch.tensor(text[-1:]), cache) for text, cache in zip(texts, copies, strict=True)
    ]
    torch.testing.assert_close(found, torch.cat(wanted))
    assert [cache.length for cache in caches] == [len(text) for text in texts]


@torch.inference_mode()
def test_a_replaced_module_is_used_instead_of_the_step() -> None:
    network = int4_network()
    wanted = token_by_token(network, IDS)
    [feed_forward], attention = feed_forwards_of(network, 1), block_of(network, 2).attention
    inputs: list[Tensor] = []
    outputs: list[Tensor] = []
    recorders = [
        (feed_forward, "down", InputRecorder(feed_forward.down, inputs)),
        (attention, "output", OutputRecorder(attention.output, outputs)),
    ]
    with replaced(recorders):
        torch.testing.assert_close(token_by_token(network, IDS), wanted)
    assert len(inputs) == len(outputs) == len(IDS)
    assert torch.equal(token_by_token(network, IDS), wanted)
    assert len(inputs) == len(IDS), "the step is used again"


@torch.inference_mode()
def test_a_trace_records_every_residual_and_all_attention_weights() -> None:
    network, cache = int4_network(), KeyValueCache(CONFIG)
    network(torch.tensor(IDS[:-1]), cache)
    trace = Trace()
    network(torch.tensor(IDS[-1:]), cache, trace)
    assert len(trace.residuals) == CONFIG.layers + 1
    assert [tuple(weights.shape) for weights in trace.attention] == [(4, 1, len(IDS))] * 3


def test_steps_work_in_and_outside_of_inference_mode() -> None:
    network = int4_network()
    with torch.inference_mode():
        inside = token_by_token(network, IDS)
    with torch.no_grad():
        assert torch.equal(token_by_token(network, IDS), inside)


@pytest.mark.parametrize(
    "change", [{"parallel": True}, {"query_key_norm": "head"}, {"activation": "gelu"}]
)
def test_blocks_of_other_families_have_no_step(change: dict[str, object]) -> None:
    network = int4_network(msgspec.structs.replace(CONFIG, **change))
    assert [block.step for block in network.blocks] == [None] * 3
