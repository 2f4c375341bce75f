"""Test the keys and the pictures of the landscape lab."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.app.whole_app import until
from tests.labs.lab_stage import BackendEngine, at_rest, do, lab_app, screen_of, seen, state_of
from tests.later import SIZES
from tutor.labs.kit.backend import Backend, Tools, make_backend
from tutor.labs.landscape import lab as landscape

if TYPE_CHECKING:
    from pathlib import Path

    from tutor.app.app import TutorApp

Fact = tuple[str, str, str, str, str, bool]
FACTS: tuple[Fact, ...] = (
    ("Gemini", "Maker", "Google DeepMind", "2025-06", "the course text", True),
    ("Claude", "Maker", "Anthropic", "2025-06", "the course text", True),
    ("Gemini", "Input", "also audio, [b]video", "2026-08", "https://example.org/gemini", False),
    ("ChatGPT", "Input", "text, images", "2026-11", "https://example.org/" + "long/" * 20, True),
)


class FixedFacts:
    """Answers with fixed facts, since the real ones change."""

    def __init__(self, facts: tuple[Fact, ...]) -> None:
        self._answer = landscape.Answer(tuple(landscape.Known(*fact) for fact in facts))

    def answer(self, question: landscape.Question) -> landscape.Answer:
        return self._answer


def app_with(folder: Path, facts: tuple[Fact, ...] = FACTS) -> TutorApp:
    def make(name: str, tools: Tools) -> Backend:
        return FixedFacts(facts) if name == "landscape" else make_backend(name, tools)

    return lab_app("landscape", folder, BackendEngine(make))


@pytest.mark.parametrize("size", SIZES)
def test_how_it_looks(size: tuple[int, int], snap_compare: Any, tmp_path: Path) -> None:
    async def run(pilot: Any) -> None:
        await do(pilot, "down", "tab", "right", "right")

    assert snap_compare(app_with(tmp_path), terminal_size=size, run_before=run)


async def test_a_fact_is_shown_with_its_month_and_source(tmp_path: Path) -> None:
    async with app_with(tmp_path).run_test(size=(80, 24)) as pilot:
        await at_rest(pilot)
        assert "as of 2025-06  at least a year older than the newest" in seen(pilot)
        await do(pilot, "down")
        assert "Gemini: also audio, [b]video" in seen(pilot)
        assert "https://example.org/gemini" in seen(pilot)
        assert "* not from the vendor" not in seen(pilot)
        await do(pilot, "tab")
        assert "Claude: Input. We have no source" in seen(pilot)
        assert landscape.LAB.reached(state_of(pilot)) == {"nobody-says"}


async def test_a_price_has_its_unit(tmp_path: Path) -> None:
    price = ("Gemini", "API price", "2 / 10", "2026-10", "y", False)
    async with app_with(tmp_path, (price,)).run_test(size=(80, 24)) as pilot:
        await at_rest(pilot)
        assert "Gemini: 2 / 10  US dollars per million tokens, input / output" in seen(pilot)


async def test_enter_opens_the_lab_that_compares(tmp_path: Path) -> None:
    async with app_with(tmp_path).run_test(size=(80, 24)) as pilot:
        await at_rest(pilot)
        await pilot.press("enter")
        await until(pilot, lambda: screen_of(pilot).lab.name == "compare")
        await at_rest(pilot)
        await pilot.press("escape")
        await until(pilot, lambda: screen_of(pilot).lab.name == "landscape")
