"""Test how plain mode reads Markdown aloud."""

from __future__ import annotations

from tests.shipped_course import shipped_course
from tutor.plain import markdown

_TEXT = """\
A *model* answers with `numbers`. See [softmax](glossary.md#softmax) and 66.5 %.

- first
- second

| token | probability |
|---|--:|
| Paris | 77 % |

```python
x = 1
```

```text
visitor   My parrot
          ate it.
```

```text
┌──┐
│  │
└──┘
```
"""


def test_every_kind_of_block_is_said() -> None:
    text = markdown.read(_TEXT)
    assert text.lines == (
        "A model answers with numbers. See softmax and 66.5 percent.",
        "Item 1 of 2: first",
        "Item 2 of 2: second",
        "Table, 1 row. Columns: token; probability.",
        "Row 1: Paris; probability: 77 percent",
        "Code in Python, 1 line:",
        "x = 1",
        "End of the code.",
        "Text, 1 line:",
        "visitor: My parrot ate it.",
        "End of the text.",
        "A drawing (3 lines) is left out here.",
    )
    assert text.links == {"softmax": "glossary.md#softmax"}
    assert text.drawings == ("┌──┐\n│  │\n└──┘",)


def test_a_list_item_with_several_parts_keeps_all_of_them() -> None:
    assert markdown.read("1. one\n\n   more\n2. two").lines == (
        "Item 1 of 2: one",
        "more",
        "Item 2 of 2: two",
    )


def test_the_text_of_the_course_has_no_drawing_characters() -> None:
    for lesson in shipped_course().lessons:
        for screen in lesson.screens:
            for line in markdown.read(screen.body).lines:
                assert not any("\u2500" <= char <= "\u259f" for char in line), line
                assert "\x1b" not in line
