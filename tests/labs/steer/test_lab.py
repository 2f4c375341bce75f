"""Test the steering lab against the network's blocks, with the vector added between two of them."""

from __future__ import annotations

import math
from functools import cache
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from tests.labs.lab_backend import at_last, backend, done, settled, small_model
from tests.lm.architectures.folders import write_folder
from tutor.errors import TextError
from tutor.labs.kit.actions import (
    Adjust,
    Choose,
    EditText,
    MoveFocus,
    NewSeed,
    Reset,
    Run,
    ShowView,
    Toggle,
)
from tutor.labs.kit.backend import Tools, make_backend
from tutor.labs.kit.next_tokens.row import NextRow
from tutor.labs.kit.reply import Reply
from tutor.labs.steer import lab, plain
from tutor.labs.steer.pairs import FEWEST, NEUTRAL, Lists, Words, pairs, sentences, word_sets
from tutor.labs.steer.questions import (
    BASE,
    Compared,
    Cost,
    Effect,
    GridPoint,
    ListSaved,
    Make,
    Measure,
    Next,
    Save,
    Write,
)
from tutor.labs.steer.state import ONE, TURNS, State
from tutor.lm.chat import text_ids
from tutor.lm.load import load_model
from tutor.lm.network import causal_mask, rotations
from tutor.models.find import from_path

if TYPE_CHECKING:
    from pathlib import Path

PAIR = pairs()[0]
LISTS = Lists(("I like the cat", "A happy day"), ("I hate the cat", "A sad old day", "No"))
WORDS = Words(("the", "a"), ("and", "unbelievably"))
TEXT = "The little bird sat in the tree and"
SPOT = GridPoint(2, -6)


@cache
def vector() -> Tensor:
    """Return the steering vector after block 3, from the block's outputs at the last tokens."""
    means = []
    for texts in (LISTS.first, LISTS.second):
        streams = [_block_output(text_ids(small_model(), text))[-1] for text in texts]
        means.append(torch.stack(streams).mean(0))
    return means[0] - means[1]


@torch.inference_mode()
def _block_output(ids: list[int]) -> Tensor:
    network = small_model().network
    stream: Tensor = network.embedding(torch.tensor(ids))
    for block in network.blocks[: SPOT.layer + 1]:
        stream = block(stream, *_extras(len(ids)))
    return stream


def _extras(count: int) -> tuple[Any, Any]:
    config = small_model().network.config
    mask = causal_mask(count, count, torch.device("cpu")) if count > 1 else None
    return rotations(config, 0, count), mask


@torch.inference_mode()
def logits(ids: list[int], strength: float) -> Tensor:
    """Return the logits with the vector added by hand after block 3: [T, V]."""
    network = small_model().network
    stream = _block_output(ids) + strength * vector()
    for block in network.blocks[SPOT.layer + 1 :]:
        stream = block(stream, *_extras(len(ids)))
    return network.head(network.norm(stream))


def ids_of(text: str) -> list[int]:
    return text_ids(small_model(), text)


def test_the_next_token_matches_a_network_with_the_vector_added_by_hand(tmp_path: Path) -> None:
    there = backend("steer", tmp_path, moment=0.0)
    answer = at_last(there, Next(LISTS, TEXT, WORDS, SPOT))
    before = logits(ids_of(TEXT), 0)[-1].softmax(-1)
    after = logits(ids_of(TEXT), -1.5)[-1].softmax(-1)
    for row in answer.rows:
        assert row.before == pytest.approx(float(before[row.token.id]), abs=1e-5)
        assert row.after == pytest.approx(float(after[row.token.id]), abs=1e-5)
    known = [small_model().tokenizer.encode(f" {word}") for word in ("the", "a", "and")]
    first = float(after[known[0]].sum() + after[known[1]].sum())
    assert answer.after.first == pytest.approx(first, abs=1e-5)
    assert answer.after.second == pytest.approx(float(after[known[2]].sum()), abs=1e-5)
    bits = (before * (before / after).log2()).sum()
    assert answer.after.bits == pytest.approx(float(bits), abs=1e-4)
    assert answer.before.bits == 0
    assert answer.known == (2, 1)
    assert answer.length == pytest.approx(float(vector().norm()), abs=1e-4)
    effect = at_last(there, Measure(LISTS, TEXT, WORDS, SPOT)).effect
    assert (effect.first, effect.bits) == pytest.approx((first, float(bits)), abs=1e-4)


