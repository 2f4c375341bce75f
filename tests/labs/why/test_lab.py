"""Test the lab "Why this token?": its numbers, its choices, and its goals."""

from __future__ import annotations

import struct
import time
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.labs.lab_backend import at_last, backend, done, settled, small_model
from tutor.errors import TextError
from tutor.labs.kit.actions import Choose, EditText, MoveFocus, ShowView
from tutor.labs.why import lab as why
from tutor.labs.why.lab import (
    LAB,
    MOST_TOKENS,
    Candidate,
    Candidates,
    Contrast,
    Explain,
    HeadSources,
    ShowHead,
    State,
)
from tutor.lm.attribution import Attribution, Occlusion, Part
from tutor.lm.chat import text_ids
from tutor.lm.distribution import Token
from tutor.lm.inspect import heads

TEXT = "The little bird sat in the tree and"


def token(id_: int, text: str) -> Token:
    return Token(id_, text, text.encode())


PARIS, LONDON, CAPITAL = token(1, " Paris"), token(2, " London"), token(3, " capital")


def known(**fields: Any) -> State:
    """Return a state of a network with one layer of two heads, after a text of two tokens."""
    rows = tuple(Candidate(each, 0.1, 3.0 - each.id) for each in (PARIS, LONDON, CAPITAL))
    split = Attribution(PARIS, LONDON, 1.0, 0.0, ((1.5, -0.7),), (0.2,))
    sources = HeadSources(
        attention=struct.pack("4f", 0.1, 0.9, 0.6, 0.4),
        logits=struct.pack("4f", 0.3, 1.2, 0.05, -0.75),
    )
    state = State(
        candidates=Candidates((CAPITAL, PARIS), 0, 1, 2, rows),
        against=LONDON,
        split=split,
        sources=sources,
    )
    return replace(state, **fields)


# --- the backend, compared with other computations -----------------------------------------------


@torch.inference_mode()
def test_the_table_has_the_top_tokens_and_the_added_ones(tmp_path: Path) -> None:
    found = at_last(backend("why", tmp_path), why.Next(TEXT, (" the",), (9,)))
    model = small_model()
    ids = text_ids(model, TEXT)
    logits = model.network.logits(model.network(torch.tensor(ids))[-1])
    assert [each.id for each in found.tokens] == ids
    assert found.rows[0].token.id == int(logits.argmax())
    listed = {row.token.id: row for row in found.rows}
    assert {9, *found.words} <= set(listed)
    assert model.tokenizer.token(found.words[0]).text == " the"
    for id_, row in listed.items():
        assert row.logit == pytest.approx(float(logits[id_]), abs=1e-4)
        assert row.probability == pytest.approx(float(logits.softmax(-1)[id_]), abs=1e-5)
    order = [row.logit for row in found.rows]
    assert order == sorted(order, reverse=True)


@pytest.mark.parametrize("moment", [0.0, 10.0])
def test_the_sources_add_up_to_each_head(tmp_path: Path, moment: float) -> None:
    there = backend("why", tmp_path, moment=moment)
    state = done("why", there, MoveFocus(1, "row"), Contrast(), ShowView("head"))
    network, ids = small_model().network, [each.id for each in state.tokens]
    weights = heads.attention(network, ids)[:, :, -1]  # [layers, heads, T]
    for layer, contributions in enumerate(state.split.heads):
        for head, logits in enumerate(contributions):
            part = Part(layer, head)
            assert sum(state.from_tokens(part)) == pytest.approx(logits, abs=1e-3)
            expected = weights[layer, head].tolist()
            assert list(state.attention(part)) == pytest.approx(expected, abs=1e-4)
    of_tokens = [state.of_token(at) for at in range(len(ids))]
    assert sum(of_tokens) == pytest.approx(sum(map(sum, state.split.heads)), abs=1e-2)
    total = sum(each.logits for each in state.ranking)
    assert total == pytest.approx(state.logit, abs=1e-2)


