"""Test that the texts that a learner has not submitted are there in the next session."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any, cast

import pytest

from tests.app.whole_app import until
from tests.labs.lab_stage import at_rest, do, editor, lab_app, screen_of, seen, state_of
from tests.later import later
from tutor import language
from tutor.app.background.lab_keeper import TOO_LONG
from tutor.app.labs.screen import LabScreen
from tutor.labs.kit import registry
from tutor.labs.kit.actions import EditText
from tutor.labs.kit.drafts import KEY, LONGEST, SERVER
from tutor.labs.kit.runner import LabRunner

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from textual.pilot import Pilot

    from tutor.app.app import TutorApp

RULE = "60: * parrot *"


def file(folder: Path, lab: str = "generations") -> dict[str, Any]:
    """Return the contents of a lab's file, or {} if it doesn't exist."""
    path = folder / "labs" / f"{lab}.json"
    return cast("dict[str, Any]", json.loads(path.read_bytes())) if path.exists() else {}


async def saved(pilot: Pilot[Any]) -> None:
    """Save the work of the labs now, and wait until it is on the disk."""
    app = cast("TutorApp", pilot.app)
    app.navigator.labs.save()
    assert app.progress.drain(60)


async def write_a_rule(pilot: Pilot[Any]) -> None:
    """Write a rule that is the only change since the lab was saved."""
    await do(pilot, "tab", "a")
    await saved(pilot)
    await do(pilot, "ctrl+u", *RULE)


async def leave_a_rule(pilot: Pilot[Any]) -> None:
    await write_a_rule(pilot)
    await do(pilot, "escape")
    assert "Your text is kept. It is in the field" in seen(pilot)


def texts(folder: Path, lab: str = "generations") -> list[list[str]]:
    return list(file(folder, lab).get(KEY, {}).values())


async def test_a_draft_is_in_the_field_in_the_next_session(tmp_path: Path) -> None:
    app = lab_app("generations", tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await leave_a_rule(pilot)
    assert app.progress.drain(60)
    async with lab_app("generations", tmp_path).run_test(size=(80, 24)) as pilot:
        await do(pilot, "a")
        assert editor(pilot).text == RULE
        await do(pilot, *" = Hello", "enter")
        assert any("parrot" in rule for rule in map(str, state_of(pilot).rules))


LABELS = {"en": "A text for the model to continue:", "de": "Ein Text, den das Modell fortsetzt:"}
"""The label of a field of the lab `steer`, which is translated, by language."""


@pytest.fixture
def speak(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Return a function that sets the language of the interface."""

    def choose(code: str) -> None:
        monkeypatch.setenv(language.VARIABLE, code)
        language._catalog.cache_clear()
        assert language._(LABELS["en"]) == LABELS[code]

    yield choose
    monkeypatch.undo()
    language._catalog.cache_clear()


