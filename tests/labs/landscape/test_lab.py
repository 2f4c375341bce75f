"""Products side by side: what is shown is what the file of facts says, and no more."""

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
from tutor.labs.landscape.lab import PRODUCTS, Known, ShowProduct, ShowTopic, State

FACTS = read_facts((paths.lessons_folder() / FILE).read_text("utf-8"), FILE)


@pytest.fixture(scope="module")
def read(tmp_path_factory: pytest.TempPathFactory) -> State:
    state: State = done("landscape", backend("landscape", tmp_path_factory.mktemp("lab")))
    return state


def test_every_fact_of_the_four_is_there_as_the_file_has_it(read: State) -> None:
    for fact in FACTS:
        if fact.product not in PRODUCTS:
            continue
        state = lab.act(lab.act(read, ShowProduct(fact.product)), ShowTopic(fact.topic))
        shown = state.looked_at
        assert shown == Known(
            fact.product, fact.topic, fact.value, fact.as_of, fact.source, fact.second_hand
        )


def test_what_nobody_says_is_not_filled_in(read: State) -> None:
    known = {(fact.product, fact.topic) for fact in FACTS}
    for product in PRODUCTS:
        state = lab.act(read, ShowProduct(product))
        for topic in state.topics:
            looking = lab.act(state, ShowTopic(topic))
            assert (looking.looked_at is None) == ((product, topic) not in known)


MOVES = st.sampled_from(
    [
        Choose(1, "product"),
        Choose(-1, "product"),
        Toggle("side"),
        MoveFocus(1, "topic"),
        MoveFocus(-1, "topic"),
        MoveFocus(99, "topic"),
        ShowProduct("Claude"),
    ]
)


@given(st.lists(MOVES))
def test_there_are_always_two_different_ones(moves: list[Any]) -> None:
    facts = tuple(
        Known(fact.product, fact.topic, fact.value, fact.as_of, fact.source, fact.second_hand)
        for fact in FACTS
    )
    state = State(facts=facts)
    for move in moves:
        state = lab.act(state, move)
        assert state.shown[0] != state.shown[1]
        assert state.topic in state.topics


def test_old_is_a_year_before_the_newest() -> None:
    def known(as_of: str) -> Known:
        return Known("Claude", "Maker", "x", as_of, "y", False)

    state = State(facts=(known("2026-11"), known("2025-11"), known("2025-12")))
    assert [state.is_old(fact) for fact in state.facts or ()] == [False, True, False]


def test_goals_by_hand(read: State) -> None:
    def looking(*actions: Any) -> frozenset[str]:
        state = read
        for action in actions:
            state = lab.act(state, action)
        return lab.LAB.reached(state)

    claude = ShowProduct("Claude")
    assert looking(claude, ShowTopic("Maker")) == frozenset()  # told by others, and long ago
    assert looking(claude, ShowTopic("Web search")) == {"second-hand"}
    then_and_now = looking(claude, ShowTopic("Web search"), ShowTopic("2025: recent events"))
    assert "then-and-now" in then_and_now
    of_two = (claude, ShowTopic("Web search"), ShowTopic("Maker"), ShowProduct("ChatGPT"))
    assert "then-and-now" not in looking(*of_two, ShowTopic("2025: recent events"))
    assert "nobody-says" in looking(ShowProduct("GitHub Copilot"), ShowTopic("2025: code"))


def test_what_is_not_there_is_refused_and_before_it_is_read_nothing_moves(read: State) -> None:
    with pytest.raises(LabError):
        lab.act(read, ShowProduct("Eliza"))
    with pytest.raises(LabError):
        lab.act(read, ShowTopic("Soul"))
    assert lab.act(lab.start(), MoveFocus(1, "topic")) == lab.start()


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(LabError, match="cannot be read"):
        settled(lab.LAB, lab.start(), LandscapeBackend(tmp_path / FILE))
