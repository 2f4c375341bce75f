"""Test finding the files of the model that the user names."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs
import pytest

from tutor import paths
from tutor.errors import ModelDamaged, ModelError, ModelNotFound, ModelUnsupported
from tutor.models import find_model, installed_models
from tutor.models.installed import DEFAULT, bundled_model, file_size, installed_default
from tutor.models.packed import remove


@pytest.fixture(autouse=True)
def _own_folders(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("TUTOR_MODEL", raising=False)
    monkeypatch.setenv("TUTOR_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("TUTOR_SHARED", str(tmp_path / "shared"))
    for name in ("model", "base", "instruct"):
        monkeypatch.setattr(
            paths, f"bundled_{name}_folder", lambda: tmp_path / "bundled/small-model"
        )


def _gguf(path: Path, size: int = 100) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.write(b"GGUF")
        file.truncate(size)  # takes no disk space
    return path


def _folder(path: Path, *, without: str = "") -> Path:
    path.mkdir(parents=True)
    for name in {"config.json", "tokenizer.json", "model.safetensors"} - {without}:
        (path / name).write_text("{}")
    return path


def _install_default(folder: Path) -> Path:
    return _gguf(folder / DEFAULT.file_name, DEFAULT.size)


def test_the_learners_own_default_model_comes_first_then_the_machine_wide_one(
    tmp_path: Path,
) -> None:
    _folder(tmp_path / "bundled/small-model")
    assert find_model().bundled
    ours = _install_default(paths.shared_models_folder())
    assert find_model().path == ours
    mine = _install_default(paths.user_models_folder())
    found = find_model()
    assert found.path == mine
    assert found.sha256 == DEFAULT.sha256
    assert installed_default() == found
    assert [model.path for model in installed_models()][:2] == [mine, ours]


def test_the_default_model_is_found_in_its_python_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packages = tmp_path / "site-packages"
    package = packages / DEFAULT.member.partition("/")[0]
    inside = _install_default(package)
    (package / "__init__.py").write_text("raise RuntimeError('this code must not run')")
    monkeypatch.syspath_prepend(packages)
    assert find_model().path == inside
    assert installed_default() == find_model(DEFAULT.file_name)
    with pytest.raises(ModelError, match=f"part of the Python package {DEFAULT.package}"):
        remove(DEFAULT.file_name)
    assert inside.exists()
    mine = _install_default(paths.user_models_folder())
    assert find_model().path == mine


def test_an_incomplete_default_model_is_not_used() -> None:
    half = _gguf(paths.user_models_folder() / DEFAULT.file_name, DEFAULT.size // 2)
    assert installed_default() is None
    with pytest.raises(ModelDamaged, match=str(half)):
        find_model()
    ours = _install_default(paths.shared_models_folder())
    assert find_model().path == ours


def test_no_model_at_all() -> None:
    assert installed_models() == ()
    assert bundled_model() is None
    with pytest.raises(ModelNotFound) as caught:
        find_model()
    assert "tutor model pull" in caught.value.next_step


def test_the_environment_can_name_a_model(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    _install_default(paths.user_models_folder())
    other = _gguf(tmp_path / "other.gguf")
    monkeypatch.setenv("TUTOR_MODEL", str(other))
    assert find_model().path == other
    third = _gguf(tmp_path / "third.gguf")
    assert find_model(str(third)).path == third
    monkeypatch.setenv("TUTOR_MODEL", "")
    assert find_model().sha256 == DEFAULT.sha256


@pytest.mark.parametrize("name", ["Mine", "mine", "mine.gguf"])
def test_a_model_is_found_by_its_name(name: str) -> None:
    place = _gguf(paths.user_models_folder() / "mine.gguf")
    found = find_model(name)
    assert (found.kind, found.path, found.name) == ("gguf", place, "mine")


def test_the_number_format_can_be_left_out_if_only_one_model_has_the_rest_of_the_name() -> None:
    four_bits = _gguf(paths.user_models_folder() / "Mine-1B-Instruct.Q4_1.gguf")
    for name in ("Mine-1B-Instruct", "mine-1b-instruct", "Mine-1B-Instruct.Q4_1"):
        assert find_model(name).path == four_bits
    _gguf(paths.user_models_folder() / "Mine-1B-Instruct.Q8_0.gguf")
    with pytest.raises(ModelNotFound):
        find_model("Mine-1B-Instruct")
    assert find_model("Mine-1B-Instruct.Q4_1").path == four_bits


def test_installed_models_come_before_files_of_the_same_name(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    installed = _folder(paths.shared_models_folder() / "mine")
    here = _folder(tmp_path / "here/mine")
    monkeypatch.chdir(here.parent)
    assert find_model("mine").path == installed
    assert find_model(f".{os.sep}mine").path == here


def test_a_folder(tmp_path: Path) -> None:
    folder = _folder(tmp_path / "model")
    found = find_model(str(folder))
    assert (found.kind, found.path, found.name) == ("folder", folder, "model")
    assert file_size(found) == 6


def test_a_path_from_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    place = _gguf(tmp_path / "model.gguf")
    assert find_model("~/model.gguf").path == place


def test_a_folder_can_have_a_sentencepiece_model(tmp_path: Path) -> None:
    folder = _folder(tmp_path / "model", without="tokenizer.json")
    (folder / "tokenizer.model").write_text("x")
    assert find_model(str(folder)).path == folder


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json", "model.safetensors"])
def test_a_folder_without_a_required_file(tmp_path: Path, name: str) -> None:
    folder = _folder(tmp_path / "model", without=name)
    with pytest.raises(ModelDamaged, match=name.removeprefix("model.")):
        find_model(str(folder))


def test_a_folder_with_several_gguf_files_is_an_error(tmp_path: Path) -> None:
    _gguf(tmp_path / "models/a.gguf")
    _gguf(tmp_path / "models/b.gguf")
    with pytest.raises(ModelError, match=r"a\.gguf, b\.gguf"):
        find_model(str(tmp_path / "models"))


@pytest.mark.parametrize("spec", ["nothing", "./nothing.gguf", "~nobody-of-this-name/x", "a\0b"])
def test_a_missing_model_is_an_error(spec: str) -> None:
    with pytest.raises(ModelNotFound):
        find_model(spec)


def test_other_files_are_not_models(tmp_path: Path) -> None:
    (tmp_path / "empty.gguf").touch()
    with pytest.raises(ModelDamaged, match="empty"):
        find_model(str(tmp_path / "empty.gguf"))
    (tmp_path / "text.gguf").write_text("text")
    with pytest.raises(ModelUnsupported, match="not a GGUF file"):
        find_model(str(tmp_path / "text.gguf"))
    (tmp_path / "folder").mkdir()
    with pytest.raises(ModelNotFound, match="no model in the folder"):
        find_model(str(tmp_path / "folder"))


@pytest.mark.skipif(os.geteuid() == 0, reason="root can read everything")
def test_an_unreadable_file_is_an_error(tmp_path: Path) -> None:
    place = _gguf(tmp_path / "secret.gguf")
    place.chmod(0)
    with pytest.raises(ModelNotFound, match="cannot be read"):
        find_model(str(place))


def test_without_a_home_folder_machine_wide_models_are_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ours = _install_default(paths.shared_models_folder())
    monkeypatch.delenv("TUTOR_DATA")
    monkeypatch.setattr(platformdirs, "user_data_path", lambda *_, **__: Path("~/nowhere"))
    assert find_model().path == ours


def test_other_files_in_a_model_folder_are_ignored() -> None:
    folder = paths.user_models_folder()
    _gguf(folder / ".staging-x/model.gguf")
    _gguf(folder / ".hidden.gguf")
    (folder / "packed.safetensors").touch()
    (folder / "notes").mkdir()
    assert installed_models() == ()


@pytest.mark.parametrize("spec", ["openai:gpt", "claude:", "gemini:org/name"])
def test_a_remote_model_has_no_files(spec: str) -> None:
    with pytest.raises(ModelUnsupported, match="not a local model"):
        find_model(spec)


def test_a_name_of_ollama_leads_to_its_server() -> None:
    with pytest.raises(ModelUnsupported) as caught:
        find_model("ollama:llama3.2:1b")
    assert "openai:llama3.2:1b --base-url http://localhost:11434/v1" in caught.value.next_step


@pytest.mark.parametrize("name", ["HuggingFaceTB/SmolLM2-135M", "owner/repo-GGUF/model.Q8_0.gguf"])
def test_a_repository_without_its_prefix(name: str) -> None:
    with pytest.raises(ModelNotFound) as caught:
        find_model(name)
    assert f"hf:{name}" in caught.value.next_step


# What a folder without all files of a model contains, what the error says it is, and a word of what
# to do.
NOT_MODELS = [
    (("config.json", "tokenizer.json", "pytorch_model.bin"), "pickle", "safetensors"),
    (("config.json", "pytorch_model-00001-of-00002.bin", "tokenizer.model"), "pickle", "GGUF"),
    (("consolidated.00.pth", "params.json"), "pickle", "GGUF"),
    (("config.json", "tokenizer.json", "tf_model.h5"), "TensorFlow", "safetensors"),
    (("config.json", "model.safetensors", "spiece.model"), "spiece.model", "AutoTokenizer"),
    (("config.json", "model.safetensors", "vocab.json"), "vocab.json", "AutoTokenizer"),
    (("adapter_config.json", "adapter_model.safetensors"), "LoRA", "merge_and_unload"),
    (
        ("config.json", "tokenizer.json", "adapter_config.json", "adapter_model.safetensors"),
        "LoRA adapter for org/base",
        "merge_and_unload",
    ),
]


@pytest.mark.parametrize(("files", "said", "advice"), NOT_MODELS)
def test_a_complete_folder_of_another_kind_is_not_called_damaged(
    tmp_path: Path, files: tuple[str, ...], said: str, advice: str
) -> None:
    for name in files:
        (tmp_path / name).write_text('{"base_model_name_or_path": "org/base"}')
    with pytest.raises(ModelUnsupported) as caught:
        find_model(str(tmp_path))
    assert said in caught.value.happened
    assert advice in caught.value.next_step
    assert "again" not in caught.value.next_step
