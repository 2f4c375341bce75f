"""Test that GGUF files of every family give the same logits as `transformers`."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch

from tests.lm.architectures.folders import references
from tests.lm.architectures.gguf_files import ARCHITECTURES, write_gguf
from tests.lm.architectures.make_reference import EVERY, IDS, POSITIONS
from tests.tiny_model import byte_fields
from tutor.errors import ModelDamaged, ModelUnsupported
from tutor.lm.formats import tokenizer_gguf
from tutor.lm.formats.gguf_settings import FAMILIES
from tutor.lm.load import load_model
from tutor.models.find import from_path


@pytest.fixture(autouse=True)
def _own_folders(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TUTOR_DATA", str(tmp_path / "data"))


def test_there_is_a_case_for_every_architecture() -> None:
    assert set(ARCHITECTURES.values()) == set(FAMILIES)


@pytest.mark.parametrize("case", sorted(ARCHITECTURES))
@torch.inference_mode()
def test_the_same_logits_as_from_a_folder(tmp_path: Path, case: str) -> None:
    network = load_model(from_path(write_gguf(tmp_path / "it.gguf", case))).network
    rows = network.logits(network(torch.tensor(IDS)))[list(POSITIONS)]
    wanted = torch.tensor(references()[case]["logits"])
    torch.testing.assert_close(rows[:, ::EVERY], wanted, rtol=0, atol=1e-4)


@pytest.mark.parametrize(
    "more",
    [
        {"rope.scaling.yarn_attn_factor": 1 + 0.1 * math.log(4)},  # what it is without this field
        {"rope.freq_base_swa": 1000.0},
        {"attention.sliding_window_pattern": 4},  # every fourth layer has no window
    ],
)
@torch.inference_mode()
def test_olmo_3_with_fields_that_other_converters_write(
    tmp_path: Path, more: dict[str, float]
) -> None:
    case = "olmo3 with yarn rope"
    network = load_model(from_path(write_gguf(tmp_path / "it.gguf", case, more))).network
    rows = network.logits(network(torch.tensor(IDS)))[list(POSITIONS)]
    wanted = torch.tensor(references()[case]["logits"])
    torch.testing.assert_close(rows[:, ::EVERY], wanted, rtol=0, atol=1e-4)


def test_layers_with_a_window_can_have_another_base(tmp_path: Path) -> None:
    path = write_gguf(tmp_path / "it.gguf", "olmo3", {"rope.freq_base_swa": 50.0})
    config = load_model(from_path(path)).network.config
    assert config.local_rope_base == 50
    assert config.rope_base != 50


@pytest.mark.parametrize("pattern", [[True], [1, 0, 1, 0], -1, "every fourth"])
def test_a_pattern_of_windows_that_makes_no_sense(tmp_path: Path, pattern: object) -> None:
    more = {"attention.sliding_window_pattern": pattern}
    with pytest.raises(ModelDamaged):
        load_model(from_path(write_gguf(tmp_path / "it.gguf", "olmo3", more)))


@pytest.mark.parametrize(
    "more", [{"expert_used_count": 5}, {"expert_used_count": 0}, {"expert_count": 3}]
)
def test_experts_that_are_not_there(tmp_path: Path, more: dict[str, int]) -> None:
    with pytest.raises(ModelDamaged, match="expert"):
        load_model(from_path(write_gguf(tmp_path / "it.gguf", "mixtral", more)))


@pytest.mark.parametrize("key", ["attention.temperature_length", "rope.scaling.alpha"])
def test_an_unknown_setting_is_named(tmp_path: Path, key: str) -> None:
    path = write_gguf(tmp_path / "it.gguf", "qwen3", {key: 2.0})
    with pytest.raises(ModelUnsupported, match=f"qwen3.{key}"):
        load_model(from_path(path))


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        ("olmo", ["I", "'m", "ĠmyName", "Ġ", "Ġin", "Ġ1984"]),
        ("refact", ["I", "'m", "ĠmyName", "Ġ", "Ġin", "Ġ", "1", "9", "8", "4"]),
        ("qwen2", ["I", "'m", "ĠmyName", "Ġ", "Ġin", "Ġ", "1", "9", "8", "4"]),
        ("dbrx", ["I", "'m", "ĠmyName", "Ġ", "Ġin", "Ġ", "198", "4"]),
        ("gpt-4o", ["I'm", "Ġmy", "Name", "Ġ", "Ġin", "Ġ", "198", "4"]),
        ("tekken", ["I", "'m", "Ġmy", "Name", "Ġ", "Ġin", "Ġ", "1", "9", "8", "4"]),
    ],
)
def test_the_rules_for_splitting_text(rules: str, words: list[str]) -> None:
    backend = tokenizer_gguf.backend(byte_fields() | {"tokenizer.ggml.pre": rules})
    splitter = backend.pre_tokenizer
    assert splitter is not None
    assert [word for word, _ in splitter.pre_tokenize_str("I'm myName  in 1984")] == words