def test_a_slow_forward_pass_leaves_time_for_several_heads(tmp_path: Path) -> None:
    moment = 0.5
    there = backend("why", tmp_path, moment=moment)
    state = done("why", there)
    sources = why.Sources(state.text, state.explained.id, None)

    def lasts_longer(*_: object) -> None:
        until = time.perf_counter() + moment
        while time.perf_counter() < until:
            pass

    hook = small_model().network.register_forward_pre_hook(lasts_longer)
    try:
        answer = there.answer(sources)
    finally:
        hook.remove()
    assert isinstance(answer, HeadSources) or answer.done > 1


@torch.inference_mode()
def test_every_token_but_the_last_is_removed(tmp_path: Path) -> None:
    state = done("why", backend("why", tmp_path), EditText(TEXT), ShowView("tokens"))
    network, ids = small_model().network, text_ids(small_model(), TEXT)
    assert set(state.removed) == set(range(len(ids) - 1))
    target = state.explained.id

    def logit(ids: list[int]) -> float:
        return float(network.logits(network(torch.tensor(ids))[-1])[target])

    for index, removed in state.removed.items():
        lost = logit(ids) - logit(ids[:index] + ids[index + 1 :])
        assert removed.logits == pytest.approx(lost, abs=1e-3)


def test_a_long_text_is_cut(tmp_path: Path) -> None:
    state = done("why", backend("why", tmp_path), EditText("a b " * 40))
    assert len(state.tokens) == MOST_TOKENS
    assert state.candidates.left_out > 0


@pytest.mark.parametrize("typed", ["the", " the", "␣the"])
def test_a_typed_word_is_the_token_with_its_space(tmp_path: Path, typed: str) -> None:
    state = done("why", backend("why", tmp_path), EditText(typed, "token"))
    assert state.candidates.rows[state.row].token.text == " the"


def test_a_word_of_several_tokens_is_its_first_token(tmp_path: Path) -> None:
    first = small_model().tokenizer.encode(" elephants")
    assert len(first) > 1
    state = done("why", backend("why", tmp_path), EditText("elephants", "token"))
    assert state.candidates.rows[state.row].token.id == first[0]


@pytest.mark.parametrize("typed", ["", "x" * 61])
def test_a_word_that_is_no_token_is_refused(typed: str) -> None:
    with pytest.raises(TextError):
        LAB.act(State(), EditText(typed, "token"))


# --- choices -------------------------------------------------------------------------------------


def test_a_choice_forgets_what_was_about_another_pair() -> None:
    state = known(row=2, view="head", removed={0: Occlusion(0, CAPITAL, 1.0, 0.1)})
    for action in (Explain(), Contrast()):
        changed = LAB.act(state, action)
        assert (changed.split, changed.sources, changed.removed) == (None, None, {})


def test_the_pair_is_chosen_in_the_table() -> None:
    def pair(state: State) -> tuple[str, str | None]:
        assert state.explained is not None
        return state.explained.text, None if state.against is None else state.against.text

    paris = known(against=None)
    assert pair(paris) == (" Paris", None)
    both = LAB.act(known(against=None, row=1), Contrast())
    assert pair(both) == (" Paris", " London")
    assert pair(LAB.act(both, Contrast())) == (" Paris", None)
    assert pair(LAB.act(both, Explain())) == (" London", " Paris")
    assert pair(LAB.act(known(row=2), Explain())) == (" capital", " London")


def test_a_token_is_not_compared_with_itself() -> None:
    state = known(row=0)
    assert LAB.act(state, Contrast()) == state


def test_explaining_the_explained_token_keeps_its_numbers() -> None:
    state = LAB.act(known(row=0), Explain())
    assert (state.target, state.split) == (PARIS, known().split)


def test_tokens_of_another_model_are_dropped() -> None:
    foreign = token(1, " Berlin")
    state = State(target=foreign, against=token(2, " Rome"))
    asked = LAB.question(state)
    assert asked == why.Next(state.text, state.words, (1, 2))
    answer = known().candidates
    assert answer is not None
    opened = LAB.receive(state, asked, answer)
    assert (opened.target, opened.against) == (None, None)


