"""Test that plain mode loads neither the screens nor the model."""

from __future__ import annotations

import subprocess
import sys

from tests.test_imports import HEAVY

_IMPORT_EVERYTHING = f"""
import sys
from importlib import import_module
from pkgutil import walk_packages
import tutor.plain
for each in walk_packages(tutor.plain.__path__, "tutor.plain."):
    import_module(each.name)
print(*[name for name in ("textual " + {HEAVY!r}).split() if name in sys.modules])
"""


def test_plain_mode_loads_no_screen_and_no_model() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _IMPORT_EVERYTHING], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == ""
