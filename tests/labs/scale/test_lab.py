"""Test the scale ladder: surprisal against a token-by-token computation, and the figures."""

from __future__ import annotations

import math
from pathlib import Path
from threading import Event
from typing import Any, get_args

import msgspec
import pytest
import torch

from tests.labs.lab_backend import backend, done, settled, small_model, tools
from tests.tiny_gguf import write_gguf
from tutor.engine.backends import LabBackends
from tutor.errors import LabError, RequestCancelled
from tutor.labs.difference.questions import Compare, OtherModel, Text
from tutor.labs.kit.actions import Choose, EditText, MoveFocus, ShowView
from tutor.labs.kit.other_models.side_model import SideModel
from tutor.labs.kit.other_models.small_model import small_model_beside
from tutor.labs.kit.progress import Coming
from tutor.labs.scale import lab
from tutor.labs.scale.backend import ScaleBackend
from tutor.labs.scale.lab import (
    PARAGRAPH,
    ReadParagraph,
    State,
    ladder,
)
from tutor.labs.scale.questions import Model, Read, Reading
from tutor.labs.scale.reading_cost import bits_of, entropy_bits, next_probabilities
from tutor.labs.scale.rungs import PUBLISHED, training_compute
from tutor.lm.distribution import PLAIN
from tutor.lm.language_model import LanguageModel
from tutor.lm.load import load_model
from tutor.lm.network import KeyValueCache
from tutor.lm.training.live import FILE, Choices, LiveTraining
from tutor.models.find import from_path

TEXT = "The capital of Mongolia is Ulaanbaatar."


def test_bits_equal_those_computed_token_by_token(tmp_path: Path) -> None:
    state = done("scale", backend("scale", tmp_path), EditText(TEXT))
    reading = state.readings["loaded"]
    model = small_model()
    cache = KeyValueCache(model.network.config)
    ids = model.tokenizer.encode("\n") + model.tokenizer.encode(TEXT)
    bits = 0.0
    with torch.inference_mode():
        for place, id_ in enumerate(ids):
            final = model.network(torch.tensor([id_]), cache)[-1]
            shares = model.network.logits(final).double().softmax(-1)
            if place + 1 < len(ids):
                bits -= math.log2(shares[ids[place + 1]].item())
    assert reading.bits == pytest.approx(bits, rel=1e-4)
    assert reading.pieces == len(ids) - 1
    assert reading.bits_a_byte == pytest.approx(bits / len(TEXT.encode()), rel=1e-4)
    assert reading.perplexity == pytest.approx(2 ** (bits / (len(ids) - 1)), rel=1e-3)
    assert reading.entropy == pytest.approx(-(shares * shares.log2()).sum().item(), rel=1e-3)
    best = shares.max().item()
    assert reading.best[0].probability == pytest.approx(best, rel=1e-3)
    assert reading.best[0].data == model.tokenizer.token(int(shares.argmax())).data


def test_a_long_text_is_processed_in_windows_and_every_token_counts_once() -> None:
    network = small_model().network
    ids = torch.tensor(small_model().tokenizer.encode(PARAGRAPH))[:50]
    whole = bits_of(network, ids, 512)
    assert torch.equal(whole, bits_of(network, ids, 49))
    windows = bits_of(network, ids, 8)
    assert len(windows) == len(whole) == 49
    torch.testing.assert_close(windows[:8], whole[:8], rtol=1e-3, atol=1e-3)
    for place in (9, 20, 48):  # at least half a window precedes it
        for begin in range(max(0, place - 8), place - 3):
            alone = bits_of(network, ids[begin : place + 1], 512)[-1]
            if torch.isclose(windows[place - 1], alone, rtol=1e-3, atol=1e-3):
                break
        else:
            raise AssertionError(f"token {place} had too few tokens before it")


def test_the_entropy_of_equal_probabilities_is_log2_of_their_number() -> None:
    assert entropy_bits(torch.full((8,), 1 / 8)) == pytest.approx(3)
    assert entropy_bits(torch.tensor([1.0, 0.0])) == 0


def test_no_more_tokens_are_processed_than_fit() -> None:
    network = small_model().network
    ids = torch.tensor(small_model().tokenizer.encode(TEXT))
    torch.testing.assert_close(
        next_probabilities(network, ids, 4), next_probabilities(network, ids[-4:], 512)
    )


def test_yours_is_the_network_of_the_training_lab(tmp_path: Path) -> None:
    assert done("scale", backend("scale", tmp_path)).readings["yours"] is None
    training = LiveTraining(["some text to be trained on, " * 60] * 11)
    training.train(Choices(0.002), lambda: training.done < 3)
    training.save(tmp_path / FILE)
    reading = done("scale", backend("scale", tmp_path), EditText("abc")).readings["yours"]
    assert (reading.trained_on, reading.pieces, reading.byte_count) == (3 * 512, 3, 3)
    expected = bits_of(training.network, torch.tensor(list(b"\nabc")), 64).sum().item()
    assert reading.bits == pytest.approx(expected, rel=1e-5)
    assert reading.parameters == 301_728
    assert reading.size == 4 * 301_728


