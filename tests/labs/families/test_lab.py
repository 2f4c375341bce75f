"""Test the lab of the three families on the bundled models."""

from __future__ import annotations

from array import array
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.labs.lab_backend import backend, done
from tutor.errors import TextError
from tutor.labs.families import answers as family_answers
from tutor.labs.families import lab as families
from tutor.labs.families.answers import (
    FAMILIES,
    PARTS,
    Answer,
    Attention,
    Guess,
    Part,
    Said,
    may_look,
)
from tutor.labs.families.lab import (
    EXAMPLES,
    MOST_DIGITS,
    MOST_WORDS,
    State,
)
from tutor.labs.kit.actions import Choose, EditText, MoveFocus, ShowView, Toggle
from tutor.lm.network import Trace, Transformer
from tutor.lm.training.recipes.families.model import load_family
from tutor.lm.training.recipes.families.networks import Encoder, EncoderDecoder

DECODER: families.Action = Choose(1, "family")
ENCODER_DECODER: families.Action = Choose(2, "family")


def lab(folder: Path, *actions: object) -> State:
    state: State = done("families", backend("families", folder), *actions)
    return state


def weights_of(attention: Attention) -> np.ndarray:
    shape = (attention.layers, attention.heads, len(attention.rows), len(attention.columns))
    return np.frombuffer(attention.weights, np.float32).reshape(shape)


def test_the_encoder_fills_the_blank_and_the_decoder_is_compared(
    tmp_path: Path,
) -> None:
    answer = lab(tmp_path, EditText("the _ barks .")).answer
    assert answer is not None
    (said,) = answer.said
    encoder, decoder = load_family("encoder"), load_family("decoder")
    assert isinstance(encoder.network, Encoder)
    assert isinstance(decoder.network, Transformer)
    with torch.no_grad():
        ids = torch.tensor(encoder.vocabulary.ids(["<start>", "the", "<blank>", "barks", "."]))
        there = encoder.network.logits(encoder.network(ids))[2].softmax(-1)
        ids = torch.tensor(decoder.vocabulary.ids(["<start>", "the"]))
        left = decoder.network.logits(decoder.network(ids))[-1].softmax(-1)
    dog = encoder.vocabulary.ids(["dog"])[0]
    assert (said.row, said.word) == (2, "dog")
    assert said.probability == pytest.approx(there[dog].item(), rel=1e-4)
    assert said.left_probability == pytest.approx(left[dog].item(), rel=1e-4)
    assert [guess.probability for guess in said.left] == pytest.approx(
        left.topk(5).values.tolist(), rel=1e-4
    )


def test_the_decoder_gets_the_text_before_the_blank(tmp_path: Path) -> None:
    first = lab(tmp_path, DECODER, EditText("the old _ barks .")).answer
    second = lab(tmp_path, DECODER, EditText("the old _ meows .")).answer
    assert first == second
    assert first is not None
    assert first.attention["writing"].rows[:3] == ("<start>", "the", "old")


def test_a_number_becomes_words_with_the_attention_of_the_network(tmp_path: Path) -> None:
    answer = lab(tmp_path, ENCODER_DECODER, EditText("407,312")).answer
    assert answer is not None
    words = ["four", "hundred", "seven", "thousand", "three", "hundred", "twelve"]
    assert [said.word for said in answer.said] == words
    model = load_family("encoder-decoder")
    network = model.network
    assert isinstance(network, EncoderDecoder)
    reading, writing, across = Trace(), Trace(), Trace()
    with torch.no_grad():
        read = network.encode(torch.tensor(model.vocabulary.ids([*"407312", "<end>"])), reading)
        network(read, torch.tensor(model.vocabulary.ids(["<start>", *words])), writing, across)
    traces: dict[Part, Trace] = {"reading": reading, "writing": writing, "across": across}
    for part, trace in traces.items():
        shown = weights_of(answer.attention[part])
        assert np.allclose(shown, torch.stack(trace.attention).numpy(), atol=1e-5)
    assert answer.attention["across"].rows == (*words, "<end>")


@pytest.mark.parametrize("family", FAMILIES)
def test_masked_attention_is_zero(family: family_answers.Family, tmp_path: Path) -> None:
    answer = lab(
        tmp_path, Choose(FAMILIES.index(family), "family"), EditText("the dogs near the _ bark .")
    ).answer
    assert answer is not None
    assert set(answer.attention) == set(PARTS[family])
    for part, attention in answer.attention.items():
        weights = weights_of(attention)
        assert np.allclose(weights.sum(-1), 1, atol=1e-5)
        for row in range(len(attention.rows)):
            for column in range(len(attention.columns)):
                if not may_look(part, row, column):
                    assert weights[:, :, row, column].max() == 0


def test_a_row_belongs_to_one_head_or_is_the_mean_of_all() -> None:
    weights = array("f", [0.25, 0.75, 1, 0, 0.5, 0.5, 0, 1])  # 1 layer, 2 heads, 2 rows, 2 columns
    attention = Attention(("a", "b"), ("a", "b"), 1, 2, weights.tobytes())
    assert attention.row(0, 1, 0) == (0.25, 0.75)
    assert attention.row(0, 2, 1) == (0, 1)
    assert attention.row(0, 0, 0) == (0.375, 0.625)


def test_unknown_words_are_listed(tmp_path: Path) -> None:
    answer = lab(tmp_path, EditText("the wug _ behind the zzz .")).answer
    assert answer is not None
    assert answer.unknown == ("wug", "zzz")
    answer = lab(tmp_path, EditText("12")).answer
    assert answer is not None
    assert answer.unknown == ("1", "2")


