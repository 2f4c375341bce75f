"""Compare a training step with autograd, PyTorch's AdamW, and a gradient measured by hand."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from tests.labs.lab_backend import backend, done
from tutor.errors import LabError
from tutor.labs.kit.actions import EditText, MoveFocus, Reset
from tutor.labs.one_step import lab
from tutor.labs.one_step.adam import BETAS, EPSILON, RATE, adam_move
from tutor.labs.one_step.lab import STAGES, SkipSteps, State, Walk
from tutor.labs.one_step.step import CONFIG, WINDOW, SlowTraining, windows_of
from tutor.lm.network import Transformer
from tutor.lm.training.train import initialize

TEXT = "The cat sat on the mat, and sat."


def after(folder: Path, *actions: object) -> State:
    state = done("one-step", backend("one-step", folder), *actions)
    assert isinstance(state, State)
    return state


@given(st.binary(min_size=2, max_size=lab.LONGEST))
def test_every_byte_but_the_first_is_a_target(data: bytes) -> None:
    ids, targets = windows_of(data)
    assert ids.shape == targets.shape
    assert ids.shape[1] <= WINDOW
    assert torch.equal(ids[:, 1:], targets[:, :-1])
    assert bytes(targets[0].tolist()) == data[1 : targets.shape[1] + 1]
    assert bytes(targets[-1].tolist()) == data[len(data) - targets.shape[1] :]


def reference(steps: int) -> tuple[Transformer, torch.optim.AdamW, torch.Tensor, torch.Tensor]:
    """Return the same training, done with PyTorch's own optimizer."""
    data = torch.tensor(list(TEXT.encode()))
    ids = torch.stack([data[0:16], data[15:31]])
    targets = torch.stack([data[1:17], data[16:32]])
    network = Transformer(CONFIG)
    initialize(network, seed=1)
    optimizer = torch.optim.AdamW(
        network.parameters(), lr=RATE, betas=BETAS, eps=EPSILON, weight_decay=0, foreach=False
    )
    for _ in range(steps):
        optimizer.zero_grad()
        logits = network.logits(network(ids))
        loss = F.cross_entropy(logits.flatten(0, 1), targets.flatten())
        loss.backward()
        optimizer.step()
    return network, optimizer, ids, targets


@pytest.mark.parametrize("step", [0, 4])
def test_losses_gradients_and_updates_agree_with_torch(step: int, tmp_path: Path) -> None:
    answer = after(tmp_path, EditText(TEXT), *(Walk(len(STAGES)) for _ in range(step))).shown
    assert answer is not None

    network, _, ids, targets = reference(step)
    probabilities = network.logits(network(ids)).softmax(dim=-1)
    expected = -probabilities.gather(-1, targets[..., None])[..., 0].log()
    shown = torch.tensor([[position.loss for position in row] for row in answer.windows])
    torch.testing.assert_close(shown, expected, rtol=1e-4, atol=1e-5)
    assert answer.loss == pytest.approx(expected.mean().item(), rel=1e-5)

    moved, optimizer, *_ = reference(step + 1)
    before = dict(network.named_parameters())
    for weights in answer.weights:
        parameter = moved.get_parameter(weights.name)
        memory = optimizer.state[parameter]
        assert parameter.grad is not None
        assert weights.norm == pytest.approx(parameter.grad.norm().item(), rel=1e-3)
        assert abs(weights.gradient) == pytest.approx(parameter.grad.abs().max().item(), rel=1e-3)
        assert weights.mean == pytest.approx(memory["exp_avg"][weights.place].item(), rel=1e-2)
        assert weights.square == pytest.approx(memory["exp_avg_sq"][weights.place].item(), rel=1e-2)
        assert weights.weight == pytest.approx(before[weights.name][weights.place].item(), abs=1e-5)
        assert weights.after == pytest.approx(weights.weight + weights.change, abs=1e-6)
        assert weights.after == pytest.approx(parameter[weights.place].item(), abs=1e-4)


