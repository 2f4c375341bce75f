"""Test that each mistake of `make mutants` still finds the code that it changes."""

from __future__ import annotations

import pytest

from tools.mutants import ROOT, found_once
from tools.mutations import MUTATIONS, Mutation


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda each: f"{each.file}:{each.original}")
def test_a_mutation_changes_one_place_that_tests_cover(mutation: Mutation) -> None:
    assert found_once(mutation)
    assert mutation.mutated != mutation.original
    assert all((ROOT / test).is_file() for test in mutation.tests)
