"""Test steering in the stepper: the panel, the heading, the copied command and the document."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest
from msgspec import UNSET
from msgspec.structs import replace
from textual.content import Content

from tests.app.explorer.test_keys import Explorer, explorer
from tests.app.explorer.test_update import Learner
from tests.engine.fake_engine import CARD
from tutor.app.explorer import events, readout
from tutor.app.explorer.chat.lines import with_sampler
from tutor.app.explorer.copies import step_command
from tutor.app.explorer.document import Document
from tutor.app.explorer.effects import Question
from tutor.lm import saved_steering
from tutor.lm.distribution import PLAIN, SamplerSettings
from tutor.lm.saved_steering import Applied, SavedVector, folder_of_learner, packed, write

if TYPE_CHECKING:
    from pathlib import Path

VECTOR = SavedVector(
    name="kind",
    model=CARD.sha256,
    model_name=CARD.name,
    layer=16,
    first=("So kind",),
    second=("So mean",),
    values=packed([1.0, 2.0]),
)
OTHER = replace(VECTOR, name="warm", layer=3)
KIND = Applied(VECTOR, -1.5)


@pytest.fixture(autouse=True)
def own_vectors(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Let each test have saved vectors of its own."""
    monkeypatch.setenv("TUTOR_DATA", str(tmp_path / "data"))


def table(it: Explorer) -> list[str]:
    return [line for line in it.screen.splitlines() if "%" in line]


def steered() -> Learner:
    learner = Learner()
    learner.answer()
    learner.send(events.SetSteering(KIND))
    return learner


def test_steering_asks_again_for_everything() -> None:
    learner = Learner()
    learner.answer()
    assert learner.tree.first_unknown() is None
    learner.send(events.SetSteering(KIND))
    question = learner.state.request
    assert isinstance(question, Question)
    assert (question.steering, question.surprisals_from) == (KIND, 1)
    learner.answer()
    assert learner.state.shown is not None
    assert learner.state.shown.steering == KIND
    learner.send(events.SetSteering(None))
    question = learner.state.request
    assert isinstance(question, Question)
    assert question.steering is None


def test_a_run_continues_with_the_new_steering() -> None:
    learner = Learner()
    learner.answer()
    learner.send(events.Signal.START)
    learner.send(events.SetSteering(KIND))
    assert learner.state.running


def test_the_copied_command_is_steered() -> None:
    learner = steered()
    learner.answer()
    assert "--steer=kind:-1.5" in (step_command(learner.state) or "")


def test_a_saved_document_stays_steered() -> None:
    document = steered().state.document
    stored = document.to_bytes()
    assert Document.from_bytes(stored) == document
    assert b"steering" not in document.with_steering(None).to_bytes()


@pytest.mark.parametrize(
    ("valid", "invalid"),
    [
        (b'"strength":-1.5', b'"strength":1e300'),
        (b'"name":"kind"', b'"name":"x\\u001b[2J"'),
        (b'"layer":16', b'"layer":-1'),
        (b'"layer":16', b'"layer":"first"'),
    ],
)
def test_invalid_steering_in_a_saved_document_is_removed(valid: bytes, invalid: bytes) -> None:
    document = steered().state.document
    stored = document.to_bytes()
    assert stored.count(valid) == 1
    assert Document.from_bytes(stored) == document
    found = Document.from_bytes(stored.replace(valid, invalid))
    assert found == document.with_steering(None)


def test_another_model_is_not_steered() -> None:
    document = steered().state.document
    assert document.for_model(CARD.sha256) == document
    other = document.for_model("other")
    kept = replace(other, other_text=UNSET)
    assert kept == Document(model="other", prompt="The capital of France is")


def test_only_vectors_of_the_loaded_model_are_offered() -> None:
    learner = Learner()
    learner.send(events.VectorsListed((VECTOR, replace(OTHER, model="other"))))
    assert learner.state.fitting_vectors == (VECTOR,)


async def test_keys_do_not_wait_until_vectors_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The files are read in a thread, first when the stepper opens."""
    threads = []
    read = saved_steering.saved

    def saved(folder: Path) -> tuple[SavedVector, ...]:
        threads.append(threading.current_thread())
        return read(folder)

    monkeypatch.setattr(saved_steering, "saved", saved)
    write(folder_of_learner(), VECTOR)
    async with explorer(tmp_path) as it:
        assert len(threads) == 1
        await it.press("t")
        assert "5 steering" in it.screen
    assert len(threads) == 2
    assert threading.main_thread() not in threads


async def test_the_panel_steers_and_the_heading_says_so(tmp_path: Path) -> None:
    for vector in (VECTOR, OTHER):
        write(folder_of_learner(), vector)
    async with explorer(tmp_path) as it:
        await it.press("t", "up")
        await it.settle()
        before = table(it)
        await it.press("left", "left")
        assert "-0.50" in it.line("› 5 steering")
        assert "kind, added after layer 17" in it.line("› 5 steering")
        await it.settle()
        assert "steered: kind, layer 17, -0.5" in it.words
        assert table(it) != before
        await it.press("enter")
        await it.settle()
        assert "steered: warm, layer 4, -0.5" in it.words
        await it.press("right", "right")
        await it.settle()
        assert "steered" not in it.words
        assert table(it) == before


@pytest.mark.parametrize("size", [(40, 12), (80, 24)])
async def test_a_steered_text_says_so_without_the_panel(
    size: tuple[int, int], tmp_path: Path
) -> None:
    write(folder_of_learner(), VECTOR)
    async with explorer(tmp_path, size=size) as it:
        await it.press("t", "up", "left", "escape")
        await it.settle()
        assert "steered" in it.words


async def test_reset_stops_steering_only_in_its_row(tmp_path: Path) -> None:
    write(folder_of_learner(), VECTOR)
    async with explorer(tmp_path) as it:
        await it.press("t", "left", "up", "left", "z")
        assert "off" in it.line("› 5 steering")
        await it.settle()
        assert "steered" not in it.words
        assert "T 0.90" in it.words
        await it.press("left", "down", "z")
        await it.settle()
        assert "plain sampling" in it.words
        assert "steered: kind, layer 17, -0.25" in it.words


@pytest.mark.parametrize(
    ("width", "shown"),
    [
        (80, "steered: kind, layer 17, -1.5  T 0.50"),
        (40, "steered: kind, layer 17, -1.5"),
        (20, "steered"),
    ],
)
def test_a_steered_chat_shows_the_sampler_if_there_is_room(width: int, shown: str) -> None:
    learner = steered()
    learner.answer()
    learner.send(events.SetSampler(SamplerSettings(temperature=0.5)))
    line = with_sampler(Content("left"), learner.state, width)
    assert line.plain == f"left{shown:>{width - 4}}"


def test_a_wide_name_takes_its_room_on_the_screen() -> None:
    wide = replace(KIND, vector=replace(VECTOR, name="親切" * 9))
    shown = readout.settings(PLAIN, wide, 40)
    assert shown.plain == "steered"


async def test_without_saved_vectors_the_panel_has_no_row_for_steering(tmp_path: Path) -> None:
    async with explorer(tmp_path) as it:
        await it.press("t", "up")
        assert "steering" not in it.words
        assert "› 4 min-p" in it.screen
