"""Test patching against runs with PyTorch's own hooks.

The hooks run the whole network once for each patch, on plain modules. Both sides compute in 32-bit
floats and differ only in the order of their sums: logits differ by less than 1e-5.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import torch
from torch import Tensor

from tests.tiny_model import CONFIG, tiny_model
from tutor.lm.inspect.patching import Activations, PatchedRuns, Recording, outcomes
from tutor.lm.patch import COMPONENTS, Column, Component
from tutor.lm.session import Session

A = [5, 80, 12, 299, 7, 7]
B = [5, 80, 44, 299, 90, 7]
ANSWERS = (7, 100)


@pytest.fixture
def model() -> Any:
    return tiny_model()


def place(network: Any, component: Component, layer: int) -> tuple[Any, bool]:
    """Return the module of an activation, and True if the activation is the module's output."""
    block = network.blocks[layer]
    return {
        "residual": (block, True),
        "attention": (block.attention, True),
        "feed-forward": (block.feed_forward, True),
        "head": (block.attention.output, False),
    }[component]


@contextmanager
def hooked(
    network: Any, component: Component, layer: int, change: Callable[[Tensor], Tensor]
) -> Iterator[None]:
    """Change an activation [T, ...] in the `with` block."""
    module, output = place(network, component, layer)
    if output:
        hook = module.register_forward_hook(lambda _module, _inputs, out: change(out))
    else:
        hook = module.register_forward_pre_hook(lambda _module, inputs: (change(inputs[0]),))
    with hook:
        yield


def recorded(network: Any, ids: list[int], component: Component, layer: int) -> Tensor:
    found: list[Tensor] = []

    def look(activation: Tensor) -> Tensor:
        found.append(activation.clone())
        return activation

    with hooked(network, component, layer, look):
        network(torch.tensor(ids))
    return found[0]


def by_hooks(network: Any, column: Column, layer: int, new: Tensor) -> Tensor:
    """Return the logits after A with one activation replaced by the one in `new` [T, ...]."""
    size = CONFIG.head_size
    part = slice(column.head * size, (column.head + 1) * size)

    def change(activation: Tensor) -> Tensor:
        activation = activation.clone()
        if column.component == "head":
            activation[column.position, part] = new[column.position, part]
        else:
            activation[column.position] = new[column.position]
        return activation

    with hooked(network, column.component, layer, change):
        logits: Tensor = network.logits(network(torch.tensor(A))[-1])
    return logits


def recording(model: Any, *texts: list[int]) -> Recording:
    found = Recording(model.network, texts)
    while not found.finished:
        found.advance(0)
    return found


def patched(base: Recording, new: Activations, *columns: Column) -> PatchedRuns:
    runs = PatchedRuns(base, new, columns, ANSWERS)
    steps = 0
    while not runs.finished:
        runs.advance(0)
        steps += 1
        assert runs.done == steps
    assert steps == runs.blocks
    return runs


@pytest.mark.parametrize("component", COMPONENTS)
def test_each_patch_has_the_result_of_a_run_with_hooks(model: Any, component: Component) -> None:
    base = recording(model, A, B)
    heads = range(CONFIG.heads if component == "head" else 1)
    columns = [Column(component, "other", at, head) for at in range(len(A)) for head in heads]
    found = patched(base, base.activations(1), *columns).results
    for column, results in zip(columns, found, strict=True):
        for layer, result in enumerate(results):
            new = recorded(model.network, B, component, layer)
            (expected,) = outcomes(by_hooks(model.network, column, layer, new)[None], *ANSWERS)
            assert result.difference == pytest.approx(expected.difference, abs=1e-5)
            assert result.first == pytest.approx(expected.first, abs=1e-6)
            assert result.second == pytest.approx(expected.second, abs=1e-6)