def test_the_cost_is_the_perplexity_of_the_neutral_text(tmp_path: Path) -> None:
    there = backend("steer", tmp_path)
    ids = ids_of(NEUTRAL)
    for spot, strength in ((BASE, 0.0), (SPOT, -1.5)):
        logs = logits(ids, strength)[:-1].log_softmax(-1)
        mean = -logs.gather(-1, torch.tensor(ids[1:])[:, None]).mean()
        found = at_last(there, Cost(LISTS, spot)).perplexity
        assert found == pytest.approx(math.exp(float(mean)), rel=1e-4)


def test_the_cost_on_a_model_whose_context_is_shorter_than_the_neutral_text(tmp_path: Path) -> None:
    model = load_model(from_path(write_folder(tmp_path / "it", "gpt2")))
    assert len(text_ids(model, NEUTRAL)) > model.network.config.context
    there = backend("steer", tmp_path, model)
    assert at_last(there, Cost(LISTS, GridPoint(1, 2))).perplexity > 1


@pytest.mark.parametrize("spot", [BASE, SPOT])
def test_a_greedy_text_takes_the_most_probable_token_each_time(
    spot: GridPoint, tmp_path: Path
) -> None:
    there = backend("steer", tmp_path, moment=0.0)
    reply, ids = Reply(most=6), ids_of(TEXT)
    while not reply.done:
        before = len(reply.ids)
        reply = at_last(there, Write(LISTS, TEXT, spot, None, reply)).reply
        assert len(reply.ids) == before + 1  # one token a time slice
        best = int(logits(ids, spot.strength)[-1].argmax())
        assert reply.ids[-1] == best
        ids.append(best)


def test_a_sampled_text_depends_only_on_the_seed(tmp_path: Path) -> None:
    there = backend("steer", tmp_path)

    def text(seed: int) -> Reply:
        reply = Reply(most=8)
        while not reply.done:
            reply = at_last(there, Write(LISTS, TEXT, SPOT, seed, reply)).reply
        return reply

    assert text(1) == text(1)
    assert text(1) != text(2)


def test_a_vector_is_saved_listed_and_deleted(tmp_path: Path) -> None:
    there = backend("steer", tmp_path)
    state = done("steer", there, Adjust(-5, "layer"), lab.SaveAs(" my vector "))
    assert state.view == "saved"
    assert [(each.name, each.layer) for each in state.saved] == [("my vector", 0)]
    (path,) = (tmp_path / "steering").iterdir()
    assert path.name == "my vector.steering"
    state = settled(lab.LAB, lab.act(state, lab.DeleteSaved()), there)
    assert state.saved == ()
    assert not path.exists()


def test_no_request_about_files_is_lost_when_keys_are_faster_than_the_model(tmp_path: Path) -> None:
    there = backend("steer", tmp_path)
    state = done("steer", there, lab.SaveAs("one"))
    for action in (lab.SaveAs("two"), lab.DeleteSaved(), lab.SaveAs("three")):
        state = lab.act(state, action)
    state = settled(lab.LAB, state, there)
    assert [each.name for each in state.saved] == ["three", "two"]
    assert (state.pending, state.failed) == ((), "")


def test_a_vector_that_cannot_be_saved_blocks_nothing(tmp_path: Path) -> None:
    (tmp_path / "steering").write_bytes(b"")  # No file can be written into a file.
    there = backend("steer", tmp_path)
    state = done("steer", there, lab.SaveAs("kind"))
    assert "could not be saved" in state.failed
    assert "could not be saved" in plain.describe(state)["saved"][0]
    assert (state.pending, state.saved) == ((), ())
    state = settled(lab.LAB, lab.act(state, Adjust(2, "strength")), there)
    assert (state.failed, state.next.after.bits > 0) == ("", True)