def test_a_long_text_is_cut_and_the_rest_counted(tmp_path: Path) -> None:
    state = lab(tmp_path, ENCODER_DECODER, EditText("dog " * (MOST_WORDS + 3)))
    assert (len(state.words), state.left_out) == (MOST_WORDS, 3)
    state = lab(tmp_path, ENCODER_DECODER, EditText("12345678"))
    assert (len(state.words), state.left_out) == (MOST_DIGITS, 2)
    assert families.act(state, EditText("0012")).words == ("1", "2")


def test_a_text_without_a_word_is_refused() -> None:
    with pytest.raises(TextError):
        families.act(families.start(), EditText("  \n"))


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=200))
def test_any_text_is_accepted_or_refused(text: str) -> None:
    try:
        state = families.act(families.start(), EditText(text))
    except TextError:
        return
    assert 0 < len(state.words) <= MOST_WORDS
    asked = families.question(state)
    assert asked is not None
    answer = backend("families", Path()).answer(asked)
    settled = families.receive(state, asked, answer)
    assert settled.attention is not None
    assert 0 <= settled.focus < len(settled.attention.rows)


def test_examples_come_in_turn_and_use_known_words(tmp_path: Path) -> None:
    there = backend("families", tmp_path)
    for family in FAMILIES:
        state = done("families", there, Choose(FAMILIES.index(family), "family"))
        seen: list[str] = []
        for _ in EXAMPLES[family]:
            state = done(
                "families",
                there,
                Choose(FAMILIES.index(family), "family"),
                *[Choose(1, "example")] * (len(seen) + 1),
            )
            seen.append(state.text)
            assert state.answer.unknown == ()
        assert set(seen) == set(EXAMPLES[family])


def test_layer_head_and_row_stay_within_their_limits(tmp_path: Path) -> None:
    state = lab(tmp_path, MoveFocus(9, "layer"), MoveFocus(9, "head"), MoveFocus(99, "row"))
    assert state.attention is not None
    assert (state.layer, state.head) == (1, 4)
    assert state.focus == len(state.attention.rows) - 1
    axes: tuple[families.Axis, ...] = ("layer", "head", "row")
    for axis in axes:
        state = families.act(state, MoveFocus(-99, axis))
    assert (state.layer, state.head, state.focus) == (0, 0, 0)
    assert lab(tmp_path, ShowView("across")).part == "reading"  # An encoder has no cross-attention.
    assert lab(tmp_path, Toggle("masks")).masks


def _answer(word: str, probability: float, left: float) -> Answer:
    said = Said(2, (Guess(word, probability),), (), left)
    attention = Attention(("a",), ("a",), 1, 1, array("f", [1]).tobytes())
    return Answer((said,), {"reading": attention}, ())


@pytest.mark.parametrize(
    ("probability", "left", "reached"),
    [(0.95, 0.05, True), (0.85, 0.05, False), (0.95, 0.2, False)],
)
def test_goal_right_side_needs_a_sure_encoder_and_an_unsure_decoder(
    probability: float, left: float, reached: bool
) -> None:
    state = families.act(families.start(), EditText("the _ barks ."))
    asked = families.question(state)
    assert asked is not None
    state = families.receive(state, asked, _answer("dog", probability, left))
    assert ("right-side" in families.LAB.reached(state)) == reached


@pytest.mark.parametrize(
    ("text", "word", "reached"),
    [
        ("the _ bark .", "dogs", True),
        ("the _ bark .", "dog", False),  # The word is the same.
        ("a _ meows .", "cat", False),  # The left side differs.
    ],
)
def test_goal_turned_needs_a_change_on_the_right(text: str, word: str, reached: bool) -> None:
    state = families.act(families.start(), EditText("the _ barks ."))
    asked = families.question(state)
    assert asked is not None
    state = families.act(families.receive(state, asked, _answer("dog", 0.5, 0.5)), EditText(text))
    asked = families.question(state)
    assert asked is not None
    state = families.receive(state, asked, _answer(word, 0.5, 0.5))
    assert ("turned" in families.LAB.reached(state)) == reached


@pytest.mark.parametrize(
    ("row", "shares", "reached"),
    [
        (0, [0.9, 0.1, 0, 0], False),  # The first occurrence.
        (1, [0.1, 0.8, 0.1, 0], False),  # A word that occurs once.
        (2, [0.2, 0.2, 0.6, 0], True),
        (3, [0.3, 0.2, 0.4, 0.1], False),  # Less than half.
    ],
)
def test_goal_which_of_two_needs_half_on_the_second_occurrence(
    row: int, shares: list[float], reached: bool
) -> None:
    state = families.act(families.start(), ENCODER_DECODER)
    state = families.act(state, EditText("the dog the ."))
    rows = [[0.0] * 4] * 4
    rows[row] = shares
    weights = array("f", [share for one in rows for share in one]).tobytes()
    columns = ("the", "dog", "the", "<end>")
    across = Attention(("a", "b", "c", "<end>"), columns, 1, 1, weights)
    said = (Said(0, (Guess("a", 1.0),)),)
    asked = families.question(state)
    assert asked is not None
    state = families.receive(state, asked, Answer(said, {"across": across}, ()))
    state = families.act(state, MoveFocus(row, "row"))
    assert ("which-of-two" in families.LAB.reached(state)) == reached
    assert "which-of-two" not in families.LAB.reached(families.act(state, Toggle("masks")))
