"""Share the bundled small model, which loads fast, among the tests of authoring."""

from __future__ import annotations

import pytest

from tutor.lm.language_model import LanguageModel
from tutor.lm.load import load_model
from tutor.models.installed import bundled_model


@pytest.fixture(scope="session")
def small_model() -> LanguageModel:
    found = bundled_model()
    assert found is not None
    return load_model(found, exact=True)
