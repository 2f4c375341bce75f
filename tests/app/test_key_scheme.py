"""Tests that every key follows the common scheme of keys."""

from __future__ import annotations

from tools.docs import bindings, classes_with_keys
from tutor.app.key_scheme import COMMON_KEYS
from tutor.labs.kit import registry


def test_a_label_of_the_scheme_has_its_key_everywhere() -> None:
    keys = {label: common.key for common in COMMON_KEYS for label in common.labels}
    views = [registry.load_part(name, "view").VIEW for name in registry.names()]
    different = {
        f"{of.__name__}: {binding.key} {binding.description}"
        for of in (*classes_with_keys(), *views)
        for binding in bindings(of)
        if binding.description in keys and keys[binding.description] not in binding.key.split(",")
    }
    assert different == set()
