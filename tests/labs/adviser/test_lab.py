"""Test the adviser: its actions, its goals, and the file that it saves."""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.labs.lab_backend import backend, done
from tutor import paths
from tutor.course.facts import read_facts
from tutor.errors import LabError, StoreError
from tutor.labs.adviser import lab as adviser
from tutor.labs.adviser.backend import MOST_A_DAY, AdviserBackend
from tutor.labs.adviser.data_files import read_advice
from tutor.labs.adviser.lab import FIRST, LAB, PickOption, Save, Saved, SaveResult, State
from tutor.labs.adviser.words import what_decides
from tutor.labs.kit.actions import Adjust, Choose, MoveFocus, Reset, ShowView, Toggle

ADVICE = read_advice(paths.lessons_folder())
DAY = date(2026, 11, 25)
NEED = {need.id: place for place, need in enumerate(ADVICE.needs)}
OPTION = {option.id: place for place, option in enumerate(ADVICE.options)}
CASE = {case.id: number for number, case in enumerate(ADVICE.cases, start=1)}


MUST: adviser.Action = Toggle("must")
KIND: adviser.Action = Choose(1, "kind")


def weight(by: int) -> adviser.Action:
    return Adjust(by, "weight")


def case(by: int) -> adviser.Action:
    return Choose(by, "case")


def begun() -> State:
    return adviser.receive(adviser.State(), adviser.Read(), ADVICE)


def after(*actions: adviser.Action, state: State | None = None) -> State:
    state = begun() if state is None else state
    for action in actions:
        state = adviser.act(state, action)
    return state


def on(need: str, *actions: adviser.Action) -> tuple[adviser.Action, ...]:
    return (MoveFocus(FIRST, "need"), MoveFocus(NEED[need], "need"), *actions)


def picked(state: State, option: str) -> State:
    """Return the state with `option` in focus and picked."""
    order = [row.option for row in adviser.ranking(ADVICE, state.now)]
    return after(
        MoveFocus(FIRST, "option"),
        MoveFocus(order.index(OPTION[option]), "option"),
        PickOption(),
        state=state,
    )


# --- weighing -------------------------------------------------------------------------------------


def test_nothing_happens_before_the_data_is_loaded() -> None:
    state = adviser.State()
    assert isinstance(adviser.question(state), adviser.Read)
    cases: adviser.Action = ShowView("cases")
    for action in (weight(1), MUST, case(1), PickOption(), SaveResult(), cases):
        assert adviser.act(state, action) == state
    assert adviser.question(begun()) is None


def test_a_weight_has_four_positions() -> None:
    state = after(*on("privacy", weight(1), weight(1), weight(1), weight(1)))
    assert state.now.weights[NEED["privacy"]] == 3
    assert after(weight(-9), state=state).now.weights[NEED["privacy"]] == 0


def test_inputs_are_weighed_for_one_kind_at_a_time() -> None:
    state = after(*on("inputs", weight(3)))
    assert OPTION["claude"] in adviser.lead(ADVICE, state.now)
    state = after(KIND, KIND, state=state)  # sound
    assert adviser.lead(ADVICE, state.now) == {OPTION["gemini"]}
    state = after(KIND, state=state)  # code
    assert adviser.lead(ADVICE, state.now) == {OPTION["copilot"]}
    assert after(KIND, state=state).now.kinds == begun().now.kinds


def test_options_with_equal_levels_tie() -> None:
    state = after(*on("inputs", weight(3)), *on("recency", weight(3)), *on("length", weight(2)))
    assert adviser.lead(ADVICE, state.now) == {
        OPTION["chatgpt"], OPTION["gemini"], OPTION["claude"],
    }  # fmt: skip


def test_a_must_excludes_at_any_weights() -> None:
    state = after(*on("inputs", weight(3)), *on("privacy", MUST))
    assert adviser.lead(ADVICE, state.now) == {OPTION["local"]}
    assert what_decides(ADVICE, state.now, OPTION["gemini"]) == (
        "Out, whatever the weights. No data may leave the machine."
    )


def test_every_case_has_its_own_settings() -> None:
    state = after(*on("cost", weight(2)), case(1), *on("speed", weight(1)))
    assert state.now.weights[NEED["cost"]] == 0
    state = after(case(-5), state=state)
    assert (state.case, state.now.weights[NEED["cost"]]) == (0, 2)
    assert after(case(100), state=state).case == len(ADVICE.cases)


def test_the_deciding_change_has_the_stated_effect() -> None:
    state = after(*on("inputs", weight(2)), *on("cost", weight(2)), *on("privacy", weight(1)))
    for option in range(len(ADVICE.options)):
        found = adviser.deciding(ADVICE, state.now, option)
        if found is not None:
            need = ADVICE.needs[found.need].id
            by = found.weight - state.now.weights[found.need]
            turned = after(*on(need, weight(by)), state=state)
            assert adviser.lead(ADVICE, turned.now) == found.lead


