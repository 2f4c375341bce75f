"""Test every lab on screens that are far too small: it shows less and never crashes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.labs.lab_stage import at_rest, lab_app, screen_of
from tutor.labs.kit import registry
from tutor.labs.kit.view import LEAST

if TYPE_CHECKING:
    from pathlib import Path

SIZES = ((1, 1), (2, 30), (9, 4), (LEAST - 1, 8), (LEAST, 60), (200, 2))


@pytest.mark.slow
@pytest.mark.parametrize("name", registry.names())
async def test_a_lab_can_be_drawn_at_any_size(tmp_path: Path, name: str) -> None:
    app = lab_app(name, tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await at_rest(pilot)
        view = screen_of(pilot).view
        for columns, rows in SIZES:
            await pilot.resize_terminal(columns, rows)
            view.draw(view.state)
        await pilot.resize_terminal(80, 24)
    assert app.crash is None
