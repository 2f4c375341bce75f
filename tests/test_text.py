"""Test that any text of a model is safe for a terminal after `tutor.text`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from tutor.text import counted, in_ascii, printable_json, safe, visible, writable

CAN_ACT = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
ANY_TEXT = st.text(st.characters(exclude_categories=[]))


def can_act_on_a_terminal(text: str) -> bool:
    return any(unicodedata.category(char) in CAN_ACT for char in text)


@given(ANY_TEXT)
def test_running_text_cannot_act_on_a_terminal(text: str) -> None:
    assert not can_act_on_a_terminal(safe(text).replace("\n", ""))


@given(ANY_TEXT)
def test_running_text_keeps_its_line_breaks(text: str) -> None:
    assert safe(text).count("\n") == text.count("\n")


@given(ANY_TEXT)
def test_running_text_is_safe_after_one_pass(text: str) -> None:
    assert safe(safe(text)) == safe(text)


@given(st.text(st.characters(categories=["L", "N", "P", "S", "Zs"])))
def test_ordinary_running_text_is_not_changed(text: str) -> None:
    assert safe(text) == text


@given(st.one_of(st.binary(), ANY_TEXT.map(lambda text: text.encode("utf-8", "surrogatepass"))))
def test_a_token_is_one_visible_line(data: bytes) -> None:
    shown = visible(data)
    assert not can_act_on_a_terminal(shown)
    assert not any(char.isspace() for char in shown)
    assert bool(shown) == bool(data)


@given(ANY_TEXT.map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_a_token_never_begins_with_a_combining_mark(data: bytes) -> None:
    assert not unicodedata.category((visible(data) or "x")[0]).startswith("M")


@given(st.binary(min_size=1, max_size=1))
def test_every_single_byte_looks_different(byte: bytes) -> None:
    others = {bytes([value]) for value in range(256)} - {byte}
    assert visible(byte) not in {visible(other) for other in others}


@pytest.mark.parametrize(
    ("data", "shown"),
    [
        (b" the", "␣the"),
        (b"\n\n", "⏎⏎"),
        (b"\t", "⇥"),
        (b"\x1b[2J", "␛[2J"),
        (b"\x7f", "␡"),
        ("\u202e".encode(), "‹U+202E›"),
        ("\u00a0".encode(), "‹U+00A0›"),
        ("\u0301".encode(), "◌\u0301"),
        ("\ufe0f".encode(), "◌\ufe0f"),
        ("\u3164".encode(), "‹U+3164›"),
        (b"\xf0\x9f", "\\xf0\\x9f"),
        ("é日😀".encode(), "é日😀"),
        (b"[/b]", "[/b]"),
        (b"", ""),
    ],
)
def test_tokens(data: bytes, shown: str) -> None:
    assert visible(data) == shown


@given(ANY_TEXT)
def test_writable_text_keeps_only_tabs_and_joiners(text: str) -> None:
    written = writable(text)
    kept = "\n\t\u200c\u200d"
    assert not can_act_on_a_terminal("".join(char for char in written if char not in kept))
    assert [char for char in written if char in kept] == [char for char in text if char in kept]


@given(st.text(st.sampled_from("ae\u0301\u0489\u20dd\n "), max_size=200))
def test_marks_do_not_pile_up(text: str) -> None:
    for shown in (safe(text), visible(text.encode())):
        runs = "".join("m" if unicodedata.category(char)[0] == "M" else " " for char in shown)
        assert max(map(len, runs.split()), default=0) <= 30
    assert safe(safe(text)) == safe(text)


def test_ten_thousand_marks_are_counted() -> None:
    piled = "a" + "\u0301" * 10_000 + "b"
    assert safe(piled) == "a" + "\u0301" * 30 + "‹9970×mark›b"
    assert visible(piled[1:].encode()) == "◌" + "\u0301" * 30 + "‹9970×mark›b"
    assert safe("a" + "\u0301" * 30) == "a" + "\u0301" * 30


@given(st.recursive(st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))
def test_printable_json_is_safe_and_has_the_same_data(value: object) -> None:
    data = printable_json(json.dumps(value, ensure_ascii=False).encode())
    assert json.loads(data) == value
    assert not can_act_on_a_terminal(data.decode())


def test_an_escape_sequence_is_made_visible() -> None:
    assert safe("a\x1b]0;title\x07b\r\n") == "a␛]0;title␇b␍\n"


@given(st.text())
def test_ascii_takes_as_many_columns(text: str) -> None:
    shown = in_ascii(text, cell_len)
    assert shown.isascii()
    assert len(shown) == sum(cell_len(char) if not char.isascii() else 1 for char in text)


def test_ascii_twins_look_alike() -> None:
    assert in_ascii("┌─►│█▌░ “é” … ␣x − ½") == '+->|##: "e" ~ _x - 1'
    assert in_ascii("━━──") == "==--", "the two parts of a progress bar stay apart"
    assert in_ascii("中", cell_len) == "??"


@pytest.mark.parametrize(
    ("variable", "value", "utf8"), [("LC_ALL", "C", False), ("LC_ALL", "C.UTF-8", True)]
)
def test_the_locale_determines_the_encoding(variable: str, value: str, utf8: bool) -> None:
    environment = {name: each for name, each in os.environ.items() if not name.startswith("LC_")}
    said = subprocess.run(
        [sys.executable, "-c", "from tutor.text import writes_utf8; print(writes_utf8())"],
        env=environment | {variable: value},
        capture_output=True,
        text=True,
        check=True,
    )
    assert said.stdout.strip() == str(utf8)


@pytest.mark.parametrize(
    ("number", "said"),
    [(0, "0 tokens"), (1, "1 token"), (2, "2 tokens"), (49_152, "49,152 tokens")],
)
def test_counted_things(number: int, said: str) -> None:
    assert counted(number, "token") == said
