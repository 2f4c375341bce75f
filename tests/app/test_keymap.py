"""Test replacing keys, driven by the keyboard."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.app.explorer.explorer_stage import shown
from tests.app.whole_app import keys, sees, until, whole_app
from tutor.app.background.settings_keeper import SettingsKeeper
from tutor.app.explorer.pane import ExplorerPane
from tutor.app.keymap import (
    bindings_with_ids,
    every_class,
    keymap,
    own_bindings,
    problems_of,
    remapped,
)
from tutor.app.quiz.answers import AnswerList
from tutor.settings.effective import Effective
from tutor.settings.schema import Problem, Settings

if TYPE_CHECKING:
    from pathlib import Path


def with_keys(**keys: str) -> SettingsKeeper:
    named = {name.replace("__", ".").replace("_", "-"): key for name, key in keys.items()}
    return SettingsKeeper(Effective(Settings(keys=named)))


async def test_a_replaced_key_works_and_is_shown_and_the_old_one_does_nothing(
    tmp_path: Path,
) -> None:
    app = whole_app(tmp_path, settings=with_keys(map__step="f4", stepper__undo="ctrl+z"))
    async with app.run_test(size=(130, 24)) as pilot:
        await sees(pilot, "Fake-1K ●")
        await keys(pilot, "s")
        assert "next token" not in shown(app)
        await keys(pilot, "f4")
        await sees(pilot, "5 of 256 tokens")
        await keys(pilot, "enter")
        await sees(pilot, "6 of 256 tokens")
        assert "ctrl+z undo" in shown(app)
        await keys(pilot, "u")
        assert "6 of 256 tokens" in shown(app)
        await keys(pilot, "ctrl+z")
        await sees(pilot, "5 of 256 tokens")
        await keys(pilot, "question_mark")
        await sees(pilot, "Undo the last token")
        assert "ctrl+z" in shown(app)


async def test_the_letters_of_answers_still_work(tmp_path: Path) -> None:
    app = whole_app(tmp_path, settings=with_keys(question__answer="f5"))
    async with app.run_test(size=(80, 24)) as pilot:
        await sees(pilot, "Fake-1K ●")
        await keys(pilot, "enter", "a")
        await until(pilot, lambda: bool(app.screen.query(AnswerList)))
        await keys(pilot, "b")
        await until(pilot, lambda: app.screen.query_one(AnswerList).cursor == 1)
        await keys(pilot, "f5")
        await sees(pilot, "next")
        assert app.progress.cards()


@pytest.mark.parametrize(
    ("given", "offered"),
    [({}, set()), ({"everywhere__search": "@"}, set()), ({"everywhere__search": "f5"}, {"f5"})],
)
async def test_a_text_field_hides_the_search_if_its_keys_type_text(
    tmp_path: Path, given: dict[str, str], offered: set[str]
) -> None:
    app = whole_app(tmp_path, settings=with_keys(**given))
    async with app.run_test(size=(80, 24)) as pilot:
        await sees(pilot, "Begin")
        await keys(pilot, "v", *"v@")
        await sees(pilot, "> v@\n")
        active = app.screen.active_bindings.values()
        assert {each.binding.key for each in active if each.binding.action == "search"} == offered
        assert "glossary" not in {each.binding.action for each in active}


async def test_problems_of_the_settings_are_one_notice_at_the_start(tmp_path: Path) -> None:
    problem = Problem(1, "There is no setting 'them'.", "Did you mean theme?")
    settings = Effective(Settings(keys={"no.such": "f2"}), problems=(problem,))
    app = whole_app(tmp_path, settings=SettingsKeeper(settings))
    async with app.run_test(size=(100, 24)) as pilot:
        await until(pilot, lambda: "There is 1 more" in shown(app))
        assert "Did you mean theme?" in shown(app)
        assert "tutor config check" in shown(app)


def test_keys_that_share_a_key_are_replaced_separately() -> None:
    """Textual's own keymap would also take the key of “stop” away."""
    found = remapped(ExplorerPane, keymap({"stepper.run": "f5"})).key_to_bindings
    assert [each.id for each in found["f5"]] == ["stepper.run"]
    assert "stepper.stop" in {each.id for each in found["r"]}


def test_every_binding_of_ours_has_an_id() -> None:
    for kind in every_class():
        assert all(binding.id for binding in own_bindings(kind)), kind
    taken = [each.id for each in bindings_with_ids(ExplorerPane)["2"]]
    assert taken == ["stepper.suggestion-2", "stepper.take-2"]
    arrows = {key: bindings_with_ids(ExplorerPane)[key] for key in ("up", "down")}
    assert "stepper.row-back" in [each.id for each in arrows["up"]]
    assert "stepper.row-forward" in [each.id for each in arrows["down"]]


@pytest.mark.parametrize(
    ("given", "said", "advice"),
    [
        ({"stepper.undoo": "f2"}, "There is no action 'stepper.undoo'.", "stepper.undo"),
        ({"stepper.undo": "f99"}, "There is no key 'f99'.", "Write key names"),
        ({"stepper.undo": "s"}, "and 'stepper.new-seed'", "another key"),
        ({"stepper.undo": "v"}, "and 'everywhere.glossary'", "another key"),
        ({"stepper.undo": "f2", "stepper.edit": "f2"}, "assigned to both", "another key"),
    ],
)
def test_problems_are_named_with_their_line(given: dict[str, str], said: str, advice: str) -> None:
    text = "[keys]\n" + "".join(f'"{name}" = "{key}"\n' for name, key in given.items())
    problems = problems_of(given, text)
    assert problems
    assert said in problems[0].happened
    assert advice in problems[0].next_step
    assert problems[0].line == 2


def test_keys_that_change_places_are_no_conflict() -> None:
    assert problems_of({"stepper.sampler": "w", "stepper.branches": "t"}) == []
    assert problems_of({"stepper.undo": "ctrl+z,f2", "map.quit": "ctrl+x"}) == []
