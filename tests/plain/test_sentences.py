"""Test the sentences about the state of a lab."""

from __future__ import annotations

from msgspec.structs import replace

from tutor.labs.kit import registry
from tutor.labs.kit.remote import Add
from tutor.plain.labs.sentences import changes, describe


def test_layers_and_heads_are_counted_from_one_as_in_the_lessons() -> None:
    state = replace(registry.find("surgery").start(), layer=24, part=4, layers=30, heads=9)
    assert describe("surgery", state)["part"] == ("Selected: layer 25, head 5.",)


def test_the_embedding_is_layer_zero() -> None:
    start = registry.find("word-in-context").start()
    assert describe("word-in-context", start)["layer"] == ("Layer 0, the embedding.",)
    third = replace(start, layer=3)
    assert describe("word-in-context", third)["layer"] == ("After layer 3.",)


def test_only_new_lines_are_read_again() -> None:
    before = {"text": ("The text.",), "head": ("Head 1.", "Layer 2.")}
    after = {"text": ("The text.",), "head": ("Head 2.", "Layer 2."), "row": ("A row.",)}
    assert changes(before, after) == ["Head 2.", "A row."]


def test_a_lab_says_that_nothing_has_been_sent_yet() -> None:
    lab = registry.find("scale")
    state = lab.act(lab.start(), Add("openai:big", "http://school.invalid/v1"))
    assert describe("scale", state)["remote"] == (
        "Remote model: big, at school.invalid.",
        "Nothing has been sent to this model. Type agree yes to send the text.",
    )
