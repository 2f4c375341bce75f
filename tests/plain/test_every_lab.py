"""Test that every lab opens in plain mode, and that each of its commands is described."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tutor.labs.kit import registry
from tutor.plain.labs.grammar import action_words

if TYPE_CHECKING:
    from tests.plain.session import Machine


def test_every_lab_opens_and_describes_its_commands(machine: Machine) -> None:
    typed = [line for name in registry.names() for line in (f"lab {name}", "help", "back")]
    said = machine.say(*typed)
    for name in registry.names():
        lab = registry.find(name)
        assert any(line.startswith(f"Lab: {lab.title}") for line in said.lines)
        for word in action_words(lab):
            assert any(line.startswith(f"{word.word}") and word.help in line for line in said.lines)
