"""Compute passage vectors (embeddings) in small batches, and cache them on disk."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import cached_property, lru_cache
from hashlib import blake2b
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from tutor import paths, private
from tutor.errors import NoHome
from tutor.labs.rag import sentence_encoder
from tutor.labs.rag.passage_vectors import Placing, Reader, placings
from tutor.labs.rag.questions import ReadSoFar
from tutor.labs.rag.sentence_encoder import SentenceEncoder
from tutor.lm.language_model import LanguageModel
from tutor.lm.training.checkpoint import save_atomically
from tutor.retrieval.passage import Found, Passage

SAVED_EVERY = 64
"""The cache file is saved each time this many new vectors have been computed."""

_VERSION = "1"
"""The version of the computation. Vectors computed by a different version are not used."""


class Vectors:
    """The passage vectors, which are compared with the vector of a question.

    `vector_of` computes the vector of a text. `placings` returns functions that center and scale
    vectors, given the vectors of the passages and of example `questions`. `origin` lists what the
    vectors depend on in addition to the texts.
    """

    def __init__(
        self,
        vector_of: Callable[[str], Tensor],
        placings: Callable[[Tensor, Tensor], tuple[Placing, Placing]],
        origin: Sequence[str],
        passages: Sequence[Passage],
        questions: Sequence[str],
        check_cancelled: Callable[[], None],
    ) -> None:
        self._passages = passages
        self._texts = [*map(_text, passages), *questions]
        self._placings = placings
        self._check_cancelled = check_cancelled
        self._file = _file_for([*origin, *self._texts])
        self._vectors = _kept(self._file)
        self._vector_of = lru_cache(maxsize=512)(vector_of)

    def read_on(self, until: float) -> ReadSoFar:
        """Compute at least one vector, and more until the time `until` (see `time.monotonic`)."""
        total = len(self._texts)
        began, before = time.monotonic(), len(self._vectors)
        while len(self._vectors) < total:
            self._vectors.append(self._vector_of(self._texts[len(self._vectors)]))
            if len(self._vectors) in (total, *range(0, total, SAVED_EVERY)):
                self._keep()
            self._check_cancelled()
            if time.monotonic() >= until:
                break
        made = max(1, len(self._vectors) - before)
        return ReadSoFar(len(self._vectors), total, (time.monotonic() - began) / made)

    @cached_property
    def _space(self) -> tuple[Tensor, Placing, Placing]:
        """The passage vectors, and functions that center and scale a passage or a question.

        The passage vectors are centered and scaled, too. Missing vectors are computed first.
        """
        while self.read_on(time.monotonic()).done < len(self._texts):
            pass
        vectors, count = torch.stack(self._vectors), len(self._passages)
        place_passage, place_question = self._placings(vectors[:count], vectors[count:])
        return place_passage(vectors[:count]), place_passage, place_question

    def nearest(self, query: str, limit: int, false: Passage | None = None) -> list[Found]:
        """Return the passages whose vectors have the highest cosine similarity to the question's.

        The scores are these cosines. `false` is a passage that is added for this search only.
        """
        vectors, place_passage, place_question = self._space
        question = place_question(self._vector_of(query))
        scores, numbers = (vectors @ question).sort(descending=True)
        pairs = zip(numbers[:limit].tolist(), scores[:limit].tolist(), strict=True)
        found = [Found(self._passages[number], score) for number, score in pairs]
        if false is not None:
            vector = place_passage(self._vector_of(_text(false)))
            found.append(Found(false, float(vector @ question)))
            found.sort(key=lambda each: -each.score)
        return found[:limit]

    def _keep(self) -> None:
        """Save the vectors to the cache file.

        If that fails, the vectors are computed again the next time the engine starts.
        """
        if self._file is not None:
            with suppress(OSError, SafetensorError):
                private.make_folder(self._file.parent)
                save_atomically({"vectors": torch.stack(self._vectors)}, self._file, {})


def of_model(
    model: LanguageModel,
    passages: Sequence[Passage],
    questions: Sequence[str],
    check_cancelled: Callable[[], None],
) -> Vectors:
    """Return the passage vectors, computed by the local model."""
    return Vectors(
        Reader(model.network, model.tokenizer, map(_text, passages)).vector,
        placings,
        [model.card.sha256, model.card.kernel],
        passages,
        questions,
        check_cancelled,
    )


def of_encoder(passages: Sequence[Passage], check_cancelled: Callable[[], None]) -> Vectors:
    """Return the passage vectors, computed by the sentence encoder.

    Raises `EncoderMissing` or `ModelDamaged` if the encoder cannot be loaded.
    """
    return Vectors(
        _encoder().vector,
        lambda *_: (_as_it_is, _as_it_is),
        [sentence_encoder.WEIGHTS],
        passages,
        (),
        check_cancelled,
    )


@lru_cache(maxsize=1)
def _encoder() -> SentenceEncoder:
    return SentenceEncoder(sentence_encoder.weights_folder())


def _as_it_is(vectors: Tensor) -> Tensor:
    return vectors


def _text(passage: Passage) -> str:
    return f"{passage.heading}: {passage.text}"


def _file_for(parts: Sequence[str]) -> Path | None:
    """Return the path of the cache file, or None if the account has no home folder.

    The file name is a digest of everything that the vectors depend on, so a file never becomes
    outdated.
    """
    digest = blake2b(_VERSION.encode(), digest_size=16)
    for part in parts:
        data = part.encode("utf-8", "replace")
        digest.update(len(data).to_bytes(8, "little"))
        digest.update(data)
    try:
        return paths.vectors_folder() / f"{digest.hexdigest()}.safetensors"
    except NoHome:
        return None


def _kept(file: Path | None) -> list[Tensor]:
    """Return the vectors in the file, or an empty list if the file cannot be read."""
    if file is None:
        return []
    try:
        return list(load_file(file)["vectors"].unbind())
    except (OSError, SafetensorError, KeyError):
        return []
