"""Apply a sampler's steps to the model's next-token distribution."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from tutor.labs.kit.model_backend import ModelBackend
from tutor.labs.sampler.lab import SHOWN, Answer, Question, Row
from tutor.lm import chain
from tutor.lm.chat import text_ids
from tutor.lm.dials import Stage, StepName
from tutor.lm.sampling import entropy_bits, ranked


class SamplerBackend(ModelBackend):
    """The lab's backend.

    It caches the session of the last text, so new settings don't need another forward pass.
    """

    def answer(self, question: Question) -> Answer:
        """Return the effect of each step of the sampler.

        Raises `TextError` if the model cannot process the text.
        """
        ids = text_ids(self._model, question.text)
        with torch.inference_mode():
            logits = self._read(ids).logits(len(ids)).float()
        stages: list[tuple[Stage, Tensor]] = list(
            chain.stages(logits, question.dials, question.order, ids)
        )
        before, after = chain.probabilities(logits), chain.probabilities(stages[-1][1])

        def row(id_: int) -> Row:
            return Row(
                id_,
                self._model.tokenizer.token(id_).data,
                float(before[id_]),
                float(after[id_]),
                _removed_by(id_, stages),
            )

        return Answer(
            vocabulary=len(logits),
            entropy_bits=entropy_bits(before),
            stages=tuple(stage for stage, _ in stages),
            rows=tuple(row(id_) for id_ in ranked(logits, SHOWN).tolist()),
            first_after=row(int(ranked(stages[-1][1], 1))),
        )


def _removed_by(id_: int, stages: Sequence[tuple[Stage, Tensor]]) -> StepName | None:
    """Return the step that removed the token, or None if no step did."""
    removing = (stage.name for stage, left in stages if left[id_] == chain.REMOVED)
    return next(removing, None)


make_backend = SamplerBackend
