"""Test the chat in a real terminal: room for the conversation, and text that does no harm."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.pty.test_hostile_text import APP, harm
from tests.terminal import Terminal

RULE = "─" * 80
STATUS = "tokens"
"""A word that only the line below the conversation contains."""


def conversation(run: Terminal) -> list[str]:
    """Return the lines between the upper rule and the line about the token in focus."""
    lines = run.text.split("\n")
    first = lines.index(RULE) + 1
    return lines[first : next(at for at, line in enumerate(lines) if line.endswith(STATUS))]


def test_a_conversation_has_twelve_lines_and_scrolls(tmp_path: Path) -> None:
    with Terminal([sys.executable, APP, tmp_path], columns=80, lines=24) as run:
        run.wait_for("Chat")
        run.press("c")
        run.wait_for("your message")
        for text in ("Hello", "What is it?", "So", "And then?"):
            run.send(text)
            run.wait_for(text)
            run.press("enter")
            run.wait_for(f"   {text}")  # in the conversation, which is indented
            run.wait_for("your message")
        run.press("esc")
        run.wait_for("write the next message")
        assert len(conversation(run)) >= 12
        assert any(line.strip() == "And then?" for line in conversation(run))
        assert "<|im_" not in run.text
        run.press("pageup", "pageup")
        run.wait_for("more line")
        run.wait_for("Hello")
        run.press("d")
        run.wait_for("entropy")
        run.press("d", "end")
        run.wait_for("And then?")
        run.press("esc")
        run.wait_for("q quit")
        run.press("q")
        assert run.wait_exit() == 0
        # Only the output of a program that has ended never stops in the middle of a sequence.
        assert harm(bytes(run.output)) == []
