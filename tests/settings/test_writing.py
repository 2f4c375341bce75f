"""Test writing single settings to a file that the user also edits."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tutor.settings.catalogue import ENTRIES, Value, value_of
from tutor.settings.reading import load, parse
from tutor.settings.schema import SettingsError
from tutor.settings.writing import changed, write

MINE = """\
# my settings
[review]
# I forget quickly
retention = 0.85  # not more

[keys]
"stepper.undo" = "ctrl+z"
"""

changes = st.sampled_from(
    [(entry.name, stop) for entry in ENTRIES.values() for stop in entry.stops]
    + [("model", "smollm2"), ("language", 'a "quoted" \\ text')]
)


def test_comments_and_other_settings_stay(tmp_path: Path) -> None:
    file = tmp_path / "new" / "config.toml"
    file.parent.mkdir()
    file.write_text(MINE)
    write("theme", "light", file)
    write("review.a_day", 20, file)
    assert all(line in file.read_text() for line in MINE.splitlines())
    settings = load(file).settings
    assert (settings.theme, settings.review.a_day, settings.review.retention) == ("light", 20, 0.85)


def test_a_new_file_is_private_and_its_folder_is_made(tmp_path: Path) -> None:
    file = tmp_path / "deep" / "config.toml"
    write("review.retention", 0.95, file)
    assert load(file).settings.review.retention == 0.95
    if sys.platform != "win32":
        assert file.stat().st_mode & 0o777 == 0o600


@given(st.lists(changes, max_size=6))
def test_what_is_written_is_read(made: list[tuple[str, Value]]) -> None:
    text = MINE
    for name, value in made:
        text = changed(text, name, value)
    loaded = parse(text)
    assert loaded.problems == ()
    assert {name: value_of(loaded.settings, name) for name, _ in made} == dict(made)


def test_none_removes_a_setting() -> None:
    text = changed(MINE, "review.retention", None)
    assert "review.retention" not in parse(text).given
    assert changed(MINE, "sampler.top_k", None) == MINE


def test_a_file_that_is_not_toml_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text("theme =\n")
    with pytest.raises(SettingsError, match="not valid TOML"):
        write("theme", "light", file)
    assert file.read_text() == "theme =\n"
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.skipif(sys.platform == "win32", reason="links need a permission there")
def test_a_link_stays_a_link(tmp_path: Path) -> None:
    real, link = tmp_path / "dotfiles.toml", tmp_path / "config.toml"
    real.write_text(MINE)
    link.symlink_to(real)
    write("theme", "dark", link)
    assert link.is_symlink()
    assert load(real).settings.theme == "dark"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such files")
def test_a_device_is_not_read(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="not a regular file"):
        write("language", "de", Path("/dev/zero"))


def test_a_file_that_is_too_large_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_bytes(before := b"# " + b"x" * 1_000_000)
    with pytest.raises(SettingsError, match="larger than 1 MB"):
        write("language", "de", file)
    assert file.read_bytes() == before
