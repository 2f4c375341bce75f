"""Compare A and B at each position of a text."""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from tutor.errors import TutorError
from tutor.labs.difference import questions
from tutor.labs.difference.questions import (
    FEED_FORWARD,
    MOST_TOKENS,
    Answer,
    Compare,
    OtherModel,
    OtherSampler,
    OtherText,
    Part,
    PartsOff,
    Question,
    Rounded,
    Text,
    Tuned,
)
from tutor.labs.difference.same_vocabulary import OtherModels
from tutor.labs.difference.sides import StreamSide, compared
from tutor.labs.difference.tuned import TunedPair
from tutor.labs.kit.backend import Tools
from tutor.labs.kit.model_backend import advanced
from tutor.labs.kit.progress import Coming, Progress
from tutor.labs.kit.sentence import short
from tutor.labs.kit.sentence_ids import short_ids
from tutor.lm.comparison import aligned
from tutor.lm.divergence import divergence, log_probabilities
from tutor.lm.inspect.forward_pass import ForwardPass
from tutor.lm.inspect.interventions import switched_off
from tutor.lm.inspect.rounding import RoundedPass
from tutor.lm.language_model import LanguageModel

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from tutor.lm.distribution import SamplerSettings


REMEMBERED = 32
"""The maximum number of cached residual streams of B."""

_SCORED_AT_ONCE = 4
"""The number of positions whose logits are computed at once when a part's effect is measured."""