@pytest.mark.parametrize(("first", "then"), [("en", "de"), ("de", "en")])
async def test_a_draft_is_in_the_field_in_another_language(
    speak: Callable[[str], None], first: str, then: str, tmp_path: Path
) -> None:
    speak(first)
    app = lab_app("steer", tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await do(pilot, "e", "ctrl+u", *"Once upon", "escape")
    assert app.progress.drain(60)
    assert file(tmp_path, "steer")[KEY] == {"prompt": ["Once upon"]}
    speak(then)
    async with lab_app("steer", tmp_path).run_test(size=(80, 24)) as pilot:
        await do(pilot, "e")
        assert editor(pilot).text == "Once upon"
        assert LABELS[then] in seen(pilot)


@pytest.mark.parametrize("before", ["en", *later(["de"])])
@pytest.mark.parametrize("now", ["de", *later(["en"])])
async def test_a_draft_that_an_earlier_version_saved_under_its_label_is_in_the_field(
    speak: Callable[[str], None], before: str, now: str, tmp_path: Path
) -> None:
    (tmp_path / "labs").mkdir()
    saved_before = {KEY: {LABELS[before]: ["an earlier one", "mine"], "Unknown:": ["kept"]}}
    (tmp_path / "labs" / "steer.json").write_text(json.dumps(saved_before))
    speak(now)
    async with lab_app("steer", tmp_path).run_test(size=(80, 24)) as pilot:
        await do(pilot, "e")
        assert editor(pilot).text == "mine"
        await do(pilot, "end", "!", "escape")
        await saved(pilot)
        assert file(tmp_path, "steer")[KEY] == {
            "prompt": ["an earlier one", "mine!"],
            "Unknown:": ["kept"],
        }
        await do(pilot, "e", "enter")
        await saved(pilot)
        assert LABELS[before] not in file(tmp_path, "steer")[KEY]


async def test_drafts_that_are_too_long_are_not_saved_and_the_learner_is_told(
    tmp_path: Path,
) -> None:
    app = lab_app("tokens", tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await do(pilot, "e", "ctrl+u", *"mine", "enter")
        drafts = screen_of(pilot)._runner.drafts
        drafts |= {f"field {each}": ("€" * LONGEST,) for each in range(30)}
        await do(pilot, "e", "!", "escape")
        await saved(pilot)
        await until(pilot, lambda: TOO_LONG.happened in " ".join(seen(pilot).split()))
        kept = file(tmp_path, "tokens")
        assert kept["text"] == "mine"
        assert kept[KEY].pop("text") == ["mine!"]  # the newest is saved first
        assert set(kept[KEY]) < set(drafts)
        assert all(texts == ["€" * LONGEST] for texts in kept[KEY].values())
        await do(pilot, "h", "l", "x")
        await saved(pilot)
        assert "too long" not in seen(pilot)  # told once


async def test_all_drafts_of_a_field_are_there_in_the_next_session(tmp_path: Path) -> None:
    app = lab_app("tokens", tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        for text in ("one", "two"):
            await do(pilot, "e", "ctrl+u", *text, "enter")
        await do(pilot, "e", "x", "up", "y", "escape")
    assert app.progress.drain(60)
    async with lab_app("tokens", tmp_path).run_test(size=(80, 24)) as pilot:
        await do(pilot, "e")
        assert editor(pilot).text == "oney"
        await do(pilot, "up")
        assert editor(pilot).text == "twox"


async def test_a_draft_beside_a_submitted_text_is_there_in_the_next_session(
    tmp_path: Path,
) -> None:
    app = lab_app("tokens", tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        for text in ("one", "two"):
            await do(pilot, "e", "ctrl+u", *text, "enter")
        await do(pilot, "e", "x", "up", "y", "enter")  # submits “oney” beside the draft “twox”
        await do(pilot, "e")
        assert editor(pilot).text == "oney"
        await do(pilot, "escape")
        await saved(pilot)
        assert texts(tmp_path, "tokens") == [["twox"]]
        await do(pilot, "z", "z")
        await saved(pilot)
        assert texts(tmp_path, "tokens") == []
        await do(pilot, "u")
    assert app.progress.drain(60)
    app = lab_app("tokens", tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        assert state_of(pilot).text == "oney"
        await do(pilot, "e")
        assert editor(pilot).text == "twox"
        await do(pilot, "enter")
        await saved(pilot)
        assert texts(tmp_path, "tokens") == []  # every text has been submitted


async def test_a_draft_is_on_disk_soon_even_if_the_field_stays_open(tmp_path: Path) -> None:
    """After a crash, everything but the last second is there."""
    async with lab_app("generations", tmp_path).run_test(size=(80, 24)) as pilot:
        await write_a_rule(pilot)
        await until(pilot, lambda: texts(tmp_path) == [[RULE]])
        assert editor(pilot).text == RULE


async def test_opening_a_field_saves_nothing(tmp_path: Path) -> None:
    async with lab_app("generations", tmp_path).run_test(size=(80, 24)) as pilot:
        await do(pilot, "e", "escape")
        assert not screen_of(pilot)._runner.touched
        await saved(pilot)
    assert not (tmp_path / "labs").exists()


async def test_a_draft_that_is_submitted_or_taken_back_leaves_the_file(tmp_path: Path) -> None:
    async with lab_app("generations", tmp_path).run_test(size=(80, 24)) as pilot:
        await leave_a_rule(pilot)
        await saved(pilot)
        assert texts(tmp_path) == [[RULE]]
        await do(pilot, "a", *" = Hello", "enter")
        await saved(pilot)
        assert texts(tmp_path) == []
        assert "parrot" in str(file(tmp_path)["rules"])
        offered = state_of(pilot).sentence
        await do(pilot, "e", "ctrl+u", "x", "escape")
        await saved(pilot)
        assert texts(tmp_path) == [["x"]]
        await do(pilot, "e", "ctrl+u", *offered, "escape")
        await saved(pilot)
        assert texts(tmp_path) == []


async def test_a_reset_removes_drafts_from_the_file_and_undo_restores_them(tmp_path: Path) -> None:
    async with lab_app("generations", tmp_path).run_test(size=(80, 24)) as pilot:
        await leave_a_rule(pilot)
        await saved(pilot)
        assert texts(tmp_path) == [[RULE]]
        await do(pilot, "z", "z")
        await saved(pilot)
        assert file(tmp_path) == {}
        await do(pilot, "u")
        await saved(pilot)
        assert texts(tmp_path) == [[RULE]]
    async with lab_app("generations", tmp_path).run_test(size=(80, 24)) as pilot:
        await do(pilot, "a")
        assert editor(pilot).text == RULE
        await do(pilot, "escape", "z", "z")  # also a draft of an earlier session
        await saved(pilot)
        assert file(tmp_path) == {}


@pytest.mark.parametrize(
    "drafts", [[], "x", {"Text:": []}, {"Text:": [1]}, {"Text:": ["x" * (LONGEST + 1)]}]
)
async def test_damaged_drafts_do_not_harm(drafts: Any, tmp_path: Path) -> None:
    (tmp_path / "labs").mkdir()
    saved = {"text": "mine", KEY: drafts}
    (tmp_path / "labs" / "tokens.json").write_text(json.dumps(saved))
    async with lab_app("tokens", tmp_path).run_test(size=(80, 24)) as pilot:
        await do(pilot, "e")
        assert editor(pilot).text == "mine"


async def test_a_hostile_draft_is_only_text(tmp_path: Path) -> None:
    async with lab_app("tokens", tmp_path).run_test(size=(80, 24)) as pilot:
        await do(pilot, "e", "x", "escape")
        await saved(pilot)
    path = tmp_path / "labs" / "tokens.json"
    hostile = json.loads(path.read_bytes())
    ((label, _),) = hostile[KEY].items()
    hostile[KEY] = {label: ["\x1b]0;owned\x07[bold]"], "[red]\x1b": ["x"]}
    path.write_text(json.dumps(hostile))
    async with lab_app("tokens", tmp_path).run_test(size=(80, 24)) as pilot:
        await do(pilot, "e")
        assert editor(pilot).text == "␛]0;owned␇[bold]"
        assert "owned␇[bold]" in seen(pilot)


async def test_the_text_for_a_remote_model_is_kept_only_until_the_learner_quits(
    tmp_path: Path,
) -> None:
    app = lab_app("compare", tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await do(pilot, "a", "ctrl+u", *"secret", "escape")
        assert "Your text is kept until you quit." in seen(pilot)
        await saved(pilot)
        assert not (tmp_path / "labs").exists()
        await pilot.press("escape")
        await until(pilot, lambda: not isinstance(app.screen, LabScreen))
        app.navigator.open_live_lab("compare")
        await do(pilot, "a")
        assert editor(pilot).text == "secret"
        assert app.navigator.labs.left["compare"].drafts == {SERVER: ("secret",)}


def idle(_: object) -> asyncio.Future[None]:
    return asyncio.get_running_loop().create_future()


async def test_plain_mode_keeps_the_drafts_of_the_app(tmp_path: Path) -> None:
    """Plain mode has no fields. It runs a lab with the same runner, and saves it the same way."""
    lab = registry.find("generations")
    async with lab_app("generations", tmp_path).run_test(size=(80, 24)) as pilot:
        await leave_a_rule(pilot)
        await saved(pilot)
    app = lab_app("tokens", tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await at_rest(pilot)
        keeper = app.navigator.labs
        runner = LabRunner(lab, app.services.engine, keeper.open(lab), idle, lambda: None)
        runner.act(EditText("my parrot"))
        keeper.keep(lab, runner.left)
        await saved(pilot)
        assert file(tmp_path)["sentence"] == "my parrot"
        assert texts(tmp_path) == [[RULE]]