def test_a_damaged_network_counts_as_none(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"no network")
    assert backend("scale", tmp_path).answer(Read("yours", "abc")).reading is None


# --- another installed model ----------------------------------------------------------------------


@pytest.fixture
def another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A model file of random weights in the learner's folder of models."""
    monkeypatch.setenv("TUTOR_DATA", str(tmp_path))
    folder = tmp_path / "models"
    folder.mkdir()
    write_gguf(folder / "another.gguf")
    return folder / "another.gguf"


def test_another_installed_model_can_be_added(another: Path, tmp_path: Path) -> None:
    there: Any = backend("scale", tmp_path)
    state = done("scale", there, EditText(TEXT))
    assert state.others == ("another",)
    assert state.complete
    state = settled(lab.LAB, lab.act(state, Choose(1, "other")), there)
    reading = state.readings["other"]
    model = load_model(from_path(another))
    ids = torch.tensor(model.tokenizer.encode("\n" + TEXT))
    expected = bits_of(model.network, ids, 128)
    assert reading.bits == pytest.approx(float(expected.sum()), rel=1e-3)
    assert (reading.name, reading.pieces) == ("another", len(ids) - 1)
    following = next_probabilities(model.network, ids, 128)
    assert reading.entropy == pytest.approx(entropy_bits(following), rel=1e-3)
    assert reading.best[0].probability == pytest.approx(float(following.max()), rel=1e-3)
    assert [r.parameters for r in state.readers] == sorted(r.parameters for r in state.readers)
    assert reading in state.readers
    assert any(rung.name == "another" and rung.here for rung in ladder(state))

    longer = settled(
        lab.LAB, lab.act(state, EditText(TEXT * 6)), there
    )  # more than its context window
    assert longer.readings["other"].byte_count == 6 * len(TEXT)
    none = settled(lab.LAB, lab.act(longer, Choose(1, "other")), there)
    assert none.other is None
    assert "other" not in none.readings
    assert none.others == ("another",)
    assert there._side_model is None


def test_a_model_that_does_not_fit_is_refused_with_a_reason(another: Path, tmp_path: Path) -> None:
    full = ScaleBackend(tools(tmp_path), free_memory=lambda: 1000)
    state = done("scale", full, Choose(1, "other"))
    assert state.refused.startswith("The model needs about 0.0 GB of memory")
    assert state.readings["loaded"] is not None
    assert state.complete
    assert lab.question(state) is None
    assert lab.act(state, Choose(1, "other")).refused is None


def test_a_damaged_or_missing_model_is_refused(another: Path, tmp_path: Path) -> None:
    there = backend("scale", tmp_path)
    state = done("scale", there)
    another.write_bytes(another.read_bytes()[:2000])
    damaged = settled(lab.LAB, lab.act(state, Choose(1, "other")), there)
    assert damaged.refused
    another.unlink()
    gone = settled(lab.LAB, lab.act(state, Choose(1, "other")), there)
    assert "no longer installed" in gone.refused


def test_loading_stops_when_the_model_is_no_longer_wanted(another: Path) -> None:
    dismissed = Event()
    ended: list[bool] = []

    def load(found: Any, *, on_stage: Any) -> Any:
        on_stage("packing", 1, 4)
        dismissed.wait()
        on_stage("packing", 2, 4)
        ended.append(True)

    guest = SideModel(from_path(another), load=load)
    coming = guest.after(0.0)
    while isinstance(coming, Coming) and coming.done == 0:
        coming = guest.after(0.01)
    assert isinstance(coming, Coming)
    assert (coming.doing, coming.done, coming.total) == ("packing", 1, 4)
    assert coming.seconds is not None
    guest.leave()
    dismissed.set()
    with pytest.raises(RequestCancelled):
        guest.after(60.0)
    assert not ended


class Loader:
    """Loads nothing, and waits at a stage until it is allowed to continue."""

    def __init__(self) -> None:
        self.started: list[str] = []
        self.at_once = self.most_at_once = 0
        self.allowed = Event()
        self.begun = Event()

    def __call__(self, found: Any, *, on_stage: Any) -> Any:
        self.started.append(found.name)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        self.begun.set()
        try:
            self.allowed.wait()
            on_stage("packing", 1, 2)
            return small_model()
        finally:
            self.at_once -= 1


