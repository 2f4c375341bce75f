"""Test that any pasted text arrives as a single paste."""

from __future__ import annotations

import pytest
from textual.events import Key, Paste

from tutor.app.terminal.input import PasteParser

START, END = "\x1b[200~", "\x1b[201~"


def parsed(*chunks: str) -> list[object]:
    """Parse chunks, and return pastes as strings and keys as one-element tuples."""
    parser = PasteParser()
    found: list[object] = []
    for chunk in (*chunks, ""):
        for event in parser.feed(chunk):
            if isinstance(event, Paste):
                found.append(event.text)
            elif isinstance(event, Key):
                found.append((event.key,))
    return found


@pytest.mark.parametrize(
    ("pasted", "shown"),
    [
        ("plain", "plain"),
        ("one\x1b\rtwo", "one␛\rtwo"),
        ("\x1b[31mred\x1b[0m", "␛[31mred␛[0m"),
        ("\x1b\x1b[A\x1b[201q\x1b[20", "␛␛[A␛[201q␛[20"),
        ("\x1b[200~twice", "␛[200~twice"),
        ("ends with \x1b", "ends with ␛"),
    ],
)
def test_an_escape_character_inside_a_paste_is_text(pasted: str, shown: str) -> None:
    sent = "a" + START + pasted + END + "b"
    assert parsed(sent) == [("a",), shown, ("b",)]
    assert parsed(*sent) == [("a",), shown, ("b",)]


def test_keys_outside_a_paste_are_keys() -> None:
    sent = "\x1b[A" + START + "x" + END + "\x1b[B" + START + "\x1b" + END + "\r"
    assert parsed(sent) == [("up",), "x", ("down",), "␛", ("enter",)]


def test_escape_alone_is_a_key() -> None:
    assert parsed("\x1b") == [("escape",)]
