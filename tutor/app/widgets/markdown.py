"""Markdown as the app reads it."""

from __future__ import annotations

from markdown_it import MarkdownIt


def parser() -> MarkdownIt:
    """CommonMark with tables. HTML stays text, and what looks like an address is not a link."""
    return MarkdownIt("commonmark", {"html": False}).enable("table")
