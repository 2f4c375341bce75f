"""Find words and phrases that make our text read like a translation.

    python -m tools.prose [PATH ...]

This prints the line of each phrase, and what to write instead. The exit status is 1 if a phrase was
found. docs/terms.md lists the terms that we use.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent.parent
READ = (".md", ".py", ".yaml", ".toml", ".txt", ".service", ".socket", "Makefile", "NOTICE")
SKIPPED = ("tools/prose.py", "tests/tools/test_prose.py", "docs/terms.md", "tests/data/", "assets/")
"""The paths to skip: this list, its test, the list of terms, and texts that are data."""
CHECKED_ASSETS = ("assets/README.md",)

PHRASES = {
    r"anew": "again, from scratch, new",
    r"reckon(s|ed|ing)?": "compute",
    r"(is|are|be|was) (not )?so(?=[.,;:)])": "is true, is false",
    r"st(ands?|ood|anding)(?! (for|out|alone|still|in for|behind)\b|\")": "is, appears, contains",
    r"so (many|few)": "n, at most n, that many",
    r"so far on": "up to n",
    r"whoever|nobody|somebody": "the user, the learner, no one",
    r"elsewhere": "remote, another place",
    r"(comes?|came) along": "is bundled",
    r"other luck": "new seed",
    r"orders in (a|the) reviews?": "prompt injection",
    r"gr[ae]y text": "ghost text",
    r"(go|goes|went|gone) on": "continue",
    r"put into words": "described",
    r"(says?|said) of (itself|it|them|him)": "reports, says about",
    r"makes? of (it|them|this|that|what|the|a)": "returns, does with",
    r"look(s|ed|ing)? on": "while you watch",
    r"vouch(es|ed)?": "guarantee",
    r"that of": "name the noun again",
    r"those which": "name the noun again",
    r"(one|none) such": "name the noun again",
    r"what it is that": "what",
    r"(is|are|was|were|be) said(?! to)": "name who says it",
    r"(is|are) told (of|by|that|there)": "name who says it",
    r"(?<=,\s)also\x20(if|when|while)": "even if, even when",
    r"leave to decline": 'allowed to say "I don\'t know"',
}
OPENERS = (
    *("What", "Whether", "Of", "That", "Which", "How"),
    *("Who", "Whose", "Where", "When", "Those", "Such"),
)
"""Words that begin a fragment, not a sentence, when a docstring begins with them."""

_GAP = r"[\s#>*]+"
"""A pattern for a space, or a line break with the sign of a comment, quotation or list."""

_PHRASES = {
    re.compile(
        rf"(?<![-\w])(?<!name=\")({phrase.replace(' ', _GAP)})(?![-\w])", re.IGNORECASE
    ): instead
    for phrase, instead in PHRASES.items()
}


class Found(NamedTuple):
    """A phrase at a line of a file, and what to write instead."""

    file: str
    line: int
    phrase: str
    instead: str


def main(arguments: list[str]) -> int:
    found = [each for file in files(arguments) for each in check(file)]
    for each in found:
        print(f"{each.file}:{each.line}: “{each.phrase}”: {each.instead}")
    print(f"{len(found)} found")
    return 1 if found else 0


def files(below: list[str]) -> Iterator[Path]:
    """Yield the text files of the repository, or the text files at or below the given paths."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--", *below],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    for name in filter(None, listed.stdout.split("\0")):
        if name.endswith(READ) and (not name.startswith(SKIPPED) or name in CHECKED_ASSETS):
            yield Path(name)


def check(file: Path) -> list[Found]:
    """Return the phrases in one file, in the order of its lines."""
    text = (ROOT / file).read_text(encoding="utf-8")
    found = phrases(text)
    if file.suffix == ".py":
        found += openers(text)
    return [Found(str(file), *each) for each in sorted(found)]


def phrases(text: str) -> list[tuple[int, str, str]]:
    """Return the line, the phrase and what to write instead, for each phrase in a text."""
    return [
        (text.count("\n", 0, match.start()) + 1, re.sub(_GAP, " ", match[0]), instead)
        for pattern, instead in _PHRASES.items()
        for match in pattern.finditer(text)
    ]


def openers(source: str) -> list[tuple[int, str, str]]:
    """Return the line, the word and what to write instead, for each docstring with a bad opener."""
    found = []
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, documented) and (text := ast.get_docstring(node)):
            first = text.split(maxsplit=1)[0]
            if first in OPENERS:
                line = node.body[0].lineno
                found.append((line, first, "begin with a verb, or with what an instance is"))
    return found


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
