"""Test `tutor rag`: its arguments, its output, and how it is stopped and continued."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.command_line import Tutor
from tutor.cli.rag.command import figures
from tutor.retrieval.update import Progress


@pytest.fixture
def texts(tmp_path: Path) -> Path:
    folder = tmp_path / "notes"
    folder.mkdir()
    (folder / "wren.md").write_text("# Wrens {#wrens}\n\nA wren is a small bird.\n")
    (folder / "heron.txt").write_text("A heron waits for fish.\n")
    (folder / "film.mp4").write_bytes(b"film")
    return folder


def test_a_folder_is_indexed_searched_listed_and_removed(tutor: Tutor, texts: Path) -> None:
    outcome = tutor("rag", "index", str(texts))
    assert outcome.status == 0
    assert "notes: 2 new" in outcome.out
    assert "1  not a text file, judging by its name" in outcome.out
    assert "2 unchanged" in tutor("rag", "index", str(texts)).out

    outcome = tutor("rag", "search", "small birds")
    assert outcome.out.splitlines()[0].endswith("wren.md#wrens, line 3")
    (hit,) = json.loads(tutor("rag", "search", "fish", "--json").out)
    assert (hit["file"], hit["line"], hit["heading"]) == ("heron.txt", 1, "heron.txt")
    assert [hit["text"][start:stop] for start, stop in hit["marks"]] == ["fish"]
    assert hit["score"] > 0

    (listed,) = json.loads(tutor("rag", "list", "--json").out)
    assert (listed["name"], listed["files"], listed["passages"]) == ("notes", 2, 2)
    assert "notes" in tutor("rag", "list").out
    assert tutor("rag", "remove", "notes").status == 0
    assert "no index yet" in tutor("rag", "list").err


def test_without_an_index_the_course_is_searched(tutor: Tutor, texts: Path) -> None:
    (hit, *_) = json.loads(tutor("rag", "search", "attention sink", "--json").out)
    assert "sink" in hit["anchor"]
    tutor("rag", "index", str(texts), "--name", "birds")
    assert tutor("rag", "search", "attention sink").err.startswith("No passage in birds")
    assert len(tutor("rag", "search", "token", "--name", "course", "--top", "7").out) > 100


def test_a_search_without_words_is_explained(tutor: Tutor) -> None:
    said = tutor("rag", "search", "* ?").err
    assert "'* ?' contains no words." in said
    assert "Search for one or more words" in said


def test_a_small_index_has_a_size(tutor: Tutor, texts: Path, tmp_path: Path) -> None:
    tutor("rag", "index", str(texts))
    size = (tmp_path / "data" / "cache" / "indexes" / "notes.sqlite").stat().st_size
    assert 1000 < size < 1_000_000
    assert f"{round(size / 1000)} kB" in tutor("rag", "list").out


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (("index", "no-such-folder"), 2),
        (("index", ".", "--name", "../x"), 2),
        (("index", ".", "--name", "course"), 2),
        (("search", " "), 2),
        (("search", "*"), 2),
        (("search", "x", "--top", "0"), 2),
        (("search", "x", "--name", "no-such-index"), 1),
        (("remove", "no-such-index"), 1),
        ((), 2),
    ],
)
def test_invalid_arguments_are_refused(
    arguments: tuple[str, ...],
    status: int,
    tutor: Tutor,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.chdir(tmp_path)
    outcome = tutor("rag", *arguments)
    assert outcome.status == status
    assert "Traceback" not in outcome.err


def test_a_damaged_index_does_not_hide_others(tutor: Tutor, texts: Path, tmp_path: Path) -> None:
    tutor("rag", "index", str(texts))
    (tmp_path / "data" / "cache" / "indexes" / "bad.sqlite").write_bytes(b"x" * 5000)
    outcome = tutor("rag", "list")
    assert "notes" in outcome.out
    assert "damaged" in outcome.err


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals")
def test_ctrl_c_keeps_the_indexed_files(tutor: Tutor, texts: Path) -> None:
    for number in range(3000):
        (texts / f"{number:04}.md").write_text(f"# Number {number}\n\n" + f"word{number} " * 100)
    process = subprocess.Popen(
        [sys.executable, "-m", "tutor", "rag", "index", str(texts)],
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
        env=os.environ.copy(),
    )
    assert process.stderr is not None
    said = [process.stderr.readline()]
    assert said == ["Indexing notes\n"]
    process.send_signal(signal.SIGINT)
    said += process.stderr.readlines()
    assert process.wait() == 130
    assert said[1].startswith("Stopped. The files indexed so far are kept")
    assert said[-1] == "tutor: interrupted.\n"
    assert tutor("rag", "index", str(texts)).status == 0
    assert "3,002 files" in tutor("rag", "list").out


def test_the_bar_shows_the_progress() -> None:
    progress = Progress(total=200, done=50, seconds=5.0)
    assert figures(progress) == "[######..................]  25 %  50 of 200  15 s left"
    assert figures(Progress()) == "searching for files"
