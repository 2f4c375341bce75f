"""Test the network against definitions of its parts, and against itself.

It has to give the same results for a text in chunks, in a batch, after going back, and with a
trace.
"""

from __future__ import annotations

import math

import msgspec
import pytest
import torch
from torch import Tensor

from tutor.lm.network import (
    Config,
    KeyValueCache,
    RMSNorm,
    Trace,
    Transformer,
    attend,
    attention_weights,
    causal_mask,
    rotate,
    rotations,
)

CONFIG = Config(
    vocabulary_size=50,
    width=24,
    layers=3,
    heads=6,
    key_value_heads=2,
    head_size=8,
    hidden=40,
    context=64,
)


@pytest.fixture
def network() -> Transformer:
    torch.manual_seed(1)
    return Transformer(CONFIG).eval()


@pytest.fixture
def ids() -> Tensor:
    return torch.randint(0, 50, (11,), generator=torch.Generator().manual_seed(2))


def close(one: Tensor, other: Tensor) -> None:
    torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)


def test_norm_is_its_formula() -> None:
    norm = RMSNorm(24, 1e-2)
    norm.weight.data.uniform_(0.5, 1.5)
    x = torch.randn(2, 5, 24) * 0.1  # small, so that epsilon counts
    close(norm(x), x / torch.sqrt((x**2).mean(-1, keepdim=True) + 1e-2) * norm.weight)


def test_each_pair_rotates_at_its_own_speed() -> None:
    x = torch.randn(2, 7, 8)
    found = rotate(x, rotations(CONFIG, 3, 10))
    for at in range(7):
        for pair in range(4):
            angle = (3 + at) * 10_000.0 ** (-2 * pair / 8)
            for head in (0, 1):
                a, b = x[head, at, 2 * pair : 2 * pair + 2].tolist()
                wanted = [
                    a * math.cos(angle) - b * math.sin(angle),
                    a * math.sin(angle) + b * math.cos(angle),
                ]
                assert found[head, at, 2 * pair : 2 * pair + 2].tolist() == pytest.approx(
                    wanted, abs=1e-5
                )


def test_the_match_of_query_and_key_depends_only_on_their_distance() -> None:
    query, key = torch.randn(2, 8)

    def match(at: int, of: int) -> float:
        rotated = rotate(query[None], rotations(CONFIG, at, at + 1))
        return float(rotated[0] @ rotate(key[None], rotations(CONFIG, of, of + 1))[0])

    assert match(5, 2) == pytest.approx(match(33, 30), abs=1e-4)
    assert match(5, 2) != pytest.approx(match(6, 2), abs=1e-4)


def test_rope_factors_slow_the_rotation() -> None:
    slowed = msgspec.structs.replace(CONFIG, rope_factors=(1.0, 2.0, 4.0, 8.0))
    plain, slow = rotations(CONFIG, 0, 9).angle(), rotations(slowed, 0, 9).angle()
    close(slow[1] * torch.tensor([1.0, 2.0, 4.0, 8.0]), plain[1])


def test_attention_is_its_formula() -> None:
    queries = torch.randn(2, 6, 4, 8)
    keys, values = torch.randn(2, 2, 2, 9, 8).unbind()
    mask = causal_mask(4, 9, queries.device)
    answers, weights = attend(queries, keys, values, mask)
    close(weights, attention_weights(queries, keys, mask))
    close(weights.sum(-1), torch.ones(2, 6, 4))
    # the first of four queries sees 6 of 9 positions
    assert float(weights[:, :, 0, 6:].abs().max()) == 0
    of_torch = torch.nn.functional.scaled_dot_product_attention
    close(answers, of_torch(queries, keys, values, attn_mask=mask, enable_gqa=True))


def test_a_text_in_chunks_gives_the_same_vectors(network: Transformer, ids: Tensor) -> None:
    with torch.inference_mode():
        whole = network(ids)
        cache = KeyValueCache(CONFIG, capacity=1)
        chunks = [network(chunk, cache) for chunk in ids.split([1, 4, 1, 3, 2])]
    close(torch.cat(chunks), whole)
    assert cache.length == 11


