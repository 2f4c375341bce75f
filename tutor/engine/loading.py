"""Load the model in the engine process, and report progress to the app."""

from __future__ import annotations

import gc
import logging
from typing import TYPE_CHECKING

from tutor.errors import EngineError, TutorError

if TYPE_CHECKING:
    from tutor.lm.language_model import LanguageModel
    from tutor.lm.llamacpp.session import LlamaModel
    from tutor.models.report import OnStage

log = logging.getLogger(__name__)


def load(spec: str | None, on_stage: OnStage) -> LanguageModel | LlamaModel:
    """Load the model that `spec` specifies. Raises `TutorError`.

    `spec` is a value of `--model`, or None for the default model. If our own implementation does
    not support the model, llama.cpp runs it.
    """
    gc.disable()  # saves 0.2 s; there is no garbage to collect
    from tutor.models import find_model

    try:
        # This runs before the slow import of PyTorch, to report a missing model immediately.
        found = find_model(spec, on_stage=on_stage)
        on_stage("importing PyTorch")
        from tutor.lm.llamacpp.load import open_model

        model = open_model(found, on_stage=on_stage)
    except Exception as error:
        if isinstance(error, TutorError):
            raise
        log.exception("loading the model")
        raise EngineError(
            f"The model could not be loaded: {type(error).__name__}: {error}.",
            "See the engine's log for details.",
        ) from error
    gc.freeze()  # garbage collections now skip the model's objects
    gc.enable()
    return model


def load_network(spec: str | None, on_stage: OnStage) -> LanguageModel:
    """Load a model that our own implementation can run. Raises `TutorError`."""
    model = load(spec, on_stage)
    from tutor.lm.llamacpp.load import require_network  # fast after `load`, which imports torch

    return require_network(model)
