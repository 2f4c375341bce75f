"""Compute numbers that show what instruction tuning has changed in the bundled base model."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from tutor.authoring.attempt import token_id
from tutor.errors import LessonError, TutorError

if TYPE_CHECKING:
    from torch import Tensor

    from tutor.course.measured import TunedNumber
    from tutor.lm.language_model import LanguageModel


def tuned(number: TunedNumber) -> float:
    """Return the number, computed with 32-bit floats.

    Raises `LessonError` if the token is unknown or a model is missing.
    """
    try:
        base, instruct = _models()
    except TutorError as error:
        raise LessonError(error.happened) from error
    before, after = (_logits(model, number) for model in (base, instruct))
    if number.value != "bits":
        logits = before if number.value == "base" else after
        return float(logits.softmax(-1)[token_id(base, number.token)])
    from tutor.lm.distribution import PLAIN
    from tutor.lm.divergence import contrast

    return contrast(before, after, PLAIN, PLAIN).bits


@cache
def _models() -> tuple[LanguageModel, LanguageModel]:
    """Load the base model and the instruct model. Raises `ModelError`."""
    from tutor import paths
    from tutor.lm.load import load_model
    from tutor.models.find import from_path

    base, instruct = (
        load_model(from_path(folder), exact=True)
        for folder in (paths.bundled_base_folder(), paths.bundled_instruct_folder())
    )
    return base, instruct


def _logits(model: LanguageModel, number: TunedNumber) -> Tensor:
    """Return the logits [V] after the question and the beginning of the answer."""
    from tutor.lm.chat import chat_ids
    from tutor.lm.distribution import ChatMessage
    from tutor.lm.session import Session

    ids = chat_ids(model, [ChatMessage("user", number.question)])
    ids += model.tokenizer.encode(number.after)
    return Session(model, ids).logits(len(ids)).double()
