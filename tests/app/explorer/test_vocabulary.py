"""Test that every token of the real vocabulary can be drawn, as a row and as text."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

import pytest

from tutor.app.explorer.distribution_table import Columns, RowMarks, row_line
from tutor.app.explorer.text_view import token_texts, wrap
from tutor.lm.distribution import Row
from tutor.lm.formats.gguf_file import GgufFile
from tutor.lm.token_tree import Step

if TYPE_CHECKING:
    from pathlib import Path

    from tutor.lm.distribution import Token

ACTING = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


@pytest.fixture(scope="module")
def vocabulary(model_file: Path) -> list[Token]:
    tokenizer = GgufFile(model_file).tokenizer()
    return list(tokenizer.tokens(range(tokenizer.vocabulary_size)))


@pytest.mark.slow
@pytest.mark.parametrize("width", [38, 78])
def test_every_token_has_a_row_as_wide_as_the_table(vocabulary: list[Token], width: int) -> None:
    columns = Columns.fitting(width, sampled=False)
    for token in vocabulary:
        row = Row(1, token, 0.5, 1.0, 0.5)
        line = row_line(row, columns, RowMarks(target=True))
        assert line.cell_length == width, token
        assert not ACTING & {unicodedata.category(char) for char in line.plain}, token


def test_every_token_can_appear_in_a_text(vocabulary: list[Token]) -> None:
    texts = token_texts([Step(token, "drawn", 1.0) for token in vocabulary], marks=True)
    assert not ACTING & {unicodedata.category(char) for char in "".join(texts) if char != "\n"}
    assert all(line.width <= 78 for line in wrap(texts, 78))
