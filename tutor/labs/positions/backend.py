"""Run the network on a text with changed token positions."""

from __future__ import annotations

from functools import lru_cache

import torch

from tutor.labs.kit.backend import Tools
from tutor.labs.kit.model_backend import advanced, next_rows
from tutor.labs.kit.sentence_ids import tokens_of
from tutor.labs.positions.lab import MOST_TOKENS, Answer, Comparison, Question
from tutor.lm.divergence import divergence
from tutor.lm.inspect.forward_pass import ForwardPass
from tutor.lm.inspect.interventions import next_token_surprisals


class PositionsBackend:
    """The lab's backend. It caches the latest forward passes, which may be unfinished."""

    def __init__(self, tools: Tools) -> None:
        self._model = tools.model
        self._moment = tools.moment
        self._passage = lru_cache(maxsize=6)(self._begun)

    def answer(self, question: Question) -> Answer:
        """Compare the predictions, or return the progress if the forward passes are unfinished.

        Raises `TextError` if the text is invalid.
        """
        passes = [
            self._passage(question.text, 0, True),
            self._passage(question.changed, question.shift, question.rotary),
            self._passage(question.text, question.shift, question.rotary),
        ]
        if (progress := advanced(passes, self._moment)) is not None:
            return progress
        return self._comparison(question, *passes)

    def _begun(self, text: str, shift: int, rotary: bool) -> ForwardPass:
        ids, _ = tokens_of(self._model, text, MOST_TOKENS)
        positions = range(shift, shift + len(ids)) if rotary else [0] * len(ids)
        return ForwardPass(self._model.network, ids, positions=positions)

    @torch.inference_mode()
    def _comparison(
        self, question: Question, before: ForwardPass, after: ForwardPass, in_order: ForwardPass
    ) -> Comparison:
        last = torch.stack([each.stream[-1] for each in (before, after, in_order)])
        # The log-probabilities of the next token, one row for each pass: [3, vocabulary].
        old, new, ordered = self._model.network.lens(last).cpu().log_softmax(dim=-1)
        ids, left_out = tokens_of(self._model, question.changed, MOST_TOKENS)
        return Comparison(
            tokens=self._model.tokenizer.tokens(ids),
            left_out=left_out,
            rows=next_rows(self._model, old, new),
            divergence=divergence(old, new),
            order_divergence=divergence(ordered, new),
            bits_before=self._mean_bits(question.text, before),
            bits_after=self._mean_bits(question.changed, after),
        )

    def _mean_bits(self, text: str, passage: ForwardPass) -> float:
        """Return the mean surprisal of the text's tokens in bits, without the first token.

        The result is 0 if the text has only one token.
        """
        ids, _ = tokens_of(self._model, text, MOST_TOKENS)
        if len(ids) < 2:
            return 0.0
        return float(next_token_surprisals(self._model.network, passage.stream, ids).mean())


make_backend = PositionsBackend
