"""Generate continuations of a prompt, token by token."""

from __future__ import annotations

import time
from collections.abc import Sequence

import torch

from tutor.labs.continuations.beam import Beam, widen
from tutor.labs.continuations.lab import BEAMS, Answer, Path, Question
from tutor.labs.kit.backend import Tools
from tutor.labs.kit.model_backend import Growing, ModelBackend, log_probabilities
from tutor.lm import chain, draw
from tutor.lm.chat import text_ids
from tutor.lm.dials import ORDER
from tutor.lm.sampling import ranked


class ContinuationsBackend(ModelBackend):
    """The lab's backend. It caches the model's sessions for the unfinished continuations."""

    def __init__(self, tools: Tools) -> None:
        super().__init__(tools)
        self._growing = Growing(tools)

    def answer(self, question: Question) -> Answer:
        """Extend the continuations for one time slice, and return them.

        Raises `TextError` or `ContextFull` if the model cannot process the prompt.
        """
        begun = time.perf_counter()
        self._growing.begin(text_ids(self._model, question.text))
        if question.way.method == "beam":
            paths = self._widened(question.paths)
        else:
            paths = self._continued(question, begun)
        self._growing.forget_all_but(path.ids for path in paths)
        return Answer(paths, time.perf_counter() - begun)

    def _continued(self, question: Question, begun: float) -> tuple[Path, ...]:
        """Add tokens, always to the shortest continuation, until the time slice is over."""
        paths = list(question.paths)
        while open_ := [number for number, path in enumerate(paths) if not path.done]:
            number = min(open_, key=lambda each: len(paths[each].ids))
            paths[number] = self._longer(question, number, paths[number])
            if time.perf_counter() - begun >= self._moment:
                break
            self._check_cancelled()
        return tuple(paths)

    def _longer(self, question: Question, number: int, path: Path) -> Path:
        """Return the continuation with one more token.

        Sampling depends only on the seed, the number of the continuation, and the token's position.
        """
        logits = self._growing.logits(path.ids)
        position = len(self._growing.prompt) + len(path.ids)
        seen = {*self._growing.prompt, *path.ids}
        left = chain.apply(logits, question.way.dials, ORDER, seen)
        if question.way.method == "greedy":
            id_ = int(ranked(left, 1))
        else:
            shares = chain.probabilities(left).numpy()
            id_ = draw.first(shares, question.seed * 1000 + number, position)
        gained = float(log_probabilities(logits)[id_])
        return self._path((*path.ids, id_), path.log_probability + gained, path.most)

    def _widened(self, paths: Sequence[Path]) -> tuple[Path, ...]:
        beams = [Beam(path.ids, path.log_probability, path.ended) for path in dict.fromkeys(paths)]
        empty = torch.empty(0)
        logits = [empty if beam.ended else self._growing.logits(beam.ids) for beam in beams]
        found = widen(beams, logits, BEAMS, self._model.tokenizer.end_ids)
        return tuple(self._path(beam.ids, beam.log_probability, paths[0].most) for beam in found)

    def _path(self, ids: tuple[int, ...], log_probability: float, most: int) -> Path:
        pieces = tuple(token.data for token in self._model.tokenizer.tokens(ids))
        ended = ids[-1] in self._model.tokenizer.end_ids
        return Path(ids, pieces, log_probability, ended, most)


def make_backend(tools: Tools) -> ContinuationsBackend:
    return ContinuationsBackend(tools)
