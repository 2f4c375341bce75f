"""The small model that comes along, for labs that ask it beside the one that is loaded."""

from __future__ import annotations

from pathlib import Path
from weakref import WeakValueDictionary

from tutor.errors import ModelError
from tutor.lm.language_model import LanguageModel
from tutor.lm.load import load_model
from tutor.models.installed import bundled_model

_in_use: WeakValueDictionary[Path, LanguageModel] = WeakValueDictionary()
"""An engine that serves many loads it once for all labs that are open."""


def small_model_beside(loaded: LanguageModel) -> LanguageModel | None:
    """Loaded, unless it is the one that is there already; None where it cannot be had."""
    found = bundled_model()
    if found is None:
        return None
    if Path(loaded.card.path) == found.path:
        return loaded
    model = _in_use.get(found.path)
    if model is None:
        try:
            model = _in_use[found.path] = load_model(found)
        except ModelError:
            return None
    return model
