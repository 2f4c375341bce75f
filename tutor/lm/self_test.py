"""Test whether a loaded model works, with the same computations as in the stepper."""

from __future__ import annotations

import time

from tutor.lm.distribution import PLAIN
from tutor.lm.language_model import LanguageModel
from tutor.lm.session import Session
from tutor.lm.trajectory import Stepped

_TOKENS = 40
"""The length of the text that is processed at once. Short texts use different kernels."""
_STEPS = 3


def run_self_test(model: LanguageModel) -> float:
    """Process a text, continue it by a few tokens, and look inside the network.

    Returns the time of the fastest step in seconds. Raises `ModelDamaged` if the model's output
    contains NaN. If the device cannot run the model, PyTorch raises its own errors.
    """
    config = model.network.config
    count = max(1, min(_TOKENS, config.context - _STEPS))
    session = Session(model, [number % config.vocabulary_size for number in range(count)])
    seconds = time_steps(session)
    session.xray(count)
    return seconds


def time_steps(session: Stepped) -> float:
    """Continue a session by a few tokens. Returns the time of the fastest step in seconds."""
    taken = []
    for _ in range(_STEPS):
        row = session.distribution(len(session), PLAIN, seed=0, top=1).rows[0]
        session.append([row.token.id])
        start = time.perf_counter()
        session.distribution(len(session), PLAIN, seed=0, top=1)
        taken.append(time.perf_counter() - start)
    return min(taken)  # the first step waits until the weights are read from the disk
