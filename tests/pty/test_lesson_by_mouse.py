"""Test the first lesson in the light theme, with the mouse alone, in a real terminal.

It has no model, since none of this needs one. The keyboard only types answers.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Self

import pytest

if sys.platform == "win32":
    pytest.skip("there are no ptys on Windows", allow_module_level=True)

from rich.cells import cell_len

from tests.terminal import Terminal

_PAINTED = 0.6
"""The seconds without output after which a page is complete: a page arrives in several parts.

After this time, a click in the same place is also no longer the second half of a double click.
"""


class MouseTerminal(Terminal):
    """The app of a new learner, in the light theme, in a terminal that reports the mouse."""

    def __init__(self, data: Path) -> None:
        environment = {"TUTOR_DATA": str(data), "TUTOR_MODEL": str(data / "none")}
        command = [sys.executable, "-m", "tutor", "--mouse", "on", "--theme", "light"]
        super().__init__(command, columns=100, lines=34, environment=environment)

    def __enter__(self) -> Self:
        return self

    def click(self, text: str, then: str = "") -> None:
        """Click the beginning of a text, and wait until the screen shows `then`."""
        self.wait_for(text)
        self.wait_quiet(_PAINTED)
        y, line = next((y, line) for y, line in enumerate(self.screen.display) if text in line)
        self.click_at(cell_len(line[: line.index(text)]), y)
        if then:
            self.wait_for(then)

    def click_at(self, x: int, y: int) -> None:
        """Press and release the left button in a cell, counted from 0."""
        self.send(f"\x1b[<0;{x + 1};{y + 1}M\x1b[<0;{x + 1};{y + 1}m")

    def answer(self) -> None:
        """Enter an answer to the question on the screen, right or wrong, and submit it."""
        self.wait_for("enter answer")
        self.wait_quiet(_PAINTED)
        if "Tick every" in self.text:
            self.click("[ ] a", "[x] a")
        elif "matches the selected line" in self.text:
            for letter in "abc":
                self.click(f"{letter}  ")  # not yet in a line above
        elif "  a  " in self.text:
            self.click("  a  ", "› a  ")
        else:
            self.send("1")
        self.click("enter answer", "saved")

    def next_screen(self, number: int) -> None:
        self.click("enter next", f"{number} of 20")


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_the_first_lesson(tmp_path: Path) -> None:
    with MouseTerminal(tmp_path) as run:
        run.click("› Begin", "1 of 20")
        assert run.screen.buffer[3][2].bg == "ffffff", "the theme is not light"
        run.click("b  The answers of A and B", "› b  ")
        run.click("enter reveal", "and that is the answer")
        run.next_screen(2)
        run.click("rule-based bot", "A program that compares a message")
        run.click("The first generation: rules", "enter next")
        assert "A program that compares" not in run.text
        run.next_screen(3)
        run.click("enter reveal", "The answer is “")
        run.click("← previous", "2 of 20")
        run.next_screen(3)
        run.next_screen(4)
        run.click("Your task there", "› chat")
        run.click("g more", "○ Add an intent")
        run.click("○ Add an intent", "g more")
        run.click("rules    ", "› rules")
        run.click("table", "› table")
        run.click("chat    ", "› chat")
        run.click("e write", "Message to all three bots")
        run.click("↑ for example")
        run.wait_gone("↑ for example")
        run.click("esc cancel", "esc back")
        run.click("esc back", "4 of 20")
        run.click("a questions", "question 1 of 15")
        run.click("tab leave field", "s skip")
        run.click("s skip", "question 2 of 15")
        run.click("  2  ", "› 2  ")
        run.click("space pick up", "↕ 2  ")
        run.click("  5  ", "› 5  ")
        run.click("enter answer", "saved")
        for number in range(3, 16):
            run.click("enter next", f"question {number} of 15")
            run.answer()
        run.click("o lesson", "19 of 20")
        run.click("esc back", "enter next")
        run.click("enter next", "end of the lesson")
        run.wait_for("1 left for later")
        run.click("Questions   Answer only the", "› Questions")
        run.click("› Questions", "question 1 of")
