"""Search: lessons, glossary and questions by their words."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

from textual import work
from textual.content import Content

from tutor.app.reader.finder import FinderScreen
from tutor.app.theme import MUTED
from tutor.app.widgets.layout import hanging
from tutor.course.targets import ScreenTarget
from tutor.errors import TutorError
from tutor.text import safe

if TYPE_CHECKING:
    from tutor.course.search import Hit

SHOWN = 30


class SearchScreen(FinderScreen):
    """Shows the best hits. The searching is done in a thread: typing never waits for it."""

    PLACEHOLDER = "words to look for"

    def on_mount(self) -> None:
        self.place = "search"

    def look_up(self, words: str) -> None:
        self._search(words)

    @work(exclusive=True)
    async def _search(self, words: str) -> None:
        from tutor.course.search import search

        try:
            hits = await asyncio.to_thread(search, self.services.course, words, SHOWN)
        except TutorError as error:
            self.tell(error)
            return
        if words != self.words:  # more was typed meanwhile
            return
        self.aside = f"{len(hits)} found" if words else ""
        self.found(
            [hit.target for hit in hits], [partial(_row, hit, self._where(hit)) for hit in hits]
        )
        if words and not hits:
            self.tell("Nothing has these words.")

    def _where(self, hit: Hit) -> str:
        if not isinstance(hit.target, ScreenTarget):
            return "glossary"
        outline = self.services.course.outline(hit.target.lesson_id)
        number = f"lesson {outline.number}" if outline else ""
        return f"question, {number}" if hit.kind == "question" else number


def _row(hit: Hit, where: str, width: int) -> Content:
    head = Content.assemble((safe(hit.title), "bold"), (f"  {where}", MUTED))
    said = hanging(Content("  "), Content.styled(safe(hit.excerpt), MUTED), width)
    return Content("\n").join([head.truncate(width, ellipsis=True), *said.split("\n")[:2]])
