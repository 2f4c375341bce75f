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
        assert "redo" not in it.words
        await it.press("U")
        assert tree(it).tokens == after
        await it.press("u", "U")
        assert tree(it).tokens == after
        await it.press("U")
        assert tree(it).tokens == after


async def test_a_new_seed_can_be_neither_undone_nor_redone(tmp_path: Path) -> None:
    async with explorer(tmp_path) as it:
        await it.press("2", "u", "s")
        assert "The seed is now" in it.words
        assert "redo" not in it.words
        seed = tree(it).current.seed
        await it.press("U")
        assert (it.text, tree(it).current.seed) == (PROMPT, seed)
        await it.press("2", "u")
        assert "U redo" in lines(it.stage)[-1]
        await it.press("U", "s")
        assert "Restarted from the prompt" in it.words
        assert "redo" not in it.words


async def test_a_removed_branch_can_be_brought_back(tmp_path: Path) -> None:
    async with explorer(tmp_path) as it:
        await it.press("2", "left", "1")
        both = [branch.tokens for branch in tree(it).branches]
        await it.press("w", "d")
        assert len(tree(it).branches) == 1
        assert "Press u to bring it back." in it.words
        await it.press("u")
        assert [branch.tokens for branch in tree(it).branches] == both
        await it.press("u")
        assert len(tree(it).branches) == 2
        assert tree(it).tokens != both[-1]


async def test_removed_branches_come_back_one_by_one(tmp_path: Path) -> None:
    async with explorer(tmp_path) as it:
        await it.press("2", "left", "1", "left", "3")
        every = [branch.tokens for branch in tree(it).branches]
        assert len(every) == 3
        await it.press("w", "d")
        assert len(tree(it).branches) == 2
        assert "Press u to bring it back." in it.words
        await it.press("d")
        assert len(tree(it).branches) == 1
        await it.press("u")
        assert len(tree(it).branches) == 2
        await it.press("u")
        assert [branch.tokens for branch in tree(it).branches] == every


async def test_u_undoes_a_token_that_was_taken_after_a_removal(tmp_path: Path) -> None:
    async with explorer(tmp_path) as it:
        await it.press("2", "left", "1", "w", "d")
        before = tree(it).tokens
        await it.press("3", "u")
        assert tree(it).tokens == before
        assert len(tree(it).branches) == 1


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
        assert "press d to remove it" in it.words
