"""Letters and tokens, on the bundled model and by its keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.labs.lab_backend import backend, done, small_model
from tests.labs.lab_stage import lab_app, seen, write
from tutor.labs.kit.actions import EditText
from tutor.lm.chat import text_ids

if TYPE_CHECKING:
    from pathlib import Path


def test_the_tokens_are_those_of_the_tokenizer(tmp_path: Path) -> None:
    state = done("letters", backend("letters", tmp_path), EditText("one two three"))
    assert state.tokens == len(text_ids(small_model(), "one two three"))


async def test_a_text_is_written_and_counted(tmp_path: Path) -> None:
    async with lab_app("letters", tmp_path).run_test(size=(80, 24)) as pilot:
        await write(pilot, "12345")
        assert "letters a token" in seen(pilot)
