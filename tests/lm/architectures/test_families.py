"""Test every family of models against `transformers`, with random weights.

`reference.json` contains what transformers computed (see make_reference.py). Both sides use 32-bit
floats, so they differ only in the order of their sums.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from tests.lm.architectures.folders import references, write_folder
from tests.lm.architectures.make_reference import EVERY, IDS, POSITIONS, logits_of, model_of
from tutor.errors import ModelError
from tutor.lm.architectures import FAMILIES
from tutor.lm.language_model import LanguageModel
from tutor.lm.load import load_model
from tutor.lm.network import KeyValueCache
from tutor.models.find import from_path

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


@pytest.mark.parametrize(
    ("case", "changes"),
    [
        ("mixtral", {"num_experts_per_tok": 5}),
        ("mixtral", {"num_experts_per_tok": 0}),
        ("mixtral", {"num_local_experts": 10**12}),
        ("mixtral", {"num_local_experts": 5}),
        ("qwen2 with experts", {"decoder_sparse_step": 2}),
        ("qwen2 with experts", {"mlp_only_layers": [1]}),
        ("qwen2 with experts", {"shared_expert_intermediate_size": 0}),
        ("qwen2 with experts", {"moe_intermediate_size": -1}),
        ("olmoe", {"clip_qkv": 8.0}),
    ],
)
def test_experts_that_we_cannot_run(tmp_path: Path, case: str, changes: dict[str, Any]) -> None:
    with pytest.raises(ModelError):
        load_model(from_path(write_folder(tmp_path / "it", case, **changes)))


@pytest.mark.parametrize("name", ["_name_or_path", "_model_name_or_path"])
def test_the_name_that_transformers_stores_has_no_effect(tmp_path: Path, name: str) -> None:
    load_model(from_path(write_folder(tmp_path / "it", "qwen2", **{name: "a name"})))


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
