"""Run the network on two texts, and copy activations from one run into the other."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import torch
from msgspec.structs import replace
from torch import Tensor

from tutor.errors import LabError
from tutor.labs.kit.model_backend import advanced, log_probabilities, longer
from tutor.labs.kit.progress import Progress
from tutor.labs.kit.sentence_ids import short_ids
from tutor.labs.patch import lab
from tutor.labs.patch.lab import (
    LENGTH,
    Answer,
    Compare,
    Compute,
    Continuations,
    Extend,
    Pair,
    Patch,
    Question,
    Runs,
)
from tutor.labs.patch.limits import is_possible
from tutor.labs.patch.pairs import NEUTRAL
from tutor.lm.chat import text_ids
from tutor.lm.inspect.patching import Activations, PatchedRuns, Recording, outcomes
from tutor.lm.patch import Column

if TYPE_CHECKING:
    from tutor.labs.kit.backend import Tools
    from tutor.labs.kit.reply import Reply
    from tutor.lm.network import KeyValueCache


class _Continuation:
    """A continuation that grows by one token at a time.

    `logits` [V] are the logits of the next token.
    """

    def __init__(self, ids: tuple[int, ...], cache: KeyValueCache, logits: Tensor) -> None:
        self.ids, self.cache, self.logits = ids, cache, logits


class PatchBackend:
    """The lab's backend. It caches the runs on the latest pair of texts, and unfinished work."""

    def __init__(self, tools: Tools) -> None:
        self._model = tools.model
        self._check_cancelled = tools.check_cancelled
        self._moment = tools.moment
        self._neutral: Recording | None = None
        self._forget(("", ""))

    def _forget(self, texts: tuple[str, str]) -> None:
        """Drop all results for earlier texts, and use `texts` from now on."""
        self._texts = texts
        self._tokenized: tuple[list[int], list[int]] | None = None
        self._recording: Recording | None = None
        self._logits: Tensor | None = None
        self._answers = (0, 0)
        self._asked: tuple[Column, ...] | Patch | None = None
        self._runs: PatchedRuns | None = None
        self._replacements: dict[str, Activations] = {}
        self._grown: dict[Patch | None, _Continuation] = {}

    def answer(self, question: Question) -> Answer:
        """Return the requested results, or the progress if the passes are unfinished.

        Raises `TextError` if a text is invalid, and `LabError` if the request is invalid.
        """
        texts = (question.text, question.other)
        if texts != self._texts:
            self._forget(texts)
        if isinstance(question, Compare):
            return self._compared()
        vocabulary = self._model.network.config.vocabulary_size
        if not is_possible(question, self._pair(), vocabulary):
            raise LabError(
                "This patch is not possible with these texts.", "Choose a patch on the map."
            )
        if (progress := self._recorded()) is not None:
            return progress
        columns = question.columns if isinstance(question, Compute) else (question.patch.column,)
        if columns[0].source == "mean" and (progress := self._neutral_progress()) is not None:
            return progress
        if isinstance(question, Extend):
            return self._extended(question)
        runs = self._patched(columns, None)
        if runs.finished:
            return lab.Cells(runs.results)
        runs.advance(self._moment)
        return lab.Cells(runs.results) if runs.finished else Progress(runs.done, runs.blocks)

    def _ids(self) -> tuple[list[int], list[int]]:
        if self._tokenized is None:
            a, b = (short_ids(self._model, text) for text in self._texts)
            self._tokenized = a, b
        return self._tokenized

    def _pair(self) -> Pair:
        """Return the tokens of both texts, without the predictions."""
        a, b = self._ids()
        config, tokens = self._model.network.config, self._model.tokenizer.tokens
        return Pair(tokens(a), tokens(b), config.layers, config.heads)

    def _compared(self) -> Pair | Progress:
        pair = self._pair()
        if lab.problem(pair) is not None:
            return pair
        if (progress := self._recorded()) is not None:
            return progress
        token = self._model.tokenizer.token
        assert self._logits is not None
        first, second = outcomes(self._logits, *self._answers)
        answers = (token(self._answers[0]), token(self._answers[1]))
        return replace(pair, runs=Runs(answers, first, second))

    @property
    def _base(self) -> Recording:
        """The runs on both texts. `_recorded` must have been called before."""
        assert self._recording is not None
        return self._recording

    def _recorded(self) -> Progress | None:
        """Continue the runs on both texts. Return the progress, or None if they are finished."""
        if self._recording is None:
            self._recording = Recording(self._model.network, self._ids())
        progress = advanced([self._recording], self._moment)
        if progress is None and self._logits is None:
            self._logits = torch.stack([self._recording.logits(text) for text in (0, 1)])
            a, b = self._logits.argmax(dim=-1).tolist()
            self._answers = (a, b)
        return progress

    def _neutral_progress(self) -> Progress | None:
        """Continue the run on the neutral sentences. Return the progress, or None when done."""
        if self._neutral is None:
            texts = [text_ids(self._model, text) for text in NEUTRAL]
            shortest = min(map(len, texts))
            self._neutral = Recording(self._model.network, [ids[:shortest] for ids in texts])
        return advanced([self._neutral], self._moment)

    def _replacement(self, source: str) -> Activations:
        """Return the activations that replace those of A in a patch from `source`."""
        if source not in self._replacements:
            base, neutral = self._base, self._neutral
            if source == "mean":
                assert neutral is not None
                found = neutral.mean(base.tokens)
            else:
                found = base.activations(1)
                found = found.zeros() if source == "zero" else found
            self._replacements[source] = found
        return self._replacements[source]

    def _patched(self, columns: tuple[Column, ...], layer: int | None) -> PatchedRuns:
        """Return the runs with patches in `columns`, at one layer or, if it is None, at each layer.

        The latest runs are reused if they have the same patches. Otherwise, new runs are created
        but not started.
        """
        asked = columns if layer is None else Patch(columns[0], layer)
        if self._runs is None or self._asked != asked:
            replacement = self._replacement(columns[0].source)
            self._asked = asked
            self._runs = PatchedRuns(self._base, replacement, columns, self._answers, layer)
        return self._runs

    def _extended(self, question: Extend) -> Continuations | Progress:
        """Extend the continuations for one time slice, by at least one token.

        Returns the progress instead while the patched run on text A is unfinished.
        """
        until = time.perf_counter() + self._moment
        plain, patched = question.plain, question.patched
        patch = question.patch
        if patch not in self._grown:
            runs = self._patched((patch.column,), patch.layer)
            if not runs.finished:
                runs.advance(self._moment)
                if not runs.finished:
                    done = runs.done - patch.layer
                    return Progress(max(1, done), runs.blocks - patch.layer)
            self._grown = {key: it for key, it in self._grown.items() if key is None}
            self._grown[patch] = self._begun(patch)
        while not (plain.done and patched.done):
            self._check_cancelled()
            if not patched.done and (plain.done or len(patched.ids) <= len(plain.ids)):
                patched = self._longer(patch, patched)
            else:
                plain = self._longer(None, plain)
            if time.perf_counter() >= until:
                break
        return Continuations(plain, patched)

    def _longer(self, patch: Patch | None, reply: Reply) -> Reply:
        """Return a continuation, extended by the most probable next token."""
        grown = self._grown.get(patch)
        if grown is None or reply.ids[: len(grown.ids)] != grown.ids:
            grown = self._begun(patch)
        for id_ in reply.ids[len(grown.ids) :]:
            grown.logits = self._next(grown.cache, id_)
        grown.ids = reply.ids
        self._grown[patch] = grown
        logs = log_probabilities(grown.logits)
        best = int(logs.argmax())
        new = longer(self._model, reply, best, float(logs[best]))
        # A line break doesn't end the continuation.
        return replace(new, ended=best in self._model.tokenizer.end_ids)

    def _begun(self, patch: Patch | None) -> _Continuation:
        """Return a new continuation, which has no tokens yet."""
        if patch is None:
            assert self._logits is not None
            return _Continuation((), self._base.cache(LENGTH), self._logits[0])
        runs = self._patched((patch.column,), patch.layer)
        runs.advance(float("inf"))
        return _Continuation((), runs.cache(LENGTH), runs.logits()[0])

    @torch.inference_mode()
    def _next(self, cache: KeyValueCache, id_: int) -> Tensor:
        """Process the token `id_`, and return the logits [V] of the next token."""
        final = self._model.network(torch.tensor([id_]), cache)
        return self._model.network.logits(final[-1:])[0].float().cpu()


make_backend = PatchBackend
