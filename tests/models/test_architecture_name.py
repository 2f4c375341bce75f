"""Test the architecture that a GGUF file names."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.tiny_gguf import write_gguf
from tutor.models.architecture import architecture


@pytest.mark.parametrize("name", ["llama", "falcon", "command-r"])
def test_the_name_is_read_from_the_start_of_the_file(tmp_path: Path, name: str) -> None:
    write_gguf(tmp_path / "it.gguf", architecture=name)
    assert architecture(tmp_path / "it.gguf") == name


def test_a_missing_file_has_no_name(tmp_path: Path) -> None:
    assert architecture(tmp_path / "it.gguf") is None
    assert architecture(tmp_path) is None


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(cut=st.integers(0, 80), at=st.integers(0, 79), byte=st.integers(0, 255))
def test_a_damaged_start_is_no_error(tmp_path: Path, cut: int, at: int, byte: int) -> None:
    path = tmp_path / "it.gguf"
    if not path.exists():
        write_gguf(path)
        (tmp_path / "whole").write_bytes(path.read_bytes()[:80])
    data = bytearray((tmp_path / "whole").read_bytes())
    data[at] = byte
    path.write_bytes(data[:cut])
    name = architecture(path)
    assert name is None or len(name) <= 60
