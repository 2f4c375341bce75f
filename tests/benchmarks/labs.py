"""Measure the labs in which learners wait for a long computation.

Each lab runs with its own requests, from its initial state to its goal, in the order in which the
screen would send them. Only the backend is measured. Labs that train a network use the small
bundled model, and the other labs use the default model.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.benchmarks.table import Measured
from tutor.labs.certainty import lab as certainty
from tutor.labs.injection import lab as injection
from tutor.labs.kit import registry
from tutor.labs.kit.actions import Adjust, Run, ShowView, Toggle
from tutor.labs.kit.backend import Tools, make_backend
from tutor.labs.kit.lab import settle
from tutor.labs.prompting import lab as prompting
from tutor.labs.prompting.lab import Copy
from tutor.labs.training import lab as training
from tutor.labs.word2vec import lab as word2vec
from tutor.lm.language_model import LanguageModel
from tutor.lm.load import load_model
from tutor.models import find_model
from tutor.models.installed import bundled_model

CLUSTERS_LIMIT_S = 60.0
BELOW_TWO_LIMIT_S = 120.0
SCORE_LIMIT_S = 15.0
INJECTION_LIMIT_S = 60.0
THE_SET_LIMIT_S = 60.0
MASK_LIMIT_S = 0.3
SEEDS = (1, 2, 3)


def measure() -> list[Measured]:
    return [
        Measured(
            "training word vectors until the chosen words form clusters (limit)",
            "s",
            statistics.median(clusters(seed) for seed in SEEDS),
            CLUSTERS_LIMIT_S,
            1.0,
        ),
        Measured(
            "training a GPT until its held-out loss is below 2 nats per byte (limit)",
            "s",
            seconds_to("training", training.State(owed=()), Run(), "below-two"),
            BELOW_TWO_LIMIT_S,
            1.0,
        ),
        Measured(
            "answering 56 questions about real and invented things, asked in one way (limit)",
            "s",
            the_set(),
            THE_SET_LIMIT_S,
            1.0,
        ),
        Measured(
            "one token of an answer in a given format, including the mask (95th percentile; limit)",
            "s",
            a_token_under_a_format(),
            MASK_LIMIT_S,
            1.0,
        ),
        *prompts(load_model(find_model())),
    ]


def prompts(model: LanguageModel) -> list[Measured]:
    """Return the rows about the two labs that score prompts."""
    two_examples = prompting.act(prompting.start(), Adjust(2, "examples"))
    same = prompting.act(prompting.act(two_examples, Toggle("side")), Copy())
    return [
        Measured(
            "scoring a prompt with two examples on 20 items (limit)",
            "s",
            seconds_to_rest("prompting", same, Run(), model),
            SCORE_LIMIT_S,
            1.0,
        ),
        Measured(
            "classifying 300 reviews with five defenses against prompt injection (limit)",
            "s",
            seconds_to_rest("injection", injection.State(), Run(), model),
            INJECTION_LIMIT_S,
            1.0,
        ),
    ]


def seconds_to_rest(name: str, state: Any, action: Any, model: LanguageModel) -> float:
    """Return the seconds from `action` in `state` until the lab has no more requests."""
    lab = registry.find(name)
    with tempfile.TemporaryDirectory() as folder:
        bench = make_backend(name, Tools(lambda: model, lambda: None, Path(folder)))
        began = time.perf_counter()
        for _ in settle(lab, lab.act(state, action), bench.answer):
            pass
        return time.perf_counter() - began


def the_set() -> float:
    """Return the seconds until all questions are answered in the first way."""
    start = certainty.act(certainty.start(), ShowView("calibration"))
    return seconds_to("certainty", start, Run(), "calibrated", load_model(find_model()))


def a_token_under_a_format() -> float:
    """Return the 95th percentile of the response times in the lab's solution, in seconds.

    The first request is left out, because it indexes the vocabulary.
    """
    lab = registry.find("format")
    seconds: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        bench = make_backend(
            "format", Tools(lambda: load_model(find_model()), lambda: None, Path(folder))
        )

        def timed(question: Any) -> Any:
            began = time.perf_counter()
            answer = bench.answer(question)
            seconds.append(time.perf_counter() - began)
            return answer

        state = lab.start()
        for action in (None, *lab.solution):
            state = state if action is None else lab.act(state, action)
            *_, state = settle(lab, state, timed)
    return statistics.quantiles(seconds[1:], n=20)[-1]


def clusters(seed: int) -> float:
    """Return the seconds until the words form clusters (see `tutor.labs.word2vec.lab`)."""
    start = word2vec.State(seed=seed)
    return seconds_to("word2vec", start, Run(), "clusters")


def seconds_to(
    name: str, state: Any, action: Any, goal: str, model: LanguageModel | None = None
) -> float:
    """Return the seconds from `action` in `state` until the goal is reached."""
    lab = registry.find(name)
    with tempfile.TemporaryDirectory() as folder:
        bench = make_backend(
            name, Tools(lambda: model or _small_model(), lambda: None, Path(folder))
        )
        began = time.perf_counter()
        state = lab.act(state, action)
        while goal not in lab.reached(state):
            question = lab.question(state)
            assert question is not None, f"{name} stopped before {goal} was reached"
            state = lab.receive(state, question, bench.answer(question))
        return time.perf_counter() - began


def _small_model() -> LanguageModel:
    found = bundled_model()
    if found is None:
        raise SystemExit("The small bundled model is missing.")
    return load_model(found)


if __name__ == "__main__":
    print(measure())
