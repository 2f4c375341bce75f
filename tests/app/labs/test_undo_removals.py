"""Test that u undoes the removal of something that the learner wrote or added to a lab."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest

from tests.labs.a_few import A_FEW
from tests.labs.lab_stage import (
    BackendEngine,
    at_rest,
    do,
    editor,
    lab_app,
    screen_of,
    seen,
    state_of,
    write,
)
from tests.later import later
from tutor.engine.api import EngineState
from tutor.labs.kit import registry

if TYPE_CHECKING:
    from pathlib import Path

ADDED = "openai:foo http://127.0.0.1:9/v1"

REMOVALS = {
    "rule": ("generations", ("tab",), "a", "60: * bla * = Bla.", ("d",)),
    "rules": ("generations", ("tab",), "a", "60: * bla * = Bla.", ("z",)),
    "intent": (
        "generations",
        ("tab", "tab"),
        "a",
        "music: do you lend records; where are the CDs; any vinyl = Upstairs.",
        ("d",),
    ),
    "conversation": ("generations", (), "e", "My parrot is green.", ("c",)),
    "compared model": ("compare", (), "a", ADDED, ("d",)),
    "prompted model": ("prompting", (), "a", ADDED, ("d",)),
    "tokenizer": ("tokens", (), "a", "/nowhere/tokenizer.json", ("d",)),
    "text of the ladder": ("scale", (), "e", "Once upon a time", ("z",)),
    "training text": ("train-tokenizer", (), "e", "the cat and the cat", ("z",)),
    "question": ("rag", (), "e", "Where do the owls sleep?", ("x",)),
    "explained text": ("why", (), "e", "The cat sat on the", ("x",)),
    "text of a family": ("families", (), "e", "the dog", ("x",)),
    "patched text": ("patch", (), "e", "The Seine flows through the city of", ("x",)),
    "choices": ("format", (), "c", "cat; dog", ("x",)),
    "steered text": ("steer", (), "e", "I think that cats are", ("x",)),
}
"""For each kind of removal: the lab, the keys before, the key that opens the field, the text, and
the keys that remove the text."""


KINDS = [
    *(kind for kind, (lab, *_) in REMOVALS.items() if lab in A_FEW),
    *later(kind for kind, (lab, *_) in REMOVALS.items() if lab not in A_FEW),
]


@pytest.mark.parametrize("kind", KINDS)
async def test_u_undoes_a_removal(kind: str, tmp_path: Path) -> None:
    name, before, opens, text, removes = REMOVALS[kind]
    lab = registry.find(name)

    def kept() -> tuple[object, ...]:
        """Return what the learner wrote or added. Remote models are not among the saved work."""
        state = state_of(pilot)
        return lab.saved(state), getattr(state, "names", ()), getattr(state, "server", None)

    async with lab_app(name, tmp_path).run_test(size=(80, 24)) as pilot:
        await do(pilot, *before)
        await write(pilot, text, opens)
        written = kept()
        assert not screen_of(pilot).check_action("undo", ())
        await do(pilot, *removes)
        assert kept() != written
        told = " ".join(seen(pilot).split())
        assert "Press u to undo" in told or "or u to undo" in told
        await do(pilot, "u")
        assert kept() == written
        assert not screen_of(pilot).check_action("undo", ())


async def test_u_brings_back_the_text_in_a_field_that_a_reset_removed(tmp_path: Path) -> None:
    async with lab_app("tokens", tmp_path).run_test(size=(80, 24)) as pilot:
        await do(pilot, "e", "x", "escape", "z", "e")
        assert not editor(pilot).text.endswith("x")
        await do(pilot, "escape")
        assert "u undo" in seen(pilot)
        await do(pilot, "u", "e")
        assert editor(pilot).text.endswith("x")


async def test_undo_keeps_what_was_written_after_the_reset(tmp_path: Path) -> None:
    async with lab_app("tokens", tmp_path).run_test(size=(80, 24)) as pilot:
        await do(pilot, "e", "x", "escape", "z", "e", "y", "escape", "u", "e")
        assert editor(pilot).text.endswith("y")
        await do(pilot, "up")
        assert editor(pilot).text.endswith("x")


async def test_a_removal_can_be_undone_after_the_model_has_changed(tmp_path: Path) -> None:
    engine = BackendEngine()
    async with lab_app("generations", tmp_path, engine).run_test(size=(80, 24)) as pilot:
        await do(pilot, "tab")
        before = state_of(pilot).rules
        await do(pilot, "d")
        assert state_of(pilot).rules != before
        engine.card = msgspec.structs.replace(engine.card, sha256="another")
        engine.become(EngineState.READY)
        await at_rest(pilot)
        assert "results are being recomputed. Press u to undo." in " ".join(seen(pilot).split())
        await do(pilot, "u")
        assert state_of(pilot).rules == before
