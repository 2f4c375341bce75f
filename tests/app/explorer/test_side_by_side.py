"""Test the two columns of a wide terminal, and the note about approximate figures."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest

from tests.app.explorer.test_keys import PROMPT, explorer
from tests.engine.fake_engine import CARD, FakeEngine
from tutor.app.explorer.chat.view import ConversationView
from tutor.app.explorer.distribution_table import DistributionTable
from tutor.app.explorer.text_view import TextView
from tutor.app.explorer.xray.view import XRayView
from tutor.app.widgets.prompt_editor import PromptEditor

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("size", "wide"), [((80, 24), False), ((119, 40), False), ((120, 40), True)]
)
async def test_text_and_table_are_side_by_side_on_a_wide_terminal(
    tmp_path: Path, size: tuple[int, int], wide: bool
) -> None:
    async with explorer(tmp_path, size=size) as it:
        assert ("next token" in it.line(PROMPT)) == wide
        text = it.stage.screen.query_one(TextView).region
        table = it.stage.screen.query_one(DistributionTable).region
        assert (table.x >= text.right) == wide
        assert (table.y >= text.bottom) == (not wide)
        await it.press("2", "left", "1")
        assert "New branch 2. Press w to switch." in it.words
        await it.press("e")
        assert it.stage.screen.query_one(PromptEditor).region.width <= size[0]
        await it.press("escape", "slash", "o")
        assert "␣of" in it.screen


async def test_a_conversation_has_the_whole_width_until_the_distribution_is_open(
    tmp_path: Path,
) -> None:
    async with explorer(tmp_path, mode="chat", size=(120, 40)) as it:
        await it.type("Hello")
        await it.press("enter")
        view = it.stage.screen.query_one(ConversationView)
        assert view.size.width > 100
        await it.press("escape", "d")
        table = it.stage.screen.query_one(DistributionTable)
        assert table.region.x >= view.region.right
        assert view.size.height > 25
        await it.press("e")
        assert view.size.width > 100
        await it.press("escape", "escape")
        assert not table.display
        assert view.size.width > 100


@pytest.mark.parametrize(
    ("kernel", "width", "said"),
    [
        ("int4, int8", 100, "figures are approximate: rounded weights"),
        ("int4, int8", 80, "approximate: rounded weights"),
        ("int4, int8", 60, "approximate"),
        ("fp16", 80, "approximate: rounded weights"),
        ("int8", 80, ""),
        ("fp32", 80, ""),
    ],
)
async def test_the_heading_says_that_figures_are_approximate(
    tmp_path: Path, kernel: str, width: int, said: str
) -> None:
    engine = FakeEngine(card=msgspec.structs.replace(CARD, kernel=kernel))
    async with explorer(tmp_path, engine=engine, size=(width, 24)) as it:
        heading = it.line("next token")
        assert said in heading
        assert ("approximate" in heading) == bool(said)
        assert "plain sampling" in heading


async def test_help_explains_signs_and_approximate_figures(tmp_path: Path) -> None:
    async with explorer(tmp_path, size=(80, 60)) as it:
        await it.press("question_mark")
        await it.until(lambda: "␣ is a space" in it.words)
        assert "If the heading of the table says “approximate”" in it.words


async def test_the_text_keeps_its_room_when_the_terminal_shrinks_beside_the_xray(
    tmp_path: Path,
) -> None:
    async with explorer(tmp_path, size=(200, 40)) as it:
        await it.press("x")
        view = it.stage.screen.query_one(XRayView)
        await it.pilot.resize_terminal(160, 40)
        await it.settle()
        table = it.stage.screen.query_one(DistributionTable)
        assert table.region.right <= view.region.x
        assert "text: 5 of 256 tokens" in it.screen


async def test_the_xray_is_below_the_table_of_a_tall_terminal(tmp_path: Path) -> None:
    async with explorer(tmp_path, size=(100, 50)) as it:
        await it.press("x")
        view = it.stage.screen.query_one(XRayView)
        table = it.stage.screen.query_one(DistributionTable)
        assert view.has_focus
        assert table.region.bottom <= view.region.y
        assert view.region.width == table.region.width
        await it.pilot.resize_terminal(200, 50)
        await it.settle()
        assert table.region.right <= view.region.x
        await it.press("escape")
        assert not it.stage.screen.query(XRayView)
        await it.pilot.resize_terminal(100, 30)
        await it.settle()
        await it.press("x")
        assert "how much" in it.screen
        assert not it.stage.screen.query(DistributionTable)
