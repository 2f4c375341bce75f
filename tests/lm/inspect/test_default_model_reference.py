"""Check direct attribution and ablation against `transformers`, which reads the same GGUF file.

See tests/reference/make_attribution.py. In exact arithmetic, both sides compute in 32-bit floats
and differ only in the order of their sums, so 1e-3 leaves room for other kernels. In the default
model's own number format, scales are rounded to bfloat16: a logit of about 10 differs by
less than 1 %.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from tutor.lm.attribution import Attribution
from tutor.lm.inspect.interventions import switched_off
from tutor.lm.language_model import LanguageModel
from tutor.lm.session import Session

EXPECTED: dict[str, Any] = json.loads(
    (Path(__file__).parents[2] / "reference" / "attribution.json").read_text(encoding="utf-8")
)
TOLERANCE = 1e-3
TOLERANCE_OF_KERNELS = 0.1


def attributed(model: LanguageModel) -> Attribution:
    ids = model.tokenizer.encode(EXPECTED["text"])
    first, second = (model.tokenizer.encode(answer)[0] for answer in EXPECTED["answers"])
    return Session(model, ids).attribution(len(ids) - 1, first, second)


def check(found: Attribution, tolerance: float) -> None:
    assert found.logit == pytest.approx(EXPECTED["difference"], abs=tolerance)
    assert found.embedding == pytest.approx(EXPECTED["embedding"], abs=tolerance)
    assert found.feed_forward == pytest.approx(EXPECTED["feed_forward"], abs=tolerance)
    for mine, theirs in zip(found.heads, EXPECTED["heads"], strict=True):
        assert mine == pytest.approx(theirs, abs=tolerance)


def test_exact_attribution(exact_model: LanguageModel) -> None:
    found = attributed(exact_model)
    check(found, TOLERANCE)
    total = sum(each.logits for each in found.contributions)
    assert total == pytest.approx(EXPECTED["difference"], abs=TOLERANCE)


def test_attribution_as_learners_see_it(language_model: LanguageModel) -> None:
    found = attributed(language_model)
    check(found, TOLERANCE_OF_KERNELS)
    total = sum(each.logits for each in found.contributions)
    assert total == pytest.approx(found.logit, abs=TOLERANCE)


@pytest.mark.slow
@torch.inference_mode()
def test_exact_ablation(exact_model: LanguageModel) -> None:
    """Switch off each head of some layers, and each feed-forward network."""
    network, tokenizer = exact_model.network, exact_model.tokenizer
    ids = torch.tensor(tokenizer.encode(EXPECTED["text"]))
    first, second = (tokenizer.encode(answer)[0] for answer in EXPECTED["answers"])

    def difference(heads: list[tuple[int, int]], feed_forwards: list[int]) -> float:
        with switched_off(network, heads, feed_forwards):
            logits = network.logits(network(ids)[-1])
        return float(logits[first] - logits[second])

    layers, count = network.config.layers, network.config.heads
    for layer in (0, layers // 2, 23, layers - 1):
        mine = [difference([(layer, head)], []) for head in range(count)]
        assert mine == pytest.approx(EXPECTED["without_head"][layer], abs=TOLERANCE)
    mine = [difference([], [layer]) for layer in range(layers)]
    assert mine == pytest.approx(EXPECTED["without_feed_forward"], abs=TOLERANCE)
