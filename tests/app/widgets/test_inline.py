"""Test how inline Markdown and tables are drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from textual.app import App

from tests.app.explorer.explorer_stage import shown
from tutor.app.theme import CODE
from tutor.app.widgets.inline import inline
from tutor.app.widgets.prose import Prose

if TYPE_CHECKING:
    from textual.app import ComposeResult


def styled(markdown: str) -> list[tuple[str, str]]:
    content = inline(markdown)
    return [(content.plain[span.start : span.end], str(span.style)) for span in content.spans]


def test_emphasis_and_code_have_their_styles() -> None:
    assert inline("**No**: `a * b` is *not* 2").plain == "No: a * b is not 2"
    assert styled("**No**: `a * b` is *not* 2") == [
        ("No", "bold"),
        ("a * b", CODE),
        ("not", "italic"),
    ]
    assert sorted(styled("***both***")) == [("both", "bold"), ("both", "italic")]


@pytest.mark.parametrize(
    ("markdown", "words"),
    [
        ("see [the term](glossary.md#softmax)", "see the term"),
        ("![a picture](https://example.org/x.png)", "a picture"),
        ("3 * 4 * 5 and snake_case_name", "3 * 4 * 5 and snake_case_name"),
        ("<b>not HTML</b> [red]not markup[/red] [2]", "<b>not HTML</b> [red]not markup[/red] [2]"),
        ("<|im_end|> and <https://example.org>", "<|im_end|> and https://example.org"),
        ("\x1b[31m and &#x202e; and &#27;", "␛[31m and ‹U+202E› and �"),
        ("two\nlines", "two\nlines"),
        ("unclosed **mark", "unclosed **mark"),
        ("`" * 300 + "*" * 300, "`" * 300 + "*" * 300),
        ("", ""),
    ],
)
def test_everything_else_is_plain_text(markdown: str, words: str) -> None:
    assert inline(markdown).plain == words
    assert styled(markdown) == []


TABLE = """\
| thing | count | kind |
|:------|------:|:----:|
| alpha | 1 | x |
| b | 1,234,567 | **wide** |
"""


async def test_the_columns_of_a_table_are_aligned_by_their_marks() -> None:
    class Page(App[None]):
        CSS = "MarkdownTable { width: auto; } MarkdownTableContent { keyline: none; }"

        def compose(self) -> ComposeResult:
            yield Prose(TABLE)

    app = Page()
    async with app.run_test(size=(60, 12)) as pilot:
        await pilot.pause()
        lines = [line.strip() for line in shown(app).splitlines() if line.strip()]
    assert lines == [
        "thing       count   kind",
        "alpha           1    x",
        "b       1,234,567   wide",
    ]