def test_a_gradient_is_how_the_loss_reacts_to_a_small_change(tmp_path: Path) -> None:
    answer = after(tmp_path, EditText(TEXT)).shown
    assert answer is not None
    network, _, ids, targets = reference(0)
    push = 1e-2  # A smaller one would be lost in the rounding of 32-bit floats.
    for weights in answer.weights:
        parameter = network.get_parameter(weights.name)
        losses = []
        for by in (push, -push):
            with torch.no_grad():
                parameter[weights.place] += by
                logits = network.logits(network(ids))
                losses.append(F.cross_entropy(logits.flatten(0, 1), targets.flatten()).item())
                parameter[weights.place] -= by
        slope = (losses[0] - losses[1]) / (2 * push)
        assert weights.gradient == pytest.approx(slope, rel=0.05, abs=1e-4)


@given(st.floats(-1, 1), st.lists(st.floats(-10, 10), min_size=1, max_size=8))
def test_adam_in_plain_python_agrees_with_torch(weight: float, slopes: list[float]) -> None:
    there = torch.tensor([weight], dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.AdamW([there], lr=RATE, betas=BETAS, eps=EPSILON, weight_decay=0)
    mean = square = 0.0
    for number, slope in enumerate(slopes, start=1):
        there.grad = torch.tensor([slope], dtype=torch.float64)
        optimizer.step()
        move = adam_move(weight, slope, mean, square, number)
        weight, mean, square = weight + move.change, move.mean, move.square
        assert weight == pytest.approx(there.item(), abs=1e-9)


def test_guesses_have_their_probability_among_all_bytes(tmp_path: Path) -> None:
    answer = after(tmp_path).shown
    assert answer is not None
    for position in answer.positions:
        assert position.loss == pytest.approx(-math.log(position.target.probability), rel=1e-4)
        best = [guess.probability for guess in position.best]
        assert best == sorted(best, reverse=True)
        for guess in position.best:
            ratio = math.exp(guess.logit - position.target.logit)
            assert ratio == pytest.approx(guess.probability / position.target.probability, rel=1e-4)
    assert answer.loss == pytest.approx(math.log(256), abs=0.1)


def test_a_restarted_engine_gives_the_same_answers(tmp_path: Path) -> None:
    once = backend("one-step", tmp_path)
    state = done("one-step", once, SkipSteps(), Walk(1))
    question = lab.Question(state.text, state.step)
    assert backend("one-step", tmp_path).answer(question) == once.answer(question)
    assert len(once.answer(question).history) == state.step + 2


def test_losses_after_a_step_are_those_before_the_next(tmp_path: Path) -> None:
    first = after(tmp_path).shown
    second = after(tmp_path, Walk(len(STAGES))).shown
    assert first is not None
    assert second is not None
    assert [position.after for position in first.positions] == pytest.approx(
        [position.loss for position in second.positions], rel=1e-4
    )
    assert second.history[1] == pytest.approx(first.loss_after)


def test_walking_stops_at_both_ends_and_skipping_at_the_last_step() -> None:
    state = lab.State()
    assert lab.act(state, Walk(-1)) == state
    for _ in range(20):
        state = lab.act(state, SkipSteps())
    assert state.step == lab.MOST_STEPS - 1
    state = lab.act(state, Walk(len(STAGES) - 1))
    assert lab.act(state, Walk(1)) == state
    assert lab.act(state, Reset()).step == 0


def test_a_long_text_is_cut_between_characters_and_a_short_one_refused() -> None:
    state = lab.act(lab.State(), EditText("é" * 100))
    assert (state.text, state.left_out) == ("é" * 64, 72)
    for text in ("", "x"):
        with pytest.raises(LabError):
            lab.act(lab.State(), EditText(text))


def test_the_focus_stays_within_the_text_and_the_tensors(tmp_path: Path) -> None:
    assert after(tmp_path, MoveFocus(999, "item")).position == 47
    assert after(tmp_path, MoveFocus(-999, "item")).position == 0
    assert after(tmp_path, Walk(STAGES.index("move")), MoveFocus(999, "item")).tensor == 13


def test_training_changes_its_own_network() -> None:
    one, two = SlowTraining(b"abc"), SlowTraining(b"abc")
    one.step()
    assert not torch.equal(one.network.embedding.weight, two.network.embedding.weight)
