"""A course of few passages and a set of few questions, for the lab of retrieval: what is tested of
it does not change with every lesson."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tutor import paths
from tutor.labs.rag import backend as rag_backend
from tutor.labs.rag import lab as rag
from tutor.labs.rag import texts as rag_texts
from tutor.retrieval import pairs as pairs_module
from tutor.retrieval.passage import Passage

PASSAGES = tuple(
    Passage(file, anchor, 1, heading, text)
    for file, anchor, heading, text in (
        (
            "12-retrieval.md",
            "words",
            "Finding by words",
            "The guest network has the password bluebird. The library of Velm opens at ten, and "
            "closes at six.",
        ),
        ("12-retrieval.md", "chunks", "Cutting up", "A handbook is cut into passages.\n\nA table"),
        ("glossary.md", "quantization", "Quantization", "Storing parameters with fewer bits."),
        ("glossary.md", "logit", "Logit", "The raw score that the network gives a token."),
        ("05-attention.md", "sink", "A place to look", "The first token gets what is left over."),
        ("03-tokens.md", "bytes", "Nothing is unknown", "Underneath the characters are bytes."),
        ("07-sampling.md", "seeds", "The same again", "The same seed gives the same draws, as in a "
         "guest book that is read aloud twice."),
    )
)  # fmt: skip

PAIRS = """\
- {kind: words, ask: "What is the password of the guest network?", right: [12-retrieval.md#words],
   answer: [bluebird]}
- {kind: paraphrase, ask: "When can I borrow a novel?", right: [12-retrieval.md#words]}
- {kind: words, ask: "What is a logit?", right: [glossary.md#logit]}
- {kind: absent, ask: "How many moons has Jupiter?"}
"""


@pytest.fixture
def small_course(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    file = tmp_path / "pairs.yaml"
    file.write_text(PAIRS)
    monkeypatch.setenv("TUTOR_DATA", str(tmp_path / "data"))
    monkeypatch.setattr(paths, "retrieval_pairs", lambda: file)
    monkeypatch.setattr(rag_texts, "_course_passages", lambda: PASSAGES)
    monkeypatch.setattr(rag_texts, "quiz_questions", lambda: ("What is it?", "Why is that so?"))
    monkeypatch.setattr(rag_backend, "quiz_questions", rag_texts.quiz_questions)
    monkeypatch.setattr(rag_backend, "is_installed", lambda: False)
    forget()
    yield
    forget()


def forget() -> None:
    for cached in (pairs_module.pairs, pairs_module.pair_of, rag.examples):
        cached.cache_clear()
