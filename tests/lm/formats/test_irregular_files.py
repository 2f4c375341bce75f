"""Test model folders with pipes, devices, folders, broken links and far too large files.

Reading such a file could wait forever, or use up all memory.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.tiny_model import write_tiny_folder
from tutor.errors import ModelDamaged, ModelError
from tutor.lm import load
from tutor.lm.formats import json_file
from tutor.lm.load import load_model
from tutor.models import find_model

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such files")

INDEX = "model.safetensors.index.json"
FILES = (
    *("config.json", "tokenizer.json", "tokenizer_config.json", "chat_template.jinja"),
    *("model.safetensors", INDEX),
)


def pipe(path: Path) -> None:
    os.mkfifo(path)


def device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def refused(folder: Path) -> ModelError:
    with pytest.raises(ModelError) as error:
        load_model(find_model(str(folder)))
    assert error.value.next_step
    return error.value


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_tiny_folder(tmp_path / "tiny")
    return tmp_path / "tiny"


@pytest.mark.parametrize("replace", [pipe, device, Path.mkdir])
@pytest.mark.parametrize("name", FILES)
def test_a_file_that_is_not_a_regular_file_is_named(
    folder: Path, name: str, replace: Callable[[Path], None]
) -> None:
    (folder / name).unlink(missing_ok=True)
    replace(folder / name)
    shown = "safetensors" if name == "model.safetensors" else name
    assert shown in refused(folder).happened


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json", "model.safetensors"])
def test_a_link_to_a_missing_file_counts_as_a_missing_file(folder: Path, name: str) -> None:
    (folder / name).unlink()
    (folder / name).symlink_to("gone")
    missing = "safetensors" if name == "model.safetensors" else name
    assert refused(folder).happened == f"{folder} does not contain {missing}."


def test_a_broken_link_beside_the_weights_is_named(folder: Path) -> None:
    (folder / "second.safetensors").symlink_to("gone")
    assert "second.safetensors is missing" in refused(folder).happened


def test_a_pipe_in_a_large_folder_does_not_block(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(load, "_SMALL_FOLDER", 0)
    pipe(folder / "unrelated.json")
    assert load_model(find_model(str(folder))).card.layers


def test_a_folder_of_adapter_weights_is_not_a_model(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "adapter_model.safetensors")
    assert refused(folder).happened == f"{folder} does not contain safetensors."


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json", "chat_template.jinja"])
def test_a_file_that_is_far_too_large_is_not_read(
    folder: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(json_file, "_LARGEST", 1_000_000)
    with (folder / name).open("wb") as file:
        file.truncate(1 << 40)  # takes no disk space
    assert f"{name} is larger than 1,000,000 bytes" in refused(folder).happened


def test_damaged_weights_are_refused_before_the_checksum(folder: Path) -> None:
    whole = (folder / "model.safetensors").read_bytes()
    with (folder / "model.safetensors").open("wb") as file:
        file.write(whole)
        file.truncate(1 << 40)
    assert "model.safetensors is incomplete" in refused(folder).happened


def test_a_pipe_is_not_a_gguf_file(tmp_path: Path) -> None:
    pipe(tmp_path / "it.gguf")
    with pytest.raises(ModelError, match=r"it\.gguf.*not a regular file"):
        find_model(str(tmp_path / "it.gguf"))


def test_an_adapters_settings_that_are_a_pipe(tmp_path: Path) -> None:
    pipe(tmp_path / "adapter_config.json")
    with pytest.raises(ModelError, match="contains a LoRA adapter, not"):
        find_model(str(tmp_path))


@pytest.mark.parametrize(
    ("name", "small"), [("tokenizer_config.json", 0), ("model.safetensors", 200_000_000)]
)
def test_a_file_without_permission_is_named(
    folder: Path, name: str, small: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(load, "_SMALL_FOLDER", small)
    read = Path.open

    def refuse(path: Path, *arguments: Any) -> Any:
        if path.name == name:
            raise PermissionError(13, "Permission denied", str(path))
        return read(path, *arguments)

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(ModelDamaged, match="cannot be read: Permission denied") as error:
        load_model(find_model(str(folder)))
    assert f"{name} cannot be read" in error.value.happened
