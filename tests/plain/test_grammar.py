"""Test the commands of labs, which follow from the actions that they accept."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from tests.plain.typed import typed
from tutor.errors import LabError
from tutor.labs.attention.lab import RankHeads
from tutor.labs.kit import registry
from tutor.labs.kit.actions import EditText, MoveFocus, Toggle
from tutor.plain.labs.grammar import ActionWord, action_words


def parsed(lab: str, line: str) -> Any:
    word, _, rest = line.partition(" ")
    found = [each for each in action_words(registry.find(lab)) if each.word == word]
    return found[0].parse(rest)


@pytest.mark.parametrize(
    ("lab", "line", "action"),
    [
        ("attention", "move layer 3", MoveFocus(3, "layer")),
        ("attention", "move head previous", MoveFocus(-1, "head")),
        ("attention", "move token", MoveFocus(1, "token")),
        ("attention", "rank-heads first", RankHeads("first")),
        ("tokens", "move piece next", MoveFocus(1, "piece")),
        ("tokens", "edit two  words", EditText("two  words")),
        ("neighbors", "edit field=words a b", EditText("a b", "words")),
        ("mask", "toggle", Toggle("mask")),
    ],
)
def test_a_command_is_an_action(lab: str, line: str, action: Any) -> None:
    assert parsed(lab, line) == action


@pytest.mark.parametrize("line", ["move", "move layers 3", "rank-heads", "show-head now"])
def test_a_wrong_command_says_what_to_type(line: str) -> None:
    with pytest.raises(LabError, match="Type "):
        parsed("attention", line)


@pytest.mark.parametrize("name", registry.names())
def test_every_action_of_a_solution_can_be_typed(name: str) -> None:
    lab = registry.find(name)
    for action in lab.solution:
        assert parsed(name, typed(lab, action)) == action


@pytest.mark.parametrize("name", registry.names())
def test_every_command_is_described_and_has_a_name_of_its_own(name: str) -> None:
    words = action_words(registry.find(name))
    assert len({each.word for each in words}) == len(words)
    for each in words:
        assert each.help.endswith(".")
        assert "`" not in each.help
        assert "{" not in each.help
        assert isinstance(each, ActionWord)
        assert issubclass(each.type, msgspec.Struct)
