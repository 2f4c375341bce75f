"""Run the network with some of its parts switched off."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from functools import partial

import torch
from torch import Tensor

from tutor.labs.kit.backend import Tools
from tutor.labs.kit.model_backend import advanced, next_rows
from tutor.labs.kit.sentence_ids import tokens_of
from tutor.labs.surgery import lab
from tutor.labs.surgery.lab import FEED_FORWARD, MOST_TOKENS, REPEATED, SEED, Answer, Cut, Question
from tutor.lm.divergence import divergence
from tutor.lm.inspect import heads
from tutor.lm.inspect import interventions as surgery
from tutor.lm.inspect.forward_pass import ForwardPass

LENS_ROWS = 14
"""The maximum number of layers for which the logit lens is computed. The layers are evenly spaced.
Each of them requires a multiplication by the output matrix."""


class SurgeryBackend:
    """The lab's backend. It caches forward passes with all parts on, and with some parts off."""

    def __init__(self, tools: Tools) -> None:
        self._model = tools.model
        self._moment = tools.moment
        self._kept: dict[tuple[str | None, tuple[Cut, ...]], ForwardPass] = {}

    def answer(self, question: Question) -> Answer:
        """Return the requested results, or the progress if the forward passes are unfinished.

        Raises `TextError` if the text is invalid.
        """
        match question:
            case lab.Next(text, cuts) | lab.Lens(text, cuts):
                passages = self._passages(text, cuts)
            case lab.Scores():
                passages = self._passages(None, ())
            case lab.Copy(cuts):
                passages = self._passages(None, cuts)
        if (progress := advanced(passages, self._moment)) is not None:
            return progress
        with torch.inference_mode():
            match question:
                case lab.Next(text, _):
                    return self._distributions(text, *passages)
                case lab.Lens():
                    return self._lenses(*passages)
                case lab.Scores():
                    return self._scores(passages[0])
                case lab.Copy():
                    return self._copied(*passages)

    def _passages(self, text: str | None, cuts: tuple[Cut, ...]) -> tuple[ForwardPass, ForwardPass]:
        """Return two forward passes: one with all parts on, and one with the parts in `cuts` off.

        The passes process `text` or, if it is None, the repeated random tokens. All other passes
        are dropped from the cache, except the pass with all parts on for the other kind of input.
        """
        ids = self._repeated() if text is None else tokens_of(self._model, text, MOST_TOKENS)[0]
        network, kept = self._model.network, self._kept
        whole = kept.get((text, ())) or ForwardPass(network, ids)
        changed = whole
        if cuts:
            changed = kept.get((text, cuts)) or ForwardPass(
                network, ids, partial(self._without, cuts)
            )
        if whole.finished and changed.done == 0:
            changed.reuse(whole, min(cut.layer for cut in cuts))
        others = [key for key in kept if not key[1] and (key[0] is None) != (text is None)]
        self._kept = {key: kept[key] for key in others}
        self._kept |= {(text, ()): whole, (text, cuts): changed}
        return whole, changed

    def _without(self, cuts: Sequence[Cut]) -> AbstractContextManager[None]:
        return surgery.switched_off(
            self._model.network,
            [(cut.layer, cut.head) for cut in cuts if cut.head != FEED_FORWARD],
            [cut.layer for cut in cuts if cut.head == FEED_FORWARD],
        )

    def _distributions(self, text: str, whole: ForwardPass, cut: ForwardPass) -> lab.Distributions:
        ids, left_out = tokens_of(self._model, text, MOST_TOKENS)
        both = torch.stack([whole.stream[-1], cut.stream[-1]])
        # Both are the log-probabilities of the next token, [vocabulary].
        before, after = self._model.network.lens(both).cpu().log_softmax(dim=-1)
        config = self._model.network.config
        return lab.Distributions(
            layers=config.layers,
            heads=config.heads,
            tokens=self._model.tokenizer.tokens(ids),
            left_out=left_out,
            rows=next_rows(self._model, before, after),
            divergence=divergence(before, after),
        )

    def _lens_layers(self) -> list[int]:
        layers = self._model.network.config.layers
        count = min(LENS_ROWS, layers + 1)
        return [round(row * layers / (count - 1)) for row in range(count)]

    def _lenses(self, whole: ForwardPass, cut: ForwardPass) -> lab.Lenses:
        before, after = (
            self._seen_through(passage) for passage in (whole, cut)
        )  # [rows, vocabulary]
        target = int(before[-1].argmax())
        token = self._model.tokenizer.token
        rows = [
            lab.LensLine(
                layer,
                token(int(old.argmax())),
                float(old[target]),
                token(int(new.argmax())),
                float(new[target]),
            )
            for layer, old, new in zip(self._lens_layers(), before, after, strict=True)
        ]
        return lab.Lenses(token(target), tuple(rows))

    def _seen_through(self, passage: ForwardPass) -> Tensor:
        """Return the logit-lens distribution of each layer that is shown, [rows, vocabulary]."""
        streams = [passage.trace.residuals[layer][-1] for layer in self._lens_layers()]
        return self._model.network.lens(torch.stack(streams)).cpu().softmax(dim=-1)

    def _repeated(self) -> list[int]:
        special = set(self._model.tokenizer.special_ids.values())
        size = min(
            self._model.network.config.vocabulary_size, self._model.tokenizer.vocabulary_size
        )
        ordinary = [id_ for id_ in range(size) if id_ not in special]
        return surgery.repeated_tokens(ordinary, REPEATED, SEED)

    def _scores(self, whole: ForwardPass) -> lab.HeadScores:
        attention = torch.stack(whole.trace.attention).cpu()
        found = heads.scores(attention, heads.after_same(self._repeated()))
        assert found is not None
        return lab.HeadScores(tuple(found.flatten().tolist()), found.shape[1])

    def _copied(self, whole: ForwardPass, cut: ForwardPass) -> lab.Copied:
        # Copying can't predict the first token of the repeat, so it is left out.
        again = REPEATED + 1
        costs = self._costs(whole, 1)
        before = costs[again - 1 :]
        after = before if cut is whole else self._costs(cut, again)
        new = costs[: REPEATED - 1]
        return lab.Copied(float(new.mean()), float(before.mean()), float(after.mean()))

    def _costs(self, passage: ForwardPass, first: int) -> Tensor:
        """Return the surprisal in bits [T - first] of each token from position `first` on.

        `first` must be at least 1, since nothing predicts the first token.
        """
        network = self._model.network
        return surgery.next_token_surprisals(network, passage.stream, self._repeated(), first)


make_backend = SurgeryBackend
