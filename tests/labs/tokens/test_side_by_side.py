"""Test the comparison of several tokenizers on one text."""

from __future__ import annotations

import shutil
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.labs.lab_backend import backend, done
from tests.lm.sentencepiece.make_reference import HERE
from tests.tiny_gguf import write_gguf
from tests.tiny_model import byte_fields, write_tiny_folder
from tutor.errors import LabError, ModelDamaged, ModelNotFound, ModelUnsupported
from tutor.labs.kit import registry
from tutor.labs.kit.actions import EditText, MoveFocus, ShowView
from tutor.labs.tokens import backend as tokens_backend
from tutor.labs.tokens import lab as tokens
from tutor.labs.tokens.lab import RemoveTokenizer
from tutor.labs.tokens.side_by_side import (
    MOST_GIVEN,
    SAMPLES,
    Side,
    Source,
    Split,
    cuts,
    marks,
    twice_as_many,
)
from tutor.lm.formats.any_tokenizer import read_any_tokenizer
from tutor.lm.tokenizer import Tokenizer

BYTES = Tokenizer.from_gguf(byte_fields())
PIECES = Tokenizer.from_sentencepiece(HERE / "llama.model")
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)


@pytest.fixture(autouse=True)
def _no_installed_models(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens_backend, "installed_models", lambda: ())


def pieces(tokenizer: Tokenizer, text: str) -> tuple[bytes, ...]:
    return tuple(token.data for token in tokenizer.tokens(tokenizer.encode(text)))


@given(TEXT)
def test_the_cuts_of_a_byte_level_tokenizer_are_where_its_tokens_begin(text: str) -> None:
    parts = pieces(BYTES, text)
    found = cuts(text, parts)
    assert found is not None
    ends = sorted({0, *found, len(text.encode())})
    written = text.encode()
    assert [written[a:b] for a, b in pairwise(ends)] == list(parts)


@given(TEXT.filter(lambda text: "▁" not in text))
def test_the_space_that_a_tokenizer_adds_is_not_part_of_the_text(text: str) -> None:
    parts = pieces(PIECES, text)
    found = cuts(text, parts)
    assert found is not None
    assert all(0 < place < len(text.encode()) for place in found)
    assert len(found) in (len(parts) - 1, len(parts) - 2, 0)


def test_a_tokenizer_that_changes_the_text_has_no_cuts() -> None:
    assert cuts("a  b", [b" a", b" b"]) is None
    assert cuts("a▁b", [b" a", b" b"]) is None
    assert cuts("", []) == frozenset()


def test_marks_show_where_all_some_or_none_begin_a_token() -> None:
    sides = {
        Source(): Side("a", pieces=(b"on", b"e ", b"\xc3", b"\xa9")),
        Source("b"): Side("b", pieces=(b"on", b"e", b" ", b"\xc3\xa9")),
        Source("c"): Side("c", problem="It is damaged."),
    }
    assert marks("one é", sides) == {
        Source(): (" ", " ", "|", " ", "+"),
        Source("b"): (" ", " ", "|", "^", "|"),
    }


@given(TEXT)
def test_every_character_has_a_mark_for_every_tokenizer(text: str) -> None:
    sides = {
        Source(str(number)): Side("", pieces=pieces(each, text))
        for number, each in enumerate((BYTES, PIECES))
    }
    found = marks(text, sides)
    assert all(len(each) == len(text) for each in found.values())
    for together in zip(*found.values(), strict=True):
        if len(together) == 2 and "|" in together:
            assert set(together) <= {"|", "+"}


@pytest.mark.parametrize("kind", ["folder", "json", "model", "gguf", "model folder"])
def test_any_tokenizer_is_read(kind: str, tmp_path: Path) -> None:
    folder = write_tiny_folder(tmp_path / "it")
    path = {
        "folder": folder,
        "json": folder / "tokenizer.json",
        "model": HERE / "llama.model",
        "gguf": tmp_path / "it.gguf",
        "model folder": tmp_path / "other",
    }[kind]
    write_gguf(tmp_path / "it.gguf", architecture="unheard-of")
    (tmp_path / "other").mkdir()
    shutil.copyfile(HERE / "llama.model", tmp_path / "other/tokenizer.model")
    text = "hello word"
    wanted = PIECES if "model" in kind else BYTES
    assert read_any_tokenizer(path).encode(text) == wanted.encode(text)