def test_only_one_model_is_loaded_at_a_time(another: Path) -> None:
    """Otherwise moving along the list of models would load several of them at once."""
    load = Loader()
    found = [msgspec.structs.replace(from_path(another), name=name) for name in "abc"]
    first = SideModel(found[0], load=load)
    assert load.begun.wait(60)
    free: list[str] = []

    def free_memory() -> int:
        free.append("asked")
        return 10**12

    first.leave()
    second = SideModel(found[1], free_memory, load=load)
    assert isinstance(second.after(0.01), Coming)
    second.leave()
    third = SideModel(found[2], free_memory, load=load)
    assert isinstance(third.after(0.01), Coming)
    assert (load.started, free) == (["a"], [])
    load.allowed.set()
    assert third.after(60.0) is small_model()
    for each in (first, second):
        with pytest.raises(RequestCancelled):
            each.after(60.0)
    assert (load.started, load.most_at_once, free) == (["a", "c"], 1, ["asked"])


@pytest.mark.parametrize("name", ["scale", "difference"])
def test_closing_a_lab_stops_loading(
    name: str, another: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    left: list[str] = []
    monkeypatch.setattr(SideModel, "after", lambda self, seconds: Coming("loading", 0, 0, None))
    monkeypatch.setattr(SideModel, "leave", lambda self: left.append(self.name))
    monkeypatch.setattr(SideModel, "_load", lambda self: None)  # it would outlive the test
    asked: dict[str, Any] = {
        "scale": Read("other", TEXT, "another"),
        "difference": Compare(Text(TEXT), PLAIN, OtherModel("another")),
    }
    backends = LabBackends(small_model, lambda: None, folder=lambda: tmp_path)
    backends.answer("bench", name, msgspec.msgpack.encode(asked[name]))
    assert left == []
    backends.close("bench")
    assert left == ["another"]


def test_published_figures_are_consistent() -> None:
    by_name = {rung.name: rung for rung in PUBLISHED}
    gpt3 = by_name["GPT-3 (2020)"]
    # Brown et al. 2020, table D.1: 3.14e23; Llama 3.1 405B, section 3.1: 3.8e25
    assert training_compute(gpt3.parameters, gpt3.tokens) == pytest.approx(3.14e23, rel=0.01)
    largest = by_name["Llama 3.1 405B (2024)"]
    assert training_compute(largest.parameters, largest.tokens) == pytest.approx(3.8e25, rel=0.01)
    for model in PUBLISHED:
        assert model.source
        assert model.estimate == (model.parameters is None)
        if not model.estimate:
            assert model.compute == training_compute(model.parameters, model.tokens)


def test_the_ladder_is_in_order_of_compute_with_local_models_first(tmp_path: Path) -> None:
    rungs = ladder(done("scale", backend("scale", tmp_path)))
    assert [rung.here for rung in rungs] == sorted((rung.here for rung in rungs), reverse=True)
    there = [rung.compute or 0 for rung in rungs if not rung.here]
    assert there == sorted(there)
    small = rungs[0]  # the loaded model is the bundled one, which is listed once
    assert (small.parameters, small.tokens) == (5_328_128, 10_752_000)
    assert small.compute == 6 * 5_328_128 * 10_752_000
    assert len(rungs) == 1 + len(PUBLISHED)


def reading(bits: float, size: int = 100, parameters: int = 10, name: str = "a") -> Reading:
    return Reading(name, parameters, 1, None, 10, size, bits, 1.0, ())


def reached(text: str, **readings: Reading | None) -> set[str]:
    by_model = {name: readings[name] for name in get_args(Model) if name in readings}
    assert len(by_model) == len(readings)
    return set(lab.LAB.reached(State(text=text, readings=by_model)))


def test_each_goal_is_reached_by_its_readings() -> None:
    large = reading(40, parameters=1000, name="b")
    assert reached("x", yours=None, small=reading(60), loaded=large) == {"by-heart"}
    assert reached("x", yours=None, small=reading(30), loaded=large) == {"by-heart", "smaller-wins"}
    assert reached("x", small=None, loaded=reading(20, size=50)) == set()
    noise = {"small": reading(600), "loaded": reading(500, name="b", parameters=1000)}
    assert reached("x", yours=None, **noise) == {"noise"}
    assert reached("x", **noise) == set()
    assert reached("x", yours=reading(400, name="yours"), **noise) == set()


def test_a_long_text_is_cut_and_an_empty_one_refused() -> None:
    state = lab.act(lab.State(), EditText("é" * 400))
    assert (state.text, state.left_out) == ("é" * 300, 200)
    with pytest.raises(LabError):
        lab.act(state, EditText(""))
    assert lab.act(state, ReadParagraph()).text == PARAGRAPH


def test_the_focus_stays_on_the_ladder() -> None:
    state = lab.act(lab.State(), ShowView("ladder"))
    assert lab.act(state, MoveFocus(99, "rung")).rung == len(PUBLISHED) - 1
    assert lab.act(state, MoveFocus(-99, "rung")).rung == 0
    assert lab.act(lab.act(state, MoveFocus(1, "quantity")), MoveFocus(-1, "quantity")) == state


def test_backends_share_the_small_model_while_one_uses_it(language_model: LanguageModel) -> None:
    first = small_model_beside(language_model)
    assert first is not None
    assert small_model_beside(language_model) is first
    assert small_model_beside(first) is first
