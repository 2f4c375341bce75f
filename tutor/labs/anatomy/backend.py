"""List the network's tensors, and run the network with weights of lower precision."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from tutor.errors import LabError
from tutor.labs.anatomy import lab, quantize, tensors
from tutor.labs.anatomy.lab import Answer, Question
from tutor.labs.anatomy.precisions import MOST_TOKENS, Compare, Differences, Stream, Through
from tutor.labs.kit.backend import Tools
from tutor.labs.kit.sentence_ids import tokens_of
from tutor.lm.inspect import rounding


class AnatomyBackend:
    """The lab's backend. It caches the log-probabilities at full precision."""

    def __init__(self, tools: Tools) -> None:
        self._model = tools.model
        self._answers = lru_cache(maxsize=1)(self._compute_answers)
        self._tensors = list(tensors.tensors(tools.model.network))

    def answer(self, question: Question) -> Answer:
        """Compute the response to a request.

        Raises `TextError` if the model cannot process the text, and `LabError` if the requested
        tensor doesn't exist.
        """
        match question:
            case lab.Parts():
                return self._inventory()
            case lab.Look(at=at):
                return self._histogram(at)
            case Through(text=text, bits=bits, layer=layer, stream=stream):
                return self._through(text, bits, layer, stream)
            case Compare(text=text, exact=exact, stream=stream):
                ids, _ = tokens_of(self._model, text, MOST_TOKENS)
                before = self._answers(exact)
                after = before if stream == exact else self._compute_answers(stream)
                return Differences(*quantize.compare(ids, before, after))

    def _inventory(self) -> lab.Inventory:
        parts = (
            lab.Part(part.role, part.layer, part.outputs, part.inputs, part.nbytes, part.form)
            for part in self._tensors
        )
        return lab.Inventory(
            tuple(parts), self._model.network.config.layers, self._model.card.format
        )

    def _histogram(self, at: int) -> lab.Histogram:
        if not 0 <= at < len(self._tensors):
            raise LabError(f"This model has no tensor {at}.", "Close the lab and open it again.")
        weights = tensors.weights_of(self._tensors[at], lab.MOST_WEIGHTS)
        typical, largest, counts = tensors.described(weights, lab.BINS)
        rounding = tensors.step_error(self._tensors[at], weights)
        return lab.Histogram(typical, largest, counts, weights.numel(), rounding)

    def _through(self, text: str, bits: int, layer: int, stream: bytes) -> Stream:
        ids, left_out = tokens_of(self._model, text, MOST_TOKENS)
        before = self._read(stream) if stream else self._embedded(ids)
        found = rounding.through_block(self._model.network, layer, bits, before)
        if found is None:
            return Stream(None, (), len(ids), left_out)
        after, errors = found
        return Stream(after.numpy().tobytes(), tuple(errors), len(ids), left_out)

    def _compute_answers(self, stream: bytes) -> Tensor:
        return quantize.answers(self._model.network, self._read(stream))

    @torch.inference_mode()
    def _embedded(self, ids: list[int]) -> Tensor:
        return self._model.network.embed(torch.tensor(ids), range(len(ids))).cpu()

    def _read(self, stream: bytes) -> Tensor:
        numbers = np.frombuffer(stream, dtype=np.float32).copy()
        return torch.from_numpy(numbers).view(-1, self._model.network.config.width)


make_backend = AnatomyBackend
