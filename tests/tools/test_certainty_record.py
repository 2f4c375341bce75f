"""Test that the record for lesson 9 equals the lab's measurement with the default model."""

from __future__ import annotations

import msgspec
import pytest

from tools.certainty import Record, measured
from tutor import paths
from tutor.labs.certainty.lab import WAYS
from tutor.labs.certainty.real_and_invented import items
from tutor.lm.language_model import LanguageModel

RECORD = msgspec.json.decode(
    (paths.real_and_invented().parent / "measured.json").read_bytes(), type=Record
)


def test_the_record_adds_up() -> None:
    assert RECORD.questions == len(items())
    assert tuple(RECORD.ways) == WAYS
    real = sum(item.real for item in items())
    for way in RECORD.ways.values():
        assert sum(msgspec.structs.astuple(way.real)) == real
        assert sum(msgspec.structs.astuple(way.invented)) == len(items()) - real
        assert sum(each.count for each in way.bins) == len(items())
        assert sum(each.right for each in way.bins) == way.good
        by_bin = sum(each.count * each.certainty for each in way.bins)
        by_kind = real * way.real_certainty + (len(items()) - real) * way.invented_certainty
        assert by_kind == pytest.approx(by_bin, abs=0.01)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_the_record_is_of_this_model_and_code(exact_model: LanguageModel) -> None:
    """In exact arithmetic, one of 168 answers may differ on another processor."""
    again = measured(exact_model, report=lambda _line: None)
    assert set(again.ways) == set(RECORD.ways)
    for name, way in again.ways.items():
        stated = RECORD.ways[name]
        assert abs(way.good - stated.good) <= 1
        assert way.error == pytest.approx(stated.error, abs=0.02)
        assert way.real_certainty == pytest.approx(stated.real_certainty, abs=0.02)
        assert way.invented_certainty == pytest.approx(stated.invented_certainty, abs=0.02)
        for now, then in ((way.real, stated.real), (way.invented, stated.invented)):
            assert now.right == pytest.approx(then.right, abs=1)
            assert now.declined == pytest.approx(then.declined, abs=1)
