"""Test the course as passages: all screens and terms, as plain text."""

from __future__ import annotations

from tests.shipped_course import shipped_course
from tutor.course.passages import course_passages, prose
from tutor.retrieval.chunks import WORDS


def test_every_screen_and_term_is_included() -> None:
    course = shipped_course()
    passages = course_passages(course)
    there = {passage.id for passage in passages}
    screens = {f"{each.file}#{screen.id}" for each in course.outlines for screen in each.screens}
    terms = {f"glossary.md#{term}" for term in course.glossary}
    assert there <= screens | terms
    assert terms <= there
    assert len(screens - there) <= 3  # screens with only a diagram
    assert max(len(passage.text.split()) for passage in passages) <= WORDS


def test_markup_diagrams_and_predictions_are_left_out() -> None:
    text = """\
A *logit* is a [score](glossary.md#score),
any `number`.

```text
a diagram
```

| a | b |
|:--|:--|
| 1 | 2 |

- one
- two

**Predict:** what is it?
"""
    assert prose(text) == "A logit is a score, any number.\n\na | b\n1 | 2\n\none\n\ntwo"
