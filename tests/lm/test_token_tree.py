"""Test the tree of tokens: choosing, going back, branching, saving."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tutor.lm import token_tree
from tutor.lm.distribution import Token
from tutor.lm.token_tree import (
    MAXIMUM_BRANCHES,
    MAXIMUM_TOKENS,
    SavedTree,
    TokenTree,
    TreeFull,
    given_steps,
    restore,
    save,
    shared,
)


def token(number: int) -> Token:
    data = bytes([number % 256])
    return Token(number, data.decode("utf-8", "replace"), data, special=number == 0)


def tokens(*numbers: int) -> list[Token]:
    return [token(number) for number in numbers]


def ids(tree: TokenTree) -> list[int]:
    return [step.token.id for step in tree.steps]


def grown(*numbers: int) -> TokenTree:
    """Return a tree with the prompt 1 2 3, and then these drawn tokens."""
    tree = TokenTree.from_prompt(tokens(1, 2, 3), seed=7)
    for number in numbers:
        tree = tree.choose(token(number), "drawn", 1.0)
    return tree


def test_choosing_at_the_end_extends_the_branch() -> None:
    tree = grown()
    tree = tree.choose(token(4), "taken", 2.5)
    assert len(tree.branches) == 1
    assert ids(tree) == [1, 2, 3, 4]
    assert tree.at_end
    assert tree.steps[-1].how == "taken"
    assert tree.steps[-1].surprisal_bits == 2.5
    assert tree.current.prompt_length == 3


def test_choosing_earlier_starts_a_branch_and_keeps_the_old_one() -> None:
    tree = grown(4, 5, 6)
    tree = tree.move(-2)
    tree = tree.choose(token(9), "taken", 1.0)
    assert len(tree.branches) == 2
    assert ids(tree) == [1, 2, 3, 4, 9]
    assert tree.current.number == 2
    tree = tree.switch(1)
    assert ids(tree) == [1, 2, 3, 4, 5, 6]


def test_choosing_the_same_token_only_moves_the_focus() -> None:
    tree = grown(4, 5, 6)
    tree = tree.move(-2)
    tree = tree.choose(token(5), "taken", 1.0)
    assert tree.focus == 5
    assert len(tree.branches) == 1


def test_back_removes_the_last_token_but_never_the_first() -> None:
    tree = grown(4)
    for left in (3, 2, 1):
        tree = tree.back()
        assert tree.length == left
    assert tree.back() is tree
    assert ids(tree) == [1]


def test_back_on_a_branch_leaves_other_branches_unchanged() -> None:
    tree = grown(4, 5)
    tree = tree.fork()
    for _ in range(3):
        tree = tree.back()
    assert ids(tree) == [1, 2]
    tree = tree.switch(1)
    assert ids(tree) == [1, 2, 3, 4, 5]


def test_back_with_an_earlier_focus_moves_it() -> None:
    tree = grown(4, 5)
    tree = tree.move(-1)
    tree = tree.back()
    assert (tree.focus, tree.length) == (3, 5)


def test_own_lengths_start_after_prompt_and_fork() -> None:
    tree = grown(4, 5, 6)
    assert tree.branch_lengths() == (3,)
    tree = tree.fork(at=4)
    tree = tree.choose(token(9), "taken", 1.0)
    assert tree.branch_lengths() == (2, 1)


def test_another_prompt_replaces_only_a_branch_without_generated_text() -> None:
    tree = grown()
    tree = tree.start(tokens(8, 9))
    assert len(tree.branches) == 1
    tree = tree.choose(token(4), "drawn", 1.0)
    tree = tree.start(tokens(5))
    assert ids(tree) == [5]
    tree = tree.switch(1)
    assert ids(tree) == [8, 9, 4]


def test_after_a_removal_the_most_similar_branch_is_current() -> None:
    tree = grown(4)
    tree = tree.fork(at=3)
    tree = tree.choose(token(5), "taken", 1.0)
    tree = tree.remove(2)
    assert ids(tree) == [1, 2, 3, 4]
    assert tree.remove(1) is tree


def test_numbers_of_removed_branches_are_reused() -> None:
    tree = grown(4)
    tree = tree.fork(at=3)
    tree = tree.fork(at=2)
    tree = tree.remove(2)
    assert tree.fork(at=1).number == 2


def test_there_are_at_most_nine_branches() -> None:
    tree = grown(4)
    for _ in range(MAXIMUM_BRANCHES - 1):
        tree = tree.fork(at=3)
    with pytest.raises(TreeFull, match="9 branches"):
        tree.fork(at=3)
    assert len(tree.branches) == MAXIMUM_BRANCHES


def test_there_is_a_limit_to_the_number_of_tokens() -> None:
    tree = TokenTree.from_prompt([token(1)] * MAXIMUM_TOKENS, seed=1)
    with pytest.raises(TreeFull, match="32,768"):
        tree.choose(token(2), "drawn", 1.0)
    assert tree.length == MAXIMUM_TOKENS


def test_forks_list_each_branch_below_its_parent() -> None:
    tree = grown(4, 5, 6)
    tree = tree.fork(at=5)
    tree = tree.choose(token(7), "taken", 1.0)
    tree = tree.switch(1)
    tree = tree.fork(at=3)
    tree = tree.choose(token(8), "taken", 1.0)
    drawn = [(fork.branch, fork.parent, fork.at, fork.depth) for fork in tree.forks()]
    assert drawn == [(1, 0, 0, 0), (2, 1, 5, 1), (3, 1, 3, 1)]


@pytest.mark.parametrize("begins_with_special", [False, True])
def test_a_branch_with_a_new_prompt_has_no_parent(begins_with_special: bool) -> None:
    start = [msgspec.structs.replace(token(0), special=True)] * begins_with_special
    tree = TokenTree.from_prompt([*start, token(1)], seed=1).choose(token(4), "drawn", 1.0)
    tree = tree.start([*start, token(2)]).choose(token(5), "drawn", 1.0)
    tree = tree.fork(at=tree.length - 1).choose(token(6), "drawn", 1.0)
    at = len(start)
    found = [(fork.branch, fork.parent, fork.at, fork.depth) for fork in tree.forks()]
    assert found == [(1, 0, 0, 0), (2, 0, at, 0), (3, 2, at + 1, 1)]


def test_missing_surprisals_are_filled_in() -> None:
    tree = grown(4)
    assert tree.first_unknown() == 1
    tree = tree.note_surprisals(1, [0.5, 1.5])
    assert [step.surprisal_bits for step in tree.steps] == [None, 0.5, 1.5, 1.0]
    assert tree.first_unknown() is None


def test_a_conversation_continues_with_prompt_tokens() -> None:
    tree = grown(4)
    tree = tree.extend(given_steps(tokens(5, 6)))
    assert tree.current.prompt_length == 6
    assert tree.at_end


def test_saving_keeps_all_but_the_surprisals() -> None:
    tree = grown(0, 200, 6)
    tree = tree.fork(at=4)
    tree = tree.choose(token(9), "taken", 1.0)
    tree = tree.reseed(12)
    tree = tree.move(-1)
    text = msgspec.json.encode(save(tree))
    back = restore(msgspec.json.decode(text, type=SavedTree))
    assert [branch.tokens for branch in back.branches] == [b.tokens for b in tree.branches]
    assert [step.how for step in back.steps] == ["prompt"] * 3 + ["drawn", "taken"]
    assert (back.current.number, back.current.seed, back.focus) == (2, 12, 4)
    assert back.first_unknown() == 1


def test_a_saved_branch_without_its_parent_is_refused() -> None:
    saved = save(grown(4))
    broken = msgspec.structs.replace(saved.branches[0], shared=5)
    with pytest.raises(ValueError, match="does not fit"):
        restore(msgspec.structs.replace(saved, branches=(broken,)))
    with pytest.raises(ValueError, match="no branch 4"):
        restore(msgspec.structs.replace(saved, current=4))


ACTS = st.lists(
    st.one_of(
        st.tuples(st.just("choose"), st.integers(0, 5)),
        st.tuples(st.just("move"), st.integers(-6, 6)),
        st.tuples(st.just("back"), st.just(0)),
        st.tuples(st.just("fork"), st.just(0)),
        st.tuples(st.just("switch"), st.integers(0, 8)),
        st.tuples(st.just("remove"), st.integers(0, 8)),
        st.tuples(st.just("start"), st.integers(1, 3)),
    ),
    max_size=40,
)


@given(ACTS)
def test_any_sequence_of_changes_leaves_a_consistent_tree(acts: list[tuple[str, int]]) -> None:
    tree = grown()
    for act, value in acts:
        numbers = [branch.number for branch in tree.branches]
        try:
            match act:
                case "choose":
                    tree = tree.choose(token(value), "taken", 1.0)
                case "move":
                    tree = tree.move(value)
                case "back":
                    tree = tree.back()
                case "fork":
                    tree = tree.fork()
                case "start":
                    tree = tree.start(tokens(*range(value)))
                case _:
                    tree = getattr(tree, act)(numbers[value % len(numbers)])
        except TreeFull:
            assert len(tree.branches) == MAXIMUM_BRANCHES
    numbers = [branch.number for branch in tree.branches]
    assert len(set(numbers)) == len(numbers) <= MAXIMUM_BRANCHES
    assert 0 <= tree.focus <= tree.length
    assert sorted(fork.branch for fork in tree.forks()) == sorted(numbers)
    assert all(length >= 0 for length in tree.branch_lengths())
    back = token_tree.restore(token_tree.save(tree))
    assert [branch.tokens for branch in back.branches] == [b.tokens for b in tree.branches]
    assert all(
        shared(one, other) == len(one.steps)
        for one, other in zip(tree.branches, back.branches, strict=True)
    )


def test_another_prompt_keeps_a_conversation_that_ends_with_a_message() -> None:
    tree = grown(4)
    tree = tree.extend(given_steps(tokens(5)))
    tree = tree.start(tokens(6))
    assert [len(branch.steps) for branch in tree.branches] == [5, 1]


def test_a_fork_beyond_the_limit_changes_nothing() -> None:
    tree = TokenTree.from_prompt(tokens(1) * (MAXIMUM_TOKENS // 2 + 1), seed=7)
    with pytest.raises(TreeFull):
        tree.fork()
    assert len(tree.branches) == 1