@settings(max_examples=60)
@given(
    st.lists(
        st.sampled_from(
            [
                *(MoveFocus(by, "need") for by in (1, -1)),
                *(MoveFocus(by, "option") for by in (1, -2)),
                *(weight(by) for by in (1, -1)),
                *(case(by) for by in (1, -1)),
                *map(ShowView, adviser.VIEWS),
                *(MUST, KIND, Reset(), PickOption()),
            ]
        ),
        max_size=40,
    )
)
def test_any_sequence_of_actions_leads_to_a_valid_state(actions: list[adviser.Action]) -> None:
    state = begun()
    for action in actions:
        try:
            state = adviser.act(state, action)
        except LabError:
            assert isinstance(action, PickOption)
            nothing = not any((*state.now.weights, *state.now.musts))
            assert nothing or (state.case, state.now) in state.missed
        assert 0 <= state.need < len(ADVICE.needs)
        assert 0 <= state.option < len(ADVICE.options)
        for place, need in enumerate(ADVICE.needs):
            assert 0 <= state.now.weights[place] <= 3
            assert 0 <= state.now.kinds[place] < len(need.kinds)
        assert state.at_once <= state.solved <= set(CASE.values())
        LAB.reached(state)
        assert adviser.question(state) is None


# --- cases ----------------------------------------------------------------------------------------


def test_a_pick_needs_weights() -> None:
    with pytest.raises(LabError):
        after(case(1), PickOption())


def test_a_defensible_pick_solves_a_case_for_good() -> None:
    state = picked(after(case(CASE["bank"]), *on("control", weight(3))), "no-llm")
    assert state.solved == state.at_once == {CASE["bank"]}
    state = picked(state, "copilot")  # a later pick, to read its comment
    assert state.picked[CASE["bank"]] == OPTION["copilot"]
    assert state.solved == state.at_once == {CASE["bank"]}


def test_options_cannot_be_tried_one_after_the_other() -> None:
    state = picked(after(case(CASE["bank"]), *on("control", weight(3))), "claude")
    assert state.solved == frozenset()
    with pytest.raises(LabError, match="already made a pick"):
        picked(state, "no-llm")
    there_and_back = after(weight(-1), weight(1), state=state)
    with pytest.raises(LabError):
        picked(there_and_back, "no-llm")
    with pytest.raises(LabError):  # a visit to another case doesn't help
        picked(after(case(1), case(-1), state=state), "no-llm")
    state = picked(after(weight(-1), state=state), "no-llm")
    assert state.solved == {CASE["bank"]}
    assert state.at_once == frozenset()


def test_five_cases_are_not_enough_without_two_first_picks() -> None:
    goal = LAB.goal("five-cases")
    assert goal is not None

    def solved(cases: int, at_once: int) -> State:
        return msgspec.structs.replace(
            begun(), solved=frozenset(range(cases)), at_once=frozenset(range(at_once))
        )

    assert goal.reached(solved(5, 2))
    assert not goal.reached(solved(4, 4))
    assert not goal.reached(solved(10, 1))


def test_a_pick_for_the_learners_own_task_solves_no_case() -> None:
    state = picked(after(*on("cost", weight(1))), "local")
    assert state.picked[0] == OPTION["local"]
    assert state.solved == frozenset()


# --- goals ----------------------------------------------------------------------------------------


def test_a_tie_for_first_place_does_not_reach_the_goal() -> None:
    assert LAB.reached(begun()) == frozenset()
    tie = after(*on("privacy", weight(1)))
    assert "local-first" not in LAB.reached(tie)  # it is first with two others
    assert "local-first" in LAB.reached(after(*on("inputs", weight(1)), state=tie))


def test_one_weight_must_replace_all_options_in_first_place() -> None:
    state = after(*on("inputs", weight(1)))
    assert "one-weight" not in LAB.reached(state)  # no option was first before
    assert "one-weight" in LAB.reached(after(*on("privacy", weight(2)), state=state))
    assert "one-weight" not in LAB.reached(after(*on("control", MUST), state=state))
    shared = after(*on("recency", weight(1)), state=state)
    assert "one-weight" not in LAB.reached(shared)  # some of the earlier first options still are
    cleared = after(*on("privacy", weight(2)), Reset(), state=state)
    assert "one-weight" not in LAB.reached(cleared)


def test_going_to_another_case_does_not_count_as_a_change() -> None:
    state = after(*on("inputs", weight(1)), case(1), *on("privacy", weight(1)), case(-1))
    assert LAB.reached(state) == frozenset()


# --- the saved file -------------------------------------------------------------------------------

WEIGHED = after(case(CASE["weekend"]), *on("cost", MUST, weight(3)), *on("inputs", weight(2)))


