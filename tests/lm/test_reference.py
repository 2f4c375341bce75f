"""Check tokens and logits against `transformers`, which reads the same GGUF file.

See tests/reference/make_reference.py. Tolerances:

Exact path: both sides compute in 32-bit floats and differ only in the order of their sums. After 30
blocks this amounts to a few 1e-5 for logits of size 20; 1e-3 leaves room for other processors'
kernels.

Fast path: the file's 4-bit integers are used as they are, but their scales are rounded to bfloat16
(8 bits of mantissa) and, if the packed weights are multiplied, so are vectors and products. That is
the case for single tokens, and on processors with AVX-512 for a whole text too. On processors with
AVX2, the weights are unpacked to 32-bit floats for a whole text, which is faster there and more
exact. We measure the effect as the divergence from the exact distribution, in nats. On two
paragraphs of English, its mean is 0.0003 with packed weights and 0.0001 with unpacked ones. On
these prompts, half of which are far from the training data, it is about twice that, and at most
0.12 at a single position.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from tests.later import later
from tutor.lm.fast.linear import Int4Linear
from tutor.lm.language_model import LanguageModel
from tutor.lm.network import KeyValueCache

FOLDER = Path(__file__).parent.parent / "reference"
PROMPTS: list[dict[str, Any]] = json.loads((FOLDER / "expected.json").read_text(encoding="utf-8"))[
    "prompts"
]
NAMES = [prompt["name"] for prompt in PROMPTS]

EXACT_TOLERANCE = 1e-3
# divergence in nats: the mean over all positions of all prompts, and the maximum
PACKED = (1e-3, 0.2)
UNPACKED = (5e-4, 0.05)
TOKENS = 48  # of each prompt; enough for unpacking, if this processor unpacks at all


@pytest.fixture(scope="module")
def expected() -> dict[str, Tensor]:
    return load_file(FOLDER / "expected.safetensors")


@pytest.fixture(scope="module")
def exact_vectors(exact_model: LanguageModel) -> Callable[[int], Tensor]:
    """Return a function that computes a prompt's exact final vectors, once for all tests.

    Each vector depends only on the tokens up to its own, so the vectors for the beginning of a
    prompt are among them.
    """
    return cache(lambda number: final_vectors(exact_model, PROMPTS[number]["ids"]))


def final_vectors(model: LanguageModel, ids: list[int]) -> Tensor:
    with torch.inference_mode():
        return model.network(torch.tensor(ids), KeyValueCache(model.network.config))


def step_by_step(model: LanguageModel, ids: list[int]) -> Tensor:
    """Return the final vectors, computed one token at a time as in generation."""
    cache = KeyValueCache(model.network.config)
    with torch.inference_mode():
        return torch.cat([model.network(torch.tensor([id_]), cache) for id_ in ids])


def log_probabilities(model: LanguageModel, vectors: Tensor) -> Tensor:
    with torch.inference_mode():
        return model.network.logits(vectors).log_softmax(dim=-1)


def divergences(exact: Tensor, other: Tensor) -> Tensor:
    """Return the Kullback-Leibler divergence of each row from the exact one, in nats."""
    return (exact.exp() * (exact - other)).sum(dim=-1)


def test_there_are_prompts_of_every_kind() -> None:
    assert len(PROMPTS) >= 20
    lengths = [len(prompt["ids"]) for prompt in PROMPTS]
    assert min(lengths) == 1
    assert max(lengths) >= 1000


@pytest.mark.parametrize("prompt", PROMPTS, ids=NAMES)
def test_tokens_are_identical(prompt: dict[str, Any], language_model: LanguageModel) -> None:
    tokenizer = language_model.tokenizer
    assert tokenizer.encode(prompt["text"], special=prompt["special"]) == prompt["ids"]
    assert tokenizer.decode(prompt["ids"]) == prompt["text"].encode()


@pytest.mark.parametrize(
    "number",
    [*range(0, len(PROMPTS), 3), *later(at for at in range(len(PROMPTS)) if at % 3)],
    ids=lambda at: NAMES[at],
)
def test_exact_logits(
    number: int,
    exact_model: LanguageModel,
    exact_vectors: Callable[[int], Tensor],
    expected: dict[str, Tensor],
) -> None:
    vectors = exact_vectors(number)
    positions = sorted({0, len(vectors) // 2, len(vectors) - 1})
    with torch.inference_mode():
        logits = exact_model.network.logits(vectors[positions])
    for row, position in zip(logits, positions, strict=True):
        wanted = expected[f"{number}.{position}.logits"]
        kept = expected[f"{number}.{position}.ids"].long()
        torch.testing.assert_close(row[kept], wanted, rtol=0, atol=EXACT_TOLERANCE)
        total = expected[f"{number}.{position}.total"]
        torch.testing.assert_close(row.logsumexp(0), total, rtol=0, atol=EXACT_TOLERANCE)


def test_fast_distributions(
    language_model: LanguageModel,
    exact_model: LanguageModel,
    exact_vectors: Callable[[int], Tensor],
) -> None:
    layers = language_model.network.modules()
    unpacked = all(layer.few < TOKENS for layer in layers if isinstance(layer, Int4Linear))
    limits = UNPACKED if unpacked else PACKED
    check_divergence(
        language_model, final_vectors, exact_model, exact_vectors, tokens=TOKENS, limits=limits
    )


@pytest.mark.slow
def test_fast_distributions_step_by_step(
    language_model: LanguageModel,
    exact_model: LanguageModel,
    exact_vectors: Callable[[int], Tensor],
) -> None:
    """The kernel for one vector can differ from the kernel for many."""
    check_divergence(
        language_model, step_by_step, exact_model, exact_vectors, tokens=12, limits=PACKED
    )


def check_divergence(
    fast: LanguageModel,
    read: Callable[[LanguageModel, list[int]], Tensor],
    exact: LanguageModel,
    exact_vectors: Callable[[int], Tensor],
    *,
    tokens: int,
    limits: tuple[float, float],
) -> None:
    found = []
    for number, prompt in enumerate(PROMPTS):
        ids = prompt["ids"][:tokens]
        wanted = log_probabilities(exact, exact_vectors(number)[:tokens])
        found.append(divergences(wanted, log_probabilities(fast, read(fast, ids))))
    everything = torch.cat(found)
    mean, worst = limits
    assert float(everything.mean()) <= mean
    assert float(everything.max()) <= worst


def test_the_documented_figures(exact_model: LanguageModel) -> None:
    ids = exact_model.tokenizer.encode("The capital of France is")
    logits = log_probabilities(exact_model, final_vectors(exact_model, ids)[-1:])[0]
    top = logits.exp().topk(5)
    texts = [exact_model.tokenizer.token(id_).text for id_ in top.indices.tolist()]
    assert texts == [" Paris", " the", " London", " Le", " New"]
    wanted = [0.7725, 0.0645, 0.0125, 0.0099, 0.0093]
    assert top.values.tolist() == pytest.approx(wanted, abs=5e-5)
