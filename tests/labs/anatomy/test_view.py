"""Test the keys and the pictures of the anatomy lab."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.app.whole_app import until
from tests.labs.lab_stage import BackendEngine, do, lab_app, seen, state_of
from tests.later import SIZES

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("size", SIZES)
def test_how_the_roles_look(size: tuple[int, int], snap_compare: Any, tmp_path: Path) -> None:
    async def run(pilot: Any) -> None:
        await do(pilot, "down", "down", "right")

    assert snap_compare(lab_app("anatomy", tmp_path), terminal_size=size, run_before=run)


@pytest.mark.parametrize(
    "keys", [["tab", "down", "b"], ["tab", "tab", "down"]], ids=["layers", "precisions"]
)
def test_how_the_other_views_look(keys: list[str], snap_compare: Any, tmp_path: Path) -> None:
    async def run(pilot: Any) -> None:
        await do(pilot, *keys)

    assert snap_compare(lab_app("anatomy", tmp_path), terminal_size=(80, 24), run_before=run)


async def test_the_text_is_processed_with_fewer_bits(tmp_path: Path) -> None:
    app = lab_app("anatomy", tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await do(pilot, "tab", "tab", "down", "down", "down", "down", "down")
        await pilot.press("enter")
        await until(pilot, lambda: state_of(pilot).reading(2).result is not None)
        await do(pilot)
        result = state_of(pilot).reading(2).result
        assert f"{result.divergence:.2f}" in seen(pilot)
        assert "rounding error at 2 bits" in seen(pilot)


async def test_a_run_can_be_stopped(tmp_path: Path) -> None:
    engine = BackendEngine()
    app = lab_app("anatomy", tmp_path, engine)
    async with app.run_test(size=(80, 24)) as pilot:
        await do(pilot, "tab", "tab", "down")
        engine.hold()
        await pilot.press("r")
        await until(pilot, lambda: "32 bits first" in seen(pilot))
        await pilot.press("r")
        await do(pilot)
        assert state_of(pilot).running is None
        assert "block" not in seen(pilot)
        engine.release()
        await do(pilot, "r")
        await until(pilot, lambda: state_of(pilot).reading(16).result is not None)


async def test_a_tensor_shows_its_shape_and_bars_compare_parameters_or_bytes(
    tmp_path: Path,
) -> None:
    app = lab_app("anatomy", tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await do(pilot, "down", "down", "down", "right")
        assert "key  layer 2 of 6  128 × 256  stored as fp32" in seen(pilot)
        assert "of total" in seen(pilot)
        await do(pilot, "b")
        assert "of bytes" in seen(pilot)
        await do(pilot, "tab")
        parts = [part for part in state_of(pilot).inventory.parts if part.layer is None]
        assert f"{sum(part.nbytes for part in parts) / 1e6:.1f} MB" in seen(pilot)
