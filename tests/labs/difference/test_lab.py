"""Test the lab that compares A and B, against computations that don't use its code.

The tolerance is 0.001 bits where both sides use 32-bit floats.
"""

from __future__ import annotations

import math
import shutil
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from safetensors.torch import load_file, save_file

from tests.labs.by_formula import by_formula
from tests.labs.lab_backend import at_last, backend, done, settled, small_model
from tests.tiny_gguf import write_gguf
from tutor import paths
from tutor.errors import TextError
from tutor.labs.difference import lab, questions
from tutor.labs.difference.lab import FindLargest, Open, SwitchOffStrongest
from tutor.labs.difference.questions import (
    FEED_FORWARD,
    MOST_TOKENS,
    Compare,
    Compared,
    OtherModel,
    OtherSampler,
    OtherText,
    Part,
    PartsOff,
    Rounded,
    Scan,
    Slice,
    Text,
    Tuned,
)
from tutor.labs.difference.state import VIEWS, State, View
from tutor.labs.kit.actions import Adjust, Choose, EditText, MoveFocus, ShowView, Toggle
from tutor.labs.kit.next_tokens.row import NextRow
from tutor.labs.kit.progress import Coming, Progress
from tutor.lm.comparison import PositionPair
from tutor.lm.distribution import PLAIN, SamplerSettings
from tutor.lm.fast.linear import FloatLinear
from tutor.lm.inspect.hooks import Replacement, block_of, replaced
from tutor.lm.inspect.rounding import matrix_of
from tutor.lm.load import load_model
from tutor.lm.network import Transformer
from tutor.models.find import from_path
from tutor.models.installed import bundled_base, bundled_instruct, bundled_model

if TYPE_CHECKING:
    from tutor.labs.kit.backend import Backend

TEXT = "The little bird sat in the tree and the"
OTHER = "The little dog sat in the tree and the"
PARTS = (Part(1, FEED_FORWARD), Part(2, 0), Part(2, 3), Part(4, 1))
TOLERANCE = 1e-3


def ids_of(text: str) -> list[int]:
    return small_model().tokenizer.encode(text)


