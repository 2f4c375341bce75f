"""Provides a small course and a small set of questions, so that tests don't depend on lessons."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.labs.lab_backend import tools
from tutor import paths
from tutor.labs.kit.backend import MOMENT, Backend, Tools
from tutor.labs.rag import lab as rag
from tutor.labs.rag.backend import LIMITS, Limits, RagBackend
from tutor.labs.rag.texts import Library
from tutor.retrieval import pairs as pairs_module
from tutor.retrieval.passage import Passage

PASSAGES = tuple(
    Passage(file, anchor, 1, heading, text)
    for file, anchor, heading, text in (
        (
            "13-retrieval.md",
            "words",
            "Keyword search",
            "The guest network has the password bluebird. The library of Velm opens at ten, and "
            "closes at six.",
        ),
        ("13-retrieval.md", "chunks", "Cutting up", "A handbook is cut into passages.\n\nA table"),
        ("glossary.md", "quantization", "Quantization", "Storing parameters with fewer bits."),
        ("glossary.md", "logit", "Logit", "The raw score that the network gives a token."),
        ("05-attention.md", "sink", "A place to look", "The first token gets what is left over."),
        ("03-tokens.md", "bytes", "Nothing is unknown", "Underneath the characters are bytes."),
        ("08-sampling.md", "seeds", "The same again", "The same seed gives the same draws, as in a "
         "guest book that is read aloud twice."),
    )
)  # fmt: skip

PAIRS = """\
- {kind: words, ask: "What is the password of the guest network?", right: [13-retrieval.md#words],
   answer: [bluebird]}
- {kind: paraphrase, ask: "When can I borrow a novel?", right: [13-retrieval.md#words]}
- {kind: words, ask: "What is a logit?", right: [glossary.md#logit]}
- {kind: absent, ask: "How many moons has Jupiter?"}
"""


LIBRARY = Library(
    course=lambda: PASSAGES,
    questions=lambda: ("What is it?", "Why is that so?"),
    has_encoder=lambda: False,
)
SHORT = Limits(length=10)


def backend(
    folder: Path,
    library: Library = LIBRARY,
    limits: Limits = LIMITS,
    *,
    moment: float = MOMENT,
) -> Backend:
    """Return a backend on the small model and the few passages."""
    return RagBackend(tools(folder, moment=moment), library, limits)


def making(library: Library = LIBRARY, limits: Limits = SHORT) -> Callable[[str, Tools], Backend]:
    """Return a function that makes backends on the few passages, with short answers."""
    return lambda name, tools: RagBackend(tools, library, limits)


@pytest.fixture
def small_course(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    file = tmp_path / "pairs.yaml"
    file.write_text(PAIRS)
    monkeypatch.setenv("TUTOR_DATA", str(tmp_path / "data"))
    monkeypatch.setattr(paths, "retrieval_pairs", lambda: file)
    forget()
    yield
    forget()


def forget() -> None:
    for cached in (pairs_module.pairs, pairs_module.pair_of, rag.examples):
        cached.cache_clear()
