"""Test that the safetensors library reads the files that we write one tensor at a time."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file

from tutor.lm.formats import tensor_file
from tutor.lm.formats.tensor_file import FILLER, write_tensors

TENSORS = {
    "bytes": torch.arange(7, dtype=torch.uint8),
    "floats": torch.randn(3, 5),
    "halves": torch.randn(2, 3).half(),
    "transposed": torch.randn(4, 6).bfloat16().t(),
    "integers": torch.arange(6, dtype=torch.int32).view(2, 3),
}


def test_the_library_reads_the_file(tmp_path: Path) -> None:
    path = tmp_path / "it.safetensors"
    with path.open("wb") as file:
        write_tensors(file, TENSORS.items(), {"tutor": "ü"})
    read = {name: t for name, t in load_file(path).items() if not name.startswith(FILLER)}
    assert set(read) == set(TENSORS)
    for name, tensor in TENSORS.items():
        assert read[name].dtype == tensor.dtype
        assert torch.equal(read[name], tensor)
        assert read[name].data_ptr() % 4 == 0
    with safe_open(path, framework="pt") as opened:
        assert opened.metadata() == {"tutor": "ü"}


def test_too_many_tensors_for_the_header(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tensor_file, "_RESERVED_EACH", 12)
    with (tmp_path / "it").open("wb") as file, pytest.raises(OSError, match="no room"):
        write_tensors(file, TENSORS.items(), {}, most=5)
