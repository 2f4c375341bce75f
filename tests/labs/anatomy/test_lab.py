"""Compare the anatomy lab's tensors with the model's file, and its rounding with the definition."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import load_file

from tests.labs.lab_backend import backend, done, small_model
from tutor.labs.anatomy import lab, precisions, tensors
from tutor.labs.anatomy.lab import BINS, Action, Look
from tutor.labs.anatomy.precisions import PRECISIONS, Through
from tutor.labs.kit.actions import EditText, MoveFocus, Run, ShowView
from tutor.lm.fast import linear
from tutor.lm.inspect import rounding
from tutor.models.installed import bundled_model

NAMES = {
    "value": "self_attn.v_proj",
    "output": "self_attn.o_proj",
    "gate": "mlp.gate_proj",
    "up": "mlp.up_proj",
    "down": "mlp.down_proj",
}
"""The names in the file. Query and key have their rows in another order there."""


def reading(bits: int) -> tuple[Action, ...]:
    """Process the text at each of these precisions."""
    down, up = PRECISIONS.index(bits), -len(PRECISIONS)
    return ShowView("precision"), MoveFocus(up, "row"), MoveFocus(down, "row"), Run()


@pytest.fixture(scope="module")
def in_the_file() -> dict[str, torch.Tensor]:
    found = bundled_model()
    assert found is not None
    (file,) = found.path.glob("*.safetensors")
    return {name: tensor.float() for name, tensor in load_file(file).items()}


def test_every_parameter_is_in_one_tensor(in_the_file: dict[str, torch.Tensor]) -> None:
    found = list(tensors.tensors(small_model().network))
    assert sum(tensor.size for tensor in found) == small_model().card.parameters
    assert sum(tensor.size for tensor in found) == sum(t.numel() for t in in_the_file.values())
    assert sum(tensor.nbytes for tensor in found) == 4 * small_model().card.parameters


def test_the_weights_agree_with_the_file(in_the_file: dict[str, torch.Tensor]) -> None:
    for tensor in tensors.tensors(small_model().network):
        weights = tensors.weights_of(tensor, 10**9)
        assert weights.shape == (tensor.outputs, tensor.inputs)
        if tensor.role in NAMES:
            name = f"model.layers.{tensor.layer}.{NAMES[tensor.role]}.weight"
            # Joined matrices went through 16 bits, which have no numbers as small as these.
            assert torch.allclose(weights, in_the_file[name], rtol=0, atol=1e-7)
        elif tensor.role == "embedding":
            assert torch.equal(weights, in_the_file["model.embed_tokens.weight"])
        elif tensor.role == "norms" and tensor.layer is None:
            assert weights[0] == pytest.approx(in_the_file["model.norm.weight"], rel=1e-5)
        elif tensor.role in ("query", "key"):
            name = f"model.layers.{tensor.layer}.self_attn.{tensor.role[0]}_proj.weight"
            assert weights.sort(0).values.sum() == pytest.approx(in_the_file[name].sum(), abs=1e-2)


@pytest.mark.parametrize("at", [0, 5, 8])
def test_the_histogram_counts_every_weight(at: int, tmp_path: Path) -> None:
    answer = backend("anatomy", tmp_path).answer(Look(at))
    tensor = list(tensors.tensors(small_model().network))[at]
    weights = tensors.weights_of(tensor, 10**9).numpy().astype(np.float32)
    edge = float(np.float32(answer.largest))
    expected, _ = np.histogram(weights, BINS, (-edge, edge))
    assert answer.looked_at == weights.size == sum(answer.counts)
    # A weight at the edge between two bins may count for either.
    assert np.abs(np.array(answer.counts) - expected).sum() <= 0.002 * weights.size
    assert answer.largest == np.abs(weights).max()
    assert answer.typical == pytest.approx(np.sqrt(np.mean(weights.astype(np.float64) ** 2)))


def test_every_nth_row_of_a_large_tensor_is_used() -> None:
    tensor = next(tensors.tensors(small_model().network))
    whole, some = tensors.weights_of(tensor, 10**9), tensors.weights_of(tensor, tensor.size // 5)
    assert torch.equal(some, whole[::5]) or torch.equal(some, whole[::6])


@pytest.mark.parametrize("bits", [2, 3, 4, 8])
def test_no_weight_moves_by_more_than_half_a_step(bits: int) -> None:
    weights = torch.randn(64, 96, generator=torch.Generator().manual_seed(bits))
    groups = rounding.rounded(weights, bits)
    off = (linear.dequantized(groups) - weights).abs().view(64, 3, 32)
    assert (off <= groups.scales[..., None] / 2 + 1e-6).all()
    assert groups.quants.unique().numel() <= 2**bits
    distinct = [len(row.unique()) for row in linear.dequantized(groups).view(-1, 32)]
    assert max(distinct) <= 2**bits


@pytest.mark.parametrize("bits", [16, 8, 4, 3, 2])
def test_the_layer_multiplies_with_the_rounded_weights(bits: int) -> None:
    generator = torch.Generator().manual_seed(0)
    weights = torch.randn(96, 64, generator=generator)
    made = rounding.at_precision(weights, bits)
    assert made is not None
    layer, stands_for = made
    x = torch.randn(20, 64, generator=generator)
    assert layer(x).float() == pytest.approx(x @ stands_for.T, abs=0.2)  # bfloat16 scales at 4 bits
    assert rounding.matrix_of(layer) == pytest.approx(stands_for, abs=0.05)


def test_sizes_without_a_kernel_are_refused() -> None:
    assert rounding.at_precision(torch.randn(40, 48), 4) is None
    assert rounding.at_precision(torch.randn(40, 48), 16) is not None


def test_the_estimated_rounding_error_is_close_to_the_real_one() -> None:
    weights = torch.randn(64, 128, generator=torch.Generator().manual_seed(1))
    for bits in (4, 8):
        made = rounding.at_precision(weights, bits)
        assert made is not None
        tensor = tensors.TensorOf("query", 0, made[0], 0, 64, 128)
        told = tensors.step_error(tensor, tensors.weights_of(tensor, 10**9))
        really = float((made[1] - weights).norm() / weights.norm())
        assert told == pytest.approx(really, rel=0.1)
    assert tensors.step_error(tensor._replace(module=linear.FloatLinear(weights)), weights) is None


def test_at_32_bits_the_blocks_agree_with_the_network(tmp_path: Path) -> None:
    state = done("anatomy", backend("anatomy", tmp_path), *reading(32))
    model = small_model()
    ids = model.tokenizer.encode(state.text)
    with torch.inference_mode():
        final = model.network(torch.tensor(ids))
        stream = torch.frombuffer(bytearray(state.reading(32).stream), dtype=torch.float32)
        assert model.network.norm(stream.view(len(ids), -1)) == pytest.approx(final, abs=1e-4)
        chances = model.network.logits(final).softmax(-1)
    result = state.reading(32).result
    cost = [-np.log2(float(chances[at, ids[at + 1]])) for at in range(len(ids) - 1)]
    assert result.bits == pytest.approx(np.mean(cost), abs=1e-3)
    assert (result.divergence, result.same) == (pytest.approx(0, abs=1e-6), 1)


def test_the_divergence_is_computed_from_both_distributions(tmp_path: Path) -> None:
    state = done("anatomy", backend("anatomy", tmp_path), *reading(2))
    network = small_model().network

    def answers(bits: int) -> torch.Tensor:
        stream = torch.frombuffer(bytearray(state.reading(bits).stream), dtype=torch.float32)
        with torch.inference_mode():
            return network.lens(stream.view(-1, network.config.width)).log_softmax(-1)

    exact, rough = answers(32), answers(2)
    expected = F.kl_div(rough, exact, log_target=True, reduction="batchmean") / np.log(2)
    result = state.reading(2).result
    assert result.divergence == pytest.approx(float(expected), rel=1e-4)
    assert result.same == pytest.approx(
        float((exact.argmax(-1) == rough.argmax(-1)).float().mean())
    )


def test_fewer_bits_have_larger_errors(tmp_path: Path) -> None:
    state = done(
        "anatomy",
        backend("anatomy", tmp_path),
        *(action for bits in (8, 4, 2) for action in reading(bits)),
    )
    errors = [np.mean(state.reading(bits).errors) for bits in (8, 4, 2)]
    assert errors == sorted(errors)
    assert errors[0] < 0.01 < errors[2]


def test_stopping_keeps_results_and_another_text_drops_them(tmp_path: Path) -> None:
    there = backend("anatomy", tmp_path)
    state = done("anatomy", there, *reading(8)[:-1])
    state = lab.act(state, Run())
    for _ in range(4):
        question = lab.question(state)
        assert isinstance(question, Through)
        state = lab.receive(state, question, there.answer(question))
    state = lab.act(state, Run())
    assert lab.question(state) is None
    again = lab.question(lab.act(state, Run()))
    assert isinstance(again, Through)
    assert (again.bits, again.layer, again.stream) == (32, 4, state.reading(32).stream)
    other = lab.act(state, EditText("Something else."))
    assert other.readings == {}


def test_an_unavailable_precision_is_asked_for_once() -> None:
    state = lab.State(text="a", inventory=lab.Inventory((), 1, "F32"), running=4)
    exact = precisions.Reading(b"1234", ((0.0,) * 4,), precisions.Differences(0, 1, 1))
    state = msgspec.structs.replace(state, readings={32: exact})
    question = lab.question(state)
    assert isinstance(question, Through)
    state = lab.receive(state, question, precisions.Stream(None, (), 3, 0))
    assert not state.reading(4).possible
    assert state.running is None


def test_the_focus_stops_at_the_last_role_and_tensor(tmp_path: Path) -> None:
    state = done(
        "anatomy", backend("anatomy", tmp_path), MoveFocus(99, "row"), MoveFocus(99, "tensor")
    )
    assert state.roles[state.role] == "down"
    assert state.inventory.parts[state.looked_at].layer == 5
    assert (
        done(
            "anatomy", backend("anatomy", tmp_path), MoveFocus(1, "row"), MoveFocus(99, "tensor")
        ).tensor
        == 12
    )