def kl(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """Return KL(A || B) in bits [T] for two tensors of logits [T, V], as PyTorch computes it."""
    log_a, log_b = a.double().log_softmax(-1), b.double().log_softmax(-1)
    return F.kl_div(log_b, log_a, log_target=True, reduction="none").sum(-1) / math.log(2)


def compared(there: Backend, b: questions.Difference, text: str = TEXT, **fields: Any) -> Slice:
    """Return the whole comparison of a text with B."""
    found: Slice | None = None
    while found is None or len(found.compared) < len(found.setup.places):
        first = 0 if found is None else len(found.compared)
        asked = Compare(Text(text), fields.get("sampler", PLAIN), b, first)
        answer = there.answer(asked)
        if isinstance(answer, Coming | Progress):
            continue
        assert isinstance(answer, Slice), answer
        before = () if found is None else found.compared
        found = replace(answer, compared=(*before, *answer.compared))
    return found


def check(found: Slice, a: torch.Tensor, b: torch.Tensor, tolerance: float = TOLERANCE) -> None:
    """Compare with the logits [T, V] of both sides."""
    forward, back = kl(a, b), kl(b, a)
    assert [each.bits for each in found.compared] == pytest.approx(forward.tolist(), abs=tolerance)
    assert [each.reverse_bits for each in found.compared] == pytest.approx(
        back.tolist(), abs=tolerance
    )
    for at, each in enumerate(found.compared):
        for row in each.rows:
            before, after = a[at].softmax(-1)[row.token.id], b[at].softmax(-1)[row.token.id]
            assert (row.before, row.after) == pytest.approx(
                (float(before), float(after)), abs=tolerance
            )


# --- the backend ----------------------------------------------------------------------------------


@torch.inference_mode()
def test_parts_that_are_off_match_the_formula(tmp_path: Path) -> None:
    found = compared(backend("difference", tmp_path), PartsOff(PARTS))
    off = {(2, 0), (2, 3), (4, 1)}
    before = by_formula(ids_of(TEXT))[0]
    after = by_formula(ids_of(TEXT), heads_off=off, feed_forwards_off={1})[0]
    check(found, before, after)
    assert max(each.bits for each in found.compared) > 0.1
    assert (found.setup.layers, found.setup.heads) == (6, 4)


@torch.inference_mode()
def test_two_texts_of_one_length_are_compared_after_each_token(tmp_path: Path) -> None:
    a, b = ids_of(TEXT), ids_of(OTHER)
    assert len(a) == len(b)
    found = compared(backend("difference", tmp_path), OtherText(OTHER))
    check(found, by_formula(a)[0], by_formula(b)[0])
    first = next(at for at in range(len(a)) if a[at] != b[at])
    assert [each.bits for each in found.compared[:first]] == pytest.approx([0] * first, abs=1e-6)
    assert found.compared[first].bits > 0.1
    assert [token.id for token in found.setup.tokens_b] == b


@torch.inference_mode()
def test_two_texts_of_other_lengths_are_compared_along_their_common_ending(tmp_path: Path) -> None:
    longer = f"Look! {TEXT}"
    found = compared(backend("difference", tmp_path), OtherText(longer))
    a, b = by_formula(ids_of(TEXT))[0], by_formula(ids_of(longer))[0]
    places = found.setup.places
    assert places[-1] == PositionPair(len(a), len(b))
    assert len(places) > 3
    at_a = torch.tensor([place.a - 1 for place in places])
    at_b = torch.tensor([place.b - 1 for place in places])
    check(found, a[at_a], b[at_b])


@torch.inference_mode()
def test_a_conversation_keeps_its_special_tokens_in_b(tmp_path: Path) -> None:
    """Its text contains `<|im_start|>`, which would be several tokens if it were typed."""
    there, model = backend("difference", tmp_path), small_model()
    text = "<|im_start|>user\nHi<|im_end|>\n"
    ids = tuple(model.tokenizer.encode(text, special=True))
    a = Text(text, ids, model.card.sha256)
    state = lab.act(State(), Open(a))
    assert state.same
    found = settled(lab.LAB, state, there)
    assert found.setup.tokens_b == found.setup.tokens_a
    assert found.total_bits == (0.0, 0.0)
    edited = settled(lab.LAB, lab.act(found, EditText(text.replace("Hi", "Ho"), "b")), there)
    assert not edited.same
    special = [token.id for token in edited.setup.tokens_b if token.special]
    assert special == [token.id for token in edited.setup.tokens_a if token.special] != []
    typed = settled(lab.LAB, lab.act(State(), Open(Text("Once upon a time"))), there)
    typed = settled(lab.LAB, lab.act(typed, EditText(text, "b")), there)
    assert not any(token.special for token in typed.setup.tokens_b)


@torch.inference_mode()
def test_a_sampler_changes_the_probabilities_by_its_definition(tmp_path: Path) -> None:
    there = backend("difference", tmp_path)
    found = compared(there, OtherSampler(SamplerSettings(temperature=0.5)))
    logits = by_formula(ids_of(TEXT))[0]
    check(found, logits, logits / 0.5)
    cut = compared(there, OtherSampler(SamplerSettings(top_k=1)))
    for at, each in enumerate(cut.compared):
        top = logits[at].softmax(-1).max()
        assert each.bits == math.inf
        assert each.reverse_bits == pytest.approx(-float(top.log2()), abs=TOLERANCE)
    both = compared(there, PartsOff(()), sampler=SamplerSettings(top_k=3))
    assert {each.bits for each in both.compared} == {0.0}
    assert {len(each.rows) for each in both.compared} == {3}


@torch.inference_mode()
@pytest.mark.parametrize("bits", [16, 3, 2])
def test_rounded_weights_match_a_copy_of_the_network_that_is_rounded_by_hand(
    bits: Any, tmp_path: Path
) -> None:
    """The kernels compute with 16-bit floats, hence the tolerance of 10 % and 0.01 bits."""
    found = compared(backend("difference", tmp_path), Rounded(bits))
    network = small_model().network
    changes: list[Replacement] = []
    for layer in range(network.config.layers):
        block = block_of(network, layer)
        for parent, name in (
            (block.attention, "query_key_value"),
            (block.attention, "output"),
            (block.feed_forward, "gate_up"),
            (block.feed_forward, "down"),
        ):
            weights = by_hand(matrix_of(getattr(parent, name)), bits)
            changes.append((parent, name, FloatLinear(weights)))
    before = by_formula(ids_of(TEXT))[0]
    with replaced(changes):
        after = by_formula(ids_of(TEXT))[0]
    expected = kl(before, after).tolist()
    assert [each.bits for each in found.compared] == pytest.approx(expected, rel=0.1, abs=0.01)
    assert bits == 16 or sum(expected) > 1


def by_hand(weights: torch.Tensor, bits: int) -> torch.Tensor:
    """Round each group of 32 weights to 2^bits levels between its smallest and its largest."""
    if bits == 16:
        return weights.half().float()
    grouped = weights.view(weights.shape[0], -1, 32)
    low, high = grouped.amin(-1, keepdim=True), grouped.amax(-1, keepdim=True)
    step = (high - low) / (2**bits - 1)
    return (low + step * ((grouped - low) / step).round()).view_as(weights)


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of installed models: one with the small model's vocabulary, one with another."""
    monkeypatch.setenv("TUTOR_DATA", str(tmp_path))
    found, folder = bundled_model(), tmp_path / "models"
    assert found is not None
    shutil.copytree(found.path, folder / "base")
    weights = load_file(folder / "base" / "model.safetensors")
    torch.manual_seed(0)
    for name, tensor in weights.items():
        if "mlp" in name:
            weights[name] = tensor + 0.2 * tensor.float().std() * torch.randn_like(tensor)
    save_file(weights, folder / "base" / "model.safetensors")
    write_gguf(folder / "foreign.gguf")
    return folder


@torch.inference_mode()
def test_another_model_with_the_same_vocabulary_is_found_and_compared(
    models: Path, tmp_path: Path
) -> None:
    there = backend("difference", tmp_path)
    while isinstance(others := there.answer(questions.Others()), Progress):
        assert others.total == 4
    assert others == questions.Installed(("base", "small-base", "small-instruct"))
    found = compared(there, OtherModel("base"))
    base = load_model(from_path(models / "base"))
    after = base.network.logits(base.network(torch.tensor(ids_of(TEXT))))
    check(found, by_formula(ids_of(TEXT))[0], after.float(), tolerance=0.02)
    assert max(each.bits for each in found.compared) > 0.1


def test_a_model_that_is_gone_or_has_other_tokens_is_refused(models: Path, tmp_path: Path) -> None:
    there = backend("difference", tmp_path)
    state = done("difference", there, ShowView("model"))
    assert state.others == ("base", "small-base", "small-instruct")
    assert lab.question(state) is None
    shutil.rmtree(models / "base")
    state = settled(lab.LAB, lab.act(state, Choose(1, "model")), there)
    assert state.other == "base"
    assert "no longer installed" in state.refused
    assert lab.question(state) is None
    none = settled(lab.LAB, lab.act(state, Choose(-1, "model")), there)
    assert (none.other, none.others, none.refused) == (None, state.others[1:], None)
    foreign = replace(state, other="foreign", refused=None)
    assert "different vocabularies" in settled(lab.LAB, foreign, there).refused


@torch.inference_mode()
def test_the_base_model_is_compared_with_its_instruct_model(tmp_path: Path) -> None:
    """Both process the question in the chat template, and the answer of the instruct model."""
    found = compared(backend("difference", tmp_path), Tuned("What is the capital of Italy?"))
    models = [load_model(each) for each in (bundled_base(), bundled_instruct()) if each]
    ids = [token.id for token in found.setup.tokens_a]
    before, after = (model.network.logits(model.network(torch.tensor(ids))) for model in models)
    # The kernels round a batch of positions differently, and the divergences are up to 25 bits.
    check(found, before.float(), after.float(), tolerance=0.05)
    text = models[0].tokenizer.decode(ids).decode()
    prompt = "<|im_start|>user\nWhat is the capital of Italy?<|im_end|>\n<|im_start|>assistant\n"
    assert text == prompt + found.setup.written[1]
    for model, written in zip(models, found.setup.written, strict=True):
        best = ids[: len(model.tokenizer.encode(prompt, special=True))]
        while model.tokenizer.decode(best).decode() != prompt + written:
            best.append(int(model.network.logits(model.network(torch.tensor(best))[-1]).argmax()))
            assert len(best) < 100
    assert found.setup.written[1].endswith("<|im_end|>")
    assert not found.setup.written[0].endswith("<|im_end|>")
    assert (found.setup.model, found.setup.layers) == ("small-base", 6)


def test_a_missing_pair_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paths, "bundled_instruct_folder", lambda: tmp_path / "none")
    state = done("difference", backend("difference", tmp_path), ShowView("tuning"))
    assert "missing" in state.refused
    assert lab.question(state) is None


