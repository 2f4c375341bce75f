"""Runs the network with parts of it switched off."""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import AbstractContextManager
from functools import lru_cache

import torch
from torch import Tensor

from tutor.labs.surgery import (
    FEED_FORWARD,
    MOST_TOKENS,
    REPEATED,
    SEED,
    Answer,
    Copied,
    Copy,
    Cut,
    Distributions,
    HeadScores,
    Lens,
    Lenses,
    LensLine,
    Next,
    NextRow,
    Question,
    Scores,
)
from tutor.lm import heads, surgery
from tutor.lm.network import Trace
from tutor.workbench.bench import Tools
from tutor.workbench.sentence import tokens_of

SHOWN = 6
"""Most probable tokens of each distribution."""

LENS_ROWS = 14
"""Layers that the lens looks at, evenly spaced: each costs a product with the vocabulary."""


class SurgeryBench:
    """Keeps what the whole network says of the last text."""

    def __init__(self, tools: Tools) -> None:
        self._model = tools.model
        self._before = lru_cache(maxsize=1)(self._next)
        self._lens_before = lru_cache(maxsize=1)(self._lens)
        self._copied_before = lru_cache(maxsize=1)(self._bits)

    def answer(self, question: Question) -> Answer:
        """Raises `TextError`."""
        with torch.inference_mode():
            match question:
                case Next(text, cuts):
                    return self._distributions(text, cuts)
                case Lens(text, cuts):
                    return self._lenses(text, cuts)
                case Scores():
                    return self._scores()
                case Copy(cuts):
                    return self._copied(cuts)

    def _without(self, cuts: Sequence[Cut]) -> AbstractContextManager[None]:
        return surgery.switched_off(
            self._model.network,
            [(cut.layer, cut.head) for cut in cuts if cut.head != FEED_FORWARD],
            [cut.layer for cut in cuts if cut.head == FEED_FORWARD],
        )

    # --- the next token -------------------------------------------------------------------------

    def _next(self, text: str, cuts: tuple[Cut, ...]) -> Tensor:
        """log p of every token that could come next [vocabulary]."""
        ids, _ = tokens_of(self._model, text, MOST_TOKENS)
        network = self._model.network
        with self._without(cuts):
            final = network(torch.tensor(ids))[-1:]
        return network.logits(final)[0].cpu().log_softmax(dim=-1)

    def _distributions(self, text: str, cuts: tuple[Cut, ...]) -> Distributions:
        ids, left_out = tokens_of(self._model, text, MOST_TOKENS)
        before = self._before(text, ())
        after = self._next(text, cuts) if cuts else before
        best = dict.fromkeys([*_best(before), *_best(after)])
        rows = [
            NextRow(
                self._model.tokenizer.token(id_), float(before[id_].exp()), float(after[id_].exp())
            )
            for id_ in best
        ]
        config = self._model.network.config
        return Distributions(
            layers=config.layers,
            heads=config.heads,
            tokens=self._model.tokenizer.tokens(ids),
            left_out=left_out,
            rows=tuple(sorted(rows, key=lambda row: -row.before)),
            divergence=float((before.exp() * (before - after)).sum() / math.log(2)),
        )

    # --- the lens -------------------------------------------------------------------------------

    def _lens(self, text: str, cuts: tuple[Cut, ...]) -> Tensor:
        """The probabilities that some of the layers would give [rows, vocabulary]."""
        ids, _ = tokens_of(self._model, text, MOST_TOKENS)
        network, trace = self._model.network, Trace()
        with self._without(cuts):
            network(torch.tensor(ids), None, trace)
        stream = torch.stack([trace.residuals[layer][-1] for layer in self._lens_layers()])
        return network.lens(stream).cpu().softmax(dim=-1)

    def _lens_layers(self) -> list[int]:
        layers = self._model.network.config.layers
        count = min(LENS_ROWS, layers + 1)
        return [round(row * layers / (count - 1)) for row in range(count)]

    def _lenses(self, text: str, cuts: tuple[Cut, ...]) -> Lenses:
        before = self._lens_before(text, ())
        after = self._lens(text, cuts) if cuts else before
        target = int(before[-1].argmax())
        token = self._model.tokenizer.token
        rows = [
            LensLine(
                layer,
                token(int(old.argmax())),
                float(old[target]),
                token(int(new.argmax())),
                float(new[target]),
            )
            for layer, old, new in zip(self._lens_layers(), before, after, strict=True)
        ]
        return Lenses(token(target), tuple(rows))

    # --- copying --------------------------------------------------------------------------------

    def _repeated(self) -> list[int]:
        special = set(self._model.tokenizer.special_ids.values())
        size = min(
            self._model.network.config.vocabulary_size, self._model.tokenizer.vocabulary_size
        )
        ordinary = [id_ for id_ in range(size) if id_ not in special]
        return surgery.twice(ordinary, REPEATED, SEED)

    def _scores(self) -> HeadScores:
        ids = self._repeated()
        found = heads.scores(heads.attention(self._model.network, ids), heads.after_same(ids))
        assert found is not None
        return HeadScores(tuple(found.flatten().tolist()), found.shape[1])

    def _bits(self, cuts: tuple[Cut, ...], first: int) -> Tensor:
        with self._without(cuts):
            return surgery.bits_of_next(self._model.network, self._repeated(), first)

    def _copied(self, cuts: tuple[Cut, ...]) -> Copied:
        # the first token of the second half is as new as those of the first: nothing tells of it
        again = REPEATED + 1
        whole = self._copied_before((), 1)
        before = whole[again - 1 :]
        after = self._bits(cuts, again) if cuts else before
        new = whole[: REPEATED - 1]
        return Copied(float(new.mean()), float(before.mean()), float(after.mean()))


def _best(log_probabilities: Tensor) -> list[int]:
    best: list[int] = log_probabilities.topk(min(SHOWN, len(log_probabilities))).indices.tolist()
    return best


def make_bench(tools: Tools) -> SurgeryBench:
    return SurgeryBench(tools)
