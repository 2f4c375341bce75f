"""Tests that keys in sentences look like keys, and that other words do not."""

from __future__ import annotations

import pytest

from tutor.app.theme import KEY
from tutor.app.widgets.key_names import with_keys


@pytest.mark.parametrize(
    ("sentence", "keys"),
    [
        ("Choose an entry with ↑ and ↓, and open it with Enter.", ["↑", "↓", "Enter"]),
        ("Press m, then f to try again.", ["m", "f"]),
        ("Press y to forget, Esc to keep them.", ["y", "Esc"]),
        ("Go to the next view; Shift+Tab goes back.", ["Shift+Tab"]),
        ("Take a step to continue, or press e to edit the text.", ["e"]),
        ("Remove this branch. Press d twice.", ["d"]),
        ("A model that was pressed, then a longer one.", []),
        ("Enters are counted, and the Tabs are not.", []),
    ],
)
def test_keys_are_found_in_sentences(sentence: str, keys: list[str]) -> None:
    drawn = with_keys(sentence)
    assert drawn.plain == sentence
    spans = sorted(span for span in drawn.spans if span.style == KEY)
    assert [sentence[span.start : span.end] for span in spans] == keys
