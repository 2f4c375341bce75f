"""Test the sentences about the state of a lab."""

from __future__ import annotations

from msgspec.structs import replace

from tutor.labs.kit import registry
from tutor.labs.kit.remote import Add
from tutor.plain.labs.sentences import describe


def test_layers_and_heads_are_counted_from_one_as_in_the_lessons() -> None:
    lines = describe("attention", replace(registry.find("attention").start(), layer=24, head=4))
    assert lines["layer"] == ("Layer: 25.",)
    assert lines["head"] == ("Head: 5.",)


def test_the_embedding_is_layer_zero() -> None:
    start = registry.find("word-in-context").start()
    assert describe("word-in-context", start)["layer"] == ("Layer 0, the embedding.",)
    assert describe("word-in-context", replace(start, layer=3))["layer"] == ("Layer: 3.",)


def test_a_lab_says_that_nothing_has_been_sent_yet() -> None:
    lab = registry.find("scale")
    state = lab.act(lab.start(), Add("openai:big", "http://school.invalid/v1"))
    assert describe("scale", state)["remote"] == (
        "Remote model: big, at school.invalid.",
        "Nothing has been sent to it. Type agree yes to send the text.",
    )
