"""Test that whatever is undone or removed can be brought back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.app.explorer.explorer_stage import lines
from tests.app.explorer.test_keys import PROMPT, explorer
from tutor.app.explorer.pane import ExplorerPane

if TYPE_CHECKING:
    from pathlib import Path

    from tests.app.explorer.test_keys import Explorer
    from tutor.lm.token_tree import TokenTree


def tree(it: Explorer) -> TokenTree:
    found = it.stage.screen.query_one(ExplorerPane).state.tree
    assert found is not None
    return found


async def test_redo_brings_back_every_token(tmp_path: Path) -> None:
    async with explorer(tmp_path) as it:
        await it.press("2", "1", "3")
        before = tree(it)
        await it.press("u")
        assert "U redo" in lines(it.stage)[-1]
        await it.press("u", "u", "u")
        assert it.text == PROMPT.removesuffix(" is")
        await it.press(*["U"] * 4)
        assert tree(it).tokens == before.tokens
        assert [step.how for step in tree(it).steps] == [step.how for step in before.steps]
        assert "redo" not in it.words
        await it.press("U")
        assert tree(it).tokens == before.tokens


async def test_redo_never_replaces_what_was_written_after_an_undo(tmp_path: Path) -> None:
    async with explorer(tmp_path) as it:
        await it.press("2", "u", "1")
        after = tree(it).tokens
        await it.press("U")
        assert "There is nothing to redo." in it.words
        assert tree(it).tokens == after
        await it.press("u", "U")
        assert tree(it).tokens == after
        await it.press("U")
        assert tree(it).tokens == after


async def test_a_removed_branch_can_be_brought_back(tmp_path: Path) -> None:
    async with explorer(tmp_path) as it:
        await it.press("2", "left", "1")
        both = [branch.tokens for branch in tree(it).branches]
        await it.press("w", "d", "d")
        assert len(tree(it).branches) == 1
        assert "Press U to bring it back." in it.words
        await it.press("U")
        assert [branch.tokens for branch in tree(it).branches] == both


async def test_the_end_of_an_answer_can_be_brought_back(tmp_path: Path) -> None:
    async with explorer(tmp_path, mode="chat") as it:
        await it.type("Hello")
        await it.press("enter", "escape")
        before = tree(it).tokens
        await it.press("u")
        assert "Removed the end of the message. Press U to redo it." in it.words
        await it.press("U")
        assert tree(it).tokens == before


async def test_a_full_tree_names_the_keys(tmp_path: Path) -> None:
    async with explorer(tmp_path) as it:
        await it.press("2", *["left", "f", "2"] * 8)
        assert len(tree(it).branches) == 9
        await it.press("s")
        assert "Press w, select a branch" in it.words
        assert "press d twice" in it.words
