"""How long the labs take that train something while the learner watches.

Each is done by its own questions and answers, from its start to its goal, as the screen would ask
them, with the model that comes along: what is measured is the bench alone.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.table import Measured

from tutor.labs import registry, training, word2vec
from tutor.lm.load import load_model
from tutor.models.installed import bundled_model
from tutor.workbench.bench import Tools, make_bench

CLUSTERS_LIMIT_S = 60.0
BELOW_TWO_LIMIT_S = 120.0
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
    ]


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
