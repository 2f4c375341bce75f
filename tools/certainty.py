"""What lesson 8 says of the questions about real and invented things, measured by their lab.

    python -m tools.certainty assets/real-and-invented/measured.json

asks the default model (`tutor model pull`) all of them in three ways, in exact arithmetic, as
`tutor lint` does: some five minutes. The app computes faster and rounds more: an answer or two
can fall otherwise there.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

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
    """What came of the questions in one way of asking. `error` is the expected calibration error,
    `sure_and_wrong` how many wrong answers are more than `SURE` certain."""

    real: Count
    invented: Count
    good: int
    error: float
    sure: int
    sure_and_wrong: int
    bins: tuple[Bin, ...]


class Record(msgspec.Struct, frozen=True):
    """`model` is its name; `ways` by the names of `tutor.labs.certainty.lab.WAYS`."""

    model: str
    questions: int
    ways: dict[str, Way]


def measured(model: LanguageModel, report: Callable[[str], None] = print) -> Record:
    """Takes minutes."""
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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("record", type=Path)
    options = parser.parse_args()
    record = measured(load_model(find_model(), exact=True))
    text = msgspec.json.format(msgspec.json.encode(record), indent=1)
    options.record.write_bytes(text + b"\n")


if __name__ == "__main__":
    main()
