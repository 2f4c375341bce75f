"""Test whether a loaded model works, by running what the stepper runs."""

from __future__ import annotations

import time

from tutor.lm.distribution import PLAIN
from tutor.lm.language_model import LanguageModel
from tutor.lm.session import Session

_TOKENS = 40
"""The length of the text that is processed at once. Short texts use other kernels."""


def run_self_test(model: LanguageModel) -> float:
    """Process a text, continue it by one token, and look inside the network.

    Returns the time of one step in seconds. Raises `ModelDamaged` if the results are not numbers.
    If the device cannot compute them, PyTorch raises its own errors.
    """
    config = model.network.config
    count = max(1, min(_TOKENS, config.context - 2))
    session = Session(model, [number % config.vocabulary_size for number in range(count)])
    first = session.distribution(count, PLAIN, seed=0, top=1)
    session.append([first.rows[0].token.id])
    start = time.perf_counter()
    session.distribution(count + 1, PLAIN, seed=0, top=1)
    taken = time.perf_counter() - start
    session.xray(count)
    return taken
