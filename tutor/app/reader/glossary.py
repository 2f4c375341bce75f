"""The glossary: every term of the course, and what it means."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from textual.content import Content

from tutor.app.reader.finder import FinderScreen
from tutor.app.theme import MUTED
from tutor.app.widgets import figures
from tutor.app.widgets.prose import plain
from tutor.course.questions.spelling import plain as comparable
from tutor.course.targets import TermTarget
from tutor.text import counted, safe

if TYPE_CHECKING:
    from tutor.course.term import Term

_LONGEST_NAME = 28


class GlossaryScreen(FinderScreen):
    """Lists the terms whose name, or whose meaning, has what is typed."""

    PLACEHOLDER = "type to filter"

    def on_mount(self) -> None:
        self.place = "glossary"

    def look_up(self, words: str) -> None:
        terms = list(self.services.course.glossary.values())
        shown = matching(terms, words)
        widest = min(_LONGEST_NAME, max((len(term.term) for term in terms), default=0))
        all_terms = counted(len(terms), "term")
        self.aside = f"{len(shown)} of {all_terms}" if words else all_terms
        self.found(
            [TermTarget(term.id) for term in shown],
            [partial(_row, safe(term.term), plain(term.text), widest) for term in shown],
        )
        if not shown:
            self.tell(f"No term has “{words}”." if terms else "This course has no glossary.")


def matching(terms: list[Term], words: str) -> list[Term]:
    """Those whose name begins with `words` first, then those that have it in their name, then in
    their meaning; each group in the order of `terms`."""
    wanted = comparable(words)
    if not wanted:
        return terms
    begin = [each for each in terms if comparable(each.term).startswith(wanted)]
    within = [each for each in terms if wanted in comparable(each.term)]
    said = [each for each in terms if wanted in comparable(each.text)]
    return list({each.id: each for each in (*begin, *within, *said)}.values())


def _row(name: str, meaning: str, widest: int, width: int) -> Content:
    name = figures.fit(name, min(widest, max(12, width // 2)))
    row = Content.assemble((name, "bold"), "  ", (meaning, MUTED))
    return row.truncate(width, ellipsis=True)
