"""Test that text from lessons, progress and models is shown, but never controls the terminal."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.terminal import Terminal

APP = Path(__file__).with_name("hostile_app.py")

TEXTUAL_SENDS = re.compile(
    rb"\x1b(?:"
    rb"\[[0-9;:]*m"  # colors and weight
    rb"|\[[0-9;]*[HABCDGJK]"  # the cursor, erasing
    rb"|\[\?[0-9;$]*[hlpu]"  # modes, asking for modes
    rb"|\[[<>=][0-9;:]*[umtc]"  # keyboard protocols
    rb"|\[[0-9]*[ntcu]"  # asking where the cursor is, how large, which terminal
    rb"|[78=>]"
    rb"|\]22;[a-z-]*\x07"  # the shape of the pointer
    rb"|\([B0]"
    rb")"
)
ASKS_FOR_BACKGROUND = b"\x1b]11;?\x1b\\"
"""What tutor sends to learn whether the terminal is light or dark."""
HARMFUL = {
    "a title or another command": b"\x1b]",
    "a pile of marks": ("\u0301" * 31).encode(),
    "a device control string": b"\x1bP",
    "a picture": b"\x1b_",
    "a bell": b"\x07",
    "an introducer of one character": "\x9b".encode(),
    "writing direction": "\u202e".encode(),
    "an isolate": "\u2066".encode(),
    "a character without width": "\u200b".encode(),
    "a byte-order mark": "\ufeff".encode(),
    "an invisible tag": "\U000e0041".encode(),
}


def harm(output: bytes) -> list[str]:
    """Return what part of the hostile text reached the terminal."""
    rest = TEXTUAL_SENDS.sub(b"", output.replace(ASKS_FOR_BACKGROUND, b""))
    found = [name for name, data in HARMFUL.items() if data in rest]
    at = rest.find(b"\x1b")
    if at >= 0:
        found.append(f"an unknown sequence: {rest[at : at + 40]!r}")
    return found


@pytest.fixture(
    params=[(80, 24), pytest.param((40, 12), marks=pytest.mark.slow)], ids=["80x24", "40x12"]
)
def run(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Terminal]:
    columns, lines = request.param
    with Terminal([sys.executable, APP, tmp_path], columns=columns, lines=lines) as terminal:
        yield terminal


def see(run: Terminal, *texts: str) -> None:
    """Wait for `texts`, scrolling down and then back up to find them."""
    run.wait_quiet(0.3)
    lines = run.screen.lines // 6  # lines at a time: fewer than the area has
    for text in texts:
        for key in (*["down"] * (80 // lines), *["up"] * (160 // lines)):
            run.wait_quiet(0.05)
            if text in run.text:
                break
            run.press(*[key] * lines)
        else:
            raise AssertionError(f"{text!r} is nowhere:\n{run.text}")


def page_down(run: Terminal) -> None:
    """Page down until Enter leads to the next question."""
    for _ in range(40):
        run.wait_quiet(0.2)
        if "enter next" in run.text:
            return
        run.press("pagedown")
    raise AssertionError(f"the text never ends:\n{run.text}")


def changed(run: Terminal, before: str) -> bool:
    return run.text != before


def back(run: Terminal, to: str) -> None:
    """Press Esc until `to` is on the screen."""
    for _ in range(10):
        run.wait_quiet(0.2)  # two at once would be another key
        if to in (before := run.text):
            return
        run.press("esc")
        run.wait_until(partial(changed, run, before), "what Esc changes")
    raise AssertionError(f"no way back to {to!r}:\n{run.text}")


@pytest.mark.waits
def test_no_text_controls_the_terminal(run: Terminal) -> None:
    run.wait_for("MODEL" if run.screen.columns > 60 else "●")
    see(run, "TITLE")
    assert "PROBLEM" in run.text

    run.press("p")
    see(run, "TITLE", "Guessing game", "PROBLEM")
    back(run, "q quit")
    run.press("m")
    see(run, "MODEL", "PATH")
    run.press("?")
    see(run, "help ·")
    back(run, "q quit")

    for key in ("s", "c", "g"):
        run.press(key)
        run.wait_gone("q quit")
        run.wait_quiet(0.3)
        run.press("1", "enter", "x")
        run.wait_quiet(0.3)
        back(run, "q quit")

    run.press("up", "up", "up", "up", "up", "up", "up", "enter")
    see(run, "HEADING", "BODY", "ITEM", "CELL", "CODE", "LINK", "TAG")
    run.press("right")
    run.wait_for("2 of 2")
    see(run, "HEADING2", "BODY2", "TASK")
    run.press("l")
    run.wait_for("next token")
    run.wait_quiet(0.3)
    run.press("2")
    run.wait_quiet(0.3)
    back(run, "l lab")
    see(run, "DONE")

    run.press("a")
    see(run, "ASK1", "CHOICE0")
    run.press("h", "a", "enter")
    see(run, "WHY")
    for number, keys in enumerate((["a"], ["1"], ["enter"], list("no"), list("Paris")), start=2):
        page_down(run)
        run.press("enter")
        run.wait_for(f"question {number}")
        see(run, f"ASK{number}")
        run.press(*keys, "enter")
        see(run, "saved", "WHY")
    page_down(run)
    run.press("enter")
    run.wait_for("of 6 right")
    see(run, "ASK6")
    back(run, "q quit")
    run.press("q")
    assert run.wait_exit() == 0
    found = harm(bytes(run.output))
    assert found == [], found


@pytest.mark.parametrize(
    "text", ["\x1b]0;x\x07", "\x9b31m", "\u202e", "\x1b[5i", "\x1bc", "\u0301" * 99]
)
def test_harm_is_detected(text: str) -> None:
    assert harm(b"\x1b[1;31mred\x1b[0m" + text.encode())
