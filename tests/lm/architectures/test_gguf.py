"""Test that GGUF files of every family give the same logits as `transformers`."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from tests.lm.architectures.folders import references
from tests.lm.architectures.gguf_files import ARCHITECTURES, write_gguf
from tests.lm.architectures.make_reference import EVERY, IDS, POSITIONS
from tests.tiny_model import byte_fields
from tutor.errors import ModelUnsupported
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
