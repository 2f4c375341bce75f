"""Test the lab on one word in two sentences."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.labs.lab_backend import backend, done, small_model
from tutor.errors import LabError
from tutor.labs.kit.actions import Choose, EditText, MoveFocus
from tutor.labs.word_in_context import lab
from tutor.labs.word_in_context.lab import WAYS, GoToFurthest
from tutor.labs.word_in_context.sentence_pair import LONGEST, pair
from tutor.lm.distribution import PLAIN
from tutor.lm.language_model import LanguageModel
from tutor.lm.network import Trace
from tutor.lm.session import Session

OWN = "The name of the *country* / A long river of the *country*"


def test_without_marks_the_last_shared_word_is_used() -> None:
    found = pair("They sat at the Bank on Friday / The bank was shut on Monday")
    assert (found.first.word, found.second.word) == ("on", "on")
    found = pair("They sat at the Bank, all day / A bank was shut at the end, at last")
    assert (found.first.word, found.second.word) == ("Bank", "bank")
    assert found.same_word


def test_a_semicolon_separates_sentences_without_a_slash() -> None:
    assert pair("I sat on the bank; I robbed the bank") == pair(
        "I sat on the bank / I robbed the bank"
    )
    assert pair("I sat; the bank fell / I robbed the bank").first.text == "I sat; the bank fell"


def test_marks_choose_the_word_and_are_removed() -> None:
    found = pair("I *left* the house / He *turned* left")
    assert (found.first.text, found.first.word) == ("I left the house", "left")
    assert (found.second.text, found.second.word) == ("He turned left", "turned")
    assert not found.same_word


@given(st.from_regex(r"[a-z]+( [a-z]+)*", fullmatch=True), st.integers(0, 5))
def test_a_parsed_sentence_can_be_edited_with_its_marks(text: str, at: int) -> None:
    words = text.split()
    place = at % len(words)
    marked = " ".join([*words[:place], f"*{words[place]}*", *words[place + 1 :]])[:LONGEST]
    if marked.count("*") == 2:
        found = pair(f"{marked} / {marked}")
        assert found.first.marked == marked
        assert found.first.word == words[place][:LONGEST]


@pytest.mark.parametrize(
    "text", ["", "one sentence", "a / b / c", "cats / dogs", f"x / {'x' * (LONGEST + 1)} x"]
)
def test_a_text_without_a_pair_is_refused(text: str) -> None:
    with pytest.raises(LabError):
        lab.act(lab.State(), EditText(text))


def test_the_lens_is_the_distribution_after_the_word(tmp_path: Path) -> None:
    there = backend("word-in-context", tmp_path)
    layers = small_model().card.layers
    state = done("word-in-context", there, EditText(OWN), MoveFocus(layers, "layer"))
    ids = small_model().tokenizer.encode("The name of the country")
    wanted = Session(small_model(), ids).distribution(len(ids), PLAIN, 1, lab.MOST_NAMED)
    assert [one.token for one in state.names.first] == [row.token for row in wanted.rows]
    for one, row in zip(state.names.first, wanted.rows, strict=True):
        assert one.value == pytest.approx(row.probability, abs=1e-5)


def test_rows_and_difference_are_nearest_by_cosine(tmp_path: Path) -> None:
    there = backend("word-in-context", tmp_path)
    network = small_model().network
    texts = ("The name of the country", "A long river of the country")
    vectors = [lab_trace(text)[2][-1] for text in texts]
    with torch.inference_mode():
        rows = torch.nn.functional.normalize(
            network.embedding(torch.arange(network.config.vocabulary_size))
        )
    for by, vector in (("rows", vectors[0]), ("difference", vectors[0] - vectors[1])):
        state = done(
            "word-in-context",
            there,
            EditText(OWN),
            MoveFocus(2, "layer"),
            Choose(WAYS.index(by), "way"),
        )
        wanted = (rows @ torch.nn.functional.normalize(vector, dim=0)).topk(lab.MOST_NAMED)
        assert [one.token.id for one in state.names.first] == wanted.indices.tolist()
        values = [one.value for one in state.names.first]
        assert values == pytest.approx(wanted.values.tolist(), abs=1e-4)


def lab_trace(text: str) -> list[torch.Tensor]:
    trace = Trace()
    with torch.inference_mode():
        small_model().network(torch.tensor(small_model().tokenizer.encode(text)), None, trace)
    return trace.residuals


def test_words_after_it_change_nothing(tmp_path: Path) -> None:
    text = "The *country* is large / The *country* has a long coast"
    state = done("word-in-context", backend("word-in-context", tmp_path), EditText(text))
    assert min(state.compared.cosines) > lab.ONE
    assert "only-after" in lab.LAB.reached(state)


def test_the_figures_of_the_lesson_are_right(language_model: LanguageModel, tmp_path: Path) -> None:
    """The lesson on embeddings gives cosines of two banks: 1.00, 0.78, 0.64, and about 0.91."""
    there = backend("word-in-context", tmp_path, language_model)
    cosines = done("word-in-context", there).compared.cosines
    found = [cosines[layer] for layer in (0, 10, 30)]
    assert found == pytest.approx([1.00, 0.78, 0.64], abs=0.006)
    two_rivers = EditText("They walked along the river bank. / They sat on the muddy bank.")
    cosines = done("word-in-context", there, two_rivers).compared.cosines
    assert cosines[30] == pytest.approx(0.91, abs=0.006)


def test_the_layer_stays_in_range(tmp_path: Path) -> None:
    there = backend("word-in-context", tmp_path)
    layers = small_model().card.layers
    assert done("word-in-context", there, MoveFocus(99, "layer")).layer == layers
    assert (
        done("word-in-context", there, MoveFocus(99, "layer"), MoveFocus(-999, "layer")).layer == 0
    )
    state = done("word-in-context", there, GoToFurthest())
    assert state.compared.cosines[state.layer] == min(state.compared.cosines)
