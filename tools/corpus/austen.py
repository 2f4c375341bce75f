"""Turn six novels into passages of running prose."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from pathlib import Path

PASSAGE_CHARACTERS = 6000  # about 1,500 tokens: several context windows of the model
_DATABASE = "usr/lib/R/site-library/janeaustenr/data/Rdata"
_HEADING = re.compile(r"CHAPTER|VOLUME|Chapter|Volume|[Bb]y Jane|THE END|Finis")
_MARKS = str.maketrans({"_": None, "‘": "'", "’": "'", "“": '"', "”": '"'})


def novels(package: Path) -> dict[str, list[str]]:
    """Return the lines of each novel, from R's lazy-load database (an index, and zlib streams).

    Each stream follows 4 bytes with its unpacked size.
    """
    import rdata  # installed only with the "corpus" extra

    database = package / _DATABASE
    index = rdata.read_rds(database.with_suffix(".rdx"))["variables"]
    streams = database.with_suffix(".rdb").read_bytes()
    books = {}
    for name, (start, size) in sorted(index.items()):
        unpacked = zlib.decompress(streams[start + 4 : start + size])
        lines = rdata.conversion.convert(rdata.parser.parse_data(unpacked))
        books[str(name)] = [str(line) for line in lines]
    return books


def passages(package: Path) -> Iterator[str]:
    """Yield passages of whole paragraphs from all novels, without headings and title pages."""
    for lines in novels(package).values():
        yield from _packed(_paragraphs(lines))


def _paragraphs(lines: list[str]) -> Iterator[str]:
    for block in re.split(r"\n\s*\n", "\n".join(lines)):
        text = " ".join(block.split()).translate(_MARKS)
        if text and not text.isupper() and not _HEADING.match(text):
            yield text.replace("--", " - ")


def _packed(paragraphs: Iterator[str]) -> Iterator[str]:
    passage: list[str] = []
    for paragraph in paragraphs:
        passage.append(paragraph)
        if sum(map(len, passage)) > PASSAGE_CHARACTERS:
            yield "\n".join(passage)
            passage = []
    if passage:
        yield "\n".join(passage)
