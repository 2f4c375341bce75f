"""Test the key that saves a text as a file, and the document that brings it back."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from tests.app.explorer.explorer_stage import Stage, settled
from tests.app.explorer.test_keys import PROMPT, Explorer, explorer
from tests.app.pressing import tap
from tests.app.whole_app import keys, sees, whole_app
from tests.engine.fake_engine import CARD, FakeEngine
from tests.sharing.shared_texts import KIND
from tutor.app.explorer.events import SetSteering
from tutor.app.explorer.pane import ExplorerPane
from tutor.app.explorer.screen import ExplorerScreen
from tutor.app.explorer.share.opening import restored
from tutor.app.explorer.share.screen import ShareScreen
from tutor.app.explorer.xray.screen import XRayScreen
from tutor.app.explorer.xray.view import XRayView
from tutor.app.widgets.lines import Lines
from tutor.lm import token_tree
from tutor.lm.distribution import SamplerSettings
from tutor.sharing.document import SharedText
from tutor.sharing.html import to_html
from tutor.sharing.reading import read_file

OTHER = replace(CARD, name="Other", sha256="0" * 64)
"""A model other than the one with which the texts are saved."""


@pytest.fixture(autouse=True)
def in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def saved(folder: Path) -> Path:
    (path,) = folder.iterdir()
    return path


def read(folder: Path) -> SharedText:
    return read_file(saved(folder))


async def save(it: Explorer, number: str) -> None:
    await it.press("ctrl+s", number)
    await it.until(lambda: "Saved as" in it.screen)


async def test_html_is_saved_and_the_full_path_is_shown(tmp_path: Path, in_a_folder: Path) -> None:
    async with explorer(tmp_path) as it:
        await it.press("1", "enter", "ctrl+s")
        assert isinstance(it.stage.screen, ShareScreen)
        assert "the-capital-of-france-is-paris" in it.screen
        await it.press("enter")
        path = saved(in_a_folder)
        assert str(path) in it.screen.replace("\n", "").replace(" ", "")
        page = path.read_text()
        assert "chosen by the user" in page
        assert "drawn by the model" in page
        assert "69.3 %" in page


async def test_json_has_every_distribution_the_choice_and_the_settings(
    tmp_path: Path, in_a_folder: Path
) -> None:
    async with explorer(tmp_path) as it:
        await it.press("2", "enter", "left", "left")
        await save(it, "4")
        text = read(in_a_folder)
        length = len(text.current.tokens)
        assert [each.position for each in text.distributions] == list(range(1, length + 1))
        assert [each.how for each in text.current.tokens[-2:]] == ["chosen", "sampled"]
        assert all(each.surprisal_bits is not None for each in text.current.tokens[1:])
        assert text.position == length - 2
        assert text.model.sha256 == CARD.sha256
        assert text.sampler == SamplerSettings()
        tree = it.stage.screen.query_one(ExplorerPane).state.tree
        assert tree is not None
        assert text.current.seed == tree.current.seed


async def test_the_name_can_be_edited_and_esc_keeps_it(tmp_path: Path, in_a_folder: Path) -> None:
    async with explorer(tmp_path) as it:
        await it.press("ctrl+s", "e", "ctrl+u")
        await it.type("mine")
        await it.press("escape")
        assert isinstance(it.stage.screen, ShareScreen)
        await it.press("2")
        await it.until(lambda: "Saved as" in it.screen)
        assert saved(in_a_folder).name == "mine.md"
        await it.press("ctrl+s", "escape")
        assert len(list(in_a_folder.iterdir())) == 1
        assert it.text == PROMPT


async def test_the_picture_shows_the_stepper_and_not_the_menu(
    tmp_path: Path, in_a_folder: Path
) -> None:
    async with explorer(tmp_path) as it:
        await save(it, "2")
        saved(in_a_folder).unlink()
        await save(it, "3")
        svg = saved(in_a_folder).read_text()
        assert "Saved" not in svg
        assert svg.startswith("<svg")
        assert "entropy" in svg
        assert "Markdown" not in svg
        assert "url(http" not in svg
        assert "font-face" not in svg


async def test_a_folder_that_does_not_exist_is_a_plain_error(tmp_path: Path) -> None:
    async with explorer(tmp_path) as it:
        await it.press("ctrl+s", "e", "ctrl+u")
        await it.type("no/such")
        await it.press("enter", "1")
        assert "There is no folder" in it.words
        assert it.text == PROMPT


async def saving(it: Explorer) -> None:
    """Begin to save a text of some length, and wait until saving stands still halfway."""
    await it.press(*["enter"] * 8)
    it.engine.hold("distribution", after=10)
    await tap(it.pilot, "ctrl+s")
    await tap(it.pilot, "1")
    await it.until(lambda: "Saving: 10 of 13 distributions." in it.words)
    assert "esc stop saving" in it.words


async def test_esc_stops_saving_and_says_so(tmp_path: Path, in_a_folder: Path) -> None:
    async with explorer(tmp_path) as it:
        await saving(it)
        await tap(it.pilot, "escape")
        await it.until(lambda: "Saving was stopped" in it.words)
        it.engine.release()
        await it.settle()
        assert isinstance(it.stage.screen, ExplorerScreen)
        assert not list(in_a_folder.iterdir())
        await it.press("escape")
        assert not isinstance(it.stage.screen, ExplorerScreen)


async def test_leaving_while_a_text_is_saved_says_that_there_is_no_file(
    tmp_path: Path, in_a_folder: Path
) -> None:
    async with explorer(tmp_path) as it:
        await saving(it)
        for key in ("ctrl+p", *"course", "enter"):
            await tap(it.pilot, key)
        await it.until(lambda: "Saving was stopped" in it.words)
        it.engine.release()
        assert not list(in_a_folder.iterdir())


async def test_a_login_that_may_not_save_files_is_told_so(
    tmp_path: Path, in_a_folder: Path
) -> None:
    async with explorer(tmp_path) as it:
        it.stage.saves_files = False
        await it.press("ctrl+s")
        assert "Texts cannot be saved as files here" in it.words
        assert not isinstance(it.stage.screen, ShareScreen)
        assert not list(in_a_folder.iterdir())


async def test_a_conversation_is_saved_with_its_template(tmp_path: Path, in_a_folder: Path) -> None:
    async with explorer(tmp_path, mode="chat") as it:
        await it.type("Hello")
        await it.press("enter")
        await it.until(lambda: not it.stage.screen.query_one(ExplorerPane).state.running)
        await it.press("escape")
        await save(it, "4")
        text = read(in_a_folder)
        assert text.mode == "chat"
        assert saved(in_a_folder).name == "hello.json"
        assert any(each.special for each in text.current.tokens)


def opening(folder: Path, path: Path, engine: FakeEngine | None = None) -> Stage:
    """Return an app that opens a file in the stepper of another learner."""
    begin, xray = restored(read_file(path))
    return Stage(
        lambda engine, progress: ExplorerScreen(engine, progress, begin=begin, xray=xray),
        folder=folder / "other",
        engine=engine,
    )


async def test_json_brings_back_exactly_this_state(tmp_path: Path, in_a_folder: Path) -> None:
    async with explorer(tmp_path) as it:
        await it.press("s", "2", "enter", "left", "left", "1", "enter", "left")
        await it.press("t", "right", "t")
        await save(it, "4")
        await it.press("down", "up")  # the next key hides the message
        before, state = it.screen, it.stage.screen.query_one(ExplorerPane).state
    stage = opening(tmp_path, saved(in_a_folder))
    async with stage.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        again = Explorer(stage, pilot)
        now = stage.screen.query_one(ExplorerPane).state
        assert now.tree is not None
        assert state.tree is not None
        assert token_tree.save(now.tree) == token_tree.save(state.tree)
        assert now.tree.current == state.tree.current
        assert now.sampler == state.sampler
        assert now.answer is not None
        assert state.answer is not None
        assert now.answer.distribution == state.answer.distribution
        assert now.answer.actual == state.answer.actual
        assert again.screen.splitlines()[2:] == before.splitlines()[2:]


SELECTED_IN_THE_XRAY: dict[str, tuple[str, ...]] = {
    "attention": (),
    "a head, sorted by weight": ("up", "right", "o"),
    "an earlier token": ("left", "left"),
    "the lens with every layer": ("tab", "l"),
    "a contribution": ("tab", "tab", "down", "down"),
    "another token": ("tab", "tab", "/", *"London", "enter"),
    "two tokens": ("tab", "tab", "a", *"London", "enter"),
    "a part of the map": ("tab", "tab", "tab", "right", "right"),
    "a removed token": (*["tab"] * 4, "up"),
    "a head of all heads": (*["tab"] * 5, "up", "right"),
    "a layer of the lens map": (*["tab"] * 6, "down", "left"),
}


def drawn(stage: Stage) -> list[list[str]]:
    """Return what the open x-ray shows: its views, its heading and its rows."""
    (view,) = stage.screen.query(XRayView) or [None]
    parts = ("#tabs", "#about", "#rows")
    return [view.query_one(part, Lines).plain for part in parts] if view else []


ONLY_BEFORE_A_RELEASE = (
    *("attention", "an earlier token", "the lens with every layer", "a part of the map"),
    *("a head of all heads", "another token", "a removed token", "a layer of the lens map"),
)
"""Selections that differ from another only in which view or token of the x-ray they open."""


@pytest.mark.parametrize(
    ("keys", "size"),
    [
        *(
            pytest.param(
                keys,
                (80, 24),
                id=name,
                marks=[pytest.mark.slow] if name in ONLY_BEFORE_A_RELEASE else [],
            )
            for name, keys in SELECTED_IN_THE_XRAY.items()
        ),
        pytest.param(("left", "left", "tab", "tab", "down"), (190, 44), id="beside the text"),
    ],
)
async def test_json_brings_back_the_open_xray(
    tmp_path: Path, in_a_folder: Path, keys: tuple[str, ...], size: tuple[int, int]
) -> None:
    async with explorer(tmp_path, size=size) as it:
        await it.press("1", "x", *keys)
        before = drawn(it.stage)
        await save(it, "4")
    stage = opening(tmp_path, saved(in_a_folder))
    async with stage.run_test(size=size) as pilot:
        await settled(pilot)
        again = Explorer(stage, pilot)
        await again.until(lambda: drawn(stage) == before)
        await again.press("escape")
        assert isinstance(stage.screen, ExplorerScreen)
        assert not stage.screen.query(XRayView)


async def test_the_xray_of_another_model_opens_without_its_heads_and_tokens(
    tmp_path: Path, in_a_folder: Path
) -> None:
    async with explorer(tmp_path) as it:
        await it.press("1", "x", "up", "right", "tab", "tab", "/", *"London", "enter")
        await save(it, "4")
    stage = opening(tmp_path, saved(in_a_folder), FakeEngine(card=OTHER))
    async with stage.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        again = Explorer(stage, pilot)
        await again.until(lambda: "sum of" in again.screen)
        assert "London" not in again.screen


async def test_an_xray_that_the_model_does_not_have_does_no_harm(
    tmp_path: Path, in_a_folder: Path
) -> None:
    async with explorer(tmp_path) as it:
        await save(it, "4")
    path = saved(in_a_folder)
    xray = {"position": 2, "view": "why", "row": 10**6, "layer": 10**6, "head": 10**6}
    xray |= {"target": 10**6, "against": -(2**31)}
    path.write_bytes(msgspec.json.encode({**msgspec.json.decode(path.read_bytes()), "xray": xray}))
    stage = opening(tmp_path, path)
    async with stage.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        again = Explorer(stage, pilot)
        await again.until(lambda: "not in the vocabulary" in again.words)
        await again.press("z")  # the x-ray explains the token of the text again
        await again.until(lambda: "sum of" in again.screen)
        await again.press("escape")
        assert again.text == PROMPT


async def test_another_model_says_so_and_computes_again(tmp_path: Path, in_a_folder: Path) -> None:
    async with explorer(tmp_path) as it:
        await it.press("1")
        await save(it, "4")
    stage = opening(tmp_path, saved(in_a_folder), FakeEngine(card=OTHER))
    async with stage.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        again = Explorer(stage, pilot)
        assert again.text == f"{PROMPT} Paris"
        assert "tokenized again for Other" in again.words


async def test_tokens_that_the_model_spells_differently_are_refused(
    tmp_path: Path, in_a_folder: Path
) -> None:
    async with explorer(tmp_path) as it:
        await save(it, "4")
    path = saved(in_a_folder)
    path.write_bytes(path.read_bytes().replace(b"206f66", b"206f6e"))
    stage = opening(tmp_path, path)
    async with stage.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        again = Explorer(stage, pilot)
        assert "tokenized by another model" in again.words
        assert "%" not in again.screen


async def test_tutor_open_opens_the_file_on_top_of_the_course_map(
    tmp_path: Path, in_a_folder: Path
) -> None:
    async with explorer(tmp_path) as it:
        await it.press("1")
        await save(it, "4")
    app = whole_app(tmp_path / "new", start=restored(read_file(saved(in_a_folder))))
    async with app.run_test() as pilot:
        await sees(pilot, "The capital of France is Paris")
        await keys(pilot, "escape")
        await sees(pilot, "Begin")


async def test_steering_is_saved_and_brought_back(tmp_path: Path, in_a_folder: Path) -> None:
    async with explorer(tmp_path) as it:
        pane = it.stage.screen.query_one(ExplorerPane)
        pane._send(SetSteering(KIND))
        await it.settle()
        await save(it, "4")
        answer = pane.state.answer
    text = read(in_a_folder)
    assert text.steering == KIND
    stage = opening(tmp_path, saved(in_a_folder))
    async with stage.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        now = stage.screen.query_one(ExplorerPane).state
        assert now.steering == KIND
        assert now.answer is not None
        assert answer is not None
        assert now.answer.distribution == answer.distribution
        assert now.answer.distribution.rows[0].probability == pytest.approx(
            text.distributions[-1].rows[0].probability
        )


async def test_the_attribution_of_an_open_xray_is_saved(tmp_path: Path, in_a_folder: Path) -> None:
    async with explorer(tmp_path, size=(190, 44)) as it:
        await it.press("1", "x", "tab", "tab")
        assert "why" in it.screen
        await save(it, "4")
    text = read(in_a_folder)
    (found,) = text.attributions
    assert found.position == len(text.current.tokens)
    total = found.embedding + sum(map(sum, found.heads)) + sum(found.feed_forward)
    assert total == pytest.approx(found.logit, abs=1e-3)
    assert "Contributions to the logit of" in to_html(text)


async def test_the_key_works_on_the_screen_of_the_xray(tmp_path: Path, in_a_folder: Path) -> None:
    async with explorer(tmp_path) as it:
        await it.press("1", "x", "tab", "tab")
        assert isinstance(it.stage.screen, XRayScreen)
        await save(it, "4")
        assert isinstance(it.stage.screen, XRayScreen)
        text = read(in_a_folder)
        assert [each.position for each in text.attributions] == [len(text.current.tokens)]
        saved(in_a_folder).unlink()
        await save(it, "3")
        picture = saved(in_a_folder).read_text()
        assert "x-ray" in picture
        assert "Markdown" not in picture
        await it.press("escape", "up")
        saved(in_a_folder).unlink()
        await save(it, "4")
        assert read(in_a_folder).attributions == ()


async def test_a_refusal_is_shown_on_the_screen_of_the_xray(tmp_path: Path) -> None:
    async with explorer(tmp_path) as it:
        it.stage.saves_files = False
        await it.press("x", "ctrl+s")
        assert isinstance(it.stage.screen, XRayScreen)
        assert "Texts cannot be saved as files here" in it.words
