"""Test that the landscape lab shows the facts of its file and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.labs.lab_backend import backend, done, settled
from tutor import paths
from tutor.course.facts import read_facts
from tutor.course.folder import FACTS as FILE
from tutor.errors import LabError
from tutor.labs.kit.actions import Choose, MoveFocus, Toggle
from tutor.labs.landscape import lab
from tutor.labs.landscape.backend import LandscapeBackend
from tutor.labs.landscape.lab import PRODUCTS, Known, State

FACTS = read_facts((paths.lessons_folder() / FILE).read_text("utf-8"), FILE)


@pytest.fixture(scope="module")
def read(tmp_path_factory: pytest.TempPathFactory) -> State:
    state: State = done("landscape", backend("landscape", tmp_path_factory.mktemp("lab")))
    return state


def looking_at(state: State, *names: str) -> State:
    """Choose these products and topics, one after another."""
    for name in names:
        if name in PRODUCTS:
            by = PRODUCTS.index(name) - state.shown[state.side]
            state = lab.act(state, Choose(by, "product"))
        else:
            state = lab.act(state, MoveFocus(state.topics.index(name) - state.row, "topic"))
    return state


def test_every_fact_about_the_four_products_is_as_in_the_file(read: State) -> None:
    for fact in FACTS:
        if fact.product not in PRODUCTS:
            continue
        shown = looking_at(read, fact.product, fact.topic).looked_at
        assert shown == Known(
            fact.product, fact.topic, fact.value, fact.as_of, fact.source, fact.second_hand
        )


def test_missing_facts_stay_empty(read: State) -> None:
    known = {(fact.product, fact.topic) for fact in FACTS}
    for product in PRODUCTS:
        for topic in read.topics:
            state = looking_at(read, product, topic)
            assert (state.looked_at is None) == ((product, topic) not in known)


MOVES = st.sampled_from(
    [
        Choose(1, "product"),
        Choose(-1, "product"),
        Toggle("side"),
        MoveFocus(1, "topic"),
        MoveFocus(-1, "topic"),
        MoveFocus(99, "topic"),
        Choose(3, "product"),
    ]
)


@given(st.lists(MOVES))
def test_there_are_always_two_different_products(moves: list[Any]) -> None:
    facts = tuple(
        Known(fact.product, fact.topic, fact.value, fact.as_of, fact.source, fact.second_hand)
        for fact in FACTS
    )
    state = State(facts=facts)
    for move in moves:
        state = lab.act(state, move)
        assert state.shown[0] != state.shown[1]
        assert state.topic in state.topics


def test_a_fact_is_old_a_year_before_the_newest() -> None:
    def known(as_of: str) -> Known:
        return Known("Claude", "Maker", "x", as_of, "y", False)

    state = State(facts=(known("2026-11"), known("2025-11"), known("2025-12")))
    assert [state.is_old(fact) for fact in state.facts or ()] == [False, True, False]


def test_goals_by_hand(read: State) -> None:
    def looking(*names: str) -> frozenset[str]:
        return lab.LAB.reached(looking_at(read, *names))

    assert looking("ChatGPT", "Maker") == frozenset()  # Second-hand, but old.
    assert looking("Claude", "App web search") == {"second-hand"}
    assert "then-and-now" in looking("Claude", "App web search", "2025: recent events")
    of_two = ("Claude", "App web search", "Maker", "ChatGPT", "2025: recent events")
    assert "then-and-now" not in looking(*of_two)
    assert "nobody-says" in looking("GitHub Copilot", "2025: code")


def test_before_the_facts_are_loaded_nothing_moves() -> None:
    assert lab.act(lab.State(), MoveFocus(1, "topic")) == lab.State()


def test_a_missing_file_is_reported(tmp_path: Path) -> None:
    with pytest.raises(LabError, match="Can't read"):
        settled(lab.LAB, lab.State(), LandscapeBackend(tmp_path / FILE))
