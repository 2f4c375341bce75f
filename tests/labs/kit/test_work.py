"""Test that the learner's work in every lab is saved and restored, and that no file breaks it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache, partial
from typing import Any, TypeAlias

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.labs.a_few import FEW_OR_ALL, few_or_all
from tests.labs.lab_backend import backend
from tutor.errors import TutorError
from tutor.labs.generations.probes import Case, Result
from tutor.labs.kit import registry
from tutor.labs.kit.backend import Backend
from tutor.labs.kit.registry import AnyLab
from tutor.labs.kit.view import LabView
from tutor.labs.kit.work import LARGEST, Work, indexes, one_of, work
from tutor.labs.probe.lab import Control, Sentence, Trained
from tutor.labs.rag import quality
from tutor.lm.patch import Column, Patched

LABS = registry.names()
States: TypeAlias = Callable[[str], tuple[Any, ...]]
MOST_CHARACTERS = 20_000
"""More than the longest text in a lab."""
MOST_ANSWERS = 4
"""The number of questions that are answered after an action. More would only take time."""


class State(msgspec.Struct, frozen=True, kw_only=True):
    text: str = "start"
    at: int = 0
    both: tuple[int, int] = (0, 1)
    kind: str = "a"
    answer: str = ""


WORK: Work[State] = work("text", at=3, both=indexes(2), kind=one_of(("a", "b")))
restored = partial(WORK.restored, initial=State())


def test_only_what_differs_from_the_start_is_saved() -> None:
    assert WORK.encoded(State(), State()) == b""
    assert WORK.encoded(State(answer="computed"), State()) == b""
    state = State(text="mine", at=2, answer="computed")
    assert restored(WORK.encoded(state, State())) == State(text="mine", at=2)


@pytest.mark.parametrize("name", LABS)
def test_a_saved_text_has_a_limited_length(name: str) -> None:
    lab = registry.find(name)
    data = msgspec.json.encode(dict.fromkeys(("text", "other", "b"), "word " * 300_000))
    state = lab.restored(data)
    texts = [text for text in msgspec.structs.astuple(state) if isinstance(text, str)]
    assert max(map(len, texts), default=0) <= MOST_CHARACTERS


@pytest.mark.parametrize(
    "data",
    [
        *(b"", b"{", b"[]", b"null", b"\xff", b"[" * 100_000, b'{"text":' * 10_000),
        *(b'{"text":1}', b'{"text":null}', b'{"at":3}', b'{"at":-1}', b'{"at":1.5}'),
        *(b'{"at":1' + b"0" * 5000 + b"}", b'{"both":[0]}', b'{"both":[0,2]}', b'{"kind":"c"}'),
        *(b'{"answer":"forged"}', b'{"unknown":1}', b'{"text":"' + b"x" * 4001 + b'"}'),
        b'{"text":"' + b"x" * LARGEST + b'"}',
    ],
)
def test_invalid_data_leaves_the_start(data: bytes) -> None:
    assert restored(data) == State()


def test_an_invalid_field_does_not_spoil_the_others() -> None:
    assert restored(b'{"at":9,"new":{"x":[]},"text":"mine"}') == State(text="mine")


# --- every lab ------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def backend_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Backend]:
    """Returns the backend of a lab on the small model. It is the same in all tests."""
    return cache(lambda name: backend(name, tmp_path_factory.mktemp(name), moment=0.0))


@pytest.fixture(scope="session")
def states_of(tmp_path_factory: pytest.TempPathFactory) -> States:
    """Returns states on the way through a lab's solution, on the small model."""
    return cache(
        lambda name: _on_the_way(name, backend(name, tmp_path_factory.mktemp(name), moment=0.0))
    )


def _on_the_way(name: str, there: Backend) -> tuple[Any, ...]:
    lab = registry.find(name)
    state = _on(lab, lab.start(), there)
    states = [state]
    for action in lab.solution[:10]:
        state = _on(lab, lab.act(state, action), there)
        states.append(state)
    return tuple(states)


def _on(lab: AnyLab, state: Any, there: Any) -> Any:
    """Return the state after some questions are answered."""
    for _ in range(MOST_ANSWERS):
        question = lab.question(state)
        if question is None or lab.private(question):
            break
        try:
            state = lab.receive(state, question, there.answer(question))
        except TutorError:
            break
    return state


@pytest.mark.parametrize("name", LABS)
def test_a_lab_says_what_the_work_is(name: str) -> None:
    lab = registry.find(name)
    fields = set(type(lab.start()).__struct_fields__)
    assert lab.work.limits
    assert lab.work.limits.keys() <= fields
    assert lab.saved(lab.start()) == b""


@pytest.mark.parametrize("name", LABS)
def test_the_work_of_a_lab_is_restored(name: str, states_of: States) -> None:
    lab = registry.find(name)
    changed = 0
    for state in states_of(name):
        saved = lab.saved(state)
        changed += bool(saved)
        assert lab.saved(lab.restored(saved)) == saved
    assert changed


@pytest.mark.parametrize("name", LABS)
def test_a_restored_lab_asks_its_questions_again(name: str, states_of: States) -> None:
    lab = registry.find(name)
    if lab.question(lab.start()) is not None:
        for state in states_of(name):
            asked = lab.question(lab.restored(lab.saved(state)))
            assert asked is not None or name == "certainty"  # its tables are filled by a run


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-3, 60)
    | st.sampled_from((10**4 - 1, 10**9, -(10**9), 2**70, 0.5, -1e300))
    | st.text(max_size=6),
    lambda children: (
        st.lists(children, max_size=5) | st.dictionaries(st.text(max_size=3), children, max_size=3)
    ),
    max_leaves=12,
)


