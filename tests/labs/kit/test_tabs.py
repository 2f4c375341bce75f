"""Test that a click on a tab of a lab shows its view."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.app.clicking import click_at
from tests.app.explorer.explorer_stage import lines
from tests.app.whole_app import sees, whole_app
from tests.labs.a_few import few_or_all

if TYPE_CHECKING:
    from pathlib import Path

TABS = {
    "certainty": ("answer", "calibration", "ways"),
    "difference": ("prompt", "sampler", "parts", "precision", "model", "tuning"),
    "families": ("encoder", "decoder", "encoder-decoder"),
    "generations": ("chat", "rules", "intents", "probes", "table"),
    "neighbors": ("neighbors", "all pairs", "sums"),
    "probe": ("accuracy", "examples", "causality"),
    "prompting": ("parts", "items", "prompt", "versions"),
    "rag": ("ask", "measure"),
    "steer": ("next", "text", "cost", "layers", "saved"),
}


@pytest.mark.parametrize("lab", few_or_all(TABS))
async def test_a_click_on_a_tab_shows_its_view(lab: str, tmp_path: Path) -> None:
    app = whole_app(tmp_path, lab=lab)
    async with app.run_test(size=(100, 34)) as pilot:
        await sees(pilot, f"› {TABS[lab][0]}    {TABS[lab][1]}")
        for name in (*TABS[lab][1:], TABS[lab][0]):
            found = (re.search(rf"(?<= [ ›] ){name}(?=  |$)", line) for line in lines(app))
            row, tab = next((y, found) for y, found in enumerate(found) if found)
            await click_at(pilot, tab.start(), row)
            await sees(pilot, f"› {name}")
