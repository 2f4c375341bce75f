"""How long the labs take that work while the learner watches.

Each is done by its own questions and answers, from its start to its goal, as the screen would ask
them: what is measured is the bench alone. Those that train something have the model that comes
along, those that measure prompts the default model.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.table import Measured

from tutor.labs import injection, prompting, registry, training, word2vec
from tutor.labs.lab import settle
from tutor.lm.load import LanguageModel, load_model
from tutor.models import find_model
from tutor.models.installed import bundled_model
from tutor.workbench.bench import Tools, make_bench

CLUSTERS_LIMIT_S = 60.0
BELOW_TWO_LIMIT_S = 120.0
SCORE_LIMIT_S = 15.0
INJECTION_LIMIT_S = 60.0
SEEDS = (1, 2, 3)


def measure() -> list[Measured]:
    return [
        Measured(
            "word vectors in training: until the chosen words lie in clusters (limit)",
            "s",
            statistics.median(clusters(seed) for seed in SEEDS),
            CLUSTERS_LIMIT_S,
            1.0,
        ),
        Measured(
            "a GPT in training: until the held-out loss is below 2 nats a byte (limit)",
            "s",
            seconds_to("training", training.State(owed=()), training.Run(), "below-two"),
            BELOW_TWO_LIMIT_S,
            1.0,
        ),
        *prompts(load_model(find_model())),
    ]


def prompts(model: LanguageModel) -> list[Measured]:
    """Both labs that measure prompts, with what they have in view at their start."""
    two_examples = prompting.act(prompting.start(), prompting.Turn(2, "examples"))
    same = prompting.act(prompting.act(two_examples, prompting.Side()), prompting.Copy())
    return [
        Measured(
            "a prompt with two examples scored on 20 items (limit)",
            "s",
            seconds_to_rest("prompting", same, prompting.Run(), model),
            SCORE_LIMIT_S,
            1.0,
        ),
        Measured(
            "300 reviews read with five defenses against prompt injection (limit)",
            "s",
            seconds_to_rest("injection", injection.start(), injection.Run(), model),
            INJECTION_LIMIT_S,
            1.0,
        ),
    ]


def seconds_to_rest(name: str, state: Any, action: Any, model: LanguageModel) -> float:
    """From `action` in `state` until nothing is asked any more."""
    lab = registry.find(name)
    with tempfile.TemporaryDirectory() as folder:
        bench = make_bench(name, Tools(model, lambda: None, Path(folder)))
        began = time.perf_counter()
        for _ in settle(lab, lab.act(state, action), bench.answer):
            pass
        return time.perf_counter() - began


def clusters(seed: int) -> float:
    """Seconds from the first key to clusters, as `tutor.labs.word2vec` defines them."""
    start = word2vec.State(seed=seed)
    return seconds_to("word2vec", start, word2vec.Go(), "clusters")


def seconds_to(name: str, state: Any, action: Any, goal: str) -> float:
    """From `action` in `state` until the goal is reached."""
    found = bundled_model()
    if found is None:
        raise SystemExit("The small model that comes along is not there.")
    lab = registry.find(name)
    with tempfile.TemporaryDirectory() as folder:
        bench = make_bench(name, Tools(load_model(found), lambda: None, Path(folder)))
        began = time.perf_counter()
        state = lab.act(state, action)
        while goal not in lab.reached(state):
            question = lab.question(state)
            assert question is not None, f"{name} came to rest before {goal} was reached"
            state = lab.heard(state, question, bench.answer(question))
        return time.perf_counter() - began


if __name__ == "__main__":
    print(measure())
