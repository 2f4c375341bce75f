"""Pseudonyms: the same as long as the key is, and for nobody else to undo."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tutor.classroom.errors import PseudonymError
from tutor.classroom.pseudonyms import KEY_BYTES, kept_key, new_key, pseudonym


def test_the_same_key_gives_the_same_names_and_another_gives_others() -> None:
    places = [Path("/home") / f"student{number}" for number in range(200)]
    key = new_key()
    names = [pseudonym(key, place) for place in places]
    assert names == [pseudonym(key, place) for place in places]
    assert len(set(names)) == 200
    assert not set(names) & {pseudonym(new_key(), place) for place in places}
    assert all(len(name) == 9 and name.isascii() and name[4] == "-" for name in names)


def test_the_key_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "data" / "class" / "pseudonyms.key"
    key = kept_key(path)
    assert len(key) == KEY_BYTES
    assert kept_key(path) == key
    if sys.platform != "win32":
        assert path.stat().st_mode & 0o777 == 0o600
        assert path.parent.stat().st_mode & 0o777 == 0o700


def test_reports_that_begin_together_make_one_key(tmp_path: Path) -> None:
    path = tmp_path / "class" / "pseudonyms.key"
    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(kept_key, [path] * 8))) == 1


@pytest.mark.skipif(sys.platform == "win32", reason="permissions of POSIX")
@pytest.mark.parametrize("mode", [0o604, 0o640, 0o666])
def test_a_key_that_others_can_read_is_no_secret(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "pseudonyms.key"
    kept_key(path)
    path.chmod(mode)
    with pytest.raises(PseudonymError, match="Others"):
        kept_key(path)


@pytest.mark.parametrize("content", [b"", b"short", b"x" * 100])
def test_a_file_that_is_no_key_is_not_taken_for_one(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "pseudonyms.key"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(PseudonymError):
        kept_key(path)


def test_where_it_cannot_be_kept_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(PseudonymError, match="cannot be kept"):
        kept_key(tmp_path / "file" / "class" / "pseudonyms.key")