def test_the_pair_keeps_the_parts_and_their_effects(tmp_path: Path) -> None:
    """It has fewer layers than the loaded model, and another text."""
    there = backend("difference", tmp_path)
    state = lab.act(done("difference", there, ShowView("parts")), SwitchOffStrongest())
    state = settled(lab.LAB, state, there)
    assert state.scanned
    pair = settled(lab.LAB, lab.act(state, ShowView("tuning")), there)
    assert pair.complete
    assert lab.act(pair, SwitchOffStrongest()).parts == state.parts
    again = settled(lab.LAB, lab.act(pair, ShowView("parts")), there)
    assert (again.parts, again.layer, again.scan) == (state.parts, state.layer, state.scan)
    asked = lab.act(again, EditText("Who are you?", "asked"))
    assert (asked.view, asked.difference) == ("tuning", Tuned("Who are you?"))
    opened = lab.act(asked, Open(Text("Once upon a time")))
    assert (opened.view, opened.difference) == ("prompt", OtherText(opened.b))
    without = lab.act(State(view="model"), Open(Text("Once upon a time")))
    assert without.view == "prompt"
    chosen = lab.act(State(view="model", other="base"), Open(Text("Once upon a time")))
    assert chosen.view == "model"


@torch.inference_mode()
def test_the_effect_of_each_part_is_measured(tmp_path: Path) -> None:
    there = backend("difference", tmp_path)
    bits: list[tuple[float, ...]] = []
    while len(bits) < 30:
        bits += at_last(there, Scan(Text(TEXT), PLAIN, len(bits))).bits
    before = by_formula(ids_of(TEXT))[0]
    for number, part in ((0, {(0, 0)}), (11, {(2, 1)})):
        after = by_formula(ids_of(TEXT), heads_off=part)[0]
        assert bits[number] == pytest.approx(kl(before, after).tolist(), abs=TOLERANCE)
    last = by_formula(ids_of(TEXT), feed_forwards_off={5})[0]
    assert bits[29] == pytest.approx(kl(before, last).tolist(), abs=TOLERANCE)


