"""Reads a text with the causal mask, or without."""

from __future__ import annotations

import math
from contextlib import nullcontext

import torch

from tutor.labs.mask import MOST_TOKENS, Answer, Question
from tutor.lm.network import Trace
from tutor.lm.surgery import unmasked
from tutor.workbench.bench import Tools
from tutor.workbench.sentence import tokens_of


class MaskBench:
    def __init__(self, tools: Tools) -> None:
        self._model = tools.model

    @torch.inference_mode()
    def answer(self, question: Question) -> Answer:
        """Raises `TextError`."""
        network, token = self._model.network, self._model.tokenizer.token
        ids, left_out = tokens_of(self._model, question.text, MOST_TOKENS)
        read, trace = torch.tensor(ids), Trace()
        with nullcontext() if question.hide else unmasked(network):
            final = network(read, None, trace)
        log_probabilities = network.logits(final).cpu().log_softmax(dim=-1)  # [T, vocabulary]
        bits = -log_probabilities[:-1].gather(-1, read[1:, None])[:, 0] / math.log(2)
        chances, best = log_probabilities.max(dim=-1)
        attention = torch.stack(trace.attention).float().mean(dim=(0, 1)).cpu()  # [T, T]
        return Answer(
            tokens=self._model.tokenizer.tokens(ids),
            left_out=left_out,
            bits=tuple(bits.tolist()),
            best=tuple(token(id_) for id_ in best.tolist()),
            chances=tuple(chances.exp().tolist()),
            attention=attention.contiguous().numpy().tobytes(),
        )


def make_bench(tools: Tools) -> MaskBench:
    return MaskBench(tools)
