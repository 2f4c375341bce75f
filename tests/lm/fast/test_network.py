"""Test that the fast network computes the same as the plain one.

The weights are random, or those of the bundled model.
"""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from tutor.lm.fast.attention import FusedAttention, fuse_attention
from tutor.lm.fast.network import build
from tutor.lm.load import load_model
from tutor.lm.network import (
    Attention,
    Block,
    Config,
    FeedForward,
    KeyValueCache,
    RMSNorm,
    Trace,
    Transformer,
)
from tutor.lm.training.recipes.small_model import take_weights
from tutor.models.installed import FoundModel, bundled_model

CONFIG = Config(
    vocabulary_size=60,
    width=48,
    layers=3,
    heads=6,
    key_value_heads=2,
    head_size=8,
    hidden=80,
    context=64,
)
PLAIN = (nn.Linear, nn.Embedding, RMSNorm, Attention, FeedForward, Block)

# Both compute in 32-bit floats and differ only in the order of summation: by a few 1e-7 in each
# layer, for numbers of size 1.
ROUNDING = 2e-5


def plain_network(config: Config = CONFIG) -> Transformer:
    torch.manual_seed(3)
    network = Transformer(config)
    for weight in network.parameters():
        nn.init.normal_(weight, mean=1.0 if weight.dim() == 1 else 0.0, std=0.2)
    return network.requires_grad_(False).eval()


def fast_network(plain: Transformer) -> Transformer:
    return build(plain.config, plain.state_dict())


def close(found: Tensor, wanted: Tensor, tolerance: float = ROUNDING) -> None:
    torch.testing.assert_close(found, wanted, rtol=tolerance, atol=tolerance)


def same_in_every_way(fast: Transformer, plain: Transformer, ids: Tensor) -> None:
    """Compare the results for a whole text, a batch, chunks and single tokens, and the traces."""
    close(fast(ids), plain(ids))
    batch = torch.stack([ids, ids.flip(0)])
    close(fast(batch), plain(batch))
    caches = [KeyValueCache(plain.config, capacity=1) for _ in range(2)]
    for chunk in ids.split([1, 4, 1, 1, len(ids) - 7]):
        traces = Trace(), Trace()
        found, wanted = fast(chunk, caches[0], traces[0]), plain(chunk, caches[1], traces[1])
        close(found, wanted)
        close(fast.logits(found), plain.logits(wanted))
        close(torch.stack(traces[0].residuals), torch.stack(traces[1].residuals))
        close(torch.stack(traces[0].attention), torch.stack(traces[1].attention))


@torch.inference_mode()
def test_the_fast_network_computes_the_same_as_the_plain_one() -> None:
    plain = plain_network()
    ids = torch.randint(0, 60, (12,), generator=torch.Generator().manual_seed(4))
    same_in_every_way(fast_network(plain), plain, ids)


def test_every_plain_module_has_been_replaced() -> None:
    kinds = {type(module) for module in fast_network(plain_network()).modules()}
    assert not kinds.intersection(PLAIN)


@torch.inference_mode()
def test_two_interleaved_texts_do_not_affect_each_other() -> None:
    plain = plain_network()
    fast = fast_network(plain)
    texts = torch.randint(0, 60, (2, 5), generator=torch.Generator().manual_seed(5))
    caches = [KeyValueCache(CONFIG) for _ in texts]
    for step in range(5):
        found = [
            fast(text[step : step + 1], cache) for text, cache in zip(texts, caches, strict=True)
        ]
    for text, last in zip(texts, found, strict=True):
        close(last[0], plain(text)[-1])


def test_memory_from_inference_mode_can_be_used_outside_of_it() -> None:
    fast, one = fast_network(plain_network()), torch.tensor([7])
    with torch.inference_mode():
        inside = fast(one, KeyValueCache(CONFIG))
    with torch.no_grad():
        assert torch.equal(fast(one, KeyValueCache(CONFIG)), inside)


def test_fused_attention_has_the_gradients_of_plain_attention() -> None:
    plain, fused = (plain_network().requires_grad_(True) for _ in range(2))
    fuse_attention(fused)
    assert {type(block.attention) for block in fused.blocks} == {FusedAttention}
    ids = torch.randint(0, 60, (2, 9), generator=torch.Generator().manual_seed(6))
    for network in (plain, fused):
        network.logits(network(ids)).log_softmax(-1)[..., 0].mean().backward()
    found, wanted = dict(fused.named_parameters()), dict(plain.named_parameters())
    assert found.keys() == wanted.keys()
    for name, weight in wanted.items():
        fused_gradient, plain_gradient = found[name].grad, weight.grad
        assert fused_gradient is not None
        assert plain_gradient is not None
        close(fused_gradient, plain_gradient)


@pytest.fixture(scope="module")
def bundled() -> FoundModel:
    found = bundled_model()
    assert found is not None
    return found


def plain_bundled(folder: Path, config: Config) -> Transformer:
    plain = Transformer(config)
    take_weights(plain, folder)
    return plain.requires_grad_(False).eval()


@torch.inference_mode()
def test_the_bundled_model_in_32_bits_agrees_with_the_plain_network(bundled: FoundModel) -> None:
    exact = load_model(bundled, exact=True)
    plain = plain_bundled(bundled.path, exact.network.config)
    ids = torch.tensor(exact.tokenizer.encode("The capital of France is Paris, and it is"))
    same_in_every_way(exact.network, plain, ids)


@torch.inference_mode()
def test_the_bundled_model_in_16_bits_is_close_to_the_plain_network(bundled: FoundModel) -> None:
    """Its weights are 16-bit floats, and single vectors are rounded to 16 bits too."""
    model = load_model(bundled)
    plain = plain_bundled(bundled.path, model.network.config)
    ids = torch.tensor(model.tokenizer.encode("The capital of France is Paris, and it is"))
    wanted = plain.logits(plain(ids)).log_softmax(-1)
    cache = KeyValueCache(plain.config)
    stepwise = torch.cat([model.network(id_[None], cache) for id_ in ids])
    for final in (model.network(ids), stepwise):
        found = model.network.logits(final).log_softmax(-1)
        divergence = (wanted.exp() * (wanted - found)).sum(-1)
        assert float(divergence.max()) < 1e-4  # nats