def test_a_part_of_another_model_is_dropped() -> None:
    split = known().split
    assert split is not None
    state = known(part=Part(40, 3), split=None, view="map")
    asked = LAB.question(state)
    assert isinstance(asked, why.Split)
    assert LAB.receive(state, asked, why.Contributions(split)).part is None


@pytest.mark.parametrize(
    ("part", "by", "axis", "expected"),
    [
        (Part(0, 0), 1, "part", Part(0, 1)),
        (Part(0, 1), 1, "part", Part(0)),
        (Part(0), 1, "part", Part(0)),
        (Part(0), -1, "part", Part(0, 1)),
        (Part(0, 1), 5, "layer", Part(0, 1)),
        (Part(), 1, "layer", Part(0, 0)),
        (Part(0, 0), 1, "rank", Part(0, 1)),
        (Part(0, 1), 9, "rank", Part()),
    ],
)
def test_moving_to_another_part(part: Part, by: int, axis: why.Axis, expected: Part) -> None:
    assert LAB.act(known(part=part, view="map"), MoveFocus(by, axis)).part == expected


def test_moving_sends_no_request(tmp_path: Path) -> None:
    state = done("why", backend("why", tmp_path), ShowView("head"))
    for axis in ("row", "rank", "layer", "part", "token"):
        assert LAB.question(LAB.act(state, MoveFocus(1, axis))) is None


def test_each_view_asks_only_for_what_it_shows(tmp_path: Path) -> None:
    there = backend("why", tmp_path)
    state = done("why", there)
    assert state.split is None
    fields: dict[why.View, str] = {"parts": "split", "head": "sources", "tokens": "removed"}
    for view, field in fields.items():
        assert not getattr(state, field)
        state = settled(LAB, LAB.act(state, ShowView(view)), there)
        assert getattr(state, field)


def test_work_is_restored_without_results(tmp_path: Path) -> None:
    there = backend("why", tmp_path)
    state = done(
        "why", there, EditText(TEXT), MoveFocus(3, "row"), Contrast(), ShowView("map"),
        MoveFocus(1, "rank"),
    )  # fmt: skip
    restored = LAB.restored(LAB.saved(state))
    assert (restored.text, restored.against, restored.part) == (TEXT, state.against, state.part)
    assert restored.split is None
    assert settled(LAB, restored, there) == state


def test_an_example_replaces_the_text_and_the_pair() -> None:
    state = LAB.act(known(row=2, view="parts"), Choose(1, "example"))
    assert (state.text, state.against, state.row) == ("The capital of Italy is", None, 0)
    assert state.view == "parts"
    assert LAB.act(State(), Choose(-1, "example")).example == len(why.EXAMPLES) - 1


ACTIONS = st.one_of(
    st.builds(
        MoveFocus,
        st.integers(-4, 4),
        st.sampled_from(["row", "rank", "layer", "part", "token"]),
    ),
    st.builds(ShowView, st.sampled_from(why.VIEWS)),
    st.sampled_from([Explain(), Contrast(), ShowHead(), Choose(1, "example"), EditText("Hi")]),
    st.builds(EditText, st.text(min_size=1, max_size=5), st.just("token")),
)


def answered(state: State) -> State:
    """Return the state after answers that are about the network of `known`, whatever was asked."""
    example = known()
    assert example.candidates is not None
    assert example.split is not None
    assert example.sources is not None
    for _ in range(8):
        match LAB.question(state):
            case None:
                return state
            case why.Next() as asked:
                words = tuple(LONDON.id for _ in asked.words)
                answer: why.Answer = replace(example.candidates, words=words)
            case why.Split() as asked:
                answer = why.Contributions(example.split)
            case why.Sources() as asked:
                answer = example.sources
            case why.Remove(index=index) as asked:
                answer = why.Removed(Occlusion(index, CAPITAL, 1.0, 0.1))
        state = LAB.receive(state, asked, answer)
    raise AssertionError("the lab never stops asking")


