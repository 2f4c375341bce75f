"""Loads the small bundled model for labs that compare it with the loaded model."""

from __future__ import annotations

from pathlib import Path
from weakref import WeakValueDictionary

from tutor.errors import ModelError
from tutor.lm.language_model import LanguageModel
from tutor.lm.load import load_model
from tutor.models.installed import bundled_model

_in_use: WeakValueDictionary[Path, LanguageModel] = WeakValueDictionary()
"""The bundled model, once it is loaded. A shared engine loads it once for all open labs."""


def small_model_beside(loaded: LanguageModel) -> LanguageModel | None:
    """Return the small bundled model, or None if it is unavailable.

    If `loaded` is that model, `loaded` itself is returned.
    """
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
