"""Compare training a tokenizer with counting pairs by hand and with the library."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest

from tests.labs.lab_backend import backend, done
from tutor.labs.kit.actions import Adjust, EditText
from tutor.labs.train_tokenizer import lab, plain
from tutor.labs.train_tokenizer.backend import train_tokenizer
from tutor.labs.train_tokenizer.lab import BYTES, FIRST, SIZES, TrainOnLessons


def test_the_first_merge_is_the_most_frequent_pair() -> None:
    text = "banana bandana cabana"
    pairs: Counter[bytes] = Counter()
    for word in ("banana", " bandana", " cabana"):
        pairs.update((a + b).encode() for a, b in pairwise(word))
    (first, _), (_, second_count) = pairs.most_common(2)
    assert pairs[first] > second_count
    tokenizer = train_tokenizer(text, BYTES + 1)
    assert tokenizer.token(BYTES).data == first


def test_a_small_vocabulary_is_the_beginning_of_a_large_one() -> None:
    text = "the weather of the northern islands is the weather of the sea " * 3
    small, large = train_tokenizer(text, BYTES + 5), train_tokenizer(text, BYTES + 12)
    small_pieces = [small.token(id_).data for id_ in range(BYTES, small.vocabulary_size)]
    large_pieces = [large.token(id_).data for id_ in range(BYTES, large.vocabulary_size)]
    assert small_pieces == large_pieces[:5]


@pytest.mark.parametrize("text", ["", "a", "é🤷🏽‍♀️ \x00\t\n", "x" * 50])
def test_any_text_is_tokenized_without_loss(text: str) -> None:
    tokenizer = train_tokenizer("some text, some other text", 300)
    assert tokenizer.decode(tokenizer.encode(text)) == text.encode()


def test_bytes_alone_need_a_token_each_and_a_larger_vocabulary_needs_fewer(tmp_path: Path) -> None:
    there = backend("train-tokenizer", tmp_path)
    state = done("train-tokenizer", there, Adjust(-FIRST, "size"), Adjust(3, "size"))
    alone, some = state.runs[SIZES[0]], state.runs[SIZES[3]]
    assert alone.tokens == alone.byte_count
    assert some.tokens < alone.tokens
    assert (alone.found, some.found) == (0, SIZES[3] - BYTES)


def test_a_text_of_the_learner_and_the_lessons_again(tmp_path: Path) -> None:
    there = backend("train-tokenizer", tmp_path)
    own = done("train-tokenizer", there, EditText("fnord fnord fnord"), EditText("fnord", "tried"))
    assert own.run.pieces == (b"fnord",)
    back = done("train-tokenizer", there, EditText("fnord"), TrainOnLessons())
    assert (back.own, back.last_own) == (None, "fnord")


def test_a_long_text_is_cut_and_the_rest_counted() -> None:
    state = lab.act(lab.State(), EditText("x" * (lab.LONGEST + 3)))
    assert (len(state.own or ""), state.left_out) == (lab.LONGEST, 3)


def test_the_size_stops_at_both_ends() -> None:
    assert lab.act(lab.State(), Adjust(-99, "size")).size == 0
    assert lab.act(lab.State(), Adjust(99, "size")).size == len(SIZES) - 1


def test_a_vocabulary_that_the_text_does_not_fill_is_not_a_doubled_one() -> None:
    """The goal compares the sizes that were reached, not those that were asked for."""

    def run(size: int, tokens: int) -> lab.Answer:
        return lab.Answer(tokens, 1000, (), size - BYTES, (), 0)

    def reached(*runs: tuple[int, lab.Answer]) -> bool:
        goal = next(each for each in lab.LAB.goals if each.name == "twice-for-little")
        return goal.reached(lab.State(runs=dict(runs)))

    assert reached((1536, run(1536, 100)), (3072, run(3072, 90)))
    assert not reached((1536, run(1536, 100)), (3072, run(3072, 80)))
    assert not reached((2048, run(2048, 100)), (4096, run(3991, 90)))


def test_plain_mode_says_the_size_that_was_reached_and_why(tmp_path: Path) -> None:
    there = backend("train-tokenizer", tmp_path)
    state = done("train-tokenizer", there, EditText("fnord fnord fnord"), Adjust(1, "size"))
    said = plain.describe(state)
    assert state.run.size < SIZES[FIRST]
    assert said["size"] == [f"Vocabulary: {state.run.size} tokens."]
    assert "Training ended before 384 tokens, when no pair occurred twice." in said["run"]
    assert len(said["sizes"]) == 1