def saving(folder: Path, state: State, day: date = DAY) -> Path:
    asked = adviser.question(after(SaveResult(), state=state))
    assert isinstance(asked, Save)
    answer = AdviserBackend(folder, lambda: day).answer(asked)
    assert isinstance(answer, Saved)
    return Path(answer.path)


def test_the_result_is_one_private_file_in_the_learners_folder(tmp_path: Path) -> None:
    folder = tmp_path / "data" / "labs"
    path = saving(folder, picked(WEIGHED, "gemini"))
    assert path == folder / "adviser-weekend-2026-11-25.md"
    if os.name != "nt":
        assert path.stat().st_mode & 0o777 == 0o600
    assert {each.suffix for each in folder.iterdir()} == {".md", ".lock"}


def test_the_same_result_is_the_same_file_and_another_one_replaces_none(tmp_path: Path) -> None:
    first = saving(tmp_path, WEIGHED)
    text = first.read_text("utf-8")
    assert saving(tmp_path, WEIGHED) == first
    other = saving(tmp_path, after(*on("speed", weight(1)), state=WEIGHED))
    assert other.name == "adviser-weekend-2026-11-25-2.md"
    assert first.read_text("utf-8") == text
    assert saving(tmp_path, WEIGHED, date(2026, 11, 26)).name == "adviser-weekend-2026-11-26.md"


def test_a_key_that_is_held_down_does_not_fill_the_disk(tmp_path: Path) -> None:
    name = "adviser-weekend-2026-11-25"
    for number in range(1, MOST_A_DAY + 1):
        (tmp_path / f"{name}{f'-{number}' if number > 1 else ''}.md").write_text("other")
    with pytest.raises(LabError):
        saving(tmp_path, WEIGHED)


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_without_write_permission_is_reported(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(StoreError):
        saving(tmp_path, WEIGHED)
    tmp_path.chmod(0o700)


def test_a_file_in_place_of_the_folder_is_reported(tmp_path: Path) -> None:
    (tmp_path / "labs").write_text("in the way")
    with pytest.raises(StoreError):
        saving(tmp_path / "labs", WEIGHED)


def test_the_saved_text_has_everything_behind_the_result(tmp_path: Path) -> None:
    text = saving(tmp_path, picked(WEIGHED, "local")).read_text("utf-8")
    weekend = ADVICE.cases[CASE["weekend"] - 1]
    assert text.startswith(f"# Choosing: {weekend.title}\n\nSaved on 2026-11-25.\n")
    assert weekend.text in text
    assert (
        "| cost & limits | cheap, without limits | 3 | There is no money for each question. |"
        in text
    )
    assert "| 1 | Gemini | 12 | 80% |" in text  # 3 × 2 + 2 × 3 of 15
    assert "| out | Claude |" in text
    assert "**Open local model**" in text
    assert weekend.why[OPTION["local"]] in text
    shipped = (paths.lessons_folder() / "facts.yaml").read_text("utf-8")
    facts = {fact.id: fact for fact in read_facts(shipped, "facts.yaml")}
    for name in ("gemini-price", "claude-free-api", "copilot-pro"):
        fact = facts[name]
        (line,) = [each for each in text.splitlines() if each.endswith(f"Source: {fact.source}")
                   and fact.topic in each]  # fmt: skip
        assert fact.value in line
        assert fact.as_of in line
        assert ("not from the vendor" in line) == fact.second_hand
        assert ("US dollars per million tokens" in line) == (fact.topic == "API price")
    assert "gemini-web" not in text
    assert "Google Search" not in text  # recency was not weighed


def test_a_question_that_does_not_fit_the_data_is_refused(tmp_path: Path) -> None:
    asked = adviser.question(after(SaveResult(), state=WEIGHED))
    assert isinstance(asked, Save)
    replace = msgspec.structs.replace
    for wrong in (
        replace(asked, case=99),
        replace(asked, case=-1),
        replace(asked, picked=99),
        replace(asked, settings=replace(asked.settings, weights=(1,))),
        replace(asked, settings=replace(asked.settings, weights=(9,) * len(ADVICE.needs))),
        replace(asked, settings=replace(asked.settings, kinds=(9,) * len(ADVICE.needs))),
    ):
        with pytest.raises(LabError):
            AdviserBackend(tmp_path).answer(wrong)
    assert list(tmp_path.iterdir()) == []


def test_the_saved_path_is_shown_until_the_next_action(tmp_path: Path) -> None:
    there = backend("adviser", tmp_path)
    state = done("adviser", there, weight(1), SaveResult())
    assert state.saved is not None
    assert Path(state.saved.path).parent == tmp_path
    assert "saved" in LAB.reached(state)
    assert after(MoveFocus(1, "need"), state=state).saved is None
