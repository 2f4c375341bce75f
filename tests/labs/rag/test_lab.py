"""Test the retrieval lab: the passages found, the prompt, and the answer."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.labs.lab_backend import done, settled, small_model
from tests.labs.rag.rag_stage import LIBRARY, PASSAGES, backend, small_course  # noqa: F401
from tutor.errors import EncoderMissing
from tutor.labs.kit.actions import Adjust, Choose, EditText, Run, Toggle
from tutor.labs.rag import attempt as rag_attempt
from tutor.labs.rag import lab, sentence_encoder
from tutor.labs.rag import quality as rag_quality
from tutor.labs.rag import questions as rag_questions
from tutor.labs.rag import vectors as rag_vectors
from tutor.labs.rag.attempt import Attempt, prompt
from tutor.labs.rag.backend import Limits
from tutor.labs.rag.questions import (
    Find,
    Found,
    Hit,
    Look,
    Read,
    ReadSoFar,
    Score,
    Scored,
    Source,
    Sources,
    Way,
    Write,
    Written,
)
from tutor.lm.chat import text_ids
from tutor.lm.session import Session
from tutor.retrieval import store
from tutor.retrieval.errors import RetrievalError
from tutor.retrieval.pairs import pairs
from tutor.retrieval.passage import Passage
from tutor.retrieval.update import update

pytestmark = pytest.mark.usefixtures("small_course")

PASSWORD = "What is the password of the guest network?"
FALSE = "The password of the guest network is sunflower."
COURSE = Source("course", 7, vectors=True)


def test_passages_are_found_by_words_by_meaning_and_by_both(tmp_path: Path) -> None:
    there = backend(tmp_path)
    by = {
        kind: there.answer(Find(PASSWORD, Way(kind=kind), 3)).hits for kind in rag_questions.KINDS
    }
    assert by["words"][0].passage.anchor == "words"
    assert "bytes" not in [hit.passage.anchor for hit in by["words"]]  # no word in common
    assert len(by["meaning"]) == rag_questions.SHOWN
    assert by["both"][0].passage.anchor == "words"
    text, marks = by["words"][0].passage.text, by["words"][0].marks
    assert {text[start:stop] for start, stop in marks} >= {"guest", "network", "password"}
    assert by["both"][0].marks == marks
    scores = [hit.score for hit in by["meaning"]]
    assert scores == sorted(scores, reverse=True)
    assert all(-1 <= score <= 1 for score in scores)


def test_a_false_passage_is_found_like_the_others(tmp_path: Path) -> None:
    there = backend(tmp_path)
    for kind in rag_questions.KINDS:
        hits = there.answer(Find(PASSWORD, Way(kind=kind, poison=FALSE), 3)).hits
        (false,) = [hit for hit in hits if hit.false]
        assert false.passage.text == FALSE
        again = there.answer(Find(PASSWORD, Way(kind=kind), 3)).hits
        assert not any(hit.false for hit in again)


def test_the_prompt_keeps_to_its_budget(tmp_path: Path) -> None:
    def hits(budget: int, count: int = 5) -> tuple[Hit, ...]:
        there = backend(tmp_path, limits=Limits(budget=budget))
        found: tuple[Hit, ...] = there.answer(Find(PASSWORD, Way(kind="meaning"), count)).hits
        return found

    whole = hits(10_000)
    assert all(hit.tokens == hit.whole for hit in whole)
    assert [bool(hit.kept) for hit in hits(10_000, 2)] == [True, True, False, False, False]
    for budget in range(0, sum(hit.whole for hit in whole) + 10, 7):
        cut = hits(budget)
        used = sum(hit.tokens for hit in cut)
        assert used <= budget
        tokens = [
            small_model().tokenizer.encode(
                rag_attempt.passage_line(number, hit.passage.heading, hit.kept)
            )
            for number, hit in enumerate(cut, start=1)
            if hit.kept
        ]
        assert sum(map(len, tokens)) == used
        given = [bool(hit.kept) for hit in cut]
        assert given == sorted(given, reverse=True)
        assert all(hit.tokens == hit.whole for hit in cut[: max(0, sum(given) - 1)])


def test_the_answer_is_greedy_and_its_gains_are_measured(tmp_path: Path) -> None:
    state = done("rag", backend(tmp_path), EditText(PASSWORD))
    attempt: Attempt = state.attempt
    assert attempt.done
    model = small_model()
    session = Session(model, text_ids(model, prompt(PASSWORD, attempt.given)))
    for id_ in attempt.ids:
        assert id_ == int(session.logits(len(session)).argmax())
        session.append([id_])
    costs = []
    for given in ((), attempt.given[:1]):
        ids = text_ids(model, prompt(PASSWORD, given))
        bits = Session(model, [*ids, *attempt.ids]).surprisals(len(ids))
        costs.append(sum(each or 0.0 for each in bits))
    assert attempt.gains[0] == pytest.approx(costs[0] - costs[1], rel=1e-3, abs=1e-2)


def test_the_answer_does_not_depend_on_how_the_work_is_divided(tmp_path: Path) -> None:
    at_once = done("rag", backend(tmp_path), EditText(PASSWORD))
    small_steps = backend(tmp_path, limits=Limits(chunk=8), moment=0.0)
    divided = done("rag", small_steps, EditText(PASSWORD))
    assert divided.attempt.ids == at_once.attempt.ids
    assert divided.attempt.gains == pytest.approx(at_once.attempt.gains, abs=1e-3)


def test_a_single_passage_keeps_its_number() -> None:
    hits = [Hit(Passage("a.md", "", 1, name, name), 1.0, kept=name) for name in "xyz"]
    assert prompt("Q?", hits) == "[1] x: x\n[2] y: y\n[3] z: z\nQuestion: Q?\nAnswer:"
    assert prompt("Q?", hits, 1) == "[2] y: y\nQuestion: Q?\nAnswer:"
    assert prompt("Q?", ()) == "Question: Q?\nAnswer:"


def attempt(query: str, way: Way | None, said: str, *gains: float, false: int = -1) -> Attempt:
    """Return a finished attempt."""
    hits = tuple(
        Hit(passage, 1.0, kept="x", tokens=1, whole=1, false=place == false)
        for place, (passage, _) in enumerate(zip(PASSAGES, gains, strict=False))
    )
    return Attempt(
        query, way, 3, hits if way else None, (1,), said.encode(), True, (1, 1), 50.0,
        tuple(50.0 - gain for gain in gains),
    )  # fmt: skip


def test_passages_are_cited_by_their_gains() -> None:
    done_ = attempt(PASSWORD, Way(), "bluebird", 10.0, 3.0, 30.0)
    assert [hit.passage for hit in done_.cited] == [PASSAGES[2]]
    assert [hit.passage for hit in attempt(PASSWORD, Way(), "x", 20.0, 3.9, 30.0).cited] == [
        PASSAGES[2],
        PASSAGES[0],
    ]
    assert attempt(PASSWORD, Way(), "x", 3.9, -5.0).cited == ()
    assert attempt(PASSWORD, None, "x").cited == ()


def reached(*past: Attempt, **more: Any) -> set[str]:
    state = msgspec.structs.replace(lab.start(), past=past, **more)
    return set(lab.LAB.reached(state))


def test_goals_are_reached_by_finished_attempts() -> None:
    right = attempt(PASSWORD, Way(), "It is bluebird.", 30.0, 2.0)
    assert reached() == set()
    assert reached(right) == {"cited"}
    assert reached(attempt(PASSWORD, Way(), "It is bluebird.", 2.0, 30.0)) == set()
    assert reached(attempt(PASSWORD, Way(), "No idea.", 2.0, 3.0)) == {"from-none"}
    assert reached(right, attempt(PASSWORD, None, "It is Luigi.")) == {"cited", "without"}
    assert reached(right, attempt(PASSWORD, None, "bluebird")) == {"cited"}
    poisoned = attempt(PASSWORD, Way(poison=FALSE), "sunflower", 30.0, 2.0, false=0)
    assert reached(poisoned) == set()
    assert reached(right, poisoned) == {"cited", "poisoned"}
    found = {PASSWORD: {"words": 1, "meaning": 0}}
    assert reached(ranks=found) == {"one-finds"}
    assert reached(ranks={PASSWORD: {"words": 1, "meaning": 4}}) == set()
    assert reached(ranks={PASSWORD: {"both": 1, "encoder": 0}}) == set()
    assert reached(ranks={PASSWORD: {"words": 0, "encoder": 1}}) == {"one-finds"}
    assert reached(ranks={"How many moons has Jupiter?": {"words": 1, "meaning": 0}}) == set()


def test_a_new_setting_asks_the_same_question_again() -> None:
    state = lab.start()
    assert state.attempt.way == Way()
    state = lab.act(state, Toggle("retrieval"))
    assert state.attempt.way is None
    state = lab.act(state, Choose(1, "way"))  # another way of searching switches retrieval on
    assert state.attempt.way == Way(kind="meaning")
    assert state.attempt.query == lab.start().attempt.query
    assert lab.act(state, Adjust(-9, "passages")).attempt.count == 1
    assert lab.act(state, Adjust(9, "passages")).attempt.count == rag_questions.SHOWN
    assert lab.act(state, EditText("  a   b ", "poison")).attempt.way == Way(
        kind="meaning", poison="a b"
    )
    assert len(lab.act(state, EditText("x" * 999)).attempt.query) == lab.LONGEST
    assert lab.act(state, Choose(1, "texts")) == state  # there is only one source


def test_examples_alternate_between_kinds() -> None:
    state = lab.start()
    asked = []
    for _ in range(5):
        state = lab.act(state, Choose(1, "example"))
        asked.append(state.attempt.query)
    assert asked[0] == asked[4] == PASSWORD
    assert len(set(asked)) == 4


def test_vectors_are_computed_first_unless_the_search_changes(tmp_path: Path) -> None:
    state = settled(lab.LAB, lab.start(), backend(tmp_path))
    state = lab.act(state, Choose(1, "way"))
    assert state.reading
    assert lab.question(state) == Read("course", 0)
    assert isinstance(lab.question(lab.act(state, Choose(-1, "way"))), Find)
    assert isinstance(lab.question(lab.act(state, Toggle("retrieval"))), Write)


def test_vectors_are_saved_and_a_damaged_file_is_replaced(tmp_path: Path) -> None:
    first = backend(tmp_path, moment=0.0)
    total = first.answer(Read("course", 0)).total
    for _ in range(total):
        first.answer(Read("course", 0))
    (file,) = (tmp_path / "data").rglob("*.safetensors")
    assert backend(tmp_path, moment=0.0).answer(Read("course", 0)).done == total
    file.write_bytes(b"no tensors")
    assert backend(tmp_path, moment=0.0).answer(Read("course", 0)).done == 1


def test_measuring_has_two_stages(tmp_path: Path) -> None:
    there = backend(tmp_path)
    state = settled(lab.LAB, lab.start(), there)
    state = settled(lab.LAB, lab.act(state, Run()), there)
    assert rag_quality.all_ranked(state.quality)
    assert "measured" in lab.LAB.reached(state)
    assert not state.quality.running
    found = rag_quality.figures(state.quality, "words")
    assert found is not None
    # the password and the logit are first; nothing in the passages says borrow or novel
    assert state.quality.ranks["words"] == (1, 0, 1, 0)
    assert found.recall == pytest.approx(2 / 3)
    assert (found.recall_words, found.recall_paraphrase) == (1.0, 0.0)
    assert found.mrr == pytest.approx(2 / 3)
    assert state.quality.right == ()
    state = settled(lab.LAB, lab.act(state, Run()), there)
    assert rag_quality.finished(state.quality)
    assert rag_quality.right(state.quality, with_passages=True)[1] == 1
    assert rag_quality.right(state.quality, with_passages=False)[1] == 1
    restarted = lab.act(state, Run())
    assert restarted.quality == rag_quality.State(running=True)


def test_measuring_stops_continues_and_goes_on_after_an_answer(tmp_path: Path) -> None:
    there = backend(tmp_path)
    state = lab.act(settled(lab.LAB, lab.start(), there), Run())
    assert lab.question(state) == Read("course", 0)
    assert lab.question(lab.act(state, Run())) is None
    asking = lab.act(state, Toggle("part"))
    assert lab.question(asking) == Read("course", 0)  # the question is answered already
    asking = lab.act(asking, EditText("What is a token?"))
    while (owed := rag_attempt.owed(asking.attempt)) is not None:
        assert lab.question(asking) == owed
        asking = lab.receive(asking, owed, there.answer(owed))
    assert asking.attempt.done
    assert lab.question(asking) == Read("course", 0)
    asking = lab.receive(asking, Read("course", 0), there.answer(Read("course", 0)))
    assert asking.read_so_far is None  # it was read for the measurement
    assert any(known.done for known in asking.vectors.values())
    assert lab.question(lab.act(lab.act(state, Toggle("part")), Toggle("part"))) == Read(
        "course", 0
    )


def test_a_folder_of_the_learners_texts(tmp_path: Path) -> None:
    folder = tmp_path / "notes"
    folder.mkdir()
    (folder / "wren.md").write_text("# Wrens\n\nA wren is a small brown bird.\n")
    (folder / "heron.md").write_text("# Herons\n\nA heron waits for fish.\n")
    (folder / "owl.md").write_text("# Owls\n\nAn owl hunts at night.\n")
    with store.opened_to_write("notes", folder) as index:
        list(update(index, folder))
    there = backend(tmp_path)
    state = done("rag", there, Choose(1, "texts"), EditText("What waits for fish?"))
    assert state.attempt.way == Way("notes")
    assert [hit.passage.source for hit in state.attempt.hits] == ["heron.md"]
    for kind in rag_questions.KINDS:
        way = Way("notes", kind, "A wren waits for fish.")
        hits = there.answer(Find("What waits for fish?", way, 3)).hits
        assert any(hit.false for hit in hits)
        assert any(hit.passage.source == "heron.md" for hit in hits)
    assert len(settled(lab.LAB, lab.act(state, Choose(1, "way")), there).attempt.hits) == 3
    store.remove("notes")
    with pytest.raises(RetrievalError, match="no index"):
        there.answer(Find("fish", Way("notes"), 3))


def test_an_installed_sentence_encoder_is_another_search() -> None:
    without = lab.receive(lab.start(), Look(), Sources((), encoder=False))
    assert lab.act(without, Choose(3, "way")).way.kind == "words"
    state = lab.receive(lab.start(), Look(), Sources((COURSE,), encoder=True))
    state = lab.act(state, Choose(3, "way"))
    assert state.attempt.way == Way(kind="encoder")
    assert lab.question(state) == Read("course", 0, "encoder")
    state = lab.receive(state, Read("course", 0, "encoder"), ReadSoFar(7, 7))
    assert isinstance(lab.question(state), Find)
    # each maker needs its own vectors
    assert lab.question(lab.act(state, Choose(-1, "way"))) == Read("course", 0, "meaning")
    state = lab.act(state, Run())
    assert lab.question(state) == Read("course", 0, "meaning")
    assert len(state.kinds) == len(rag_questions.KINDS) + 1
    assert state.quality.searched[1] == len(state.kinds) * len(pairs())


def test_a_missing_encoder_is_reported_with_the_way_to_install_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sentence_encoder, "weights_folder", lambda: None)
    rag_vectors._encoder.cache_clear()
    with pytest.raises(EncoderMissing, match="is not installed"):
        backend(tmp_path).answer(Read("course", 0, "encoder"))


@pytest.mark.skipif(not sentence_encoder.is_installed(), reason="needs the extra `sentences`")
def test_the_encoder_finds_a_paraphrase(tmp_path: Path) -> None:
    there = backend(tmp_path, replace(LIBRARY, has_encoder=lambda: True))
    state = done(
        "rag", there, Choose(3, "way"), EditText("How do I save memory by coarser weights?")
    )
    assert state.attempt.way.kind == "encoder"
    assert state.attempt.hits[0].passage.anchor == "quantization"
    poison = EditText("Memory is saved by weights that are coarser.", "poison")
    state = settled(lab.LAB, lab.act(state, poison), there)
    assert state.attempt.hits[0].false
    assert all(-1 <= hit.score <= 1 for hit in state.attempt.hits)
    state = settled(lab.LAB, lab.act(state, Run()), there)
    assert "measured" in lab.LAB.reached(state)
    found = rag_quality.figures(state.quality, "encoder")
    assert found is not None
    assert found.recall == 1.0
    kept = list((tmp_path / "data").rglob("*.safetensors"))
    assert len(kept) == 2  # one of the model's vectors, one of the encoder's
    again = backend(tmp_path).answer(Read("course", 0, "encoder"))
    assert again.done == again.total == len(PASSAGES)


def test_too_many_passages_can_only_be_searched_by_words(tmp_path: Path) -> None:
    folder = tmp_path / "notes"
    folder.mkdir()
    (folder / "wren.md").write_text("A wren.")
    with store.opened_to_write("notes", folder) as index:
        list(update(index, folder))
    there = backend(tmp_path, replace(LIBRARY, most_vectors=0))
    with pytest.raises(RetrievalError, match="semantic search"):
        there.answer(Read("notes", 0))
    assert there.answer(Find("wren", Way("notes"), 1)).hits


def test_an_answer_without_passages_if_none_is_found(tmp_path: Path) -> None:
    state = done("rag", backend(tmp_path), EditText("zzz"))
    assert state.attempt.hits == ()
    assert state.attempt.done
    assert state.attempt.cited == ()


def test_a_late_answer_does_not_change_the_attempt() -> None:
    attempt_ = Attempt("q", Way(), 3)
    assert rag_attempt.receive_attempt(attempt_, Score("", ()), Scored(None)) == attempt_
    found = rag_attempt.receive_attempt(attempt_, Find("q", Way(), 3), Found(()))
    written = rag_attempt.receive_attempt(
        found, Write("", ()), Written((1,), b"a", False, 3, 3, 0.1)
    )
    assert (written.said, written.ended, written.read) == ("a", False, (3, 3))