def test_a_vector_is_not_replaced_silently(tmp_path: Path) -> None:
    there = backend("steer", tmp_path)
    state = done("steer", there, lab.SaveAs("kind"))
    (path,) = (tmp_path / "steering").iterdir()
    before = path.read_bytes()
    with pytest.raises(TextError, match="already saved"):
        lab.act(state, lab.SaveAs(" kind"))
    state = done("steer", there, Adjust(-5, "layer"), lab.SaveAs("kind"))  # in a new lab
    assert "already saved" in state.failed
    assert [(each.name, each.layer) for each in state.saved] == [("kind", 5)]
    assert path.read_bytes() == before


def test_the_saved_numbers_are_the_vector(tmp_path: Path) -> None:
    made = at_last(backend("steer", tmp_path), Make(LISTS, SPOT.layer, "it")).vector
    assert made.numbers == pytest.approx(vector().tolist(), abs=1e-4)
    assert (made.layer, made.model) == (SPOT.layer, small_model().card.sha256)


def test_one_invalid_file_does_not_hide_the_other_vectors(tmp_path: Path) -> None:
    there = backend("steer", tmp_path)
    made = at_last(there, Make(LISTS, 0, "good")).vector
    file = msgspec.structs.asdict(made) | {"name": "odd", "first": ()}
    (tmp_path / "steering").mkdir()
    (tmp_path / "steering/odd.steering").write_bytes(msgspec.msgpack.encode(file))
    found = at_last(there, Save(made)).entries
    assert [each.name for each in found] == ["good"]
    assert found == at_last(there, ListSaved()).entries


def test_only_requests_about_files_are_private(tmp_path: Path) -> None:
    made = at_last(backend("steer", tmp_path), Make(LISTS, 0, "it")).vector
    assert lab.LAB.private(Save(made))
    assert not lab.LAB.private(Make(LISTS, 0, "it"))


def test_requests_about_files_do_not_load_the_model(tmp_path: Path) -> None:
    def load() -> Any:
        raise AssertionError

    there = make_backend("steer", Tools(load, lambda: None, tmp_path))
    assert there.answer(ListSaved()).entries == ()


def test_a_changing_list_keeps_the_sentences_that_a_request_needs(tmp_path: Path) -> None:
    there = backend("steer", tmp_path)
    kept = ("It is good", "All is well")
    others = tuple(f"Text {at}" for at in range(198))
    for first, second in (
        (kept, others[:38]),
        *((others[at : at + 20], others[at + 20 : at + 40]) for at in range(38, 198, 40)),
    ):
        at_last(there, Make(Lists(first, second), 0, "it"))
    # The cache is full, and the sentences `kept` are the oldest ones.
    assert at_last(there, Make(Lists(kept, ("One more", "And more")), 0, "it")).vector.numbers


@pytest.mark.parametrize("first", [(), ("alone",), ("a",) * 41, ("a" * 301, "b")])
def test_lists_are_checked_before_they_are_processed(
    first: tuple[str, ...], tmp_path: Path
) -> None:
    there = backend("steer", tmp_path)
    for lists in (Lists(first, LISTS.second), Lists(LISTS.first, first)):
        for question in (
            Make(lists, 0, "it"),
            Next(lists, TEXT, WORDS, SPOT),
            Measure(lists, TEXT, WORDS, SPOT),
            Cost(lists, SPOT),
            Write(lists, TEXT, SPOT, None, Reply(most=1)),
        ):
            with pytest.raises(TextError):
                there.answer(question)


# --- the logic ---


def known(**fields: Any) -> State:
    """Return a state with results for 6 layers."""
    return State(layers=6, layer=2, **fields)


def compared(before: Effect, after: Effect, *, changed: bool = False) -> Compared:
    one, other = (small_model().tokenizer.token(id_) for id_ in (50, 60))
    rows = (NextRow(one, 0.9, 0.1 if changed else 0.9), NextRow(other, 0.1, 0.5))
    return Compared(6, 0, rows, before, after, (10, 10), 1.0, 1.0)


