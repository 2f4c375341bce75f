"""Loads the model of an engine."""

from __future__ import annotations

import gc
import logging
from typing import TYPE_CHECKING

from tutor.errors import EngineError, TutorError

if TYPE_CHECKING:
    from tutor.lm.language_model import LanguageModel
    from tutor.models.report import OnStage

log = logging.getLogger(__name__)


def load(spec: str | None, on_stage: OnStage) -> LanguageModel:
    """The model that `spec` (as `--model` takes it) names. Raises `TutorError`."""
    on_stage("importing PyTorch")
    gc.disable()  # all that is made now is kept: looking for garbage in it takes 0.2 s
    # heavy, and so only after the first words were sent
    from tutor.lm.load import load_model
    from tutor.models import find_model

    try:
        model = load_model(find_model(spec, on_stage=on_stage), on_stage=on_stage)
    except Exception as error:
        if isinstance(error, TutorError):
            raise
        log.exception("loading the model")
        raise EngineError(
            f"The model could not be loaded: {type(error).__name__}: {error}.",
            "The engine's log has the details.",
        ) from error
    gc.freeze()  # what is there now stays: no need to look through it again and again
    gc.enable()
    return model
