"""Test the names of parts on the command line."""

from __future__ import annotations

import pytest

from tutor.lm.attribution import Part


@pytest.mark.parametrize(
    ("name", "part"), [("1.1", Part(0, 0)), ("24.5", Part(23, 4)), ("24.ff", Part(23))]
)
def test_a_name_counts_from_1(name: str, part: Part) -> None:
    assert Part.of_option(name) == part
    assert part.option == name


@pytest.mark.parametrize("name", ["0.3", "3.0", "0.ff", "0.0", "00.3", "-1.3", "1", "1.x", "1.٣"])
def test_other_names_are_rejected(name: str) -> None:
    """A 0 would be the index -1, which Python takes for the last layer or head."""
    with pytest.raises(ValueError, match="is not a part"):
        Part.of_option(name)
