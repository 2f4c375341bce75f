"""Test that a number and its unit stay on the same line, wherever a text is wrapped."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from textual.content import Content

from tests.app.explorer.explorer_stage import Stage, lines, settled
from tutor.app.base_screen import TutorScreen
from tutor.app.line_breaks import keep_units_with_numbers
from tutor.app.widgets.layout import hanging
from tutor.app.widgets.prose import Prose
from tutor.app.widgets.static import Static
from tutor.text import cells, with_joined_units, wrapped

if TYPE_CHECKING:
    from pathlib import Path

    from textual.app import ComposeResult

WIDTH = 24
SAID = "The first token has 50 % and the second one has 12.5 bits of surprisal."


class Page(TutorScreen):
    """A screen that shows the same text as Markdown, as plain text and in a notice."""

    def compose_content(self) -> ComposeResult:
        yield Prose(SAID)
        yield Static(SAID, markup=False)

    def on_mount(self) -> None:
        self.tell(SAID)


async def test_no_line_of_a_screen_begins_with_a_unit(tmp_path: Path) -> None:
    app = Stage(lambda _engine, _progress: Page(), folder=tmp_path)
    async with app.run_test(size=(60, 40)) as pilot:
        for width in range(16, 60):
            await pilot.resize_terminal(width, 40)
            await settled(pilot)
            shown = lines(app)
            assert " ".join(shown).split().count("surprisal.") == 3
            assert not [line for line in shown if line.split()[:1] in (["%"], ["bits"])]


def test_a_hanging_text_keeps_the_unit_and_shows_the_same_text() -> None:
    keep_units_with_numbers()
    drawn = hanging(Content("• "), Content(SAID), WIDTH).plain
    assert " ".join(drawn.removeprefix("• ").split()) == SAID
    assert "50 %" in drawn
    assert "12.5 bits" in drawn


@pytest.mark.parametrize(
    "said",
    ["50 %", "2.1 bits", "1 bit", "269 MB", "0.5 s.", "(12 %)", "100 %,"],
)
def test_a_number_and_its_unit_count_as_one_word(said: str) -> None:
    joined = with_joined_units(said)
    assert len(joined.split()) == 1
    assert cells(joined) == cells(said)
    assert wrapped(f"{'x' * 8} {said}", 9 + len(said) - 1) == 2


@pytest.mark.parametrize("said", ["in 2026 some", "3 steps", "10 hours", "a %", "5 %x"])
def test_other_words_after_a_number_can_begin_a_line(said: str) -> None:
    assert with_joined_units(said) == said
