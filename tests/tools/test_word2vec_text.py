"""Test the text for word vectors, as it is made from the Factbook."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tools.word2vec_text import cleaned, text_lines


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (
            "coal, lignite 12.5%, iron ore ++ note: none (2011 est.)",
            "coal, lignite, iron ore note: none",
        ),
        ("lowlands (Alps (in the south)), uplands", "lowlands, uplands"),
        ("exports of $1.2 billion to 3 countries ; tea", "exports of to countries; tea"),
        ("", ""),
    ],
)
def test_numbers_and_brackets_are_removed(text: str, wanted: str) -> None:
    assert cleaned(text) == wanted


def test_each_field_of_each_country_is_a_unique_line(tmp_path: Path) -> None:
    folder = tmp_path / "package" / "south-asia"
    folder.mkdir(parents=True)
    one = {"Geography": {"Climate": {"text": "hot and dry"}, "Area": {"text": "one two three"}}}
    other = {
        "Geography": {"Climate": {"text": "hot and dry"}, "Terrain": {"text": "flat plains only"}},
        "Economy": {"Industries": {"text": "none"}},
    }
    for name, country in (("b", other), ("a", one)):
        (folder / f"{name}.json").write_text(json.dumps(country), "utf-8")
    assert text_lines(tmp_path) == ["hot and dry", "flat plains only"]
