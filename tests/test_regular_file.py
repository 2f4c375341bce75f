"""Test reading from paths that are not regular files."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tutor.regular_file import NotRegular, open_regular, read_regular

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such files")


def descriptors() -> int:
    return len(list(Path("/dev/fd").iterdir()))


def test_a_file_is_read_up_to_the_limit_or_completely(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"12345")
    assert read_regular(file, 3) == b"123"
    assert read_regular(file, -1) == b"12345"
    with open_regular(file) as opened:
        assert opened.read() == b"12345"


@pytest.mark.parametrize("kind", ["pipe", "folder", "device"])
def test_anything_else_is_refused_without_waiting(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "file"
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    else:
        path = Path("/dev/zero")
    before = descriptors()
    with pytest.raises(NotRegular):
        open_regular(path)
    assert descriptors() == before