class DifferenceBackend:
    """The lab's backend. It caches the latest forward passes, and residual streams of B."""

    def __init__(self, tools: Tools) -> None:
        self._model = tools.model
        self._moment = tools.moment
        self._check_cancelled = tools.check_cancelled
        self._others = OtherModels(tools.model)
        self._pair = TunedPair()
        self._a: tuple[list[int], ForwardPass] | None = None
        self._b: tuple[object, ForwardPass] | None = None
        self._finished: dict[tuple[questions.Difference, tuple[int, ...]], Tensor] = {}
        """The residual streams [T, width] after the last block, from earlier passes of B.

        Each key contains everything that the stream depends on.
        """

        self._logs: tuple[tuple[ForwardPass, SamplerSettings], list[Tensor]] | None = None
        """A's log-probabilities [V] at the positions computed so far, with their pass and sampler.

        They are needed to measure the effects of parts, and are 32-bit floats, to save memory.
        """

        self._row: tuple[SamplerSettings, Tensor, list[float]] | None = None
        """The unfinished effect of a part: the sampler, the stream of B, and the bits so far."""

    def answer(self, question: Question) -> Answer:
        """Return a part of the comparison, or the progress of computing it.

        Raises `TextError` if a text is invalid.
        """
        if isinstance(question, questions.Others):
            self._leave()
            names = self._others.names(self._moment)
            return names if isinstance(names, Progress) else questions.Installed(names)
        if isinstance(question, questions.Scan):
            return self._scan(question)
        if isinstance(question.b, Tuned):
            return self._compare_pair(question, question.b)
        return self._compare(question)

    def close(self) -> None:
        """Stop loading other models."""
        self._others.leave()
        self._pair.leave()

    def _compare(self, question: Compare) -> Answer:
        ids_a, left_out_a = self._ids(question.a)
        ids_b, left_out_b = ids_a, 0
        if isinstance(question.b, OtherText):
            ids_b, left_out_b = self._ids_of_b(question.a, question.b.text)
        try:
            model_b = self._model_of(question.b)
            if isinstance(model_b, Coming):
                return model_b
            a = self._pass_of_a(ids_a)
            b = self._stream_of_b(model_b, question.b, ids_b, a)
            if isinstance(b, Progress):
                return b
        except TutorError as error:
            self._leave()
            return questions.Refused(f"{error.happened} {error.next_step}")
        network, tokens = self._model.network, self._model.tokenizer.tokens
        setup = questions.Setup(
            model=self._model.card.name,
            layers=network.config.layers,
            heads=network.config.heads,
            tokens_a=tokens(ids_a),
            tokens_b=tokens(ids_b),
            left_out=left_out_a + left_out_b,
            left_out_b=left_out_b,
            places=aligned(tuple(ids_a), tuple(ids_b)),
        )
        sampler_b = question.sampler
        if isinstance(question.b, OtherSampler):
            sampler_b = question.b.settings
        sides = (
            StreamSide(self._model, a.stream, question.sampler),
            StreamSide(model_b, b, sampler_b),
        )
        return questions.Slice(
            setup, compared(*sides, setup.places[question.first :], self._moment)
        )

    def _compare_pair(self, question: Compare, b: Tuned) -> Answer:
        """Compare the bundled base model with the instruct model."""
        try:
            models = self._pair.models(self._moment)
            if isinstance(models, Coming):
                return models
            dialog = self._pair.dialog(*models, b.question)
        except TutorError as error:
            self._pair.leave()
            return questions.Refused(f"{error.happened} {error.next_step}".strip())
        config, tokens = self._model.network.config, models[0].tokenizer.tokens(dialog.ids)
        setup = questions.Setup(
            model=models[0].card.name,
            layers=config.layers,
            heads=config.heads,
            tokens_a=tokens,
            tokens_b=tokens,
            left_out=dialog.left_out,
            places=aligned(tuple(dialog.ids), tuple(dialog.ids)),
            written=dialog.written,
        )
        sides = (
            StreamSide(models[0], dialog.streams[0], question.sampler),
            StreamSide(models[1], dialog.streams[1], question.sampler),
        )
        return questions.Slice(
            setup, compared(*sides, setup.places[question.first :], self._moment)
        )

    def _scan(self, question: questions.Scan) -> Answer:
        """Measure the effects of as many parts as possible in one time slice."""
        ids, _ = self._ids(question.a)
        a, config = self._pass_of_a(ids), self._model.network.config
        each = config.heads + 1
        if (progress := advanced((a,), self._moment)) is not None:
            return progress
        until = time.perf_counter() + self._moment
        found: list[tuple[float, ...]] = []
        for number in range(max(0, question.first), config.layers * each):
            layer, head = divmod(number, each)
            part = Part(layer, head if head < config.heads else FEED_FORWARD)
            b = self._stream_of_b(self._model, PartsOff((part,)), ids, a)
            row = b if isinstance(b, Progress) else self._divergences(a, b, question.sampler, until)
            if isinstance(row, Progress):
                return questions.Effects(tuple(found)) if found else row
            found.append(row)
            if time.perf_counter() >= until:
                break
        return questions.Effects(tuple(found))

    def _divergences(
        self, a: ForwardPass, b: Tensor, sampler: SamplerSettings, until: float
    ) -> tuple[float, ...] | Progress:
        """Return KL(A || B) in bits at each position, or the progress if `until` is reached.

        The next call with the same arguments continues the work.
        """
        if self._logs is None or self._logs[0] != (a, sampler):
            self._logs = (a, sampler), []
        if self._row is None or self._row[0] != sampler or self._row[1] is not b:
            self._row = sampler, b, []
        known, bits = self._logs[1], self._row[2]
        while len(bits) < len(b):
            self._check_cancelled()
            at = slice(len(bits), len(bits) + _SCORED_AT_ONCE)
            if len(known) == len(bits):
                known += (each.float() for each in self._log_probabilities(a.stream[at], sampler))
            pairs = zip(known[at], self._log_probabilities(b[at], sampler), strict=True)
            bits += (max(0.0, divergence(log_a.double(), log_b)) for log_a, log_b in pairs)
            if len(bits) < len(b) and time.perf_counter() >= until:
                return Progress(len(bits), len(b))
        self._row = None
        return tuple(bits)

    @torch.inference_mode()
    def _log_probabilities(self, stream: Tensor, sampler: SamplerSettings) -> list[Tensor]:
        """Return the log-probabilities [V] of the next token, for each position of `stream`."""
        logits = self._model.network.lens(stream).cpu().float()
        return [log_probabilities(each, sampler) for each in logits]

    def _ids(self, text: Text) -> tuple[list[int], int]:
        """Return the first `MOST_TOKENS` token ids of a text, and the number of tokens left out."""
        return _first(self._known(text) or short_ids(self._model, text.text))

    def _ids_of_b(self, a: Text, b: str) -> tuple[list[int], int]:
        """Return B's first `MOST_TOKENS` token ids, and the number of tokens left out.

        If A contains special tokens, as a conversation from the stepper does, special tokens in the
        text of B are parsed as well, because the learner created that text by editing A's.
        """
        if b == a.text:
            return self._ids(a)
        tokens = self._model.tokenizer.tokens(self._known(a))
        if any(token.special for token in tokens):
            return _first(self._model.tokenizer.encode(short(b), special=True))
        return _first(short_ids(self._model, b))

    def _known(self, text: Text) -> list[int]:
        """Return the token ids of a text from the stepper, if they belong to this model, or []."""
        size = self._model.network.config.vocabulary_size
        known = text.model == self._model.card.sha256
        return list(text.ids) if known and all(id_ in range(size) for id_ in text.ids) else []

    def _model_of(self, b: questions.Difference) -> LanguageModel | Coming:
        if isinstance(b, OtherModel):
            return self._others.model(b.name, self._moment)
        return self._model

    def _leave(self) -> None:
        """Drop the other model and its cached streams."""
        self._others.leave()
        self._b = None
        self._finished = {
            key: stream
            for key, stream in self._finished.items()
            if not isinstance(key[0], OtherModel)
        }

    def _pass_of_a(self, ids: list[int]) -> ForwardPass:
        if self._a is None or self._a[0] != ids:
            self._logs = None
            self._a = ids, ForwardPass(self._model.network, ids)
        return self._a[1]

    def _stream_of_b(
        self, model: LanguageModel, b: questions.Difference, ids: list[int], a: ForwardPass
    ) -> Tensor | Progress:
        """Return B's residual stream [T, width] after its last block, or the total progress."""
        parts = self._existing(b.parts) if isinstance(b, PartsOff) else ()
        as_in_a = isinstance(b, OtherSampler) or (isinstance(b, PartsOff) and not parts)
        if (progress := advanced((a,), self._moment)) is not None:
            return Progress(progress.done, progress.total * (1 if as_in_a else 2))
        if as_in_a:
            return a.stream
        key = (b, tuple(ids))
        if key not in self._finished:
            if self._b is None or self._b[0] != key:
                self._b = key, _pass_of_b(model, b, ids, parts, a)
            passage = self._b[1]
            if (progress := advanced((a, passage), self._moment)) is not None:
                return progress
            self._finished[key] = passage.stream
            self._b = None
        while len(self._finished) > REMEMBERED:
            del self._finished[next(iter(self._finished))]
        return self._finished[key]

    def _existing(self, parts: Sequence[Part]) -> tuple[Part, ...]:
        config = self._model.network.config
        return tuple(
            part
            for part in parts
            if part.layer in range(config.layers) and part.head in range(-1, config.heads)
        )


def _first(ids: list[int]) -> tuple[list[int], int]:
    return ids[:MOST_TOKENS], max(0, len(ids) - MOST_TOKENS)


def _pass_of_b(
    model: LanguageModel,
    b: questions.Difference,
    ids: list[int],
    parts: Sequence[Part],
    a: ForwardPass,
) -> ForwardPass:
    """Return a new forward pass of B.

    If parts are switched off, the pass reuses A's results for all earlier blocks.
    """
    if isinstance(b, Rounded):
        return RoundedPass(model.network, ids, b.bits)
    made = ForwardPass(model.network, ids, partial(_off, model, parts))
    if parts:
        made.reuse(a, min(part.layer for part in parts))
    return made


def _off(model: LanguageModel, parts: Sequence[Part]) -> AbstractContextManager[None]:
    return switched_off(
        model.network,
        [(part.layer, part.head) for part in parts if part.head != FEED_FORWARD],
        [part.layer for part in parts if part.head == FEED_FORWARD],
    )


make_backend = DifferenceBackend
