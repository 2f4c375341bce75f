"""Test pseudonyms: they depend only on the key, and cannot be reversed without it."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tutor.classroom.errors import PseudonymError
from tutor.classroom.pseudonyms import KEY_BYTES, kept_key, new_key, pseudonym


def test_names_depend_on_the_key() -> None:
    places = [Path("/home") / f"student{number}" for number in range(200)]
    key = new_key()
    names = [pseudonym(key, place) for place in places]
    assert names == [pseudonym(key, place) for place in places]
    assert len(set(names)) == 200
    assert not set(names) & {pseudonym(new_key(), place) for place in places}
    assert all(len(name) == 9 and name.isascii() and name[4] == "-" for name in names)


def test_the_key_is_made_once_and_is_private(tmp_path: Path) -> None:
    path = tmp_path / "data" / "class" / "pseudonyms.key"
    key = kept_key(path)
    assert len(key) == KEY_BYTES
    assert kept_key(path) == key
    if sys.platform != "win32":
        assert path.stat().st_mode & 0o777 == 0o600
        assert path.parent.stat().st_mode & 0o777 == 0o700


def test_simultaneous_reports_make_one_key(tmp_path: Path) -> None:
    path = tmp_path / "class" / "pseudonyms.key"
    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(kept_key, [path] * 8))) == 1


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX permissions")
@pytest.mark.parametrize("mode", [0o604, 0o640, 0o666])
def test_a_key_that_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "pseudonyms.key"
    kept_key(path)
    path.chmod(mode)
    with pytest.raises(PseudonymError, match="Other users"):
        kept_key(path)


@pytest.mark.parametrize("content", [b"", b"short", b"x" * 100])
def test_a_file_that_is_not_a_key_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "pseudonyms.key"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(PseudonymError):
        kept_key(path)


def test_a_key_that_cannot_be_stored_is_reported(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(PseudonymError, match="cannot be stored"):
        kept_key(tmp_path / "file" / "class" / "pseudonyms.key")
