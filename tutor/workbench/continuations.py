"""Writes continuations, token by token."""

from __future__ import annotations

import time
from collections.abc import Sequence

import torch
from torch import Tensor

from tutor.labs.continuations import BEAMS, Answer, Path, Question
from tutor.lm import chain, draw
from tutor.lm.beam import Beam, widen
from tutor.lm.chat import text_ids
from tutor.lm.dials import ORDER
from tutor.lm.sampling import ranked
from tutor.lm.session import Session
from tutor.workbench.bench import MOMENT, Tools


class ContinuationsBench:
    """Keeps a session for each continuation under way, by its tokens."""

    def __init__(self, tools: Tools) -> None:
        self._model = tools.model
        self._check_cancelled = tools.check_cancelled
        self._prompt: list[int] = []
        self._sessions: dict[tuple[int, ...], Session] = {}

    def answer(self, question: Question) -> Answer:
        """Raises `TextError` or `ContextFull` for a prompt that the model cannot read."""
        begun = time.perf_counter()
        prompt = text_ids(self._model, question.text)
        if prompt != self._prompt:
            self._prompt, self._sessions = prompt, {}
        if question.way.method == "beam":
            paths = self._widened(question.paths)
        else:
            paths = self._continued(question, begun)
        self._forget_all_but(paths)
        return Answer(paths, time.perf_counter() - begun)

    def _continued(self, question: Question, begun: float) -> tuple[Path, ...]:
        """One token more for the shortest continuations first, until the moment is over."""
        paths = list(question.paths)
        while open_ := [number for number, path in enumerate(paths) if not path.done]:
            number = min(open_, key=lambda each: len(paths[each].ids))
            paths[number] = self._longer(question, number, paths[number])
            if time.perf_counter() - begun >= MOMENT:
                break
            self._check_cancelled()
        return tuple(paths)

    def _longer(self, question: Question, number: int, path: Path) -> Path:
        """By one token. Its draw follows from the seed, which continuation it is, and the place."""
        logits = self._logits(path.ids)
        position = len(self._prompt) + len(path.ids)
        seen = {*self._prompt, *path.ids}
        left = chain.left(logits, question.way.dials, ORDER, seen)
        if question.way.method == "greedy":
            id_ = int(ranked(left, 1))
        else:
            shares = chain.probabilities(left).numpy()
            id_ = draw.first(shares, question.seed * 1000 + number, position)
        gained = float(torch.log_softmax(logits.double(), dim=-1)[id_])
        return self._path((*path.ids, id_), path.log_probability + gained)

    def _widened(self, paths: Sequence[Path]) -> tuple[Path, ...]:
        beams = [Beam(path.ids, path.log_probability, path.ended) for path in dict.fromkeys(paths)]
        empty = torch.empty(0)
        logits = [empty if beam.ended else self._logits(beam.ids) for beam in beams]
        found = widen(beams, logits, BEAMS, self._model.tokenizer.end_ids)
        return tuple(self._path(beam.ids, beam.log_probability) for beam in found)

    def _path(self, ids: tuple[int, ...], log_probability: float) -> Path:
        pieces = tuple(token.data for token in self._model.tokenizer.tokens(ids))
        ended = ids[-1] in self._model.tokenizer.end_ids
        return Path(ids, pieces, log_probability, ended)

    def _logits(self, ids: tuple[int, ...]) -> Tensor:
        """[V], after the prompt and these tokens."""
        session = self._sessions.get(ids)
        if session is None:
            session = self._grown(ids)
            self._sessions[ids] = session
        return session.logits(len(session)).float()

    def _grown(self, ids: tuple[int, ...]) -> Session:
        """A session on this path, from that of the path without its last token where there is
        one."""
        parent = self._sessions.get(ids[:-1]) if ids else None
        if parent is None:
            path = [*self._prompt, *ids]
            return Session(self._model, path, check_cancelled=self._check_cancelled)
        session = parent.fork(len(parent))
        session.append(ids[-1:])
        return session

    def _forget_all_but(self, paths: Sequence[Path]) -> None:
        wanted = {path.ids for path in paths} | {path.ids[:-1] for path in paths} | {()}
        self._sessions = {ids: it for ids, it in self._sessions.items() if ids in wanted}


def make_bench(tools: Tools) -> ContinuationsBench:
    return ContinuationsBench(tools)
