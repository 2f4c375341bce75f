"""Test that a quoted number counts if the exact value rounds to it."""

from __future__ import annotations

import pytest

from tutor.authoring.rounding import as_quoted, numbers, quoted


@pytest.mark.parametrize(
    ("said", "value", "right"),
    [
        ("77.3 %", 0.77253, True),
        ("77.3 %", 0.7724, False),
        ("77 %", 0.7724, True),
        ("0.1 %", 0.00149, True),
        ("0.1 %", 0.00151, False),
        ("0.77", 0.77253, True),
        ("rank 12,636", 12636.0, True),
        ("rank 12,636", 12637.0, False),
        ("2.1 bits", 2.14, True),
        ("2.1 bits", 2.16, False),
        ("−3.2", -3.24, True),
        ("3.2", -3.24, False),
        ("about 77 %", 0.7849, True),
        ("some 77 %", 0.7551, True),
        ("about 77 %", 0.7851, False),
        ("77 %", 0.7849, False),
        ("7 tokens", 7.0, True),
        ("seven tokens", 7.0, None),
        ("7 of 9 tokens", 7.0, None),
    ],
)
def test_quoted(said: str, value: float, right: bool | None) -> None:
    assert quoted(said, value, share=value < 1) is right


def test_figures_are_read_without_thousands_separators() -> None:
    assert numbers("49,152 rows, 0.25 each, and 1\u202f000.") == ["49152", "0.25", "1000"]


def test_computed_values_have_one_more_decimal() -> None:
    assert as_quoted("83.0 %", 0.829512, share=True) == "82.95 %"
    assert as_quoted("rank 12", 13.0, share=False) == "13.0"
