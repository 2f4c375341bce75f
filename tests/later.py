"""Parameters that `pytest` alone leaves out, and `make test-slow` includes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from _pytest.mark import ParameterSet


def later(values: Iterable[Any]) -> list[ParameterSet]:
    """Return parameters that repeat the check of others, for another lab, size or failure."""
    return [pytest.param(value, marks=pytest.mark.slow) for value in values]


SIZES = ((80, 24), *later([(40, 12), (140, 40)]))
"""The sizes of a terminal at which tests look at a screen, the usual one first."""
NORMAL_AND_SMALL = SIZES[:2]
