"""A machine with a tiny model, whose tokens are bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.cli.conftest import tiny_model, tutor_process
from tests.plain.session import Machine

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["tiny_model", "tutor_process"]


@pytest.fixture
def machine(tmp_path: Path, tiny_model: str, monkeypatch: pytest.MonkeyPatch) -> Machine:
    monkeypatch.delenv("TUTOR_MODEL", raising=False)
    monkeypatch.setenv("TUTOR_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("TUTOR_SHARED", str(tmp_path / "shared"))
    return Machine(tiny_model)
