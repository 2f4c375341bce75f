"""A corpus of a few sentences, settings that learn it in milliseconds, and a listener."""

from __future__ import annotations

from pathlib import Path

from tools.corpus.tokenizer import END, train_tokenizer
from tutor.lm.training.run import StepReport
from tutor.lm.training.train import Settings

SENTENCES = [
    "The capital of France is Paris.",
    "The capital of Italy is Rome.",
    "The capital of Japan is Tokyo.",
    "A dog is an animal. A rose is a flower.",
]
SMALL = Settings(
    width=32,
    layers=2,
    heads=4,
    key_value_heads=2,
    hidden=64,
    context=16,
    batch=8,
    steps=60,
    warmup=5,
    learning_rate=1e-2,
    threads=1,
    report_every=10,
    evaluate_every=20,
)


def write_corpus(folder: Path) -> Path:
    text = "".join(sentence + END + "\n" for sentence in SENTENCES)
    (folder / "sentences.txt").write_text(text * 20, "utf-8")
    (folder / "held_out.txt").write_text(text, "utf-8")
    train_tokenizer(SENTENCES, 300).save(str(folder / "tokenizer.json"))
    return folder


class Listener:
    """A listener that records a training run, and stops it after a number of reports."""

    def __init__(self, stop_after: int | None = None) -> None:
        self.reports: list[StepReport] = []
        self.notes: list[str] = []
        self._stop_after = stop_after

    def report(self, report: StepReport) -> None:
        self.reports.append(report)

    def note(self, line: str) -> None:
        self.notes.append(line)

    def stopped(self) -> bool:
        return self._stop_after is not None and len(self.reports) >= self._stop_after
