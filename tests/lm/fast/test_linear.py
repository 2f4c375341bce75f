"""Test the layers for few bits against the products that they compute."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from tutor.lm.fast import linear
from tutor.lm.fast.kernels import check_kernels, choose_kernels, machine_key
from tutor.lm.fast.linear import (
    FloatLinear,
    FrozenLinear,
    Groups,
    HalfLinear,
    Int4Linear,
    Int8Linear,
    Table,
    dequantized,
    to_half,
)
from tutor.lm.fast.network import TableEmbedding
from tutor.lm.fast.norm import FrozenNorm
from tutor.lm.inspect import rounding
from tutor.lm.network import Config, RMSNorm

Make = Callable[[], tuple[FrozenLinear, Tensor]]
OUTPUTS, INPUTS = 192, 96


def groups(bits: int, outputs: int = OUTPUTS) -> Groups:
    random = torch.Generator().manual_seed(bits)
    low, high = (0, 16) if bits == 4 else (-128, 128)
    quants = torch.randint(low, high, (outputs, INPUTS), generator=random, dtype=torch.int16)
    scales = torch.rand(outputs, INPUTS // 32, generator=random) * 0.01
    zeros = -8 * scales if bits == 4 else torch.zeros_like(scales)
    return Groups(bits, quants, scales, zeros)


def int4() -> tuple[FrozenLinear, Tensor]:
    return linear.from_tensors(Int4Linear.pack(groups(4))), dequantized(groups(4))


def int8() -> tuple[FrozenLinear, Tensor]:
    return linear.from_tensors(Int8Linear.pack(groups(8))), dequantized(groups(8))


def fp16() -> tuple[FrozenLinear, Tensor]:
    weight = dequantized(groups(8))
    return linear.from_tensors({"weight": weight.half()}), weight


def fp32() -> tuple[FrozenLinear, Tensor]:
    weight = dequantized(groups(8))
    return linear.from_tensors({"weight": weight}), weight


# bfloat16 has 8 bits of mantissa, so a product is off by up to 2 * 2^-9; 16-bit floats have 11 bits
KINDS = [
    pytest.param(int4, Int4Linear, 8e-3, id="int4"),
    pytest.param(int8, Int8Linear, 1e-5, id="int8"),
    pytest.param(fp16, HalfLinear, 2e-3, id="fp16"),
    pytest.param(fp32, FloatLinear, 1e-6, id="fp32"),
]
TABLES = [kind for kind in KINDS if kind.id != "int4"]


@pytest.mark.parametrize("precision", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize(("make", "kind", "tolerance"), KINDS)
@pytest.mark.parametrize("shape", [(1,), (3,), (40,), (2, 5), (2, 30), ()])
def test_product(
    make: Make, kind: type, tolerance: float, shape: tuple[int, ...], precision: torch.dtype
) -> None:
    """Every layer also accepts the output of a 4-bit layer, which is bfloat16."""
    layer, weight = make()
    assert isinstance(layer, kind)
    x = torch.randn(*shape, INPUTS, generator=torch.Generator().manual_seed(5)).to(precision)
    with torch.inference_mode():
        found, wanted = layer(x), x.float() @ weight.t()
    assert found.dtype in (torch.float32, torch.bfloat16)
    assert found.shape == wanted.shape
    assert float((found - wanted).abs().max()) <= tolerance * float(wanted.abs().max())


@pytest.mark.parametrize(("make", "kind", "tolerance"), TABLES)
def test_rows(make: Make, kind: type, tolerance: float) -> None:
    layer, weight = make()
    assert isinstance(layer, kind)
    assert isinstance(layer, Table)
    ids = torch.tensor([[3, 0], [191, 3]])
    with torch.inference_mode():
        found = TableEmbedding(layer)(ids)
    assert found.shape == (2, 2, INPUTS)
    assert float((found - weight[ids]).abs().max()) <= tolerance * float(weight.abs().max())


def test_int4_gives_the_same_results_for_many_vectors_as_for_few() -> None:
    layer, _ = int4()
    assert isinstance(layer, Int4Linear)
    x = torch.randn(64, INPUTS).bfloat16().float()  # so that both paths see the same numbers
    with torch.inference_mode():
        together = layer(x)
        separate = torch.cat([layer(row[None]) for row in x])
    assert float((together - separate).abs().max()) <= 5e-3 * float(together.abs().max())


def test_int8_with_an_odd_number_of_blocks() -> None:
    odd = groups(8, outputs=7 * 32)
    layer = linear.from_tensors(Int8Linear.pack(odd))
    x = torch.randn(2, INPUTS)
    torch.testing.assert_close(layer(x), x @ dequantized(odd).t(), rtol=1e-4, atol=1e-5)


def test_large_tables_are_unpacked_in_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(linear, "CHUNK", 64 * INPUTS)
    x = torch.randn(40, INPUTS)
    for layer, weight in (int8(), fp16()):
        torch.testing.assert_close(layer(x), x @ weight.t(), rtol=0, atol=1e-2)


def test_frozen_norm() -> None:
    norm = RMSNorm(INPUTS, 1e-2)
    norm.weight.data.uniform_(0.5, 1.5)
    x = torch.randn(2, 5, INPUTS) * 0.1  # small, so that epsilon counts
    torch.testing.assert_close(FrozenNorm(norm.weight.data, 1e-2)(x), norm(x).detach())


def test_values_beyond_16_bits_stay_in_32_bits() -> None:
    assert to_half(torch.tensor([1.0, -65504.0])).dtype == torch.float16
    assert to_half(torch.tensor([1.0, 70000.0])).dtype == torch.float32


def test_the_kernels_of_this_machine_are_timed() -> None:
    config = Config(
        vocabulary_size=512,
        width=64,
        layers=2,
        heads=4,
        key_value_heads=2,
        head_size=16,
        hidden=96,
    )
    chosen = choose_kernels()
    report = check_kernels(config)
    assert [timing.form for timing in report.timings] == ["int4", "int8", "fp16", "fp32"]
    by_form = {timing.form: timing for timing in report.timings}
    assert by_form["fp16"].milliseconds is not None
    assert by_form["fp16"].milliseconds > 0
    assert by_form["int4"].bytes_per_weight < by_form["int8"].bytes_per_weight < 2
    assert not chosen.exact
    assert report.instruction_set in machine_key()
    assert 1 <= report.threads <= 2


def test_a_missing_kernel_is_not_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(groups: Groups) -> dict[str, Tensor]:
        raise RuntimeError("not implemented for this processor")

    monkeypatch.setattr(Int4Linear, "pack", staticmethod(missing))
    monkeypatch.setattr(Int8Linear, "pack", staticmethod(missing))
    chosen = choose_kernels()
    assert not chosen.int4
    assert not chosen.int8


def test_working_memory_from_inference_mode_can_be_used_outside_of_it() -> None:
    """The layers share their working memory, whichever of them allocates it."""
    made = rounding.at_precision(torch.randn(96, 64), 4)
    assert made is not None
    linear._scratch_buffer.cache_clear()
    with torch.inference_mode():
        first = made[0](torch.ones(20, 64))
    assert torch.equal(made[0](torch.ones(20, 64)), first)


@pytest.mark.parametrize("sums", [1, 2_000])
def test_int8_sums_in_parts_are_exactly_the_same(
    monkeypatch: pytest.MonkeyPatch, sums: int
) -> None:
    layer, _ = int8()
    x = torch.randn(3, layer.inputs, generator=torch.Generator().manual_seed(1))
    whole = layer(x)
    monkeypatch.setattr(linear, "SUMS", sums)
    assert torch.equal(layer(x), whole)