def test_the_effect_of_one_part_is_measured_in_slices(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Other requests wait for a slice, so it contains only a few positions."""
    long = Text("one two " * MOST_TOKENS)
    at_once = backend("difference", tmp_path, moment=math.inf)
    first, second = (at_last(at_once, Scan(long, PLAIN, number)).bits for number in (0, 1))
    there = backend("difference", tmp_path, moment=0.0)
    scored: list[int] = []
    lens = Transformer.lens

    def counted(network: Transformer, residual: torch.Tensor) -> torch.Tensor:
        scored.append(len(residual))
        return lens(network, residual)

    monkeypatch.setattr(Transformer, "lens", counted)
    most, asked = 0, Scan(long, PLAIN)
    while isinstance(there.answer(asked), Progress):
        most, scored[:] = max(most, sum(scored)), []
    assert 0 < most <= 8
    assert at_last(there, asked).bits == first
    for _ in range(30):  # leave the second part unfinished
        assert isinstance(there.answer(Scan(long, PLAIN, 1)), Progress)
    other = at_last(there, Scan(long, SamplerSettings(temperature=0.5), 1)).bits
    assert len(other[0]) == MOST_TOKENS
    assert other != second
    assert at_last(there, Scan(long, PLAIN, 1)).bits == second


def test_the_answers_do_not_depend_on_what_was_asked_before(tmp_path: Path) -> None:
    used = backend("difference", tmp_path, moment=0.0)
    for b in (OtherText(OTHER), PartsOff(PARTS), Rounded(4), OtherText(TEXT)):
        assert compared(used, b) == compared(backend("difference", tmp_path), b)


def test_the_tokens_of_the_stepper_are_used_on_the_same_model_only(tmp_path: Path) -> None:
    there = backend("difference", tmp_path)
    letters = [id_ for char in TEXT for id_ in ids_of(char)]
    model = small_model().card.sha256

    def tokens(text: Text) -> list[int]:
        found = at_last(there, Compare(text, PLAIN, PartsOff(())))
        return [token.id for token in found.setup.tokens_a]

    assert tokens(Text(TEXT, tuple(letters), model)) == letters != ids_of(TEXT)
    assert tokens(Text(TEXT, tuple(letters), "another")) == ids_of(TEXT)
    for damaged in ((10**6,), (*letters, -1)):
        assert tokens(Text(TEXT, damaged, model)) == ids_of(TEXT)


def test_a_long_text_is_truncated(tmp_path: Path) -> None:
    text = "one two " * MOST_TOKENS
    found = at_last(backend("difference", tmp_path), Compare(Text(text), PLAIN, PartsOff(())))
    assert len(found.setup.tokens_a) == MOST_TOKENS
    cut = len(ids_of(text)) - MOST_TOKENS
    assert (found.setup.left_out, found.setup.left_out_b) == (cut, 0)
    both = at_last(
        backend("difference", tmp_path), Compare(Text(text), PLAIN, OtherText("a" + text))
    )
    cut_b = len(ids_of("a" + text)) - MOST_TOKENS
    assert (both.setup.left_out, both.setup.left_out_b) == (cut + cut_b, cut_b)


def test_only_requests_about_another_model_are_private() -> None:
    for b in (OtherText("a"), OtherSampler(PLAIN), PartsOff(()), Rounded(4)):
        assert not lab.LAB.private(Compare(Text("a"), PLAIN, b))
    assert not lab.LAB.private(Scan(Text("a"), PLAIN))
    assert lab.LAB.private(Compare(Text("a"), PLAIN, OtherModel("base")))
    assert lab.LAB.private(Compare(Text("a"), PLAIN, Tuned("a?")))
    assert lab.LAB.private(questions.Others())


# --- the logic ------------------------------------------------------------------------------------


def token(number: int) -> Any:
    return small_model().tokenizer.token(number)


def at(bits: float, before: float = 0.9, after: float = 0.4) -> Compared:
    rows = (NextRow(token(50), before, after), NextRow(token(60), 1 - before, 1 - after))
    return Compared(bits, bits, rows)


def with_bits(*bits: float, **fields: Any) -> State:
    """Return a state with these divergences, on a network of 3 layers with 2 heads."""
    tokens = tuple(map(token, range(40, 40 + len(bits))))
    places = tuple(PositionPair(n + 1, n + 1) for n in range(len(bits)))
    setup = questions.Setup("model", 3, 2, tokens, tokens, 0, places)
    return replace(State(setup=setup, compared=tuple(map(at, bits)), place=0), **fields)


def test_the_position_moves_within_the_text_and_to_the_largest_divergence() -> None:
    state = with_bits(0, 0.5, math.inf, 2)
    assert lab.act(state, MoveFocus(9, "place")).place == 3
    assert lab.act(state, MoveFocus(-9, "place")).place == 0
    assert lab.act(state, FindLargest()).place == 2
    assert lab.act(State(), FindLargest()) == State()
    assert lab.question(lab.act(state, FindLargest())) is None


def test_the_rows_are_sorted_by_change_or_by_probability() -> None:
    rows = (NextRow(token(1), 0.5, 0.45), NextRow(token(2), 0.1, 0.4), NextRow(token(3), 0.4, 0.15))
    state = with_bits(1)
    state = replace(state, compared=(Compared(1, 1, rows),))
    assert [row.token.id for row in state.rows] == [2, 3, 1]
    state = lab.act(state, Toggle("order"))
    assert [row.token.id for row in state.rows] == [1, 3, 2]
    assert lab.question(state) is None


def test_each_view_changes_one_thing_and_keeps_the_settings_of_the_others() -> None:
    state = lab.act(with_bits(1, 2), Adjust(-2, "dial"))
    state = lab.act(lab.act(state, MoveFocus(1, "layer")), Toggle("part"))
    kinds = {}
    for view in VIEWS:
        state = lab.act(state, ShowView(view))
        assert state.compared == ()
        kinds[view] = state.difference
    assert kinds == {
        "prompt": OtherText(State().b),
        "sampler": OtherSampler(SamplerSettings(temperature=0.6)),
        "parts": PartsOff((Part(1, 0),)),
        "precision": Rounded(3),
        "model": None,
        "tuning": Tuned("What is the capital of France?"),
    }


def test_what_b_does_not_use_does_not_interrupt_the_comparison() -> None:
    state = State()
    asked = lab.question(state)
    actions: tuple[lab.Action, ...] = (
        Adjust(1, "dial"),
        Choose(1, "precision"),
        MoveFocus(1, "dial"),
        Toggle("order"),
    )
    for action in actions:
        assert lab.question(lab.act(state, action)) == asked


def test_b_is_edited_in_its_own_field() -> None:
    state = lab.act(with_bits(1), EditText("A text", "b"))
    assert (state.a, state.b, state.compared) == (State().a, "A text", ())
    state = lab.act(with_bits(1), EditText("A text"))
    assert (state.a, state.b) == (Text("A text"), State().b)
    for field in ("", "b"):
        with pytest.raises(TextError):
            lab.act(State(), EditText(" ", field))


def test_the_stepper_opens_its_text_sampler_and_position() -> None:
    greedy, text = SamplerSettings(temperature=0), Text("Once", (1, 2), "model")
    state = lab.act(with_bits(1), Open(text, greedy, 2))
    assert (state.a, state.b, state.sampler, state.place) == (text, "Once", greedy, 1)
    again = lab.act(lab.act(state, EditText("My own", "b")), Open(text, greedy, 1))
    assert (again.b, again.place) == ("My own", 0)
    with pytest.raises(TextError, match="too long"):
        lab.act(State(), Open(Text("a" * 5000)))


def test_parts_of_another_model_are_left_out(tmp_path: Path) -> None:
    saved = b'{"parts":[[1,0],[99,0],[0,99],[-1,0]],"layer":99,"part":99,"view":"parts"}'
    state = settled(lab.LAB, lab.LAB.restored(saved), backend("difference", tmp_path))
    assert state.parts == (Part(1, 0),)
    assert (state.layer, state.part) == (5, 4)
    assert state.focus == Part(5, FEED_FORWARD)


@given(st.binary(max_size=60) | st.sampled_from([b'{"a":{"text":"","ids":[-1]}}', b'{"place":-1}']))
def test_damaged_work_is_ignored(data: bytes) -> None:
    assert lab.LAB.restored(data) == State()


def scanned(*rows: tuple[float, ...], **fields: Any) -> State:
    return with_bits(*[1.0] * len(rows[0]), view="parts", scan=rows, **fields)


NINE = tuple((0.1 * n, 0.1, 0.1) for n in range(8))


def test_the_strongest_part_is_compared_with_its_effect_elsewhere() -> None:
    everywhere, infinite = (9.0, 9.0, 9.0), (math.inf, math.inf, 0.0)
    state = scanned(everywhere, infinite, *NINE[:7])
    assert state.strongest[0] == Part(2, FEED_FORWARD)
    assert [part.name for part in state.strongest[:2]] == ["3.ff", "3.2"]
    first = lab.act(state, SwitchOffStrongest())
    assert (first.parts, first.layer, first.part) == ((Part(2, FEED_FORWARD),), 2, 2)
    second = lab.act(first, SwitchOffStrongest())
    assert second.parts == (Part(2, 1),)
    assert lab.act(lab.act(second, MoveFocus(0, "place")), SwitchOffStrongest()) == first


def test_effects_are_measured_once_and_then_the_strongest_part_is_off(tmp_path: Path) -> None:
    there = backend("difference", tmp_path)
    state = done("difference", there, ShowView("parts"), MoveFocus(-99, "place"))
    state = lab.act(state, SwitchOffStrongest())
    assert lab.question(state) == Scan(state.a, PLAIN)
    assert lab.question(lab.act(state, MoveFocus(1, "layer"))) == Scan(state.a, PLAIN)
    state = settled(lab.LAB, state, there)
    assert state.scanned
    assert state.parts == (state.strongest[0],)
    again = lab.act(state, SwitchOffStrongest())
    assert isinstance(lab.question(again), Compare)
    saved = lab.LAB.saved(state, "model")
    kept, model = lab.LAB.resumed(saved)
    assert (kept.scan, model) == (state.scan, "model")
    assert lab.LAB.lost(state, lab.act(state, EditText("Another"))) != ""
    assert settled(lab.LAB, lab.act(kept, EditText("Another")), there).scan == ()


@pytest.mark.parametrize("row_count", [4, 9])
def test_a_reset_of_the_sampler_of_a_drops_the_effects_that_depend_on_it(row_count: int) -> None:
    greedy, rows = SamplerSettings(temperature=0.0), NINE[:row_count]
    measured = scanned(*rows, sampler=greedy, scanning=row_count < 9)
    reset = lab.LAB.reset_settings(measured)
    assert reset is not None
    assert (reset.sampler, reset.scan, reset.scanning) == (PLAIN, (), False)
    assert "sampler settings" in lab.LAB.lost(measured, reset)
    kept = lab.LAB.reset_settings(replace(measured, sampler=PLAIN, precision=2))
    assert kept is not None
    assert kept.scan == rows


def reached(state: State) -> set[str]:
    return set(lab.LAB.reached(state))


def test_the_goal_of_diverging_prompts_needs_a_text_of_ones_own() -> None:
    own = with_bits(0, 1, 3, 2, b="My text", place=2)
    assert reached(own) == {"diverge"}
    assert reached(replace(own, place=1)) == set()
    assert reached(replace(own, b=State().b)) == set()
    assert reached(with_bits(0, 1, 2, b="My text", place=2)) == set()
    assert reached(with_bits(0, 0, 0, 0, b="My text")) == set()


def test_the_goal_of_the_sampler_needs_a_bit_that_is_not_infinite() -> None:
    def sampler(bits: float, after: float = 0.95) -> set[str]:
        return reached(replace(with_bits(bits, view="sampler"), compared=(at(bits, 0.9, after),)))

    assert sampler(1.0) == {"sampler"}
    assert sampler(0.9) == sampler(math.inf) == sampler(1.0, 0.05) == set()


def test_the_goal_of_one_position_needs_one_head() -> None:
    def parts(bits: tuple[float, ...], *off: Part, view: View = "parts") -> set[str]:
        return reached(with_bits(*bits, view=view, parts=off))

    one = (0.0, 1.2, 0.05, 0.1, 0.0)
    assert parts(one, Part(1, 0)) == {"one-position"}
    assert parts(one, Part(1, FEED_FORWARD)) == parts(one) == set()
    assert parts(one, Part(1, 0), Part(1, 1)) == parts(one, Part(1, 0), view="model") == set()
    assert parts((0.0, 0.9, 0.0, 0.0, 0.0), Part(1, 0)) == set()
    assert parts((0.2, 1.2, 0.2, 0.1, 0.0), Part(1, 0)) == set()


def test_the_comparison_arrives_in_slices(tmp_path: Path) -> None:
    there = backend("difference", tmp_path, moment=0.0)
    state, seen = State(), []
    while (question := lab.question(state)) is not None:
        state = lab.receive(state, question, there.answer(question))
        seen.append(len(state.compared))
    assert all(0 <= after - before <= 1 for before, after in pairwise(seen))
    assert seen[-1] == len(state.places) >= 5
