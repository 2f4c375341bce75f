"""The small bundled model, for labs that compare it with the loaded model."""

from __future__ import annotations

from pathlib import Path
from weakref import WeakValueDictionary

from tutor.errors import ModelError
from tutor.lm.language_model import LanguageModel
from tutor.lm.load import load_model
from tutor.models.installed import bundled_model

_in_use: WeakValueDictionary[Path, LanguageModel] = WeakValueDictionary()
"""The bundled model by its path, while a lab uses it. All labs of an engine share this copy."""


def small_model_beside(loaded: LanguageModel) -> LanguageModel | None:
    """Return the small bundled model, or None if it can't be used.

    If `loaded`, the engine's model, is the bundled model, it is returned instead of a second copy.
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
