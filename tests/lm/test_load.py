"""Test loading models from disk: valid ones load, others raise an error that explains why."""

from __future__ import annotations

import json
import os
import shutil
import weakref
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import gguf
import msgspec
import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from tests.tiny_gguf import HEAD_SIZE, LAYERS, Values, write_gguf
from tests.tiny_model import tiny_model, write_tiny_folder
from tutor import paths
from tutor.errors import ModelDamaged, ModelError, ModelUnsupported, NotEnoughMemory
from tutor.lm import load
from tutor.lm.fast.kernels import Kernels
from tutor.lm.formats.convert import converted
from tutor.lm.formats.export import export_folder
from tutor.lm.formats.gguf_file import GgufFile
from tutor.lm.language_model import LanguageModel
from tutor.lm.load import checksum, load_model
from tutor.lm.network import Config, Transformer
from tutor.lm.self_test import run_self_test
from tutor.models import FoundModel, report
from tutor.models.find import from_path

SENTENCEPIECE = Path(__file__).with_name("sentencepiece")
IDS = torch.tensor([5, 80, 120, 7, 7, 200, 31])


@pytest.fixture(autouse=True)
def folders(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TUTOR_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("TUTOR_SHARED", str(tmp_path / "shared"))
    # independent of the machine and its load
    monkeypatch.setattr(load, "choose_kernels", lambda: Kernels(int4=True, int8=True))


def logits(network: Transformer, ids: Tensor = IDS) -> Tensor:
    with torch.inference_mode():
        return network.logits(network(ids))


def plain_network(config: Config, values: Values) -> Transformer:
    """Return the network with 32-bit weights, built without the loader."""
    network = Transformer(config)
    weights: dict[str, Any] = {"norm": values["output_norm.weight"]}
    weights["embedding"] = values["token_embd.weight"]
    weights["head"] = values.get("output.weight", values["token_embd.weight"])
    for layer in range(LAYERS):
        part = {
            name: values[f"blk.{layer}.{name}.weight"]
            for name in [
                "attn_q",
                "attn_k",
                "attn_v",
                "attn_output",
                "ffn_gate",
                "ffn_up",
                "ffn_down",
            ]
        }
        block = f"blocks.{layer}"
        weights |= {
            f"{block}.attention_norm": values[f"blk.{layer}.attn_norm.weight"],
            f"{block}.feed_forward_norm": values[f"blk.{layer}.ffn_norm.weight"],
            f"{block}.attention.query_key_value": np.concatenate(
                [part["attn_q"], part["attn_k"], part["attn_v"]]
            ),
            f"{block}.attention.output": part["attn_output"],
            f"{block}.feed_forward.gate_up": np.concatenate([part["ffn_gate"], part["ffn_up"]]),
            f"{block}.feed_forward.down": part["ffn_down"],
        }
    state = {f"{name}.weight": torch.from_numpy(value) for name, value in weights.items()}
    network.load_state_dict(state)
    return network


# The number format, the kernels for its matrices and its table, and the largest difference of the
# logits, relative to the largest logit. Causes are the order of 32-bit sums, rounding to 16 bits,
# and bfloat16 scales.
FORMATS = [
    ("F32", "fp32", 1e-5),
    ("F16", "fp16", 2e-3),
    ("BF16", "fp16", 2e-3),
    ("Q8_0", "int8", 1e-5),
    ("Q4_0", "int4, fp16", 2e-2),
    ("Q4_1", "int4, fp16", 2e-2),
    ("Q5_0", "fp16", 2e-3),
    ("Q4_K", "int4, fp16", 2e-2),
    ("Q6_K", "int8", 1e-5),
]


@pytest.mark.parametrize(("form", "kernel", "tolerance"), FORMATS)
def test_gguf_in_every_format(tmp_path: Path, form: str, kernel: str, tolerance: float) -> None:
    values = write_gguf(tmp_path / "tiny.gguf", form)
    model = load_model(from_path(tmp_path / "tiny.gguf"))
    wanted = logits(plain_network(model.network.config, values))
    difference = (logits(model.network) - wanted).abs().max() / wanted.abs().max()
    assert float(difference) <= tolerance
    assert model.card.kernel == kernel
    assert model.card.format.startswith(form)
    one = logits(model.network, IDS[:1])
    assert float((one - wanted[:1]).abs().max() / wanted.abs().max()) <= tolerance


def test_exact_means_32_bits(tmp_path: Path) -> None:
    values = write_gguf(tmp_path / "tiny.gguf", "Q4_1", table_format="Q8_0")
    model = load_model(from_path(tmp_path / "tiny.gguf"), exact=True)
    assert model.card.kernel == "fp32"
    wanted = logits(plain_network(model.network.config, values))
    torch.testing.assert_close(logits(model.network), wanted, rtol=0, atol=1e-4)


def test_matrices_of_different_formats_are_joined_as_floats(tmp_path: Path) -> None:
    mixed = {"blk.0.attn_v.weight": "Q8_0", "blk.1.ffn_up.weight": "F16"}
    values = write_gguf(tmp_path / "tiny.gguf", "Q4_1", table_format="Q8_0", mixed=mixed)
    model = load_model(from_path(tmp_path / "tiny.gguf"))
    assert model.card.kernel == "fp16, int4, int8"
    wanted = logits(plain_network(model.network.config, values))
    assert float((logits(model.network) - wanted).abs().max() / wanted.abs().max()) <= 2e-2


@pytest.mark.parametrize("form", ["F16", "F32", "Q8_0", "TQ2_0"])
def test_a_matrix_of_any_format_follows_a_4_bit_matrix(tmp_path: Path, form: str) -> None:
    """Low-bit files mix formats in a block, because rows of some lengths have no low-bit format."""
    mixed = {f"blk.{layer}.ffn_down.weight": form for layer in range(LAYERS)}
    values = write_gguf(tmp_path / "tiny.gguf", "Q4_0", mixed=mixed)
    model = load_model(from_path(tmp_path / "tiny.gguf"))
    run_self_test(model)
    wanted = logits(plain_network(model.network.config, values))
    assert float((logits(model.network) - wanted).abs().max() / wanted.abs().max()) <= 2e-2


def test_an_untied_output_layer_and_rope_factors(tmp_path: Path) -> None:
    path = tmp_path / "tiny.gguf"
    values = write_gguf(path, "F32", tied=False, extra=("rope_freqs.weight",))
    model = load_model(from_path(path))
    assert model.network.config.rope_factors == (2.0,) * (HEAD_SIZE // 2)
    assert not model.network.config.tied
    wanted = logits(plain_network(model.network.config, values))
    torch.testing.assert_close(logits(model.network), wanted, rtol=0, atol=1e-4)


def test_without_kernels_for_few_bits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load, "choose_kernels", lambda: Kernels(int4=False, int8=False))
    write_gguf(tmp_path / "tiny.gguf", "Q4_1", table_format="Q8_0")
    assert load_model(from_path(tmp_path / "tiny.gguf")).card.kernel == "fp16"


# --- the packed copy --------------------------------------------------------------------------


def load_noting_stages(path: Path, sha256: str | None = None) -> tuple[LanguageModel, list[str]]:
    stages: list[str] = []
    found = FoundModel(path.stem, "gguf", path, sha256)
    return load_model(found, on_stage=lambda stage, *_: stages.append(stage)), stages


def packed_files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.safetensors"))


def packing(stages: Iterable[str]) -> list[str]:
    return [stage for stage in stages if stage.startswith("packing")]


def test_a_model_is_packed_once_and_then_mapped(tmp_path: Path) -> None:
    path = tmp_path / "tiny.gguf"
    write_gguf(path, "Q4_1", table_format="Q8_0")
    first, stages = load_noting_stages(path)
    assert packing(stages)
    (packed,) = packed_files(paths.packed_folder())
    assert packed.name.startswith(checksum([path])[:16])
    second, stages = load_noting_stages(path)
    assert stages == ["starting the model"]
    assert second.card == first.card
    torch.testing.assert_close(logits(second.network), logits(first.network))
    assert second.tokenizer.encode("hello") == first.tokenizer.encode("hello")
    assert not list(paths.packed_folder().glob(".*"))  # no temporary file is left


def test_incomplete_packed_copies_of_killed_processes_are_removed(tmp_path: Path) -> None:
    folder = paths.packed_folder()
    folder.mkdir(parents=True)
    old, new = folder / ".a.safetensors.x", folder / ".b.safetensors.y"
    for partial in (old, new):
        partial.touch()
    os.utime(old, (0, 0))
    write_gguf(tmp_path / "tiny.gguf", "Q4_1")
    load_noting_stages(tmp_path / "tiny.gguf")
    assert not old.exists()
    assert new.exists()  # another process may be writing it


def test_loading_reports_its_progress(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report, "_REPORT_EVERY", 0.0)
    write_gguf(tmp_path / "tiny.gguf", "Q4_1")
    heard: dict[str, list[tuple[int, int]]] = {}

    def on_stage(stage: str, done: int = 0, total: int = 0) -> None:
        heard.setdefault(stage, []).append((done, total))

    load_model(FoundModel("tiny", "gguf", tmp_path / "tiny.gguf"), on_stage=on_stage)
    size = (tmp_path / "tiny.gguf").stat().st_size
    assert heard["checking the model file"] == [(0, size), (size, size)]
    (stage,) = packing(heard)
    assert str(paths.packed_folder()) in stage
    done, totals = zip(*heard[stage], strict=True)
    assert list(done) == sorted(done)
    assert 0 < done[-1] < totals[-1]
    assert len(set(totals)) == 1


def test_an_installed_model_is_packed_in_its_own_folder() -> None:
    paths.shared_models_folder().mkdir(parents=True)
    path = paths.shared_models_folder() / "tiny.gguf"
    write_gguf(path, "Q4_1")
    load_noting_stages(path)
    assert len(packed_files(paths.shared_models_folder())) == 1
    assert not paths.packed_folder().exists()


def test_a_large_folder_is_packed_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A change to any file of the folder is noticed."""
    monkeypatch.setattr(load, "_SMALL_FOLDER", 0)
    folder = write_tiny_folder(tmp_path / "tiny")
    stages: list[str] = []

    def loaded() -> LanguageModel:
        stages.clear()
        return load_model(from_path(folder), on_stage=lambda stage, *_: stages.append(stage))

    wanted = logits(tiny_model().network)
    for run in ("packed", "mapped"):
        model = loaded()
        assert bool(packing(stages)) == (run == "packed")
        assert float((logits(model.network) - wanted).abs().max() / wanted.abs().max()) < 2e-2
        assert model.card.sha256 == checksum([folder / "model.safetensors"])
    config = json.loads((folder / "tokenizer_config.json").read_text())
    (folder / "tokenizer_config.json").write_text(json.dumps(config | {"chat_template": "new"}))
    assert loaded().chat_template == "new"
    assert packing(stages)
    damaged = bytearray((folder / "tokenizer.json").read_bytes())
    damaged[100] = 0xFF
    (folder / "tokenizer.json").write_bytes(damaged)
    with pytest.raises(ModelDamaged, match=r"tokenizer\.json"):
        loaded()


def test_packing_needs_memory_for_one_matrix(tmp_path: Path) -> None:
    """Only one matrix is converted before the previous one is written."""
    path = tmp_path / "tiny.gguf"
    write_gguf(path, "Q4_K")
    alive: list[weakref.ref[Tensor]] = []
    source = GgufFile(path)
    for name, tensor in converted(source, Kernels(int4=True, int8=True)):
        if name.endswith("packed"):
            assert sum(ref() is not None for ref in alive) <= 1
            alive.append(weakref.ref(tensor))
        del tensor
    assert len(alive) == 4 * LAYERS


def test_a_replaced_file_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "tiny.gguf"
    write_gguf(path, "Q4_1")
    first, _ = load_noting_stages(path)
    write_gguf(path, "Q4_0")
    second, stages = load_noting_stages(path)
    assert packing(stages)
    assert second.card.sha256 != first.card.sha256


def test_a_replaced_file_of_the_same_size_and_time_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "tiny.gguf"
    write_gguf(path, "Q4_1")
    os.utime(path, ns=(1, 1))
    first, _ = load_noting_stages(path)
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    os.utime(path, ns=(1, 1))
    second, _ = load_noting_stages(path)
    assert second.card.sha256 != first.card.sha256


def test_a_damaged_packed_copy_is_made_again(tmp_path: Path) -> None:
    path = tmp_path / "tiny.gguf"
    write_gguf(path, "Q4_1")
    first, _ = load_noting_stages(path)
    wanted = logits(first.network)
    (packed,) = packed_files(paths.packed_folder())
    size = packed.stat().st_size
    content = packed.read_bytes()
    packed.unlink()  # the network above still has it mapped
    packed.write_bytes(content[: size // 2])
    again, stages = load_noting_stages(path)
    assert packing(stages)
    torch.testing.assert_close(logits(again.network), wanted)
    assert packed.stat().st_size == size


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root can write anywhere")
def test_a_model_loads_if_its_copy_cannot_be_written(tmp_path: Path) -> None:
    check_without_a_copy(tmp_path)


def test_a_model_loads_if_there_is_no_space_for_its_copy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> Path:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(load, "save_packed", full)
    check_without_a_copy(tmp_path)


def check_without_a_copy(tmp_path: Path) -> None:
    paths.data_folder().mkdir(mode=0o500)
    path = tmp_path / "tiny.gguf"
    write_gguf(path, "Q4_1")
    model, _ = load_noting_stages(path)
    assert torch.isfinite(logits(model.network)).all()
    assert not paths.packed_folder().exists()


# --- errors -----------------------------------------------------------------------------------


def refused(path: Path, error: type[ModelError], sha256: str | None = None) -> ModelError:
    found = FoundModel("it", "folder" if path.is_dir() else "gguf", path, sha256)
    with pytest.raises(error) as caught:
        load_model(found)
    assert type(caught.value) is error
    assert str(path) in caught.value.happened
    assert caught.value.next_step
    return caught.value


def test_altered_default_model(tmp_path: Path) -> None:
    path = tmp_path / "tiny.gguf"
    write_gguf(path, "Q4_1")
    sha256 = checksum([path])
    load_noting_stages(path, sha256)
    data = bytearray(path.read_bytes())
    data[-100] ^= 1
    path.write_bytes(data)
    os.utime(path, ns=(1, 1))
    assert "checksum" in refused(path, ModelDamaged, sha256).happened


@pytest.mark.parametrize("part", [0.0001, 0.02, 0.3, 0.9, 0.9999])
def test_truncated_gguf(tmp_path: Path, part: float) -> None:
    path = tmp_path / "tiny.gguf"
    write_gguf(path, "Q8_0")
    data = path.read_bytes()
    path.write_bytes(data[: max(8, int(len(data) * part))])
    assert "the file ends" in refused(path, ModelDamaged).happened


def test_gguf_with_absurd_counts(tmp_path: Path) -> None:
    path = tmp_path / "tiny.gguf"
    write_gguf(path, "Q8_0")
    data = bytearray(path.read_bytes())
    data[8:16] = (1 << 60).to_bytes(8, "little")  # number of tensors
    path.write_bytes(data)
    refused(path, ModelDamaged)


def test_missing_tensor(tmp_path: Path) -> None:
    path = tmp_path / "tiny.gguf"
    write_gguf(path, "Q8_0", without=("blk.1.ffn_up.weight",))
    assert "blk.1.ffn_up.weight" in refused(path, ModelDamaged).happened


@pytest.mark.parametrize("base", [0.0, float("nan")])
def test_gguf_with_an_impossible_size(tmp_path: Path, base: float) -> None:
    path = tmp_path / "tiny.gguf"
    write_gguf(path, settings={"llama.rope.freq_base": base})
    assert "rotary" in refused(path, ModelDamaged).happened


def test_another_architecture(tmp_path: Path) -> None:
    path = tmp_path / "tiny.gguf"
    write_gguf(path, architecture="mamba")
    assert "mamba" in refused(path, ModelUnsupported).happened


@pytest.mark.parametrize("name", ["blk.0.attn_k.bias", "blk.1.attn_sinks.weight"])
def test_a_tensor_that_llama_does_not_have(tmp_path: Path, name: str) -> None:
    path = tmp_path / "tiny.gguf"
    write_gguf(path, extra=(name,))
    assert name in refused(path, ModelUnsupported).happened


def test_some_biases_are_missing(tmp_path: Path) -> None:
    path = tmp_path / "tiny.gguf"
    write_gguf(path, extra=("blk.0.attn_q.bias",))
    refused(path, ModelDamaged)


def test_an_unknown_setting_of_a_gguf_file(tmp_path: Path) -> None:
    path = tmp_path / "tiny.gguf"
    write_gguf(path, settings={"llama.attention.sliding_window": 8.0})
    assert "sliding_window" in refused(path, ModelUnsupported).happened


def test_unsupported_rope_scaling(tmp_path: Path) -> None:
    path = tmp_path / "tiny.gguf"
    write_gguf(path, settings={"llama.rope.scaling.type": "proportional"})
    assert "proportional" in refused(path, ModelUnsupported).happened


def test_unknown_number_format(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(data: object, kind: object) -> object:
        raise NotImplementedError

    path = tmp_path / "tiny.gguf"
    write_gguf(path, "Q5_0")
    monkeypatch.setattr(gguf, "dequantize", unknown)
    error = refused(path, ModelUnsupported)
    assert "Q5_0" in error.happened
    assert "Q8_0" in error.next_step


def test_too_little_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "tiny.gguf"
    write_gguf(path, "Q8_0")
    monkeypatch.setattr(load, "available_memory", lambda: 1000)
    assert "memory" in refused(path, NotEnoughMemory).happened
    assert not paths.packed_folder().exists()


# --- Hugging Face folders ---------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_tiny_folder(tmp_path / "tiny")


def change_config(folder: Path, **changes: Any) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_folder(folder: Path) -> None:
    model = load_model(from_path(folder))
    wanted = logits(tiny_model().network)
    # the weights in the folder are bfloat16
    assert float((logits(model.network) - wanted).abs().max() / wanted.abs().max()) < 2e-2
    assert model.card.format == "BF16"
    assert model.card.sha256 == checksum([folder / "model.safetensors"])
    assert model.card.parameters == sum(p.numel() for p in tiny_model().network.parameters())
    assert not paths.packed_folder().exists()


def test_folder_with_several_weight_files(folder: Path) -> None:
    whole = logits(load_model(from_path(folder)).network)
    tensors = load_file(folder / "model.safetensors")
    names = sorted(tensors)
    parts = {"a.safetensors": names[::2], "b.safetensors": names[1::2]}
    for file, inside in parts.items():
        save_file({name: tensors[name].clone() for name in inside}, folder / file)
    (folder / "model.safetensors").unlink()
    index = {"weight_map": {name: file for file, inside in parts.items() for name in inside}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    torch.testing.assert_close(logits(load_model(from_path(folder)).network), whole)
    (folder / "b.safetensors").unlink()
    assert "b.safetensors" in refused(folder, ModelDamaged).happened


def test_folder_like_transformers(folder: Path) -> None:
    """An untied network with wide heads and Llama 3's RoPE scaling gives the same logits.

    The reference is `transformers`; its heads are wider than the width divided by their number.
    """
    transformers = pytest.importorskip("transformers")
    scaling = {
        "rope_type": "llama3",
        "factor": 8.0,
        "low_freq_factor": 1.0,
        "high_freq_factor": 4.0,
        "original_max_position_embeddings": 32,
    }
    config = transformers.LlamaConfig(
        vocab_size=300,
        hidden_size=48,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        head_dim=16,
        max_position_embeddings=256,
        rope_theta=500_000.0,
        rope_scaling=scaling,
        tie_word_embeddings=False,
    )
    torch.manual_seed(0)
    reference = transformers.LlamaForCausalLM(config).eval()
    tokenizer = (folder / "tokenizer.json").read_bytes()
    shutil.rmtree(folder)
    reference.save_pretrained(folder)
    (folder / "tokenizer.json").write_bytes(tokenizer)
    model = load_model(from_path(folder))
    assert model.network.config.rope_factors is not None
    ids = torch.arange(3, 93)
    with torch.inference_mode():
        wanted = reference(ids[None]).logits[0]
    torch.testing.assert_close(logits(model.network, ids), wanted, rtol=0, atol=1e-4)


def test_folder_of_another_architecture(folder: Path) -> None:
    change_config(folder, architectures=["MambaForCausalLM"])
    assert "MambaForCausalLM" in refused(folder, ModelUnsupported).happened


@pytest.mark.parametrize(
    "changes",
    [
        {"hidden_act": "relu2"},
        {"rope_scaling": {"rope_type": "proportional"}},
        {"rope_scaling": {"type": "proportional"}},
        {"rope_scaling": {"rope_type": "yarn", "new_setting": 2}},
        {"a_new_setting": 2},
        {"layer_types": ["full_attention", "linear_attention", "full_attention"]},
    ],
)
def test_folder_with_unsupported_settings(folder: Path, changes: dict[str, Any]) -> None:
    change_config(folder, rope_parameters=None, **changes)
    refused(folder, ModelUnsupported)


def test_an_unknown_setting_is_named(folder: Path) -> None:
    change_config(folder, a_new_setting=2)
    assert "'a_new_setting'" in refused(folder, ModelUnsupported).happened


def test_an_unknown_setting_that_is_off_changes_nothing(folder: Path) -> None:
    change_config(folder, a_new_setting=False, another=None, third=[])
    load_model(from_path(folder))


def test_folder_without_the_biases_that_it_promises(folder: Path) -> None:
    change_config(folder, attention_bias=True)
    assert "q_proj.bias" in refused(folder, ModelDamaged).happened


@pytest.mark.parametrize(
    "changes",
    [
        {"hidden_size": "wide"},
        {"hidden_size": 33, "head_dim": None},
        {"num_hidden_layers": 7},
        {"num_hidden_layers": 0},
        {"num_attention_heads": 0},
        {"num_attention_heads": 0, "head_dim": None},
        {"num_attention_heads": 5, "head_dim": None},
        {"num_key_value_heads": 3},
        {"head_dim": 6},
        {"head_dim": 7},
        {"vocab_size": 301},
        {"max_position_embeddings": 0},
        {"rms_norm_eps": -1},
        {"rope_theta": 0},
        {"rope_theta": 0, "rope_scaling": {"rope_type": "llama3"}},
        {"rope_scaling": {"rope_type": "llama3", "low_freq_factor": 4.0}},
    ],
)
def test_folder_whose_config_is_wrong(folder: Path, changes: dict[str, Any]) -> None:
    change_config(folder, **changes)
    refused(folder, ModelDamaged)


def test_folder_whose_tokenizer_has_more_tokens_than_its_network(folder: Path) -> None:
    path = folder / "model.safetensors"
    tensors = load_file(path)
    table = tensors["model.embed_tokens.weight"][:200].clone()
    path.unlink()
    save_file(tensors | {"model.embed_tokens.weight": table}, path)
    change_config(folder, vocab_size=200)
    error = refused(folder, ModelUnsupported)
    assert "only 200 token embeddings" in error.happened
    assert "resize_token_embeddings" in error.next_step


def test_folder_with_a_truncated_file(folder: Path) -> None:
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-10])
    assert "model.safetensors" in refused(folder, ModelDamaged).happened


def test_folder_in_another_number_format(folder: Path) -> None:
    path = folder / "model.safetensors"
    tensors = {name: tensor.to(torch.int8) for name, tensor in load_file(path).items()}
    path.unlink()
    save_file(tensors, path)
    assert "int8" in refused(folder, ModelUnsupported).happened


QUANTIZED: list[tuple[dict[str, Any], str]] = [
    ({"quantization_config": {"quant_method": "gptq", "bits": 4}}, "GPTQ"),
    ({"quantization_config": {"quant_method": "awq"}}, "AWQ"),
    ({"quantization_config": {"load_in_4bit": True}}, "a method without a name"),
    ({"quantization": {"bits": 4, "group_size": 64}}, "MLX"),
]


@pytest.mark.parametrize(("changes", "said"), QUANTIZED)
def test_a_quantized_folder_is_not_called_damaged(
    folder: Path, changes: dict[str, Any], said: str
) -> None:
    change_config(folder, **changes)
    error = refused(folder, ModelUnsupported)
    assert f"quantized with {said}" in error.happened
    assert "GGUF" in error.next_step


def test_a_quantized_folder_whose_config_does_not_say_so(folder: Path) -> None:
    path = folder / "model.safetensors"
    tensors = load_file(path)
    table = "model.embed_tokens.weight"
    renamed = {
        name if name == table else name.replace(".weight", ".qweight"): tensor
        for name, tensor in tensors.items()
    }
    path.unlink()
    save_file(renamed, path)
    assert "quantized" in refused(folder, ModelUnsupported).happened


def test_folder_with_an_unreadable_tokenizer(folder: Path) -> None:
    (folder / "tokenizer.json").write_text("{}")
    with pytest.raises(ModelDamaged):
        load_model(from_path(folder))


def test_folder_with_a_sentencepiece_model(tmp_path: Path, folder: Path) -> None:
    config = msgspec.structs.replace(tiny_model().network.config, vocabulary_size=700)
    export_folder(tmp_path / "llama", Transformer(config), folder / "tokenizer.json")
    (tmp_path / "llama/tokenizer.json").unlink()
    shutil.copyfile(SENTENCEPIECE / "llama.model", tmp_path / "llama/tokenizer.model")
    model = load_model(from_path(tmp_path / "llama"))
    ids = model.tokenizer.encode("hello")
    assert model.tokenizer.decode(ids) == b" hello"
    assert model.tokenizer.start_ids == (1,)
    assert model.network.logits(model.network(torch.tensor(ids))).shape[-1] == 700
    before = load._stamp(from_path(tmp_path / "llama"))
    shutil.copyfile(SENTENCEPIECE / "gemma.model", tmp_path / "llama/tokenizer.model")
    assert load._stamp(from_path(tmp_path / "llama")) != before


def test_config_survives_the_packed_file() -> None:
    config = msgspec.structs.replace(tiny_model().network.config, rope_factors=(1.0, 2.5))
    assert msgspec.json.decode(msgspec.json.encode(config), type=Config) == config
