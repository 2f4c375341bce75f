"""Whatever bytes come from a terminal, keys and pastes are made of them, and nothing else."""

from __future__ import annotations

import sys

import pytest
from textual.events import AppBlur, Key, Paste

from tutor.app.terminal.input import KeyParser, take_keys_alone


@pytest.mark.parametrize(
    "sent",
    [
        "\x1b[<0;3;3M\x1b[<0;3;3m",  # a click
        "\x1b[<64;3;3M",  # a wheel
        "\x1b[48;99999999;99999999;1;1t",  # a size in the band
        "\x1b[48;0;0;0;0t\x1b[<0;3;3M",  # Textual would divide by this size
        "\x1b[?2048;1$y\x1b[?2048;2$y",  # that sizes come in the band
        "\x1b[999999;999999R",  # where the cursor is
    ],
)
def test_what_only_a_terminal_says_is_not_taken(sent: str) -> None:
    events = list(KeyParser().feed(f"a{sent}b"))
    assert [event.key for event in events if isinstance(event, Key)] == ["a", "b"]
    assert len(events) == 2


@pytest.mark.parametrize("number", [0x110000, 99999999999999999999])
def test_a_key_with_the_number_of_no_character_is_no_end(number: int) -> None:
    events = list(KeyParser().feed(f"a\x1b[{number};5u\x1b[A"))
    found = [event.key for event in events if isinstance(event, Key)]
    assert (found[0], found[-1]) == ("a", "up")


def test_keys_pastes_and_focus_are() -> None:
    events = list(KeyParser().feed("\x1b[A\x1b[200~x\x1by\x1b[201~\x1b[O"))
    assert [type(event) for event in events] == [Key, Paste, AppBlur]


@pytest.mark.skipif(sys.platform == "win32", reason="another driver")
def test_bytes_that_are_no_text_are_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    from textual.drivers import linux_driver

    for name in ("XTermParser", "getincrementaldecoder"):
        monkeypatch.setattr(linux_driver, name, getattr(linux_driver, name))
    take_keys_alone()
    decode = vars(linux_driver)["getincrementaldecoder"]("utf-8")().decode
    assert decode(b"a\xff\xc3", final=False) == "a\N{REPLACEMENT CHARACTER}"
    assert decode(b"\xa9b", final=True) == "éb"
