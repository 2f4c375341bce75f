"""Test that every text of the interface can be translated: none is left in a pseudo-language."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import msgspec
import pytest

from tests.app.pseudo_screens import VISITS, Seen
from tests.engine.fake_engine import CARD, WORDS
from tests.sample_course import COURSE
from tools import catalogs
from tutor.app.explorer.chat.first_messages import SUGGESTIONS
from tutor.labs.injection.lab import material
from tutor.labs.kit import registry

if TYPE_CHECKING:
    from pathlib import Path

NAMES = {
    *("tutor", "fake", "none", "sha", "ffff", "smollm2"),
    *("enter", "esc", "tab", "space", "home", "end", "pgup", "pgdn", "ctrl", "shift"),
    *("id", "logit", "top", "min", "rope", "api"),
}
"""Names of programs, models, keys and settings, which are the same in every language."""

GIVEN = {
    "certainty": "invented place",
    "families": "decoder: a doctor, a farmer, two teachers",
    "format": "The United States became",
    "ghost-text": "the 19th century, the islands were part of the country's returnal",
    "rag": "a term of the glossary: Quantization, model's parameters",
    "training": "The",
}
"""Data, and texts of the small model, on the first screen of a lab."""

_WORD = re.compile(r"[A-Za-z]{2,}")
_ESCAPED = re.compile(r"\\x[0-9a-f]{2}")
"""A byte of the fake model's vocabulary that is not a character."""


@pytest.fixture(scope="module")
def locales(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the pseudo-language `qps`."""
    folder = tmp_path_factory.mktemp("locales")
    catalog = folder / "qps" / "LC_MESSAGES"
    catalog.mkdir(parents=True)
    (catalog / "tutor.mo").write_bytes(catalogs.compiled(catalogs.pseudo(catalogs.template())))
    return folder


def screens(locales: Path, folder: Path, *labs: str) -> dict[str, Seen]:
    command = (sys.executable, "-m", "tests.app.pseudo_screens", str(locales), str(folder), *labs)
    done = subprocess.run(
        command, check=False, capture_output=True, cwd=catalogs.ROOT, env=dict(os.environ)
    )
    assert not done.returncode, done.stderr.decode()
    return msgspec.json.decode(done.stdout, type=dict[str, Seen])


def left_in_english(seen: Seen, given: str) -> list[str]:
    """Return the lines with words that are neither translated nor given."""
    known = NAMES | words(given) | words(seen.given)
    return [line for line in seen.lines if any(not _known(word, known) for word in words(line))]


def words(text: str) -> set[str]:
    return {each.lower() for each in _WORD.findall(_ESCAPED.sub("", text))}


def _known(word: str, known: set[str]) -> bool:
    """Return whether a word, or a word that begins with it, is known."""
    return word in known or any(each.startswith(word) for each in known)


@pytest.mark.slow
def test_no_text_of_the_screens_is_left_in_english(locales: Path, tmp_path: Path) -> None:
    found = screens(locales, tmp_path)
    assert set(found) == set(VISITS)
    given = repr((COURSE.lessons, SUGGESTIONS, WORDS, CARD))
    left = {name: left_in_english(seen, given) for name, seen in found.items()}
    assert {name: lines for name, lines in left.items() if lines} == {}


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_no_text_of_the_labs_is_left_in_english(locales: Path, tmp_path: Path) -> None:
    found = screens(locales, tmp_path, *registry.names())
    assert set(found) == set(registry.names())
    given = GIVEN | {"injection": repr(material())}
    left = {name: left_in_english(seen, given.get(name, "")) for name, seen in found.items()}
    assert {name: lines for name, lines in left.items() if lines} == {}