def test_the_layer_is_limited_to_the_network(tmp_path: Path) -> None:
    there = backend("steer", tmp_path)
    assert done("steer", there).layer == 5  # The initial layer does not exist in this model.
    assert done("steer", there, Adjust(-99, "layer")).layer == 0
    assert done("steer", there, Adjust(99, "layer")).layer == 5


@given(st.lists(st.integers(-40, 40), max_size=6))
def test_the_dial_stays_within_its_range(turns: list[int]) -> None:
    state = known()
    for by in turns:
        state = lab.act(state, Adjust(by, "strength"))
        assert -TURNS <= state.dial <= TURNS
        assert state.strength == state.dial / 4


@given(st.text())
def test_sentences_are_the_lines_that_are_not_empty(text: str) -> None:
    try:
        found = sentences(text)
    except TextError:
        return
    assert len(found) >= FEWEST
    assert sentences("\n\n".join(found)) == found


@given(st.text())
def test_words_can_be_edited_again(text: str) -> None:
    try:
        found = word_sets(text)
    except TextError:
        return
    assert word_sets("; ".join(" ".join(each) for each in (found.first, found.second))) == found


@pytest.mark.parametrize("text", ["", "one line", "\n\n", "x" * 301 + "\ny", "a\n" * 41])
def test_a_list_that_is_too_short_or_too_long_is_refused(text: str) -> None:
    with pytest.raises(TextError):
        lab.act(known(), EditText(text, "first"))


@pytest.mark.parametrize("text", ["", "a b", "a;b;c", ";a"])
def test_words_need_two_sets(text: str) -> None:
    with pytest.raises(TextError):
        lab.act(known(), EditText(text, "words"))


def test_the_shipped_pairs_are_matched_lists() -> None:
    assert [each.name for each in pairs()] == [
        "praise/blame",
        "formal/casual",
        "past/present",
        "English/French",
    ]
    for pair in pairs():
        assert len(pair.first_texts) == len(pair.second_texts) >= 8
        assert not set(pair.first_words) & set(pair.second_words)


def test_stopping_keeps_the_measurements_and_moving_in_a_list_interrupts_nothing() -> None:
    effect = Effect(0.5, 0.1, 0.2)
    state = known(view="layers", next=compared(effect, effect), costs={BASE: 5.0}, dial=0)
    asked = lab.question(state)
    assert asked == Measure(state.lists, state.prompt, state.words, GridPoint(0, -ONE))
    assert lab.question(lab.act(state, MoveFocus(1, "saved"))) == asked
    stopped = lab.act(state, Run())
    assert lab.question(stopped) is None
    assert lab.question(lab.act(stopped, Run())) == asked


def test_an_edited_text_drops_what_was_measured_for_the_other() -> None:
    effect = Effect(0.5, 0.1, 0.2)
    spots = {BASE: effect, GridPoint(1, 4): effect}
    state = known(
        next=compared(effect, effect), effects=spots, costs={BASE: 5.0, GridPoint(1, 4): 6.0}
    )
    prompt = lab.act(state, EditText("Another prompt"))
    assert (prompt.next, prompt.effects, prompt.costs) == (None, {}, state.costs)
    lists = lab.act(state, EditText("One text\nAnother text", "second"))
    assert lists.own == Lists(PAIR.first_texts, ("One text", "Another text"))
    assert (lists.effects, lists.costs) == ({}, {BASE: 5.0})
    chosen = lab.act(lists, Choose(1, "pair"))
    assert chosen.own is None
    assert "sentences" in lab.LAB.lost(lists, chosen)


def test_another_layer_keeps_the_text_without_steering() -> None:
    reply = Reply(ids=(1,), pieces=(b"a",), logs=(-1.0,))
    state = known(dial=4, written={0: reply, 4: reply})
    assert lab.act(state, Adjust(1, "layer")).written == {0: reply}
    assert lab.act(state, Toggle("greedy")).written == {}
    seeded = lab.act(state, NewSeed())
    assert (seeded.greedy, seeded.seed, seeded.written) == (False, 2, {})


