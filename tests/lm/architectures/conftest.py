"""A model of every family, with random weights, as a fixture."""

from __future__ import annotations

import pytest

from tests.lm.architectures.folders import references, write_folder
from tutor.lm.language_model import LanguageModel
from tutor.lm.load import load_model
from tutor.models.find import from_path


@pytest.fixture(scope="module", params=sorted(references()))
def case(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def model(case: str, tmp_path_factory: pytest.TempPathFactory) -> LanguageModel:
    folder = write_folder(tmp_path_factory.mktemp("model") / "it", case)
    return load_model(from_path(folder))
