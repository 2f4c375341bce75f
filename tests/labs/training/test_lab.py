"""Compare the training lab with a plain PyTorch loop, and test that no training is lost."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import torch
import torch.nn.functional as F

from tests.labs.lab_backend import done, tools
from tutor.errors import LabError
from tutor.labs.kit.actions import Adjust, Reset, Run, Toggle
from tutor.labs.training import lab
from tutor.labs.training.backend import TrainingBackend
from tutor.labs.training.lab import (
    MEASURED_EVERY,
    RATES,
    STRETCH,
    Answer,
    Question,
    RestoreSaved,
    Save,
    State,
)
from tutor.lm.fast.kernels import one_thread
from tutor.lm.network import Transformer
from tutor.lm.training.history import LARGEST_LOSS, Measured, Point, bounded
from tutor.lm.training.live import FILE, SETTINGS, Choices, LiveTraining, split
from tutor.lm.training.train import initialize

PASSAGES = [
    f"This is passage {number}, and it is about the number {number}. " for number in range(40)
]
RATE = RATES[lab.FIRST_RATE]


@pytest.fixture(autouse=True)
def _small() -> Iterator[None]:
    with one_thread():
        yield


def backend(
    folder: Path, moment: float = 0.0, measured_every: int = MEASURED_EVERY
) -> TrainingBackend:
    """Return a backend that takes one step per time slice and writes no automatic checkpoints."""
    given = tools(folder, moment=moment)
    return TrainingBackend(given, lambda: PASSAGES, measured_every, kept_every=math.inf)


def trained(steps: int, choices: Choices) -> LiveTraining:
    training = LiveTraining(PASSAGES)
    for _ in range(steps):
        training.train(choices, lambda: False)
    return training


def asked(order: lab.Order, done: int = 0) -> Question:
    return Question(order, done, RATE, mask=True, shuffled=False)


# --- the training ---------------------------------------------------------------------------------


def by_hand(steps: int) -> list[float]:
    """Return the losses of the same training, written as a plain loop: AdamW with a warmup."""
    text = torch.tensor(list("\n".join(p for i, p in enumerate(PASSAGES) if i % 10).encode()))
    network = Transformer(SETTINGS.config(256))
    initialize(network, 1)
    matrices = [w for w in network.parameters() if w.dim() > 1]
    others = [w for w in network.parameters() if w.dim() == 1]
    optimizer = torch.optim.AdamW(
        [{"params": matrices, "weight_decay": 0.1}, {"params": others, "weight_decay": 0.0}],
        betas=(0.9, 0.95),
    )
    windows = (len(text) - 1) // 64
    order: list[int] = []
    losses = []
    for step in range(steps):
        while len(order) < 8 * (step + 1):
            epoch = len(order) // windows
            generator = torch.Generator().manual_seed(1000 + epoch)
            order += torch.randperm(windows, generator=generator).tolist()
        starts = [64 * window for window in order[8 * step : 8 * step + 8]]
        ids = torch.stack([text[s : s + 64] for s in starts])
        targets = torch.stack([text[s + 1 : s + 65] for s in starts])
        logits = network.logits(network(ids))
        loss = F.cross_entropy(logits.reshape(-1, 256), targets.reshape(-1))
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        for group in optimizer.param_groups:
            group["lr"] = RATE * (step + 1) / 50
        optimizer.step()
        losses.append(loss.item())
    return losses


def test_losses_agree_with_a_plain_training_loop() -> None:
    points = trained(4, Choices(RATE)).history.points
    assert [point.step for point in points] == [1, 2, 3, 4]
    assert [point.loss for point in points] == pytest.approx(by_hand(4), rel=1e-4)
    assert points[0].loss == pytest.approx(math.log(256), abs=0.1)


def test_no_passage_is_both_trained_on_and_held_out() -> None:
    kept, held_out = (bytes(part.tolist()).decode() for part in split(PASSAGES))
    assert [text in kept for text in PASSAGES] == [number % 10 > 0 for number in range(40)]
    assert "passage 10," in held_out
    assert "passage 11," not in held_out


def test_the_held_out_loss_is_the_mean_over_all_windows() -> None:
    training = trained(2, Choices(RATE))
    training.measure(mask=True)
    _, held_out = split(PASSAGES)
    losses = []
    for start in range(0, len(held_out) - 64, 64):
        logits = training.network.logits(training.network(held_out[start : start + 64]))
        losses.append(F.cross_entropy(logits, held_out[start + 1 : start + 65]).item())
    assert training.history.measured[-1].loss == pytest.approx(sum(losses) / len(losses), rel=1e-4)


def test_a_network_without_the_mask_sees_its_targets() -> None:
    network = LiveTraining(PASSAGES)
    masked, unmasked = trained(1, Choices(RATE)), trained(1, Choices(RATE, mask=False))
    ids = torch.tensor([[1, 2, 3], [1, 2, 9]])
    for training in (network, masked, unmasked):  # Measuring must restore the mask.
        final = training.network(ids)
        torch.testing.assert_close(final[0, :2], final[1, :2])
    assert masked.history.points[0].loss != unmasked.history.points[0].loss


def test_shuffled_targets_are_the_same_bytes_in_another_order() -> None:
    real, shuffled = (trained(1, Choices(RATE, shuffled=s)) for s in (False, True))
    assert not torch.equal(real.network.embedding.weight, shuffled.network.embedding.weight)
    assert shuffled.history.points[0].shuffled


def test_a_sample_depends_on_the_network_alone() -> None:
    training = trained(1, Choices(RATE))
    assert training.sample() == training.sample()
    assert len(training.sample()) == 60


def test_a_loss_that_is_not_a_number_can_be_stored(tmp_path: Path) -> None:
    assert bounded(math.nan) == bounded(math.inf) == LARGEST_LOSS
    training = trained(1, Choices(RATE))
    for weight in training.network.parameters():
        weight.data.fill_(math.nan)
    training.train(Choices(RATE), lambda: False)
    training.measure(mask=True)
    training.save(tmp_path / "x.safetensors")
    again = LiveTraining(PASSAGES)
    again.load(tmp_path / "x.safetensors")
    assert again.history == training.history
    assert again.history.measured[-1] == Measured(2, LARGEST_LOSS, b"")


# --- the backend loses no training ----------------------------------------------------------------


def test_interrupted_training_gives_the_same_result(tmp_path: Path) -> None:
    first = backend(tmp_path)
    for step in range(3):
        first.answer(asked("train", step))
    first.answer(asked("keep", 3))
    second = backend(tmp_path)
    found = second.answer(asked("look"))
    assert (found.done, [point.step for point in found.points]) == (3, [1, 2, 3])
    last = second.answer(asked("train", 3)).points[-1]
    straight = trained(4, Choices(RATE)).history.points[-1]
    assert last.loss == pytest.approx(straight.loss, rel=1e-4)


def test_steps_lost_with_an_engine_are_removed_from_the_curve(tmp_path: Path) -> None:
    first = backend(tmp_path)
    state = State(running=True, until=100, owed=(), measured=(Measured(0, 5.5, b""),))
    for _ in range(2):
        question = lab.question(state)
        assert question is not None
        state = lab.receive(state, question, first.answer(question))
    first.answer(asked("keep", 2))
    for _ in range(2):
        question = lab.question(state)
        assert question is not None
        state = lab.receive(state, question, first.answer(question))
    assert state.done == 4
    question = lab.question(state)
    assert question is not None
    state = lab.receive(state, question, backend(tmp_path).answer(question))
    assert (state.done, state.lost) == (3, 2)
    assert [point.step for point in state.points] == [1, 2, 3]


def test_steps_of_a_cancelled_question_are_in_the_next_answer(tmp_path: Path) -> None:
    it = backend(tmp_path)
    it.answer(asked("train", 0))
    it.answer(asked("train", 1))
    answer = it.answer(asked("keep", 0))  # The lab never received the answers.
    assert (answer.began, answer.done, [point.step for point in answer.points]) == (0, 2, [1, 2])


def test_save_restore_and_discard(tmp_path: Path) -> None:
    it = backend(tmp_path)
    it.answer(asked("train", 0))
    assert it.answer(asked("save", 1)).saved == 1
    it.answer(asked("train", 1))
    back = it.answer(asked("back", 2))
    assert (back.began, back.done, len(back.points)) == (0, 1, 1)
    gone = it.answer(asked("drop", 1))
    assert gone == Answer(0, 0, (), (), None)
    assert list(tmp_path.iterdir()) == []


def test_an_unreadable_file_is_reported_and_can_be_discarded(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"no network")
    it = backend(tmp_path)
    with pytest.raises(LabError):
        it.answer(asked("look"))
    assert it.answer(asked("drop")).done == 0


def test_a_time_slice_ends_when_a_measurement_is_due(tmp_path: Path) -> None:
    answer = backend(tmp_path, moment=1000.0, measured_every=3).answer(asked("train", 0))
    assert answer.done == 3
    assert answer.steps_a_second > 0


# --- the lab --------------------------------------------------------------------------------------


def ahead(state: State, steps: int, loss: float, **changes: Any) -> State:
    """Return the lab as after this much training, with its measurements."""
    point = Point(state.done + steps, loss, RATE, state.mask, state.shuffled)
    return msgspec.structs.replace(
        state,
        done=point.step,
        points=(*state.points, point),
        measured=(*state.measured, Measured(point.step, loss, b"")),
        owed=(),
        **changes,
    )


def test_training_starts_with_a_measurement_and_pauses_after_a_stretch() -> None:
    state = lab.act(msgspec.structs.replace(State(), owed=()), Run())
    assert (lab.question(state) or asked("look")).order == "measure"
    state = ahead(state, STRETCH - 1, 3.0)
    question = lab.question(state)
    assert question is not None
    assert question.order == "train"
    state = lab.receive(state, question, Answer(state.done, STRETCH, (), (), None))
    assert not state.running
    assert state.owed == ("keep",)


def test_a_pause_stops_at_once_and_writes_a_checkpoint() -> None:
    running = lab.act(ahead(State(), 137, 3.0), Run())
    stopped = lab.act(running, Run())
    assert (running.running, stopped.running, stopped.owed) == (True, False, ("keep",))


def test_a_stretch_ends_with_a_measurement() -> None:
    state = lab.act(ahead(State(), 137, 3.0), Run())
    assert state.until % MEASURED_EVERY == 0
    assert lab.act(ahead(State(), lab.MOST_STEPS, 1.0), Run()).running is False


def test_a_reset_has_to_be_confirmed() -> None:
    state = ahead(State(), 10, 3.0)
    once = lab.act(state, Reset())
    assert once.sure
    assert "drop" not in once.owed
    assert "drop" in lab.act(once, Reset()).owed
    assert "drop" not in lab.act(lab.act(once, Adjust(1, "rate")), Reset()).owed
    assert lab.act(State(owed=()), Reset()) == State(owed=())


def test_goals() -> None:
    good = ahead(State(), 400, 1.9)
    assert lab.LAB.reached(good) == {"below-two"}
    cheated = ahead(lab.act(State(), Toggle("mask")), 100, 0.2)
    assert lab.LAB.reached(cheated) == {"too-good"}
    ruined = ahead(good, 100, 3.2)
    assert lab.LAB.reached(ruined) == {"below-two", "too-high"}
    shuffled = ahead(lab.act(good, Toggle("targets")), 100, 3.2)
    assert lab.LAB.reached(shuffled) == set()
    saved = msgspec.structs.replace(ruined, saved=400)
    question = lab.question(lab.act(saved, RestoreSaved()))
    assert question is not None
    assert question.order == "back"
    answer = Answer(0, 400, good.points, good.measured, 400)
    assert "rescued" in lab.LAB.reached(lab.receive(saved, question, answer))
    # Restoring a network that was not ruined does not count.
    fine = msgspec.structs.replace(good, saved=400)
    assert "rescued" not in lab.LAB.reached(lab.receive(fine, question, answer))


def test_the_rate_stops_at_both_ends() -> None:
    assert lab.act(lab.State(), Adjust(-99, "rate")).rate == 0
    assert lab.act(lab.State(), Adjust(99, "rate")).rate == len(RATES) - 1


def test_nothing_is_saved_before_there_is_a_network() -> None:
    state = State(owed=())
    assert lab.act(state, Save()) == state
    assert lab.act(state, RestoreSaved()) == state


def test_a_new_backend_has_no_training(tmp_path: Path) -> None:
    state = done("training", backend(tmp_path))
    assert (state.done, state.found, state.saved) == (0, 0, None)
