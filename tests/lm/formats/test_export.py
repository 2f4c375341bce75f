"""Test that tutor and `transformers` load the same network from an exported folder."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from tools.corpus.tokenizer import train_tokenizer
from tutor.lm.formats.export import export_folder
from tutor.lm.formats.hugging_face import HuggingFaceFolder
from tutor.lm.network import Config, Transformer
from tutor.lm.training.train import initialize, round_to_bfloat16

CONFIG = Config(
    vocabulary_size=300,
    width=32,
    layers=2,
    heads=4,
    key_value_heads=2,
    head_size=8,
    hidden=48,
    context=64,
)


@pytest.fixture
def network() -> Transformer:
    network = Transformer(CONFIG)
    initialize(network, seed=3)
    generator = torch.Generator().manual_seed(3)
    for weight in network.parameters():  # large enough to show every difference
        weight.data.add_(0.1 * torch.randn(weight.shape, generator=generator))
    round_to_bfloat16(network)
    return network


@pytest.fixture
def folder(network: Transformer, tmp_path: Path) -> Path:
    train_tokenizer(["one two three"] * 3, 300).save(str(tmp_path / "tokenizer.json"))
    export_folder(tmp_path / "model", network, tmp_path / "tokenizer.json")
    return tmp_path / "model"


def test_the_folder_contains_the_same_weights(folder: Path, network: Transformer) -> None:
    source = HuggingFaceFolder(folder)
    assert source.config == CONFIG
    assert source.format == "BF16"
    first = network.state_dict()["blocks.1.attention.query_key_value.weight"]
    parts = [source.matrix(part, 1) for part in ("query", "key", "value")]
    assert torch.equal(torch.cat(parts).float(), first)
    gate_up = network.state_dict()["blocks.0.feed_forward.gate_up.weight"]
    parts = [source.matrix(part, 0) for part in ("gate", "up")]
    assert torch.equal(torch.cat(parts).float(), gate_up)
    assert torch.equal(source.vector("norm"), network.norm.weight)


def test_no_temporary_files_are_left(folder: Path) -> None:
    assert sorted(path.name for path in folder.iterdir()) == [
        "config.json",
        "generation_config.json",
        "model.safetensors",
        "tokenizer.json",
        "tokenizer_config.json",
    ]


def test_transformers_computes_the_same_logits(folder: Path, network: Transformer) -> None:
    transformers = pytest.importorskip("transformers")
    theirs = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    ids = torch.randint(0, CONFIG.vocabulary_size, (40,))
    with torch.no_grad():
        expected = theirs(ids[None]).logits[0]
        found = network.logits(network(ids))
    torch.testing.assert_close(found, expected, atol=1e-4, rtol=1e-4)


def test_transformers_renders_the_chat_template_that_was_trained(folder: Path) -> None:
    transformers = pytest.importorskip("transformers")
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    text = tokenizer.apply_chat_template(
        [{"role": "user", "content": "Hi"}], tokenize=False, add_generation_prompt=True
    )
    assert text == "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n"
    ids = tokenizer("<|im_end|> é 42")["input_ids"]
    assert ids[0] == tokenizer.convert_tokens_to_ids("<|im_end|>")
    assert tokenizer.decode(ids) == "<|im_end|> é 42"
