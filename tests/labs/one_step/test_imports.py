"""Test that the first step does not import large packages."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import sys
from tutor.labs.one_step.step import SlowTraining
SlowTraining(b"a text that repeats, a text that repeats, a text that repeats, a text").step()
print("sympy" in sys.modules)
"""


def test_a_step_does_not_import_sympy() -> None:
    command = [sys.executable, "-c", PROGRAM]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout.strip() == "False"
