"""Test that any bytes from a terminal become only keys and pastes."""

from __future__ import annotations

import sys

import pytest
from textual.events import AppBlur, Key, Paste

from tutor.app.terminal.input import KeyParser, accept_only_keys


@pytest.mark.parametrize(
    "sent",
    [
        "\x1b[<0;3;3M\x1b[<0;3;3m",  # a click
        "\x1b[<64;3;3M",  # a turn of the mouse wheel
        "\x1b[48;99999999;99999999;1;1t",  # an in-band size
        "\x1b[48;0;0;0;0t\x1b[<0;3;3M",  # Textual would divide by this size
        "\x1b[?2048;1$y\x1b[?2048;2$y",  # support for in-band sizes
        "\x1b[999999;999999R",  # the position of the cursor
    ],
)
def test_replies_of_the_terminal_are_ignored(sent: str) -> None:
    events = list(KeyParser().feed(f"a{sent}b"))
    assert [event.key for event in events if isinstance(event, Key)] == ["a", "b"]
    assert len(events) == 2


@pytest.mark.parametrize("number", [0x110000, 99999999999999999999])
def test_a_key_whose_number_is_not_a_character_is_ignored(number: int) -> None:
    events = list(KeyParser().feed(f"a\x1b[{number};5u\x1b[A"))
    found = [event.key for event in events if isinstance(event, Key)]
    assert (found[0], found[-1]) == ("a", "up")


def test_keys_pastes_and_focus_are_taken() -> None:
    events = list(KeyParser().feed("\x1b[A\x1b[200~x\x1by\x1b[201~\x1b[O"))
    assert [type(event) for event in events] == [Key, Paste, AppBlur]


@pytest.mark.skipif(sys.platform == "win32", reason="another driver")
def test_bytes_that_are_not_utf8_are_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    from textual.drivers import linux_driver

    for name in ("XTermParser", "getincrementaldecoder"):
        monkeypatch.setattr(linux_driver, name, getattr(linux_driver, name))
    accept_only_keys()
    decode = vars(linux_driver)["getincrementaldecoder"]("utf-8")().decode
    assert decode(b"a\xff\xc3", final=False) == "a\N{REPLACEMENT CHARACTER}"
    assert decode(b"\xa9b", final=True) == "éb"
