"""Test the list of labs: its lines at any width, the filter, and where it opens."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.app.explorer.explorer_stage import shown
from tests.app.whole_app import keys, sees, until, whole_app
from tutor.app.help import HelpScreen
from tutor.app.labs.list import _row
from tutor.labs.kit import registry
from tutor.learner.progress import Progress
from tutor.learner.records import GoalReached

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("width", [24, 36, 40, 60, 80, 140])
def test_the_number_of_goals_reached_is_never_cut(width: int) -> None:
    lab = registry.find("word2vec")
    lines = _row(lab, "lesson 4", 2, width).plain.split("\n")
    assert "2 of 3" in lines[0]
    assert len(lines[0]) <= width
    assert len(lines) == (1 if width >= 120 else 2)
    assert f"lesson 4 · {lab.about}" == lines[-1] or lab.about in lines[0]


async def test_what_is_typed_filters_the_list(tmp_path: Path) -> None:
    async with whole_app(tmp_path).run_test(size=(80, 24)) as pilot:
        await keys(pilot, "l")
        await sees(pilot, "Three generations of chatbots")
        await keys(pilot, *"word")
        await sees(pilot, "› Word vectors")
        await sees(pilot, f"of {len(registry.names())} labs")
        assert "Three generations" not in shown(pilot.app)
        await keys(pilot, *" nowhere")
        await sees(pilot, "No lab contains “word nowhere”.")
        await keys(pilot, *["backspace"] * 12)
        await sees(pilot, "› Three generations of chatbots")
        assert "No lab contains" not in shown(pilot.app)


async def test_titles_that_match_come_before_descriptions(tmp_path: Path) -> None:
    titles = [lab.title for lab in registry.every()]
    assert titles.index("Merge player") < titles.index("Train a tokenizer")
    async with whole_app(tmp_path).run_test(size=(80, 24)) as pilot:
        await keys(pilot, "l", *"token")
        await sees(pilot, "› Tokens")
        screen = shown(pilot.app)
        found = sorted((each for each in titles if each in screen), key=screen.index)
        named = [each for each in found if "token" in each.lower()]
        assert found[: len(named)] == named
        assert found.index("Train a tokenizer") < found.index("Merge player")


async def test_the_lab_with_exactly_this_title_comes_first(tmp_path: Path) -> None:
    titles = [lab.title for lab in registry.every()]
    assert titles.index("One training step, slowly") < titles.index("Training")
    async with whole_app(tmp_path).run_test(size=(80, 24)) as pilot:
        await keys(pilot, "l", *"training")
        await sees(pilot, "› Training ")
        await keys(pilot, "slash", *"train")
        await sees(pilot, "› Train a tokenizer")


async def test_the_list_counts_goals_and_opens_at_the_last_lab(tmp_path: Path) -> None:
    lab = registry.find("merges")
    Progress.open(tmp_path).record(
        GoalReached(at=1.0, lab=lab.name, lesson=lab.lesson, goal=lab.goals[0].name)
    )
    async with whole_app(tmp_path).run_test(size=(80, 24)) as pilot:
        await keys(pilot, "l", *"merge", "enter")
        await sees(pilot, "lab · Merge player")
        await keys(pilot, "escape")
        await sees(pilot, "› Merge player                      1 of 3")
    async with whole_app(tmp_path).run_test(size=(80, 24)) as pilot:
        await keys(pilot, "l")
        await sees(pilot, "› Merge player")
        every = registry.every()
        goals = f"1 of {sum(len(each.goals) for each in every)} goals"
        await sees(pilot, f"{goals} in these {len(every)} labs  ")


async def test_esc_clears_the_filter_first_and_the_cursor_is_where_it_was(tmp_path: Path) -> None:
    async with whole_app(tmp_path).run_test(size=(80, 24)) as pilot:
        await keys(pilot, "l", "down", "down")
        lab = registry.every()[2]
        await sees(pilot, f"› {lab.title}")
        await keys(pilot, "?")
        await until(pilot, lambda: isinstance(pilot.app.screen, HelpScreen))
        await keys(pilot, "escape")
        await sees(pilot, f"› {lab.title}")
        await keys(pilot, *"merge")
        await sees(pilot, "› Merge player")
        await sees(pilot, "esc clear")
        await keys(pilot, "escape")
        await sees(pilot, f"› {lab.title}")
        await sees(pilot, "esc back")
        assert "type to filter" in shown(pilot.app)
        await keys(pilot, *"merge", "enter")
        await sees(pilot, "lab · Merge player")
        await keys(pilot, "escape")
        await sees(pilot, "1 of ")  # still filtered
        await keys(pilot, "escape")
        await sees(pilot, "› Merge player")
        await sees(pilot, "type to filter")
        await keys(pilot, "escape")
        await sees(pilot, "Guessing game")


async def test_slash_starts_a_new_filter(tmp_path: Path) -> None:
    async with whole_app(tmp_path).run_test(size=(80, 24)) as pilot:
        await keys(pilot, "l")
        await sees(pilot, "/ filter")
        await keys(pilot, "slash", *"merge")
        await sees(pilot, "› Merge player")
        await sees(pilot, "> merge\n")
        await keys(pilot, "slash", *"word")
        await sees(pilot, "› Word vectors")
        await sees(pilot, "> word\n")
        await keys(pilot, "slash", "escape")
        await sees(pilot, "type to filter")


async def test_the_list_says_how_many_lines_are_below(tmp_path: Path) -> None:
    titles = [each.title for each in registry.every()]
    async with whole_app(tmp_path).run_test(size=(80, 24)) as pilot:
        await keys(pilot, "l")
        await sees(pilot, "more lines below  pgdn")
        await keys(pilot, "space")
        await sees(pilot, "above  pgup")
        assert f"› {titles[0]}" not in shown(pilot.app)
        assert "type to filter" in shown(pilot.app)
        await keys(pilot, *"map", "space", "o")
        await sees(pilot, "> map o\n")
        await sees(pilot, "› A map of words")
        assert "more lines" not in shown(pilot.app)


async def test_the_list_pages_and_goes_to_its_ends(tmp_path: Path) -> None:
    titles = [each.title for each in registry.every()]
    async with whole_app(tmp_path).run_test(size=(80, 24)) as pilot:
        await keys(pilot, "l", "end")
        await sees(pilot, f"› {titles[-1]}")
        await keys(pilot, "pageup")
        assert f"› {titles[-1]}" not in shown(pilot.app)
        assert "› " in shown(pilot.app)
        await keys(pilot, "home")
        await sees(pilot, f"› {titles[0]}")
        await keys(pilot, "pagedown")
        assert f"› {titles[0]}" not in shown(pilot.app)
