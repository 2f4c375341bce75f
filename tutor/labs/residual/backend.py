"""Measure what each part of the network adds to the residual stream."""

from __future__ import annotations

from functools import lru_cache, partial
from typing import NamedTuple

import torch
from torch import Tensor

from tutor.labs.kit.backend import Tools
from tutor.labs.kit.progress import Progress
from tutor.labs.kit.sentence_ids import tokens_of
from tutor.labs.residual.lab import (
    MOST_TOKENS,
    Answer,
    Contributions,
    HeadContributions,
    Heads,
    Lengths,
    Logit,
    Question,
    Stream,
)
from tutor.lm.inspect.contributions import Parts, of_final_bias, of_heads, recorded, to_logit
from tutor.lm.inspect.forward_pass import ForwardPass


class _Recorded(NamedTuple):
    passage: ForwardPass
    parts: Parts


class ResidualBackend:
    """The lab's backend. It caches the latest forward pass, with the output of each part.

    The forward pass may be unfinished.
    """

    def __init__(self, tools: Tools) -> None:
        self._model = tools.model
        self._moment = tools.moment
        self._recorded = lru_cache(maxsize=1)(self._begun)

    def answer(self, question: Question) -> Answer:
        """Return the requested result, or the progress if the forward pass is unfinished.

        Raises `TextError` if the text is invalid.
        """
        passage, parts = self._recorded(question.text)
        if not passage.finished:
            passage.advance(self._moment)
            return Progress(passage.done, passage.blocks)
        match question:
            case Lengths(text=text):
                return self._stream(text, passage, parts)
            case Logit(position=position):
                return self._contributions(position, passage, parts)
            case Heads(position=position, block=block):
                of_each = of_heads(self._model.network, block, parts.heads[block][position])
                return HeadContributions(tuple(self._to_logit(position, passage, of_each)))

    def _begun(self, text: str) -> _Recorded:
        network, parts = self._model.network, Parts()
        ids, _ = tokens_of(self._model, text, MOST_TOKENS)
        return _Recorded(ForwardPass(network, ids, partial(recorded, network, parts)), parts)

    def _stream(self, text: str, passage: ForwardPass, parts: Parts) -> Stream:
        ids, left_out = tokens_of(self._model, text, MOST_TOKENS)
        return Stream(
            tokens=self._model.tokenizer.tokens(ids),
            left_out=left_out,
            heads=self._model.network.config.heads,
            stream=_lengths(passage.trace.residuals),
            attention=_lengths(parts.attention),
            feed_forward=_lengths(parts.feed_forward),
        )

    @torch.inference_mode()
    def _contributions(self, position: int, passage: ForwardPass, parts: Parts) -> Contributions:
        logits = self._model.network.lens(passage.stream[position]).float().cpu()  # [vocabulary]
        target = int(logits.argmax())
        added = [
            passage.trace.residuals[0][position],
            *(each[position] for each in parts.attention),
            *(each[position] for each in parts.feed_forward),
        ]
        embedding, *others = self._to_logit(position, passage, torch.stack(added).float())
        blocks = passage.blocks
        return Contributions(
            target=self._model.tokenizer.token(target),
            probability=float(logits.softmax(dim=-1)[target]),
            logit=float(logits[target]),
            embedding=embedding,
            attention=tuple(others[:blocks]),
            feed_forward=tuple(others[blocks:]),
            bias=of_final_bias(self._model.network, target),
        )

    def _to_logit(self, position: int, passage: ForwardPass, parts: Tensor) -> list[float]:
        """Return the contribution of each vector in `parts` [N, width] to the top token's logit.

        The shape of the result is [N].
        """
        network, stream = self._model.network, passage.stream[position]
        target = int(network.lens(stream).argmax())
        contributions: list[float] = to_logit(network, stream, parts, target).tolist()
        return contributions


def _lengths(vectors: list[Tensor]) -> tuple[tuple[float, ...], ...]:
    """Return the Euclidean norms of the vectors of all layers, as one list for each token.

    `vectors` has a tensor [T, width] for each layer.
    """
    lengths = torch.stack([torch.linalg.vector_norm(each.float(), dim=-1) for each in vectors])
    return tuple(map(tuple, lengths.T.tolist()))


make_backend = ResidualBackend