def test_later_tokens_change_nothing_before_them(network: Transformer, ids: Tensor) -> None:
    with torch.inference_mode():
        close(network(ids)[:6], network(ids[:6]))


def test_a_batch_gives_the_same_vectors_as_its_texts(network: Transformer) -> None:
    texts = torch.randint(0, 50, (3, 7))
    with torch.inference_mode():
        batch = network(texts)
        close(batch, torch.stack([network(text) for text in texts]))
        close(network.logits(batch)[1], network.logits(batch[1]))


def test_truncating_forgets_later_tokens(network: Transformer, ids: Tensor) -> None:
    other = (ids + 7) % 50
    with torch.inference_mode():
        cache = KeyValueCache(CONFIG)
        network(ids, cache)
        cache.truncate(4)
        resumed = network(other[4:], cache)
        fresh = network(torch.cat([ids[:4], other[4:]]))
    close(resumed, fresh[4:])


def test_a_copy_of_the_cache_is_independent(network: Transformer, ids: Tensor) -> None:
    with torch.inference_mode():
        cache = KeyValueCache(CONFIG)
        network(ids, cache)
        copy = cache.copy(5)
        network((ids + 3) % 50, copy)
        after = network(ids[:1], cache)
        close(after, network(torch.cat([ids, ids[:1]]))[-1:])
    assert copy.length == 16


def test_rewinding_leaves_the_cache_unchanged(network: Transformer, ids: Tensor) -> None:
    with torch.inference_mode():
        cache = KeyValueCache(CONFIG, capacity=1)
        network(ids, cache)
        capacity = cache.capacity
        before = [part[..., :11, :] for layer in cache.copy(11).layers(1) for part in layer[2:]]
        with cache.rewound(4) as earlier:
            assert earlier.length == 4
            close(network(ids[:1] + 1, earlier), network(torch.cat([ids[:4], ids[:1] + 1]))[-1:])
        assert cache.capacity == capacity
        after = [part[..., :11, :] for layer in cache.layers(1) for part in layer[2:]]
        assert all(torch.equal(one, other) for one, other in zip(before, after, strict=True))
    assert cache.length == 11


@pytest.mark.parametrize("length", [-1, 12])
def test_a_length_outside_the_cache_is_an_error(
    network: Transformer, ids: Tensor, length: int
) -> None:
    cache = KeyValueCache(CONFIG)
    with torch.inference_mode():
        network(ids, cache)
    with pytest.raises(ValueError, match="11 tokens"):
        cache.truncate(length)
    with pytest.raises(ValueError, match="of 11"):
        cache.copy(length)
    with pytest.raises(ValueError, match="of 11"), cache.rewound(length):
        pass


def test_a_trace_changes_nothing_and_adds_up(network: Transformer, ids: Tensor) -> None:
    trace = Trace()
    with torch.inference_mode():
        cache = KeyValueCache(CONFIG)
        network(ids[:8], cache)
        traced = network(ids[8:], cache, trace)
        close(traced, network(ids)[8:])
        close(network.lens(trace.residuals[-1]), network.logits(traced))
        close(trace.residuals[0], network.embedding(ids[8:]))
    assert [tuple(part.shape) for part in trace.residuals] == [(3, 24)] * 4
    assert [tuple(part.shape) for part in trace.attention] == [(6, 3, 11)] * 3
    for weights in trace.attention:
        close(weights.sum(-1), torch.ones(6, 3))


def test_the_network_can_be_trained(network: Transformer, ids: Tensor) -> None:
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-2)
    losses = []
    for _ in range(30):
        logits = network.logits(network(ids[None, :-1]))
        loss = torch.nn.functional.cross_entropy(logits[0], ids[1:])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0] / 4


def test_tied_and_untied_embeddings(network: Transformer) -> None:
    assert network.head.weight is network.embedding.weight
    untied = Transformer(msgspec.structs.replace(CONFIG, tied=False))
    assert untied.head.weight is not untied.embedding.weight
