"""Test the residual stream lab through its keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from tests.labs.lab_stage import do, lab_app, seen, state_of
from tests.later import SIZES
from tutor.labs.residual.lab import Contributions, HeadContributions, State, Stream
from tutor.labs.residual.view import ResidualView
from tutor.lm.distribution import Token

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("keys", [["down"], ["tab", "down"]], ids=["length", "logit"])
def test_how_it_looks(
    keys: list[str], size: tuple[int, int], snap_compare: Any, tmp_path: Path
) -> None:
    async def run(pilot: Any) -> None:
        await do(pilot, *keys)

    assert snap_compare(lab_app("residual", tmp_path), terminal_size=size, run_before=run)


async def test_the_arrows_choose_the_block_and_the_token(tmp_path: Path) -> None:
    app = lab_app("residual", tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await do(pilot)
        last = state_of(pilot).position
        await do(pilot, "down", "left")
        assert (state_of(pilot).block, state_of(pilot).position) == (1, last - 1)
        assert "Block 2 takes the vector from length" in seen(pilot)
        await do(pilot, "tab")
        assert f"logit {state_of(pilot).shown.logit:.2f}" in seen(pilot)
        assert "strongest heads of block 2" in seen(pilot)


@pytest.mark.parametrize(("width", "height"), [(80, 24), (40, 12), (120, 40)])
def test_the_bias_of_the_final_norm_has_a_row(width: int, height: int) -> None:
    token = Token(1, " it", b" it")
    stream = Stream((token,), 0, 2, ((1.0,) * 41,), ((1.0,) * 40,), ((1.0,) * 40,))
    shown = Contributions(token, 0.5, 3.25, 1.0, (0.05,) * 40, (0.0,) * 40, 0.25)
    heads = HeadContributions((0.5, 0.5))
    state = State(
        view="logit", stream=stream, contributions={0: shown}, by_head={(0, 0): heads}, token=0
    )
    rows = drawn(state, width, height)
    assert len(rows) <= height
    assert any("final" in row and "+0.25" in row for row in rows)
    assert all(len(row) <= width for row in rows)
    without = msgspec.structs.replace(shown, bias=0.0)
    rows = drawn(msgspec.structs.replace(state, contributions={0: without}), width, height)
    assert not any("final" in row for row in rows)


def drawn(state: State, width: int, height: int) -> list[str]:
    return [line.plain for line in ResidualView().lines(state, width, height)]
