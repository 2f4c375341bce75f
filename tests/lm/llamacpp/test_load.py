"""Test which files llama.cpp opens, and the error if it is not installed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.lm.llamacpp.network_library import NetworkLibrary, llama_model
from tests.tiny_gguf import write_gguf
from tests.tiny_model import tiny_model, write_tiny_folder
from tutor.errors import ModelDamaged, ModelUnsupported, NotWithLlamaCpp
from tutor.installation import install_command
from tutor.lm.language_model import LanguageModel
from tutor.lm.llamacpp import load
from tutor.lm.llamacpp.load import open_model, require_network
from tutor.lm.load import load_model
from tutor.models.find import from_path


@pytest.fixture(autouse=True)
def folders(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TUTOR_DATA", str(tmp_path / "data"))
    monkeypatch.setattr(load, "is_installed", lambda: False)


def test_another_architecture_names_the_extra(tmp_path: Path) -> None:
    write_gguf(tmp_path / "it.gguf", architecture="falcon")
    with pytest.raises(ModelUnsupported, match="'falcon' is not supported") as raised:
        open_model(from_path(tmp_path / "it.gguf"))
    assert "llama.cpp" in raised.value.next_step
    assert install_command("llamacpp") in raised.value.next_step
    assert str(tmp_path / "it.gguf") in raised.value.happened


def test_a_family_of_ours_is_not_opened_with_llama_cpp(tmp_path: Path) -> None:
    write_gguf(tmp_path / "it.gguf")
    model = open_model(from_path(tmp_path / "it.gguf"))
    assert isinstance(model, LanguageModel)
    assert require_network(model) is model


def test_a_folder_and_a_damaged_file_do_not_name_the_extra(tmp_path: Path) -> None:
    folder = write_tiny_folder(tmp_path / "folder")
    config = folder / "config.json"
    config.write_text(config.read_text().replace("LlamaForCausalLM", "FalconForCausalLM"))
    with pytest.raises(ModelUnsupported) as raised:
        open_model(from_path(folder))
    assert "llama.cpp" not in raised.value.next_step
    (tmp_path / "it.gguf").write_bytes(b"GGUF")
    with pytest.raises(ModelDamaged) as damaged:
        open_model(from_path(tmp_path / "it.gguf"))
    assert "llama.cpp" not in damaged.value.next_step


def test_other_users_of_models_need_our_own_network(tmp_path: Path) -> None:
    with pytest.raises(NotWithLlamaCpp):
        require_network(llama_model(NetworkLibrary(tiny_model())))
    write_gguf(tmp_path / "it.gguf", architecture="falcon")
    with pytest.raises(ModelUnsupported, match="falcon"):
        load_model(from_path(tmp_path / "it.gguf"))
