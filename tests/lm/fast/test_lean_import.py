"""Test that PyTorch works without the packages that a lean import leaves out."""

from __future__ import annotations

import subprocess
import sys

import pytest

DEFINITIONS = """
import sys
from tutor.lm.fast.lean_import import UNUSED, import_lean

def waits(name):
    return type(vars(sys.modules[name]).get("__getattr__")).__name__ == "_Load"

def loaded():
    return {name for name in UNUSED & set(sys.modules) if not waits(name)}
"""

BEGIN = f"""{DEFINITIONS}
import_lean()
import torch
"""


def output_of(program: str, begin: str = BEGIN) -> str:
    """Run a program in a separate process, by default after a lean import; return its output."""
    command = [sys.executable, "-c", begin + program]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=120, check=True
    ).stdout.strip()


def test_a_network_runs_and_trains_without_the_packages() -> None:
    program = """
from tutor.lm.network import Config, Transformer
from tutor.lm.training.adamw import AdamW
network = Transformer(Config(60, 48, 2, 6, 2, 8, 80, 64))
optimizer = AdamW(network.parameters())
network(torch.tensor([1, 2, 3])).sum().backward()
optimizer.step()
torch.randn(3, generator=torch.Generator().manual_seed(1))
with torch.device("meta"):
    Transformer(network.config)
print(sorted(loaded()))
"""
    assert output_of(program) == "[]"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("statement", "name"),
    [
        ("print(torch.distributions.Normal(0.0, 1.0).mean.item())", "torch.distributions"),
        (
            "from torch.distributions import *; print(Normal(0.0, 1.0).mean.item())",
            "torch.distributions",
        ),
        ("import torch.masked.maskedtensor.core; print(0.0)", "torch.masked"),
    ],
)
def test_a_package_is_loaded_when_it_is_used(statement: str, name: str) -> None:
    before, result, after = output_of(
        f"print({name!r} in loaded())\n{statement}\nprint({name!r} in loaded())"
    ).splitlines()
    assert (before, result, after) == ("False", "0.0", "True")


@pytest.mark.slow
def test_a_missing_name_is_reported_as_usual() -> None:
    program = """
print(hasattr(torch.distributions, "no_such_name"))
try:
    from torch.distributions import no_such_name
except ImportError as error:
    print(type(error).__name__)
"""
    assert output_of(program).split() == ["False", "ImportError"]


@pytest.mark.slow
def test_the_compiler_is_imported_with_what_it_needs() -> None:
    program = """
optimizer = torch.optim.AdamW([torch.ones(1, requires_grad=True)])
print("torch._dynamo" in sys.modules, "torch._meta_registrations" in loaded())
"""
    assert output_of(program) == "True True"


@pytest.mark.slow
def test_several_threads_can_use_a_package_for_the_first_time() -> None:
    program = """
from concurrent.futures import ThreadPoolExecutor
with ThreadPoolExecutor(4) as pool:
    kinds = set(pool.map(lambda _: torch.distributions.Normal, range(4)))
print(len(kinds))
"""
    assert output_of(program) == "1"


@pytest.mark.slow
def test_an_import_after_torch_changes_nothing() -> None:
    program = """
finders = list(sys.meta_path)
import_lean()
print(finders == sys.meta_path)
"""
    assert output_of(program) == "True"


@pytest.mark.slow
@pytest.mark.parametrize(("version", "placeholders"), [("2.15.1+cu132", True), ("2.16.0", False)])
def test_a_version_that_was_never_tried_is_imported_as_a_whole(
    version: str, placeholders: bool
) -> None:
    program = f"""
from importlib import metadata
metadata.version = lambda name: {version!r}
import_lean()
import torch
print(any(waits(name) for name in UNUSED & set(sys.modules)))
"""
    assert output_of(program, begin=DEFINITIONS) == str(placeholders)
