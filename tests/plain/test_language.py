"""Test that every sentence of plain mode can be translated: none is left in a pseudo-language."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.app.test_language import locales, words
from tests.shipped_course import shipped_course
from tools.catalogs import ACCENTED

if TYPE_CHECKING:
    from pathlib import Path

    from tests.plain.session import Machine

__all__ = ["locales"]

SESSION = (
    *("help", "lessons", "model", "progress", "search", "nonsense", "lesson 99", "back", ""),
    *("help", "", "a", "", "section 99", "section 5", "terms", "questions"),
    *("help", "hint", "guess", "skip", "back", "back"),
    *("review", "back"),
    *("step", "help", "edit abc", "take 99", "take 2", "find b", "tokens", "settings", "set x"),
    *("branches", "branch 9", "xray 99", "xray", "help", "heads", "head 99", "back", "back"),
    *("chat", "help", "abc", "conversation", "back"),
    *("guess", "help", "a", "bet 99", "back"),
    *("lab tokens", "help", "goals", "move 99", "move", "back"),
    *("lab generations", "help", "view rules", "view probes", "send-message abc", "back"),
    *("lab compare", "add openai:x http://school.invalid/v1", "ask", "help", "no", "back"),
)


def course_words() -> set[str]:
    """Return all words of the lessons, which are translated in files of their own."""
    return words(repr(shipped_course().lessons).replace("\\n", " "))


@pytest.mark.slow
def test_no_sentence_is_left_in_english(own_engine: Machine, locales: Path) -> None:
    session = ("tests.plain.pseudo_session", str(locales))
    said = own_engine._replace(program=session).say(*SESSION)
    assert said.status == 0
    assert len(said.lines) > 200
    given = course_words() | {"qps"}
    english = [line for line in said.lines if not _is_translated(line) and words(line) - given]
    assert not english, "\n".join(english)


def _is_translated(line: str) -> bool:
    return any(char in ACCENTED for char in line)