@pytest.mark.parametrize("component", COMPONENTS)
def test_ablation_has_the_result_of_a_run_with_hooks(model: Any, component: Component) -> None:
    """The mean is over all positions of all neutral texts, except the first of each."""
    neutral = [[9, 60, 61, 62], [9, 70, 8, 75]]
    base = recording(model, A, B)
    mean = recording(model, *neutral).mean(len(A))
    zeros = base.activations(1).zeros()
    column = Column(component, "mean", 4, 1)
    for new in (mean, zeros):
        (results,) = patched(base, new, column).results
        for layer, result in enumerate(results):
            texts = [recorded(model.network, ids, component, layer) for ids in neutral]
            value = torch.cat([each[1:] for each in texts]).mean(dim=0)
            value = value if new is mean else torch.zeros_like(value)
            logits = by_hooks(model.network, column, layer, value.expand(len(A), -1))
            (expected,) = outcomes(logits[None], *ANSWERS)
            assert result.difference == pytest.approx(expected.difference, abs=1e-5)
            assert result.first == pytest.approx(expected.first, abs=1e-6)


@pytest.mark.parametrize("component", COMPONENTS)
def test_a_patch_with_its_own_activations_changes_nothing(model: Any, component: Component) -> None:
    base = recording(model, A, B)
    (expected,) = outcomes(base.logits(0)[None], *ANSWERS)
    columns = [Column(component, "other", at) for at in range(len(A))]
    for results in patched(base, base.activations(0), *columns).results:
        for result in results:
            assert result.difference == pytest.approx(expected.difference, abs=1e-5)


def test_before_the_first_difference_both_texts_have_the_same_activations(model: Any) -> None:
    base = recording(model, A, B)
    for a, b in zip(base.activations(0), base.activations(1), strict=True):
        torch.testing.assert_close(a[:, :2], b[:, :2], rtol=0, atol=1e-6)
        assert not torch.allclose(a[:, 2], b[:, 2], atol=1e-3)


def test_the_runs_on_both_texts_are_those_of_the_network(model: Any) -> None:
    base = recording(model, A, B)
    for text, ids in enumerate((A, B)):
        logits = Session(model, ids).logits(len(ids))
        torch.testing.assert_close(base.logits(text), logits, rtol=0, atol=1e-5)


@pytest.mark.parametrize("component", COMPONENTS)
@pytest.mark.parametrize("layer", range(CONFIG.layers))
def test_a_continuation_uses_the_patched_keys_and_values(
    model: Any, component: Component, layer: int
) -> None:
    """Without a cache, the whole text is processed with the patch again for each token."""
    base = recording(model, A, B)
    column = Column(component, "other", 2)
    runs = PatchedRuns(base, base.activations(1), [column], ANSWERS, layer)
    runs.advance(60)
    cache, logits = runs.cache(3), runs.logits()[0]
    new = recorded(model.network, B, component, layer)
    expected = by_hooks(model.network, column, layer, new)
    torch.testing.assert_close(logits, expected, rtol=0, atol=1e-5)

    def change(activation: Tensor) -> Tensor:
        activation = activation.clone()
        part = slice(CONFIG.head_size if component == "head" else None)
        activation[2, part] = new[2, part]
        return activation

    ids = list(A)
    for _ in range(3):
        ids.append(int(logits.argmax()))
        with torch.inference_mode():
            logits = model.network.logits(model.network(torch.tensor(ids[-1:]), cache)[-1])
        with hooked(model.network, component, layer, change):
            expected = model.network.logits(model.network(torch.tensor(ids))[-1])
        torch.testing.assert_close(logits, expected, rtol=0, atol=1e-5)


def test_the_unpatched_cache_is_that_of_a_session(model: Any) -> None:
    cache = recording(model, A, B).cache(1)
    with torch.inference_mode():
        final = model.network(torch.tensor([33]), cache)[-1]
    logits = Session(model, [*A, 33]).logits(len(A) + 1)
    torch.testing.assert_close(model.network.logits(final), logits, rtol=0, atol=1e-5)