def test_work_is_restored_and_invalid_values_are_ignored() -> None:
    state = known(view="cost", dial=-5, own=Lists(("a", "b"), ("c", "d")), text="Hello")
    restored = lab.LAB.restored(lab.LAB.saved(state))
    assert (restored.view, restored.dial, restored.own, restored.text) == (
        *("cost", -5, state.own, "Hello"),
    )
    bad = b'{"dial":99,"pair":9,"own":[["a"],["b"]],"own_words":[[],[]],"text":" ","layer":-2}'
    assert lab.LAB.restored(bad) == State()


def test_reset_returns_the_dials_but_keeps_the_lists() -> None:
    own = Lists(("a", "b"), ("c", "d"))
    state = lab.LAB.reset_settings(State(layers=30, layer=9, dial=4, own=own))
    assert state is not None
    assert (state.layer, state.dial, state.own) == (7, 0, own)
    assert lab.LAB.reset_settings(state) is None
    assert lab.act(State(layers=6, layer=2), Reset()).layer == 5


# --- the goals ---


def test_praise_is_turned_only_if_the_neutral_text_hardly_suffers() -> None:
    def reached(first: float, second: float, cost: float, **fields: Any) -> bool:
        found = compared(Effect(0.3, 0.01, 0.0), Effect(first, second, 2.0))
        state = known(dial=-4, next=found, costs={BASE: 10.0, GridPoint(2, -4): cost}, **fields)
        return "turned" in lab.LAB.reached(state)

    assert reached(0.03, 0.1, 14.9)
    assert not reached(0.04, 0.1, 14.9)
    assert not reached(0.03, 0.1, 15.1)
    assert not reached(0.03, 0.001, 14.9)
    assert not reached(0.03, 0.1, 14.9, pair=1)
    assert not reached(0.03, 0.1, 14.9, own=LISTS)


def test_a_text_is_destroyed_at_ten_times_the_perplexity() -> None:
    for cost, is_reached in ((99.0, False), (100.0, True)):
        state = known(dial=8, costs={BASE: 10.0, GridPoint(2, 8): cost})
        assert ("destroyed" in lab.LAB.reached(state)) is is_reached


def test_a_layer_without_effect_needs_another_layer_with_an_effect() -> None:
    def reached(here: float, there: float, dial: int = -ONE, other: int = -ONE) -> bool:
        effects = {GridPoint(2, dial): Effect(0, 0, here), GridPoint(4, other): Effect(0, 0, there)}
        return "no-effect" in lab.LAB.reached(known(dial=dial, effects=effects))

    assert reached(0.05, 1.5)
    assert not reached(0.2, 1.5)
    assert not reached(0.05, 0.5)
    assert not reached(0.05, 1.5, dial=-2, other=-2)
    assert not reached(0.05, 1.5, other=ONE)


def test_the_own_vector_needs_two_own_lists_and_a_moderate_strength() -> None:
    effect = Effect(0.1, 0.1, 1.0)

    def reached(own: Lists | None, dial: int = 4, *, changed: bool = True) -> bool:
        found = compared(effect, effect, changed=changed)
        return "own-vector" in lab.LAB.reached(known(dial=dial, own=own, next=found))

    assert reached(LISTS)
    assert not reached(None)
    assert not reached(Lists(LISTS.first, PAIR.second_texts))
    assert not reached(LISTS, dial=12)
    assert not reached(LISTS, dial=0)
    assert not reached(LISTS, changed=False)


# --- plain mode ---


@pytest.mark.parametrize(
    ("view", "said"),
    [
        ("next", "Words of praise:"),
        ("text", "With steering:"),
        ("cost", "Strength -3: perplexity"),
        ("layers", "Layer 6:"),
        ("saved", "No vectors are saved."),
    ],
)
def test_the_sentences_of_plain_mode(view: Any, said: str, tmp_path: Path) -> None:
    there = backend("steer", tmp_path)
    state = done("steer", there, Adjust(4, "strength"), ShowView(view))
    lines = plain.describe(state)
    assert any(said in line for line in lines[view])
    assert "Layer 6, strength 1." in lines["settings"]
    assert "without steering" in lines["perplexity"][0]
