"""The labs that stand for all others where a test is about what every lab has in common."""

from tests.later import later
from tutor.labs.kit import registry

A_FEW = frozenset(
    ("attention", "generations", "neighbors", "probe", "prompting", "sampler", "steer", "tokens")
)

FEW_OR_ALL = [*sorted(A_FEW), *later(name for name in registry.names() if name not in A_FEW)]
"""The names of all labs, as parameters. `pytest` alone tests `A_FEW`, and `make test-slow` all."""
