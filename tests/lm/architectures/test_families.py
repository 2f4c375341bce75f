"""Test every family of models against `transformers`, with random weights.

`reference.json` contains what transformers computed (see make_reference.py). Both sides use 32-bit
floats, so they differ only in the order of their sums.
"""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from tests.lm.architectures.folders import references
from tests.lm.architectures.make_reference import EVERY, IDS, POSITIONS, logits_of, model_of
from tutor.lm.architectures import FAMILIES
from tutor.lm.language_model import LanguageModel
from tutor.lm.network import KeyValueCache

ROUNDING = 1e-4


@torch.inference_mode()
def logits(model: LanguageModel, chunks: list[int]) -> Tensor:
    """Return the logits at all positions, with the text processed in chunks of some sizes."""
    network, cache = model.network, KeyValueCache(model.network.config, capacity=1)
    parts = torch.tensor(IDS).split(chunks)
    return network.logits(torch.cat([network(part, cache) for part in parts]))


def check(found: Tensor, case: str) -> None:
    reference: dict[str, Any] = references()[case]
    rows = found[list(POSITIONS)]
    wanted = torch.tensor(reference["logits"])
    torch.testing.assert_close(rows[:, ::EVERY], wanted, rtol=0, atol=ROUNDING)
    totals = torch.tensor(reference["totals"])
    torch.testing.assert_close(rows.logsumexp(-1), totals, rtol=0, atol=ROUNDING)


def test_there_is_a_case_for_every_family() -> None:
    tested = {references()[case]["config"]["architectures"][0] for case in references()}
    assert tested == set(FAMILIES)


def test_a_whole_text(model: LanguageModel, case: str) -> None:
    check(logits(model, [len(IDS)]), case)


def test_a_text_in_chunks_and_single_tokens(model: LanguageModel, case: str) -> None:
    check(logits(model, [3, 1, 1, 20, *[1] * 23]), case)


def test_all_probabilities_are_those_of_transformers(model: LanguageModel, case: str) -> None:
    pytest.importorskip("transformers")
    wanted = logits_of(model_of(case), IDS).softmax(-1)
    found = logits(model, [len(IDS)]).softmax(-1)
    difference = float((found - wanted).abs().max())
    print(f"{case}: max |Δp| {difference:.1e}")
    assert difference < 3e-5  # the logits of Gemma are larger than others
