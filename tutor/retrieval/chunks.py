"""Split a text into passages: at headings, between paragraphs, and inside long paragraphs.

A passage consists of consecutive paragraphs under one heading, with at most `WORDS` words in total.
Passages overlap, so that a sentence is not separated from its context: if the last paragraph of a
passage is short, the next passage under the same heading begins with the same paragraph. A
paragraph of more than `WORDS` words is split between words, and `OVERLAP` words are in both parts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from tutor.retrieval.passage import Passage

WORDS = 120
"""The maximum number of words in a passage.

A passage of this length has about 160 tokens. A few such passages fit into a small model's context
window. Short passages are usually about a single subject, which makes them easier to find.
"""
OVERLAP = 30
"""The maximum number of words that two consecutive passages have in common."""
LONGEST_WORD = 100
"""The maximum number of characters in a word.

Longer words are split, so the size of a passage is limited in characters too.
"""

LONGEST_HEADING = 200
"""The maximum number of characters of a heading. The beginning of a longer one is dropped."""

_HEADING = re.compile(r" {0,3}#{1,6}\s")
_ANCHOR = re.compile(r"\{#([\w-]+)\}$")
_FENCE = re.compile(r" {0,3}(```|~~~)")


class _Block:
    """A paragraph or a heading, with the number of its first line."""

    def __init__(self, line: int, *lines: str, heading: bool = False) -> None:
        self.line = line
        self.lines = list(lines)
        self.heading = heading

    @property
    def words(self) -> int:
        return sum(len(line.split()) for line in self.lines)

    @property
    def text(self) -> str:
        return "\n".join(self.lines)


def chunks(text: str, source: str, title: str = "") -> Iterator[Passage]:
    """Yield the passages of a text, which may be Markdown or plain text.

    `title` is the heading of passages before the first heading. A heading may end with an id, as in
    `## Heads {#heads}`.
    """
    heading, anchor = title or source, ""
    blocks: list[_Block] = []
    for block in _blocks(text):
        if not block.heading:
            blocks.append(block)
            continue
        yield from _passages(blocks, source, anchor, heading)
        blocks = []
        heading, anchor = _heading(block.text)
        heading = heading or title or source
    yield from _passages(blocks, source, anchor, heading)


def _heading(line: str) -> tuple[str, str]:
    """Return the text of a heading and its id. The id is empty if the heading has none."""
    said = line.strip().lstrip("#").strip()[-LONGEST_HEADING:].rstrip("#").rstrip()
    named = _ANCHOR.search(said)
    return (said[: named.start()].rstrip(), named[1]) if named else (said, "")


def _blocks(text: str) -> Iterator[_Block]:
    """Yield the paragraphs, headings and fenced code blocks of a text.

    Paragraphs with too many words are split. Blank lines inside a fenced code block do not split
    the block.
    """
    block: _Block | None = None
    fence = ""
    for number, line in enumerate(text.split("\n"), start=1):
        heading = not fence and _HEADING.match(line) is not None
        if heading or not (fence or line.strip()):
            if block is not None:
                yield from _cut(block)
            block = None
            if heading:
                yield _Block(number, line, heading=True)
            continue
        mark = _FENCE.match(line)
        if mark and (not fence or line.strip() == fence):
            fence = "" if fence else mark[1]
        if block is None:
            block = _Block(number)
        block.lines.append(line)
    if block is not None:
        yield from _cut(block)


def _cut(block: _Block) -> Iterator[_Block]:
    """Yield the block itself, or overlapping parts of it if it has more than `WORDS` words."""
    if block.words <= WORDS and all(len(line) <= LONGEST_WORD * WORDS for line in block.lines):
        yield block
        return
    words = [
        (number, word[begin : begin + LONGEST_WORD])
        for number, line in enumerate(block.lines, start=block.line)
        for word in line.split()
        for begin in range(0, len(word), LONGEST_WORD)
    ]
    for begin in range(0, max(1, len(words) - OVERLAP), WORDS - OVERLAP):
        text = " ".join(word for _, word in words[begin : begin + WORDS])
        yield _Block(words[begin][0], text)


def _passages(blocks: list[_Block], source: str, anchor: str, heading: str) -> Iterator[Passage]:
    """Combine the blocks under one heading into overlapping passages."""
    taken: list[_Block] = []
    new = False
    for block in blocks:
        if taken and sum(each.words for each in taken) + block.words > WORDS:
            if new:
                yield _passage(taken, source, anchor, heading)
            last = taken[-1]
            fits = last.words <= OVERLAP and last.words + block.words <= WORDS
            taken, new = ([last] if fits else []), False
        taken.append(block)
        new = True
    if taken and new:
        yield _passage(taken, source, anchor, heading)


def _passage(taken: list[_Block], source: str, anchor: str, heading: str) -> Passage:
    text = "\n\n".join(block.text for block in taken)
    return Passage(source, anchor, taken[0].line, heading, text)
