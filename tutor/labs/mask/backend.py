"""Run the network with or without the causal mask."""

from __future__ import annotations

import math
from contextlib import nullcontext
from functools import lru_cache, partial

import torch

from tutor.labs.kit.backend import Tools
from tutor.labs.kit.progress import Progress
from tutor.labs.kit.sentence_ids import tokens_of
from tutor.labs.mask.lab import MOST_TOKENS, Answer, Question, Reading
from tutor.lm.inspect.forward_pass import ForwardPass
from tutor.lm.inspect.interventions import unmasked


class MaskBackend:
    """The lab's backend. It caches the last two forward passes, which may be unfinished."""

    def __init__(self, tools: Tools) -> None:
        self._model = tools.model
        self._moment = tools.moment
        self._passage = lru_cache(maxsize=2)(self._begun)

    def answer(self, question: Question) -> Answer:
        """Return the model's predictions, or the progress if the forward pass is unfinished.

        Raises `TextError` if the text is invalid.
        """
        passage = self._passage(question.text, question.hide)
        if passage.finished:
            return self._reading(question.text, passage)
        passage.advance(self._moment)
        return Progress(passage.done, passage.blocks)

    def _begun(self, text: str, hide: bool) -> ForwardPass:
        network = self._model.network
        ids, _ = tokens_of(self._model, text, MOST_TOKENS)
        return ForwardPass(network, ids, nullcontext if hide else partial(unmasked, network))

    @torch.inference_mode()
    def _reading(self, text: str, passage: ForwardPass) -> Reading:
        network, token = self._model.network, self._model.tokenizer.token
        ids, left_out = tokens_of(self._model, text, MOST_TOKENS)
        log_probabilities = (
            network.lens(passage.stream).cpu().log_softmax(dim=-1)
        )  # [T, vocabulary]
        following = torch.tensor(ids)[1:, None]
        bits = -log_probabilities[:-1].gather(-1, following)[:, 0] / math.log(2)
        chances, best = log_probabilities.max(dim=-1)
        attention = torch.stack(passage.trace.attention).float().mean(dim=(0, 1)).cpu()  # [T, T]
        return Reading(
            tokens=self._model.tokenizer.tokens(ids),
            left_out=left_out,
            bits=tuple(bits.tolist()),
            best=tuple(token(id_) for id_ in best.tolist()),
            chances=tuple(chances.exp().tolist()),
            attention=attention.contiguous().numpy().tobytes(),
        )


make_backend = MaskBackend
