"""Find the neurons that affect a prediction most, and run the network without some neurons."""

from __future__ import annotations

from functools import lru_cache, partial
from typing import NamedTuple

import torch
from torch import Tensor

from tutor.labs.feed_forward.lab import (
    MOST_TOKENS,
    Answer,
    Neuron,
    NeuronRow,
    Neurons,
    Prediction,
    Question,
    Strongest,
    Without,
)
from tutor.labs.kit.backend import Tools
from tutor.labs.kit.model_backend import advanced, next_rows
from tutor.labs.kit.sentence_ids import tokens_of
from tutor.lm.divergence import divergence
from tutor.lm.inspect import neurons
from tutor.lm.inspect.contributions import to_logit
from tutor.lm.inspect.forward_pass import ForwardPass

SHOWN = 8
"""The number of neurons listed for a block."""
CANDIDATES = 64
"""The number of candidates for the list of neurons. The candidates are the neurons that add the
longest vectors to the residual stream."""
PROMOTED = 10
"""The number of promoted tokens listed for a neuron."""


class _Recorded(NamedTuple):
    passage: ForwardPass
    activations: list[Tensor]


class FeedForwardBackend:
    """The lab's backend. It caches the latest forward passes, which may be unfinished."""

    def __init__(self, tools: Tools) -> None:
        self._model = tools.model
        self._moment = tools.moment
        self._whole = lru_cache(maxsize=1)(self._begun)
        self._changed = lru_cache(maxsize=2)(self._begun_without)

    def answer(self, question: Question) -> Answer:
        """Return the requested result, or the progress if the forward passes are unfinished.

        Raises `TextError` if the text is invalid.
        """
        whole, activations = self._whole(question.text)
        passes = [whole]
        if isinstance(question, Without) and question.off:
            passes.append(self._changed(question.text, question.off))
        if (progress := advanced(passes, self._moment)) is not None:
            return progress
        match question:
            case Strongest(text=text, block=block):
                block = min(block, whole.blocks - 1)
                return self._neurons(text, block, whole.stream[-1], activations[block])
            case Without():
                return self._prediction(whole, passes[-1])

    def _begun(self, text: str) -> _Recorded:
        network, activations = self._model.network, list[Tensor]()
        ids, _ = tokens_of(self._model, text, MOST_TOKENS)
        changed = partial(neurons.recorded, network, activations)
        return _Recorded(ForwardPass(network, ids, changed), activations)

    def _begun_without(self, text: str, off: tuple[Neuron, ...]) -> ForwardPass:
        network = self._model.network
        ids, _ = tokens_of(self._model, text, MOST_TOKENS)
        places = [(neuron.block, neuron.index) for neuron in off]
        passage = ForwardPass(network, ids, partial(neurons.switched_off, network, places))
        # In earlier blocks, all neurons are on, so both passes have the same residual stream.
        passage.reuse(self._whole(text).passage, off[0].block)
        return passage

    @torch.inference_mode()
    def _neurons(self, text: str, block: int, stream: Tensor, activations: Tensor) -> Neurons:
        """Return the neurons of a block that contribute most to the top token's logit.

        `stream` [width] is the residual stream at the last token, after the last block.
        `activations` [T, neurons] are the activations of the block's neurons at each token.
        """
        network, tokenizer = self._model.network, self._model.tokenizer
        ids, left_out = tokens_of(self._model, text, MOST_TOKENS)
        target = int(network.lens(stream).argmax())
        found = neurons.strongest(network, block, activations[-1], CANDIDATES)
        at_last = activations[-1].float().cpu()[found]  # [candidates]
        vectors = neurons.vectors(network, block, found, activations[-1])  # [candidates, width]
        contributions = to_logit(network, stream, at_last[:, None] * vectors, target)
        rows = contributions.abs().topk(min(SHOWN, len(found))).indices
        # A neuron with a negative activation adds the opposite of its output vector.
        directions = at_last[rows].sign()[:, None] * vectors[rows]
        promoted = network.lens(directions).float().cpu().topk(PROMOTED).indices  # [rows, ...]
        return Neurons(
            blocks=network.config.layers,
            hidden=neurons.count(network.config),
            tokens=tokenizer.tokens(ids),
            left_out=left_out,
            target=tokenizer.token(target),
            rows=tuple(
                NeuronRow(
                    index=int(found[row]),
                    contribution=float(contributions[row]),
                    activations=tuple(activations[:, found[row]].float().cpu().tolist()),
                    promotes=tuple(map(tokenizer.token, tokens)),
                )
                for row, tokens in zip(rows.tolist(), promoted.tolist(), strict=True)
            ),
        )

    @torch.inference_mode()
    def _prediction(self, whole: ForwardPass, changed: ForwardPass) -> Prediction:
        last = torch.stack([whole.stream[-1], changed.stream[-1]])
        before, after = self._model.network.lens(last).cpu().log_softmax(dim=-1)
        return Prediction(next_rows(self._model, before, after), divergence(before, after))


make_backend = FeedForwardBackend