def test_what_is_no_tokenizer_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "text.gguf").write_text("hello")
    (tmp_path / "empty.gguf").write_text("")
    (tmp_path / "short.gguf").write_bytes(b"GGUF\x03")
    for name, error in {
        "none.gguf": ModelNotFound,
        "a\0b": ModelNotFound,
        "": ModelNotFound,
        "text.gguf": ModelUnsupported,
        "empty.gguf": ModelUnsupported,
        "short.gguf": ModelDamaged,
    }.items():
        with pytest.raises(error):
            read_any_tokenizer(tmp_path / name)


def test_a_given_tokenizer_is_compared_and_removed(tmp_path: Path) -> None:
    there = backend("tokens", tmp_path)
    path = str(HERE / "llama.model")
    add = EditText(path, "tokenizer")
    state = done("tokens", there, add)
    source = Source(path, given=True)
    assert (state.view, state.selected) == ("compare", source)
    assert state.sides[source].pieces == pieces(PIECES, state.text)
    counts = [len(PIECES.encode(sample)) for sample in SAMPLES.values()]
    assert list(state.sides[source].samples) == counts
    assert state.sides[source].vocabulary == 700
    assert done("tokens", there, add, EditText("other"), add).given == (path,)
    state = done("tokens", there, add, RemoveTokenizer())
    assert (state.given, state.sources) == ((), (Source(),))
    kept = done("tokens", there, add, MoveFocus(-1, "tokenizer"), RemoveTokenizer())
    assert kept.given == (path,)


def test_installed_models_are_compared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tutor.models.find import from_path

    found = from_path(write_tiny_folder(tmp_path / "tiny"))
    twin = from_path(write_tiny_folder(tmp_path / "twin"))  # has the same tokenizer
    monkeypatch.setattr(tokens_backend, "installed_models", lambda: (found, twin))
    there = backend("tokens", tmp_path)
    state = done("tokens", there, ShowView("languages"))
    assert state.installed == ("tiny",)
    assert state.sides[Source("tiny")].pieces == pieces(BYTES, state.text)
    gone = there.answer(Split(Source("gone"), "x"))
    assert "not installed" in gone.problem


def test_a_path_is_not_read_under_the_name_of_an_installed_model(tmp_path: Path) -> None:
    """A shared engine answers for its own models only: it must not open any other file."""
    path = str(HERE / "llama.model")
    answer = backend("tokens", tmp_path).answer(Split(Source(path), "x"))
    assert "not installed" in answer.problem
    private = registry.find("tokens").private
    assert private(Split(Source(path, given=True), "x"))
    assert not private(Split(Source(path), "x"))


def test_too_many_tokenizers_and_no_name_are_refused() -> None:
    state = tokens.start()
    for number in range(MOST_GIVEN):
        state = tokens.act(state, EditText(f"/{number}", "tokenizer"))
    with pytest.raises(LabError, match="already"):
        tokens.act(state, EditText("/more", "tokenizer"))
    for text in (" ", "x" * 501):
        with pytest.raises(LabError, match="not the name"):
            tokens.act(state, EditText(text, "tokenizer"))


def test_the_tokenizers_are_saved(tmp_path: Path) -> None:
    lab = registry.find("tokens")
    state = done("tokens", backend("tokens", tmp_path), EditText("/a", "tokenizer"))
    restored = lab.restored(lab.saved(state))
    assert (restored.given, restored.view, restored.sides) == (("/a",), "compare", {})
    damaged = b'{"given": ["", "/a", "/a", "' + b"x" * 600 + b'"], "view": "other"}'
    assert lab.restored(damaged).given == ("/a",)


def test_the_goal_needs_two_tokenizers_and_a_text_that_is_not_short() -> None:
    few, many = Side("a", pieces=(b"xx",) * 3), Side("b", pieces=(b"x",) * 6)
    assert twice_as_many("0123456789", {Source(): few, Source("b"): many})
    assert not twice_as_many("012345678", {Source(): few, Source("b"): many})
    assert not twice_as_many("0123456789", {Source(): few})
    assert not twice_as_many("0123456789", {})
