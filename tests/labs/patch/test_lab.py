"""Test the patching lab: its logic, and its backend against runs with PyTorch's own hooks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.labs.lab_backend import at_last, backend, done, settled, small_model
from tutor.errors import LabError, TextError
from tutor.labs.kit.actions import Choose, EditText, MoveFocus, Run, ShowView
from tutor.labs.kit.progress import Progress
from tutor.labs.kit.reply import Reply
from tutor.labs.patch.explain import advice, place, signed
from tutor.labs.patch.lab import (
    LAB,
    LENGTH,
    MOST_TOKENS,
    VIEWS,
    Cells,
    Compare,
    Compute,
    Continue,
    Extend,
    Pair,
    Patch,
    Runs,
    State,
    act,
    portion,
    problem,
    question,
    receive,
)
from tutor.labs.patch.pairs import EXAMPLES
from tutor.lm.distribution import Token
from tutor.lm.language_model import LanguageModel
from tutor.lm.patch import SOURCES, Column, Patched

A, B = "The old man and the", "The old men and the"
EDITED = (EditText(A), EditText(B, "other"))


def token(id_: int) -> Token:
    return Token(id_, f" {id_}", f" {id_}".encode())


def pair(a: str = "abcd", b: str = "abxd", *, layers: int = 3, heads: int = 2) -> Pair:
    runs = Runs((token(1), token(2)), Patched(4.0, 0.8, 0.1), Patched(-4.0, 0.1, 0.8))
    first, second = (tuple(token(ord(char)) for char in text) for text in (a, b))
    return Pair(first, second, layers, heads, runs)


def compared(**fields: Any) -> State:
    return replace(State(pair=pair()), **fields)


def row(*differences: float) -> tuple[Patched, ...]:
    return tuple(Patched(each, 0.5, 0.5) for each in differences)


# --- The logic ---


def test_the_movement_is_measured_from_the_run_on_a_to_the_run_on_b() -> None:
    runs = pair().runs
    assert runs is not None
    moved = [portion(runs, cell) for cell in row(4.0, -4.0, 0.0, 6.0)]
    assert moved == [0.0, 1.0, 0.5, -0.25]


def test_positions_before_the_first_difference_need_no_runs() -> None:
    state = act(compared(), Run())
    assert [column.position for column in state.running] == [2, 3]
    assert state.moved(Patch(Column("residual", "other", 1), 2)) == 0.0
    ablated = act(compared(source="zero"), Run())
    assert [column.position for column in ablated.running] == [0, 1, 2, 3]


def test_a_run_can_be_stopped_and_continues_with_the_rows_that_are_missing() -> None:
    state = act(compared(), Run())
    first, second = state.running
    found = receive(state, Compute("", "", (first,)), Cells((row(1.0, 2.0, 3.0),)))
    assert found.running == (second,)
    stopped = act(found, Run())
    assert question(stopped) is None
    assert stopped.columns == {first: row(1.0, 2.0, 3.0)}
    assert act(stopped, Run()).running == (second,)


@pytest.mark.parametrize(
    "action", [MoveFocus(1, "layer"), MoveFocus(1, "position"), ShowView("head")]
)
def test_moving_around_does_not_interrupt_a_run(action: Any) -> None:
    state = act(compared(), Run())
    assert question(act(state, action)) == question(state)


def test_the_map_of_the_heads_shows_one_position() -> None:
    state = compared(view="head", position=3)
    assert state.rows == (Column("head", "other", 3, 0), Column("head", "other", 3, 1))
    assert act(state, Run()).running == state.rows
    assert act(state, MoveFocus(-1, "position")).rows[0].position == 2


def test_a_request_has_a_limited_size() -> None:
    long = pair("a" * 20, "b" * 20, layers=30)
    state = act(State(pair=long), Run())
    sizes = []
    while (asked := question(state)) is not None:
        assert isinstance(asked, Compute)
        vectors = sum(30 * (20 - column.position) for column in asked.columns)
        assert vectors <= 512 or len(asked.columns) == 1
        sizes.append(len(asked.columns))
        state = receive(state, asked, Cells(tuple(row(*[0.0] * 30) for _ in asked.columns)))
    assert sum(sizes) == 20
    assert sizes[0] == 1 < sizes[-1]


def test_other_texts_remove_the_maps_and_the_screen_says_so() -> None:
    state = compared(columns={Column("residual", "other", 2): row(1.0, 2.0, 3.0)})
    new = act(state, EditText("another", "other"))
    assert (new.pair, new.columns) == (None, {})
    assert LAB.lost(state, new) == "The maps of the earlier texts were removed."
    assert act(state, EditText(state.text)) == state
    with pytest.raises(TextError):
        act(state, EditText("  ", "other"))


def test_saved_maps_are_restored_with_their_texts() -> None:
    state = compared(
        source="mean", view="head", columns={Column("head", "mean", 2, 1): row(1.0, 2.0, 3.0)}
    )
    restored, model = LAB.resumed(LAB.saved(state, "checksum"))
    assert model == "checksum"
    assert restored.columns == state.columns
    assert restored.pair is None
    asked = Compare(restored.text, restored.other)
    assert question(restored) == asked
    again = receive(restored, asked, pair())
    assert again.columns == state.columns
    other = receive(restored, asked, pair(layers=4))
    assert other.columns == {}


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ("abc", "abcd", "length"),
        ("a" * (MOST_TOKENS + 1), "b" * (MOST_TOKENS + 1), "long"),
        ("abc", "abc", "same"),
        ("abc", "abd", None),
    ],
)
def test_texts_that_cannot_be_patched(a: str, b: str, expected: str | None) -> None:
    found = pair(a, b)
    assert problem(found) == expected
    if expected:
        assert State(pair=found).runs is None
        assert act(State(pair=found), Run()).running == ()
        assert question(act(State(pair=found), Continue())) is None


def test_two_texts_with_the_same_answer_cannot_be_patched() -> None:
    runs = Runs((token(1), token(1)), Patched(0.0, 0.8, 0.8), Patched(0.0, 0.7, 0.7))
    assert problem(replace(pair(), runs=runs)) == "answer"


def test_the_advice_says_how_many_tokens_are_missing_and_where() -> None:
    found = pair("abcd", "abxyzd")
    said = advice(found, "length")
    assert "Text B has 2 tokens more than text A." in said[0]
    assert said[1] == "They differ here: in A ␣99 (1 token), in B ␣120|␣121|␣122 (3 tokens)."
    assert "add a word to text A" in said[2]


@given(st.text("ab", min_size=1, max_size=6), st.text("ab", min_size=1, max_size=6))
def test_there_is_advice_for_every_pair_of_lengths(a: str, b: str) -> None:
    found = pair(a, b)
    if problem(found) == "length":
        _, differ, *_ = advice(found, "length")
        assert "nothing" in differ or "token" in differ


def test_places_are_counted_from_one() -> None:
    found = pair()
    assert place(found, Patch(Column("residual", "other", 2), 0)) == "layer 1 at ␣99"
    assert place(found, Patch(Column("head", "other", 3, 1), 2)) == "layer 3, head 2 at ␣100"
    assert (signed(-0.0001), signed(1.0302), signed(-0.25)) == ("0.0", "103.0", "-25.0")


ACTIONS = st.one_of(
    st.builds(MoveFocus, st.integers(-9, 9), st.sampled_from(["layer", "position", "head"])),
    st.builds(ShowView, st.sampled_from(VIEWS)),
    st.builds(Choose, st.integers(-1, 1), st.just("source")),
    st.sampled_from([Run(), Continue()]),
)


@given(st.lists(ACTIONS, max_size=20))
def test_the_selection_stays_on_the_map_and_every_map_is_completed(actions: list[Any]) -> None:
    state = compared()
    for action in actions:
        state = act(state, action)
        assert state.selected.column in state.rows
        assert 0 <= state.layer < 3
        asked = question(state)
        if isinstance(asked, Compute):
            assert not set(asked.columns) & state.columns.keys()
            answer = Cells(tuple(row(1.0, 2.0, 3.0) for _ in asked.columns))
            state = receive(state, asked, answer)
        LAB.reached(state)
    state = replace(state, patch=None, running=())
    state = act(state, Run())
    while isinstance(asked := question(state), Compute):
        state = receive(state, asked, Cells(tuple(row(1.0, 2.0, 3.0) for _ in asked.columns)))
    assert state.missing == ()


# --- The backend ---


@pytest.fixture
def there(tmp_path: Path) -> Any:
    return backend("patch", tmp_path)


def module_of(column: Column, layer: int) -> Any:
    block: Any = small_model().network.blocks[layer]
    return {
        "residual": block,
        "attention": block.attention,
        "feed-forward": block.feed_forward,
        "head": block.attention.output,
    }[column.component]


class Changed(torch.nn.Module):
    """A module that records an activation, or replaces it by a recorded one."""

    def __init__(self, module: Any, column: Column, new: torch.Tensor | None) -> None:
        super().__init__()
        self.module, self.column, self.new = module, column, new
        self.seen: list[torch.Tensor] = []

    def forward(self, *inputs: Any) -> Any:
        if self.column.component != "head":
            return self._change(self.module(*inputs).clone())
        return self.module(self._change(inputs[0].clone()))

    def _change(self, value: torch.Tensor) -> torch.Tensor:
        self.seen.append(value.clone())
        if self.new is not None:
            size = small_model().network.config.head_size
            head = slice(self.column.head * size, (self.column.head + 1) * size)
            part = head if self.column.component == "head" else slice(None)
            value[self.column.position, part] = self.new[self.column.position, part]
        return value


def by_hand(a: str, b: str, column: Column, layer: int) -> torch.Tensor:
    """Return the logits after text A with one activation of text B."""
    network: Any = small_model().network
    ids = [torch.tensor(small_model().tokenizer.encode(text)) for text in (a, b)]
    block = network.blocks[layer]
    parent, name = {
        "residual": (network.blocks, str(layer)),
        "attention": (block, "attention"),
        "feed-forward": (block, "feed_forward"),
        "head": (block.attention, "output"),
    }[column.component]
    module = module_of(column, layer)
    new = None
    try:
        for text in (ids[1], ids[0]):
            changed = Changed(module, column, new)
            setattr(parent, name, changed)
            vars(parent)[name] = changed
            with torch.inference_mode():
                logits: torch.Tensor = network.logits(network(text)[-1])
            new = changed.seen[0]
    finally:
        setattr(parent, name, module)
        vars(parent)[name] = module
    return logits


def test_the_map_has_the_results_of_runs_by_hand(there: Any) -> None:
    """Sums of 32-bit floats in another order differ by less than the tolerance."""
    state = done("patch", there, *EDITED)
    assert problem(state.pair) is None
    answers = [answer.id for answer in state.runs.answers]
    for view in VIEWS:
        last = len(state.pair.a) - 1
        state = settled(LAB, act(replace(state, view=view, position=last), Run()), there)
        assert state.missing == ()
        for column in state.rows[-3:]:
            for layer in (0, 3, 5):
                logits = by_hand(A, B, column, layer)
                expected = logits.softmax(-1)[answers].tolist()
                cell = state.cell(Patch(column, layer))
                assert [cell.first, cell.second] == pytest.approx(expected, abs=1e-5)
                difference = float(logits[answers[0]] - logits[answers[1]])
                assert cell.difference == pytest.approx(difference, abs=1e-4)


@pytest.mark.parametrize("source", SOURCES)
def test_a_backend_without_a_cache_gives_the_same_answer(
    source: str, there: Any, tmp_path: Path
) -> None:
    state = done("patch", there, *EDITED)
    asked = Compute(A, B, (Column("attention", source, 4),))  # type: ignore[arg-type]
    assert at_last(there, asked) == at_last(backend("patch", tmp_path), asked)
    patch = Patch(Column("residual", source, 4), 2)  # type: ignore[arg-type]
    empty = Reply(most=LENGTH)
    whole = at_last(there, Extend(A, B, patch, empty, empty))
    plain, patched = (
        replace(reply, ids=reply.ids[:2], pieces=reply.pieces[:2], logs=reply.logs[:2], ended=False)
        for reply in (whole.plain, whole.patched)
    )
    asked_rest = Extend(A, B, patch, plain, patched)
    while not (plain.done and patched.done):
        found = at_last(backend("patch", tmp_path), asked_rest)
        plain, patched = found.plain, found.patched
        asked_rest = Extend(A, B, patch, plain, patched)
    while not (whole.plain.done and whole.patched.done):
        whole = at_last(there, Extend(A, B, patch, whole.plain, whole.patched))
    assert (plain.ids, patched.ids) == (whole.plain.ids, whole.patched.ids)
    assert state.runs is not None


def test_work_is_cut_into_steps_that_report_their_progress(tmp_path: Path) -> None:
    there = backend("patch", tmp_path, moment=0.0)
    state = act(done("patch", there, *EDITED), Run())
    asked = question(state)
    steps = [there.answer(asked)]
    while isinstance(steps[-1], Progress):
        steps.append(there.answer(asked))
    assert len(steps) == small_model().network.config.layers + 1
    assert [step.done for step in steps[:-1]] == list(range(1, len(steps)))


RESIDUAL = Column("residual", "other", 1)
EMPTY = Reply(most=LENGTH)
PATCH = Patch(RESIDUAL, 0)


@pytest.mark.parametrize(
    "asked",
    [
        Compute(A, B, ()),
        Compute(A, B, (RESIDUAL,) * 20_000),
        Compute(A, B, tuple(Column("residual", "other", 1, head) for head in range(20_000))),
        Compute(A, B, (RESIDUAL, Column("attention", "other", 2))),
        Compute(A, B, (RESIDUAL, Column("residual", "zero", 2))),
        Compute(A, B, (Column("residual", "other", 99),)),
        Compute(A, B, (Column("residual", "other", -1),)),
        Compute(A, B, (Column("head", "other", 1, 99),)),
        Compute(A, "The old man", (RESIDUAL,)),
        Compute(A * 10, B * 10, (RESIDUAL,)),
        Compute(A, A, (RESIDUAL,)),
        Extend(A, B, Patch(RESIDUAL, 99), EMPTY, EMPTY),
        Extend(A, B, Patch(RESIDUAL, -1), EMPTY, EMPTY),
        Extend(A, B, Patch(Column("residual", "other", 99), 0), EMPTY, EMPTY),
        Extend(A, B, PATCH, Reply(most=10**6), EMPTY),
        Extend(A, B, PATCH, EMPTY, replace(EMPTY, ids=(10**6,))),
        Extend(A, B, PATCH, EMPTY, replace(EMPTY, ids=(1,) * 13)),
    ],
    ids=lambda asked: str(asked)[:60],
)
def test_a_request_that_the_lab_would_not_send_is_refused(asked: Any, tmp_path: Path) -> None:
    """A shared engine must not run out of memory, whatever a client sends."""
    there = backend("patch", tmp_path, moment=0.0)
    with pytest.raises(LabError, match="patch is not possible"):
        there.answer(asked)


def test_the_residual_stream_of_the_last_layer_carries_the_whole_answer(there: Any) -> None:
    state = done("patch", there, *EDITED, Run(), MoveFocus(99, "position"), MoveFocus(99, "layer"))
    assert state.moved(state.selected) == pytest.approx(1.0, abs=1e-4)
    state = settled(LAB, act(state, Continue()), there)
    assert state.patched.ids[0] == state.runs.answers[1].id
    assert state.plain.ids[0] == state.runs.answers[0].id
    assert state.patched.done
    assert len(state.patched.ids) <= LENGTH
    assert "other-answer" in LAB.reached(state)


@pytest.mark.slow
def test_every_example_fits_the_default_model(
    language_model: LanguageModel, tmp_path: Path
) -> None:
    there = backend("patch", tmp_path, language_model)
    state = done("patch", there)
    for _ in EXAMPLES:
        assert problem(state.pair) is None
        state = settled(LAB, act(state, Choose(1, "example")), there)
    assert (state.text, state.other) == EXAMPLES[0]
