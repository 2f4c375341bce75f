"""Run training steps, and return all intermediate results of a step."""

from __future__ import annotations

from tutor.labs.kit.backend import Tools
from tutor.labs.one_step.lab import Answer, Guess, Position, Question
from tutor.labs.one_step.step import SlowTraining, Step
from tutor.lm.fast.kernels import one_thread

BEST = 5
"""The number of most probable bytes listed for each position."""


class OneStepBackend:
    """The lab's backend. It trains a network on one text, and caches the response for each step."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools
        self._text = ""
        self._answers: list[Answer] = []
        self._training: SlowTraining | None = None

    def answer(self, question: Question) -> Answer:
        """Train up to the requested step, and return the numbers of that step."""
        if self._training is None or question.text != self._text:
            self._training = SlowTraining(question.text.encode())
            self._text, self._answers = question.text, []
        while len(self._answers) <= question.step:
            self._tools.check_cancelled()
            with one_thread():
                self._answers.append(self._described(self._training, self._training.step()))
        return self._answers[question.step]

    def _described(self, training: SlowTraining, step: Step) -> Answer:
        before = self._answers[-1].history[:-1] if self._answers else ()
        return Answer(
            windows=_windows(training, step),
            weights=tuple(step.weights),
            history=(*before, float(step.losses.mean()), float(step.losses_after.mean())),
        )


def _windows(training: SlowTraining, step: Step) -> tuple[tuple[Position, ...], ...]:
    probabilities = step.logits.softmax(dim=-1)  # [B, T, 256]
    _, bytes_ = probabilities.topk(BEST)

    def guess(row: int, place: int, byte: int) -> Guess:
        return Guess(
            byte, float(step.logits[row, place, byte]), float(probabilities[row, place, byte])
        )

    def position(row: int, place: int) -> Position:
        return Position(
            byte=int(training.ids[row, place]),
            target=guess(row, place, int(training.targets[row, place])),
            loss=float(step.losses[row, place]),
            after=float(step.losses_after[row, place]),
            best=tuple(guess(row, place, int(byte)) for byte in bytes_[row, place]),
        )

    rows, length = training.ids.shape
    return tuple(tuple(position(row, place) for place in range(length)) for row in range(rows))


make_backend = OneStepBackend
