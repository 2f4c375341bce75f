"""Test that every key follows the common scheme of keys."""

from __future__ import annotations

import pytest
from textual.binding import Binding

from tools.docs import bindings, classes_with_keys
from tutor.app.app import TutorApp
from tutor.app.key_scheme import COMMON_KEYS, DO, GO, GROUPS, MOVE, VIEW, group_of
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


def test_no_lab_takes_a_key_that_works_everywhere() -> None:
    everywhere = {"v", "slash", "question_mark", "ctrl+o", "ctrl+p"}
    taken = {
        f"{name}: {key} {binding.description}"
        for name in registry.names()
        for binding in bindings(registry.load_part(name, "view").VIEW)
        for key in everywhere.intersection(binding.key.split(","))
    }
    assert taken == set()


def test_no_lab_uses_a_label_that_another_key_has_everywhere() -> None:
    everywhere = {
        binding.description: binding.key for binding in bindings(TutorApp) if binding.description
    }
    twice = {
        f"{name}: {binding.key} {binding.description}"
        for name in registry.names()
        for binding in bindings(registry.load_part(name, "view").VIEW)
        if everywhere.get(binding.description, binding.key) != binding.key
    }
    assert twice == set()


@pytest.mark.parametrize(
    ("binding", "group"),
    [
        (Binding("up", "choose(-1)", "row"), MOVE),
        (Binding("left", "previous", "previous"), MOVE),
        (Binding("f", "fork", "fork"), DO),
        (Binding("tab", "next_view", "ladder/text"), VIEW),
        (Binding("t", "dials", "sampler"), VIEW),
        (Binding("p", "open('progress')", "progress"), GO),
        (Binding("escape", "close", "close"), GO),
        (Binding("f", "fork", "fork", group=GO), GO),
    ],
)
def test_a_key_without_a_group_gets_a_sensible_one(binding: Binding, group: Binding.Group) -> None:
    assert group_of(binding) is group


def test_every_key_is_in_a_known_group() -> None:
    for of in classes_with_keys():
        assert {group_of(binding) for binding in bindings(of)} <= set(GROUPS)