def _mutated(value: Any, data: st.DataObject) -> Any:
    """Return JSON of nearly the same form, with a few values replaced."""
    if data.draw(st.integers(0, 11)) == 0:
        return data.draw(JSON)
    match value:
        case dict():
            return {key: _mutated(each, data) for key, each in value.items()}
        case list():
            kept = [_mutated(each, data) for each in value[:6]] + value[6:]
            return kept[data.draw(st.integers(0, 1)) :]
        case bool():
            return data.draw(st.booleans())
        case int():
            return data.draw(st.sampled_from((value, 0, 1, 5, 40, 9999, -1, 10**9)))
        case str():
            return data.draw(st.sampled_from((value, "", " ", "é\x1b[31m", "a b / c", value * 3)))
    return value


WITH_RESULTS = [name for name in LABS if registry.find(name).results.fields]


def _with_results(name: str, states: Sequence[Any]) -> list[Any]:
    """Return states on the way through a lab's solution, and some that are far from its start."""
    further: dict[str, dict[str, Any]] = {
        "generations": {"results": {Case(0, "rules"): Result("Hello", True, 1.5)}},
        "difference": {"scan": ((0.25,) * 17, (0.5,) * 17)},
        "patch": {
            "columns": {Column("residual", "other", 1): (Patched(1.5, 0.75, 0.25),) * 6},
        },
        "probe": {
            "trained": Trained(
                count=3,
                fitted=(2, 3),
                held_out=(Sentence("Good", True), Sentence("Bad", False)),
                probabilities=((0.5, 0.25), (0.75, 0.25)),
            ),
            "control": Control((1, 2)),
            "layers": 2,
            "layer": 1,
            "row": 0,
        },
        "rag": {"quality": quality.State(ranks={"words": (1, 0)}, scores={"words": (0.5, 0.25)})},
    }
    state = msgspec.structs.replace(states[-1], **further.get(name, {}))
    return [*states, state]


@pytest.mark.parametrize("name", WITH_RESULTS)
def test_the_results_of_a_lab_are_restored_with_their_work(name: str, states_of: States) -> None:
    lab = registry.find(name)
    found = 0
    for state in _with_results(name, states_of(name)):
        saved, work = lab.saved(state, "model"), lab.saved(state)
        if saved == work:
            assert lab.resumed(saved) == (lab.restored(work), None)
            continue
        found += 1
        resumed, model = lab.resumed(saved)
        assert model == "model"
        assert lab.saved(resumed, "model") == saved
        assert lab.restored(saved) == lab.restored(work)  # as an earlier version would
        other = msgspec.json.decode(saved) | {"unknown": 1}
        assert lab.resumed(msgspec.json.encode(other)) == (lab.restored(work), None)
    assert found


@pytest.mark.parametrize("name", few_or_all(WITH_RESULTS))
@settings(max_examples=12, deadline=None)
@given(data=st.data())
def test_no_results_in_a_file_break_a_lab(
    name: str, data: st.DataObject, states_of: States
) -> None:
    lab = registry.find(name)
    every = _with_results(name, states_of(name))
    states = [state for state in every if lab.saved(state, "m") != lab.saved(state)]
    file = msgspec.json.decode(lab.saved(data.draw(st.sampled_from(states)), "m"))
    key = next(key for key in file if key not in lab.work.limits)
    state, _ = lab.resumed(msgspec.json.encode(file | {key: _mutated(file[key], data)}))
    view = registry.load_part(name, "view").VIEW
    for each in view.VIEWS or (None,):
        shown = state if each is None else msgspec.structs.replace(state, view=each)
        _draw(view, shown)
        lab.reached(shown)
    lab.question(state)


@pytest.mark.parametrize("name", FEW_OR_ALL)
@settings(max_examples=12, deadline=None)
@given(data=st.data())
def test_no_file_breaks_a_lab(
    name: str, data: st.DataObject, states_of: States, backend_of: Callable[[str], Backend]
) -> None:
    """A lab opens with any file, answers its first questions, and can be drawn all the while."""
    lab, states = registry.find(name), states_of(name)
    known: dict[str, Any] = {}
    for state in states:
        known |= msgspec.json.decode(lab.saved(state) or b"{}")
    for field in lab.work.limits:
        known.setdefault(field, None)
    found = {
        field: _mutated(value, data) if value is not None else data.draw(JSON)
        for field, value in known.items()
        if data.draw(st.booleans())
    }
    state = lab.restored(msgspec.json.encode(found))
    view = registry.load_part(name, "view").VIEW
    there = backend_of(name)
    for _ in range(MOST_ANSWERS):
        _draw(view, state)
        lab.reached(state)
        question = lab.question(state)
        if question is None or lab.private(question):
            break
        try:
            state = lab.receive(state, question, there.answer(question))
        except TutorError:
            break
    _draw(view, state)
    assert lab.saved(lab.restored(lab.saved(state))) == lab.saved(state)


def _draw(view: type[LabView], state: Any) -> None:
    if view.lines is LabView.lines:  # It draws with widgets.
        return
    drawn = view()
    drawn.state = state
    for size in ((80, 20), (40, 8)):
        drawn.lines(state, *size)