@given(st.lists(ACTIONS, max_size=12), st.booleans())
def test_any_actions_leave_a_state_that_can_be_shown_and_saved(
    actions: list[Any], patient: bool
) -> None:
    """If not `patient`, actions are applied while questions are open."""
    state = LAB.start()
    for action in actions:
        state = LAB.act(answered(state) if patient else state, action)
        LAB.reached(state)
    state = answered(state)
    assert state.candidates is not None
    assert 0 <= state.row < len(state.candidates.rows)
    assert 0 <= state.token < len(state.tokens)
    assert state.against is None or state.against != state.explained
    assert state.selected is None or state.selected in state.ranking
    for each in state.ranking:
        assert len(state.from_tokens(each.part)) in (0, len(state.tokens))
    restored = answered(LAB.restored(LAB.saved(state)))
    shown = ("text", "view", "row", "token", "part", "explained", "against")
    assert [getattr(restored, name) for name in shown] == [getattr(state, name) for name in shown]


# --- goals ---------------------------------------------------------------------------------------

REMOVED = {0: Occlusion(0, CAPITAL, 2.5, 0.1)}


@pytest.mark.parametrize(
    ("state", "goals"),
    [
        (known(view="parts"), set()),
        (known(view="head"), {"top-head"}),
        (LAB.act(known(view="parts"), ShowHead()), {"top-head"}),
        (known(view="head", against=CAPITAL), set()),
        (known(view="head", part=Part(0, 1)), {"against", "attends-in-vain"}),
        (known(view="map", part=Part(0, 1)), {"against"}),
        (known(view="next", part=Part(0, 1)), set()),
        (known(view="tokens", removed=REMOVED), {"indirect"}),
        (known(view="tokens", removed=REMOVED, token=1), set()),
        (known(view="head", removed=REMOVED, part=Part(0)), set()),
        (known(view="parts", text="Rome"), {"another-pair"}),
        (known(view="parts", text="Rome", against=None), set()),
    ],
)
def test_goals_are_about_what_is_selected_on_the_screen(state: State, goals: set[str]) -> None:
    assert LAB.reached(state) == goals


@pytest.mark.parametrize(
    ("adds", "goals"),
    [(-0.09, {"attends-in-vain"}), (0.09, {"attends-in-vain"}), (-0.11, set()), (0.11, set())],
)
def test_attention_in_vain_adds_little_of_either_sign(adds: float, goals: set[str]) -> None:
    """Over half of the attention is on the first token, which adds `adds`."""
    attention, logits = struct.pack("4f", 0.6, 0.4, 0, 0), struct.pack("4f", adds, 0, 0, 0)
    state = known(view="head", part=Part(0, 0), sources=HeadSources(attention, logits))
    assert LAB.reached(state) & {"attends-in-vain"} == goals
    assert "−0.1 to 0.1" in says("attends-in-vain")


@pytest.mark.parametrize(
    ("direct", "goals"), [(-0.4, {"indirect"}), (0.4, {"indirect"}), (-0.6, set()), (0.6, set())]
)
def test_heads_get_little_of_either_sign_from_an_indirect_token(
    direct: float, goals: set[str]
) -> None:
    sources = HeadSources(bytes(16), struct.pack("4f", direct, 0, 0, 0))
    state = known(view="tokens", removed=REMOVED, sources=sources)
    assert LAB.reached(state) == goals
    assert "−0.5 to 0.5" in says("indirect")


def says(name: str) -> str:
    found = LAB.goal(name)
    assert found is not None
    return found.says


def test_goals_can_be_checked_before_the_new_table_arrives() -> None:
    state = LAB.act(known(view="tokens", removed=REMOVED), EditText("␣bird", "token"))
    assert state.candidates is None
    assert LAB.reached(state) == set()
