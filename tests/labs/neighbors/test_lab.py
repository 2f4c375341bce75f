"""Test the figures of the neighbors lab against the embedding table."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import msgspec
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.labs.lab_backend import backend, done, small_model
from tutor.errors import LabError, TextError
from tutor.labs.kit.actions import Choose, EditText, MoveFocus, ShowView, Toggle
from tutor.labs.kit.words.word import Near
from tutor.labs.neighbors import lab
from tutor.labs.neighbors.analogies import EXAMPLES, AddAnalogy, analogy
from tutor.labs.neighbors.lab import AskNear, Neighborhood, Visit, look_up
from tutor.lm.distribution import Token
from tutor.lm.language_model import LanguageModel


def _all_rows() -> torch.Tensor:
    network = small_model().network
    rows = network.embedding(torch.arange(network.config.vocabulary_size))
    return torch.nn.functional.normalize(rows.double())


def test_neighbors_are_the_rows_of_the_highest_cosine(tmp_path: Path) -> None:
    state = done("neighbors", backend("neighbors", tmp_path), EditText("family"))
    near = state.neighborhood.near
    rows = _all_rows()
    id_ = state.neighborhood.token.id
    cosines = rows @ rows[id_]
    cosines[id_] = -2
    wanted = cosines.topk(lab.NEIGHBORS)
    assert [one.token.id for one in near] == wanted.indices.tolist()
    assert [one.cosine for one in near] == pytest.approx(wanted.values.tolist(), abs=1e-5)
    assert [one.rank for one in near] == list(range(1, lab.NEIGHBORS + 1))


def test_neighbors_are_compared_with_the_mean_of_all_other_rows(tmp_path: Path) -> None:
    there = done("neighbors", backend("neighbors", tmp_path), EditText("family")).neighborhood
    rows = _all_rows()
    others = [at for at in range(len(rows)) if at != there.token.id]
    mean = float((rows[others] @ rows[there.token.id]).mean())
    assert there.chance == pytest.approx(mean, abs=1e-5)


def test_nearest_rows_are_nearer_than_the_mean(
    language_model: LanguageModel, tmp_path: Path
) -> None:
    """The rows of frequent words point away from the direction that most rows share."""
    state = done("neighbors", backend("neighbors", tmp_path, language_model))
    assert state.near[-1].cosine > state.neighborhood.chance


def test_rows_can_be_ranked_by_distance(tmp_path: Path) -> None:
    there = backend("neighbors", tmp_path)
    found = done("neighbors", there, EditText("family"), Toggle("distance")).neighborhood
    near = found.near
    network = small_model().network
    rows = network.embedding(torch.arange(network.config.vocabulary_size)).double()
    id_ = done("neighbors", there, EditText("family")).neighborhood.token.id
    distances = (rows - rows[id_]).norm(dim=1)
    distances[id_] = torch.inf
    others = distances[torch.arange(len(distances)) != id_]
    wanted = distances.topk(lab.NEIGHBORS, largest=False)
    assert [one.distance for one in near] == pytest.approx(wanted.values.tolist(), abs=1e-4)
    assert found.chance_distance == pytest.approx(float(others.mean()), abs=1e-4)
    assert [one.rank for one in near] == list(range(1, lab.NEIGHBORS + 1))


def test_distance_and_cosine_can_disagree(language_model: LanguageModel, tmp_path: Path) -> None:
    there = backend("neighbors", tmp_path, language_model)
    agree = done("neighbors", there, EditText("Monday"), Toggle("distance"))
    assert "by-distance" not in lab.LAB.reached(agree)
    state = done("neighbors", there, EditText("Einstein"), Toggle("distance"))
    assert state.near[0].token.text == " Newton"
    assert "by-distance" in lab.LAB.reached(state)
    by_cosine = done("neighbors", there, EditText("Einstein"))
    assert by_cosine.near[0].token.text != " Newton"
    assert "by-distance" not in lab.LAB.reached(by_cosine)


def test_visiting_goes_to_the_neighbor_in_focus(tmp_path: Path) -> None:
    there = backend("neighbors", tmp_path)
    state = done("neighbors", there, EditText("family"), MoveFocus(2, "row"))
    wanted = state.near[2].token
    visited = done("neighbors", there, EditText("family"), MoveFocus(2, "row"), Visit())
    assert visited.neighborhood.token == wanted
    assert visited.focus == 0


def test_other_spellings_can_be_hidden_without_changing_the_ranks() -> None:
    texts = (" Good", " bad", "good", " goods", "GOOD")
    near = tuple(Near(n, Token(n, text, text.encode()), 0.5) for n, text in enumerate(texts, 1))
    there = Neighborhood((), Token(9, " good", b" good"), 1.0, near, 0.4, 100)
    state = lab.receive(lab.State(), AskNear("good", 0, None), there)
    assert state.near == near
    assert [one.rank for one in lab.act(state, Toggle("spellings")).near] == [2, 4]


def test_a_key_cycles_through_the_forms_of_a_word(tmp_path: Path) -> None:
    there = backend("neighbors", tmp_path)
    state = done("neighbors", there, EditText("family"))
    count = len(state.neighborhood.forms)
    assert count > 1
    turned = done("neighbors", there, EditText("family"), Choose(1, "form"))
    assert turned.neighborhood.token == state.neighborhood.forms[1][0]
    around = done("neighbors", there, EditText("family"), *[Choose(1, "form")] * count)
    assert around.neighborhood == state.neighborhood


def test_a_word_of_several_tokens_uses_the_row_of_the_first(tmp_path: Path) -> None:
    state = done("neighbors", backend("neighbors", tmp_path), EditText("Donaudampfschiff"))
    form = state.neighborhood.forms[state.form]
    assert len(form) > 1
    assert state.neighborhood.token == form[0]


def test_an_empty_word_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TextError):
        backend("neighbors", tmp_path).answer(AskNear(" ", 0, None))


def test_pairs_are_all_cosines_of_the_words(tmp_path: Path) -> None:
    state = done(
        "neighbors",
        backend("neighbors", tmp_path),
        EditText("man woman, year", "words"),
        ShowView("pairs"),
    )
    rows = _all_rows()[[form[0].id for form in state.pairs.forms]]
    for found, wanted in zip(state.pairs.cosines, (rows @ rows.t()).tolist(), strict=True):
        assert found == pytest.approx(wanted, abs=1e-5)


def test_a_sum_is_ranked_both_ways(tmp_path: Path) -> None:
    words = ("father", "man", "woman", "mother")
    state = done("neighbors", backend("neighbors", tmp_path), AddAnalogy(*words), ShowView("sums"))
    found = state.chosen
    assert found.own
    assert found.sum is not None
    a, b, c, expected = (form[0].id for form in found.sum.forms)
    rows = _all_rows()
    cosines = torch.nn.functional.cosine_similarity(rows, (rows[a] - rows[b] + rows[c])[None])
    order = cosines.argsort(descending=True).tolist()
    assert found.sum.rank == 1 + order.index(expected)
    kept = [id_ for id_ in order if id_ not in (a, b, c)]
    assert found.sum.rank_without == 1 + kept.index(expected)
    assert [one.token.id for one in found.sum.nearest] == order[: lab.NEAREST]
    assert found.sum.cosine == pytest.approx(float(cosines[expected]), abs=1e-5)


def test_the_figures_of_the_lesson_are_right(language_model: LanguageModel, tmp_path: Path) -> None:
    """The figures of the lesson on embeddings are rounded."""
    there = backend("neighbors", tmp_path, language_model)
    state = done("neighbors", there, EditText("Monday"))
    shown = [(one.token.text, round(one.cosine, 2)) for one in state.near[:3]]
    assert shown == [(" Tuesday", 0.89), (" Wednesday", 0.88), (" Thursday", 0.88)]
    assert round(done("neighbors", there, ShowView("pairs")).pairs.chance, 2) == 0.44
    sums = {one.words[0]: one.sum for one in done("neighbors", there, ShowView("sums")).analogies}
    nearest = [(one.token.text, round(one.cosine, 2)) for one in sums["Paris"].nearest[:2]]
    assert nearest == [(" Paris", 0.73), (" Berlin", 0.65)]
    assert (sums["king"].rank, sums["Paris"].rank, sums["Paris"].rank_without) == (1, 2, 1)


WORD = st.from_regex(r"[^\s+=−-]{1,12}", fullmatch=True)


@given(WORD, WORD, WORD, WORD)
def test_an_analogy_is_parsed(a: str, b: str, c: str, d: str) -> None:
    assert analogy(f"{a} - {b} + {c} = {d}") == AddAnalogy(a, b, c, d)
    assert analogy(f"{a}-{b}+{c}={d}\n") == AddAnalogy(a, b, c, d)


@pytest.mark.parametrize("text", ["", "king", "king - man", "king - man + woman", "a + b - c = d"])
def test_a_text_without_an_analogy_is_refused(text: str) -> None:
    with pytest.raises(LabError):
        analogy(text)


def test_too_many_words_are_left_out_and_counted() -> None:
    text = " ".join(f"w{number}" for number in range(lab.MOST_WORDS + 3)) + " w0"
    state = lab.act(lab.State(), EditText(text, "words"))
    assert (len(state.words), state.left_out) == (lab.MOST_WORDS, 3)
    with pytest.raises(LabError):
        lab.act(lab.State(), EditText("one one", "words"))


def test_the_oldest_analogies_are_dropped() -> None:
    state = lab.State()
    for number in range(lab.MOST_ANALOGIES + 2):
        state = lab.act(state, AddAnalogy("a", "b", "c", f"d{number}"))
    assert len(state.analogies) == lab.MOST_ANALOGIES
    assert state.chosen.words[3] == f"d{number}"


MOVES = st.lists(
    st.builds(MoveFocus, by=st.integers(-20, 20), axis=st.sampled_from(["row", "column"]))
)


@given(MOVES, st.sampled_from(lab.VIEWS))
def test_the_focus_stays_in_range(
    moves: list[MoveFocus[Literal["row", "column"]]], view: lab.View
) -> None:
    state = lab.act(lab.State(), ShowView(view))
    for move in moves:
        state = lab.act(state, move)
    assert state.focus == 0  # There are no neighbors yet.
    assert all(0 <= place < len(state.words) for place in state.cell)
    assert 0 <= state.analogy < len(state.analogies)


def test_an_analogy_with_one_word_twice_reaches_no_goal(tmp_path: Path) -> None:
    state = done(
        "neighbors",
        backend("neighbors", tmp_path),
        *[AddAnalogy("man", "year", "year", "man"), ShowView("sums")],
    )
    assert state.chosen.same_twice
    assert not lab.LAB.reached(state) & {"sum-first", "only-without"}


def test_an_example_that_the_learner_repeats_is_not_their_own() -> None:
    assert not lab.act(lab.State(), AddAnalogy(*EXAMPLES[0])).chosen.own
    assert lab.act(lab.State(), AddAnalogy("a", "b", "c", "d")).chosen.own


def test_a_question_can_be_encoded_and_decoded() -> None:
    asked = lab.question(lab.State())
    packed = msgspec.msgpack.encode(asked)
    assert msgspec.msgpack.decode(packed, type=lab.Question) == asked


@pytest.mark.parametrize("text", ["", "  ", "a" * 41], ids=["empty", "spaces", "long"])
def test_an_invalid_word_is_refused_before_it_is_looked_up(text: str) -> None:
    with pytest.raises(LabError):
        look_up(text)
    assert look_up("cat ") == EditText("cat ")
