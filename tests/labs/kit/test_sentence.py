"""Test that labs reject long texts before they tokenize them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.labs.lab_backend import at_last, backend
from tutor.errors import TextError
from tutor.labs.difference import questions as difference
from tutor.labs.kit.sentence import sentence
from tutor.labs.kit.work import LONGEST
from tutor.labs.patch import lab as patch
from tutor.labs.probe import lab as probe
from tutor.labs.why import lab as why
from tutor.lm.distribution import PLAIN

LONG = "a" * (LONGEST + 1)


@pytest.mark.parametrize(
    ("name", "question"),
    [
        ("why", why.Next(LONG)),
        ("patch", patch.Compare("a", LONG)),
        ("difference", difference.Scan(difference.Text(LONG), PLAIN)),
        ("difference", difference.Compare(difference.Text("a"), PLAIN, difference.OtherText(LONG))),
        ("probe", probe.Classify("sentiment", LONG)),
    ],
)
def test_a_request_with_a_long_text_is_refused(name: str, question: Any, tmp_path: Path) -> None:
    there = backend(name, tmp_path, moment=float("inf"))
    with pytest.raises(TextError, match="too long"):
        at_last(there, question)  # the probe lab first processes its own sentences


def test_the_longest_sentence_is_accepted() -> None:
    assert sentence("a" * LONGEST) == "a" * LONGEST
    with pytest.raises(TextError, match="too long"):
        sentence(LONG)
