"""Measure the results that lesson 9 reports about questions on real and invented things.

    python -m tools.certainty assets/real-and-invented/measured.json

This uses the code of the lab. It asks the default model (`tutor model pull`) all questions in three
ways, in exact arithmetic, as `tutor lint` does. This takes about five minutes. The app's arithmetic
is faster and rounds more, so a few answers may differ there.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from statistics import mean

import msgspec

from tutor.labs.certainty.calibration import Bin, expected_error
from tutor.labs.certainty.lab import (
    LAB,
    SURE,
    WAYS,
    Answer,
    Judged,
    Question,
    calibration,
    judged,
    progress,
    tally,
)
from tutor.labs.kit.actions import Run, ShowView
from tutor.labs.kit.backend import Tools, make_backend
from tutor.labs.kit.lab import settle
from tutor.lm.language_model import LanguageModel
from tutor.lm.load import load_model
from tutor.models.find import find_model


class Count(msgspec.Struct, frozen=True):
    right: int
    wrong: int
    declined: int


class Way(msgspec.Struct, frozen=True):
    """The results of one way of asking.

    `real_certainty` and `invented_certainty` are the mean certainties of the answers about real and
    about invented things. `error` is the expected calibration error, and `sure_and_wrong` is the
    number of wrong answers with a certainty of more than `SURE`.
    """

    real: Count
    invented: Count
    real_certainty: float
    invented_certainty: float
    good: int
    error: float
    sure: int
    sure_and_wrong: int
    bins: tuple[Bin, ...]


class Record(msgspec.Struct, frozen=True):
    """The record of a measurement: the model's name, and the results by the names of `WAYS`."""

    model: str
    questions: int
    ways: dict[str, Way]


def measured(model: LanguageModel, report: Callable[[str], None] = print) -> Record:
    """Ask the model all questions, which takes minutes, and return the results."""
    backend = make_backend(LAB.name, Tools(lambda: model, lambda: None, Path()))

    def answer(question: Question) -> Answer:
        found: Answer = backend.answer(question)
        return found

    state = LAB.act(LAB.act(LAB.start(), ShowView("ways")), Run())
    told = -1
    for passed in settle(LAB, state, answer):
        state = passed
        now = progress(state)
        if now.done != told and now.done % 10 == 0:
            report(f"{now.done} of {now.total}")
            told = now.done
    ways: dict[str, Way] = {way: _way(list(judged(state, way))) for way in WAYS}
    return Record(model.card.name, progress(state).total // len(WAYS), ways)


def _way(found: list[Judged]) -> Way:
    rows = calibration(found)
    sure = [each for each in found if each.reply.certainty > SURE]
    return Way(
        real=_count(found, real=True),
        invented=_count(found, real=False),
        real_certainty=_mean_certainty(found, real=True),
        invented_certainty=_mean_certainty(found, real=False),
        good=sum(each.good for each in found),
        error=round(expected_error(rows), 4),
        sure=len(sure),
        sure_and_wrong=sum(each.verdict == "wrong" for each in sure),
        bins=tuple(
            msgspec.structs.replace(each, certainty=round(each.certainty, 4)) for each in rows
        ),
    )


def _count(found: list[Judged], *, real: bool) -> Count:
    counts = tally(found, real=real)
    return Count(counts["right"], counts["wrong"], counts["declined"])


def _mean_certainty(found: list[Judged], *, real: bool) -> float:
    return round(mean(each.reply.certainty for each in found if each.item.real == real), 4)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("record", type=Path)
    options = parser.parse_args()
    record = measured(load_model(find_model(), exact=True))
    text = msgspec.json.format(msgspec.json.encode(record), indent=1)
    options.record.write_bytes(text + b"\n")


if __name__ == "__main__":
    main()
