"""Train word vectors in short time slices."""

from __future__ import annotations

import time
from contextlib import suppress
from functools import lru_cache

import torch

from tutor import paths
from tutor.labs.kit.backend import Tools
from tutor.labs.word2vec.lab import Answer, Question
from tutor.labs.word2vec.run import TrainingRun
from tutor.lm.embeddings.neighbors import nearest, scaled, similarities
from tutor.lm.embeddings.word2vec import Settings, Text, read_text
from tutor.lm.embeddings.word_map import best_plane
from tutor.lm.fast.kernels import one_thread

KEPT_EVERY = 2.0
"""The minimum time between checkpoints, in seconds. A restarted engine continues from the last
checkpoint."""
NEAREST = 8


class Word2VecBackend:
    """The lab's backend.

    It trains one run at a time, and saves a checkpoint about every `kept_every` seconds.
    """

    def __init__(self, tools: Tools, kept_every: float = KEPT_EVERY) -> None:
        self._check_cancelled = tools.check_cancelled
        self._moment = tools.moment
        self._kept_every = kept_every
        self._file = tools.folder / "word2vec.safetensors"
        self._run: TrainingRun | None = None
        self._kept = time.monotonic()

    def answer(self, question: Question) -> Answer:
        """Return the progress of a run, and its map.

        If `question.train` is True, the run is first trained for one time slice.
        """
        run = self._run_of(question)
        began, started = run.done, time.perf_counter()
        loss = self._train(run) if question.train else None
        seconds = time.perf_counter() - started
        self._keep(run)
        return _answer(run, question, began, loss, seconds)

    def _run_of(self, question: Question) -> TrainingRun:
        """Return the requested run: the one in memory, the one in the checkpoint, or a new one."""
        settings = Settings(seed=question.seed, window=question.window)
        run = self._run
        if run is None or run.settings != settings or (question.done == 0 and run.done > 0):
            self._run = run = TrainingRun(_text(), settings)
        if run.done < question.done:
            run.resume(self._file)
        return run

    def _train(self, run: TrainingRun) -> float | None:
        """Train for one time slice, but at least on one batch. Return the mean loss.

        If the request is canceled, the batches trained so far are kept.
        """
        total, pairs = 0.0, 0
        until = time.perf_counter() + self._moment
        with one_thread():
            while not run.finished:
                self._check_cancelled()
                loss, count = run.step()
                total, pairs = total + loss * count, pairs + count
                if time.perf_counter() >= until:
                    break
        return total / pairs if pairs else None

    def _keep(self, run: TrainingRun) -> None:
        if run.done and (run.finished or time.monotonic() > self._kept + self._kept_every):
            self._kept = time.monotonic()
            with suppress(OSError):  # If the disk is full, training continues without checkpoints.
                run.save(self._file)


@lru_cache(maxsize=1)
def _text() -> Text:
    return read_text(paths.word2vec_text().read_text(encoding="utf-8"), Settings())


@torch.inference_mode()
def _answer(
    run: TrainingRun, question: Question, began: int, loss: float | None, seconds: float
) -> Answer:
    place = {word: id_ for id_, word in enumerate(run.text.words)}
    known = [place[word] for word in question.words if word in place]
    rows = run.vectors.center[known]
    plane = best_plane(scaled(rows)) if len(known) > 1 else None
    return Answer(
        began=began,
        done=run.done,
        total=max(run.total, run.done),
        epoch=min(run.epoch + 1, run.settings.epochs),
        epochs=run.settings.epochs,
        finished=run.finished,
        loss=loss,
        seconds=seconds,
        known=tuple(word in place for word in question.words),
        points=tuple((x, y) for x, y in plane.points.tolist())
        if plane
        else ((0.0, 0.0),) * len(known),
        shares=plane.shares if plane else (0.0, 0.0),
        cosines=tuple(map(tuple, similarities(rows).tolist())),
        nearest=_nearest(run, place.get(question.focus)),
        vocabulary=len(run.text.words),
    )


def _nearest(run: TrainingRun, id_: int | None) -> tuple[tuple[str, float], ...]:
    if id_ is None:
        return ()
    vectors = scaled(run.vectors.center)
    found = nearest(vectors @ vectors[id_], NEAREST, [id_])
    return tuple((run.text.words[other.id], other.cosine) for other in found)


make_backend = Word2VecBackend
