"""Test the search for phrases that read like a translation."""

from __future__ import annotations

import pytest

from tools import prose


@pytest.mark.parametrize(
    ("text", "phrase"),
    [
        ("The network is trained anew.", "anew"),
        ("Of the tokens,\nso many are cut.", "so many"),
        ("# The model goes\n    # on with the text.", "goes on"),
        ("It stands at the end.", "stands"),
        ("A claim, and it is so.", "is so"),
        ("Models Elsewhere", "Elsewhere"),
        ("The file is saved, also if it is empty.", "also if"),
    ],
)
def test_a_phrase_is_found_with_what_to_write(text: str, phrase: str) -> None:
    [(line, found, instead)] = prose.phrases(text)
    assert (found, line) == (phrase, 1 if "\n" not in text or "goes" in phrase else 2)
    assert instead


@pytest.mark.parametrize(
    "text",
    [
        "KV stands for key and value.",
        "A model that was trained longer.",
        "The text is so long that it does not fit.",
        "You are told at once.",
        "The result is None, and also if the line ends early.",
    ],
)
def test_plain_english_is_left_alone(text: str) -> None:
    assert prose.phrases(text) == []


def test_a_docstring_that_begins_with_a_fragment_is_found() -> None:
    source = '"""The module."""\n\ndef best():\n    """Which of them is the best."""\n'
    assert [(line, first) for line, first, _ in prose.openers(source)] == [(4, "Which")]


@pytest.mark.parametrize("file", ["README.md", "docs/hosting.md", "docs/remote.md"])
def test_the_first_pages_have_none(file: str) -> None:
    assert [*map(str, prose.files([file]))] == [file]
    assert [found for path in prose.files([file]) for found in prose.check(path)] == []
