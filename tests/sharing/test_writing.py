"""Test how a shared text becomes a file."""

from __future__ import annotations

import stat
import sys
from pathlib import Path

import pytest

from tests.sharing.shared_texts import shared
from tutor.sharing import writing
from tutor.sharing.reading import read_file
from tutor.sharing.writing import NotWritten, save, suggested


@pytest.fixture(autouse=True)
def in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_a_file_is_saved_in_the_current_folder_and_read_again(tmp_path: Path) -> None:
    text = shared()
    path = save("it", "json", writing.content(text, "json"))
    assert path == tmp_path / "it.json"
    assert read_file(path) == text
    if sys.platform != "win32":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_an_existing_file_and_a_link_are_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "it.html").write_text("mine")
    (tmp_path / "it-2.html").symlink_to(tmp_path / "nowhere")
    assert save("it", "html", b"new") == tmp_path / "it-3.html"
    assert save("it.html", "html", b"new") == tmp_path / "it-4.html"
    assert (tmp_path / "it.html").read_text() == "mine"
    assert not (tmp_path / "nowhere").exists()


def test_a_path_and_the_home_folder_are_understood(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "sub").mkdir()
    assert save("sub/a.b", "markdown", b"x") == tmp_path / "sub" / "a.b.md"
    assert save("~/x", "svg", b"x") == tmp_path / "x.svg"


@pytest.mark.parametrize("name", ["missing/x", "x\x00y", "a" * 300, "~nobody-of-this-name/x"])
def test_a_name_that_cannot_be_used_is_a_plain_error(name: str, tmp_path: Path) -> None:
    with pytest.raises(NotWritten) as caught:
        save(name, "html", b"x")
    assert caught.value.happened.isprintable()
    assert caught.value.next_step
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("The capital of France is Paris", "the-capital-of-france-is-paris"),
        ("../../etc/passwd\x00", "etc-passwd"),
        ("中文", "tutor-text"),
        ("", "tutor-text"),
        ("a" * 99, "a" * 40),
    ],
)
def test_the_suggested_name_is_made_of_the_first_words(text: str, name: str) -> None:
    assert suggested(text) == name


def test_a_picture_loads_no_fonts() -> None:
    svg = "<svg><style>@font-face { src: url(https://x/y) }\n.a { }</style></svg>"
    assert writing.picture(svg) == b"<svg><style>\n.a { }</style></svg>"


def test_json_has_no_character_that_controls_a_terminal() -> None:
    data = writing.content(shared(), "json").decode()
    assert data.replace("\n", "").isprintable()
