"""The small model that comes along, for labs that ask it beside the one that is loaded."""

from __future__ import annotations

from pathlib import Path

from tutor.errors import ModelError
from tutor.lm.load import LanguageModel, load_model
from tutor.models.installed import bundled_model


def small_model_beside(loaded: LanguageModel) -> LanguageModel | None:
    """Loaded, unless it is the one that is there already; None where it cannot be had."""
    found = bundled_model()
    if found is None:
        return None
    if Path(loaded.card.path) == found.path:
        return loaded
    try:
        return load_model(found)
    except ModelError:
        return None
