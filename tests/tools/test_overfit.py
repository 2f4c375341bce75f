"""Test that the recorded run of lesson 7 equals the code's, by repeating its beginning."""

from __future__ import annotations

import msgspec
import pytest

from tools.overfit import SHOWN, Record, overfit
from tutor import paths


@pytest.mark.slow
def test_the_record_is_from_this_code() -> None:
    """Run 20 steps, which take about ten seconds; other processors round differently."""
    recorded = msgspec.json.decode(
        (paths.assets_folder() / "overfit.json").read_bytes(), type=Record
    )
    assert tuple(moment.step for moment in recorded.moments) == SHOWN
    again = overfit(SHOWN[1], report=lambda _line: None)
    for name in ("weights", "training_tokens", "tokens_a_step", "settings"):
        assert getattr(again, name) == getattr(recorded, name)
    for now, then in zip(again.moments, recorded.moments, strict=False):
        assert now.training == pytest.approx(then.training, abs=0.02)
        assert now.held_out == pytest.approx(then.held_out, abs=0.02)
        assert now.says == then.says
