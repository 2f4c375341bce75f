"""Measure how fast the network is, and how closely it matches exact arithmetic.

Three programs process the same tokens with the same GGUF file and two threads, alternately: tutor,
llama.cpp (llama-cpp-python with its default settings), and `transformers` with 32-bit floats. A
decode step processes one token at the end of a context, and returns the ten most probable next
tokens. Prefill processes a whole text, and returns the ten most probable tokens after it.
"""

from __future__ import annotations

import math
import random
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from tests.benchmarks.table import Measured
from tutor.labs.patch.lab import columns_per_pass
from tutor.lm.fast.kernels import THREADS
from tutor.lm.inspect.patching import PatchedRuns, Recording
from tutor.lm.inspect.steering import Steering, steered_by
from tutor.lm.language_model import LanguageModel
from tutor.lm.load import load_model
from tutor.lm.network import KeyValueCache
from tutor.lm.patch import Column
from tutor.lm.sampling import ranked
from tutor.lm.session import Session
from tutor.models import find_model

TURNS = 5
STEPS = 8
PATCHED = 12  # positions of the patching map
PAUSE = 0.02  # seconds; a library's threads spin for a while after their work is done

PARAGRAPHS = (
    "The lighthouse rose at the edge of the cliff, and for more than a hundred years its lamp had "
    "guided ships past the rocks below. When the last keeper retired, the village decided to turn "
    "the building into a small museum, where children could climb the stairs and learn how sailors "
    "found their way before there were satellites.",
    "Photosynthesis is the process by which plants turn sunlight, water and carbon dioxide into "
    "sugar and oxygen. It takes place in the leaves, inside tiny structures called chloroplasts, "
    "which contain a green pigment that absorbs light. Without it there would be almost no oxygen "
    "in the air, and most living things on Earth could not exist.",
)


class Reader(Protocol):
    def read(self, ids: Sequence[int]) -> None:
        """Start over, process these tokens, and return the ten most probable next tokens."""

    def step(self, id_: int) -> None:
        """Process one more token, return the ten most probable next tokens, and undo the step."""


class Ours:
    def __init__(self, model: LanguageModel) -> None:
        self.network = model.network

    @torch.inference_mode()
    def read(self, ids: Sequence[int]) -> None:
        self.cache = KeyValueCache(self.network.config)
        self._top(torch.tensor(ids))

    @torch.inference_mode()
    def step(self, id_: int) -> None:
        length = self.cache.length
        self._top(torch.tensor([id_]))
        self.cache.truncate(length)

    def _top(self, ids: Tensor) -> None:
        final = self.network(ids, self.cache)
        ranked(self.network.logits(final[-1:])[0], 10).tolist()


class SteeredOurs(Ours):
    """Our network, steered after its middle block."""

    def _top(self, ids: Tensor) -> None:
        config = self.network.config
        steering = Steering(torch.ones(config.width), config.layers // 2, 0.5)
        with steered_by(steering, self.network):
            super()._top(ids)


class LlamaCpp:
    def __init__(self, path: Path) -> None:
        from llama_cpp import Llama

        self.model: Any = Llama(
            str(path), n_ctx=1024, n_threads=THREADS, n_threads_batch=THREADS, verbose=False
        )

    def read(self, ids: Sequence[int]) -> None:
        self.model.reset()
        self._top(ids)

    def step(self, id_: int) -> None:
        length = self.model.n_tokens
        self._top([id_])
        self.model.n_tokens = length

    def _top(self, ids: Sequence[int]) -> None:
        self.model.eval(ids)
        logits = np.ctypeslib.as_array(self.model._ctx.get_logits(), shape=(self.model.n_vocab(),))
        np.argpartition(logits, -10)[-10:].tolist()


class Transformers:
    def __init__(self, path: Path) -> None:
        import transformers

        self.library = transformers
        self.model: Any = transformers.AutoModelForCausalLM.from_pretrained(
            path.parent, gguf_file=path.name, dtype=torch.float32
        ).eval()

    @torch.inference_mode()
    def read(self, ids: Sequence[int]) -> None:
        self.cache = self.library.DynamicCache()
        self._top(ids)

    @torch.inference_mode()
    def step(self, id_: int) -> None:
        self._top([id_])
        self.cache.crop(-1)

    def _top(self, ids: Sequence[int]) -> None:
        answer = self.model(
            torch.tensor([ids]), past_key_values=self.cache, use_cache=True, logits_to_keep=1
        )
        answer.logits[0, -1].topk(10).values.tolist()


def measure() -> list[Measured]:
    found = find_model(None)
    model = load_model(found)
    ours, llama, peer = Ours(model), LlamaCpp(found.path), Transformers(found.path)
    rows: list[Measured] = []
    for length in (64, 512):
        ids = random.Random(length).choices(range(100, model.card.vocabulary_size), k=length)
        step, llama_step, peer_step = _medians([ours, llama, peer], ids, _steps)
        name = f"one token with a context of {length} tokens"
        rows.append(Measured(f"{name}, against llama.cpp", "ms", step, llama_step, 1.0))
        rows.append(Measured(f"{name}, against transformers fp32", "ms", step, peer_step, 0.16))
        read, llama_read = _medians([ours, llama], ids, _reading)
        name = f"prefill of {length} tokens, against llama.cpp"
        rows.append(Measured(name, "ms", read, llama_read, 0.65))
    session = Session(model, ids[:64])
    session.surprisals()
    times = [milliseconds(lambda: session.attribution(63)) for _ in range(TURNS + 1)][1:]
    name = "direct attribution of one token with a context of 64 tokens (limit)"
    rows.append(Measured(name, "ms", statistics.median(times), 150, 1.0))
    rows += patching(model)
    plain, changed = _medians([ours, SteeredOurs(model)], ids[:64], _steps)
    name = "a steered step, against a step without steering"
    rows.append(Measured(name, "ms", changed, plain, 1.15))
    exact = load_model(found, exact=True)
    for way, at_once in (("in one prefill", True), ("token by token", False)):
        what = f"mean KL divergence from 32-bit floats, two paragraphs processed {way} (limit)"
        rows.append(Measured(what, "nats", divergence(model, exact, at_once=at_once), 0.0005, 1.0))
    return rows


def patching(model: LanguageModel) -> list[Measured]:
    """Measure a patching map of all layers and `PATCHED` positions.

    The second row compares it with one plain forward pass for each cell.
    """
    ids = random.Random(PATCHED).choices(range(100, model.card.vocabulary_size), k=PATCHED)
    other = [(id_ + 1) % model.card.vocabulary_size for id_ in ids]
    layers = model.network.config.layers
    columns = [Column("residual", "other", position) for position in range(PATCHED)]

    def passes() -> None:
        base = Recording(model.network, [ids, other])
        base.advance(math.inf)
        new, left = base.activations(1), columns
        while left:
            count = columns_per_pass(layers, PATCHED, left)
            PatchedRuns(base, new, left[:count], (500, 501)).advance(math.inf)
            left = left[count:]

    ours = Ours(model)
    ours.read(ids)
    plain = statistics.median(milliseconds(lambda: ours.read(ids)) for _ in range(TURNS))
    seconds = milliseconds(passes) / 1000
    name = f"patching map of {layers} layers and {PATCHED} positions"
    return [
        Measured(f"{name} (limit)", "s", seconds, 20, 1.0),
        Measured(
            f"{name}, against one forward pass per cell",
            "s",
            seconds,
            layers * PATCHED * plain / 1000,
            1.0,
        ),
    ]


def _medians(
    readers: Sequence[Reader],
    ids: Sequence[int],
    timed: Callable[[Reader, Sequence[int]], list[float]],
) -> list[float]:
    """Return the median time of each reader in milliseconds.

    The readers alternate. The first turn is ignored.
    """
    taken: list[list[float]] = [[] for _ in readers]
    for turn in range(TURNS + 1):
        for times, reader in zip(taken, readers, strict=True):
            time.sleep(PAUSE)
            found = timed(reader, ids)
            if turn:
                times += found
    return [statistics.median(times) for times in taken]


def _reading(reader: Reader, ids: Sequence[int]) -> list[float]:
    return [milliseconds(lambda: reader.read(ids))]


def _steps(reader: Reader, ids: Sequence[int]) -> list[float]:
    reader.read(ids)
    return [milliseconds(lambda: reader.step(500)) for _ in range(STEPS)]


def milliseconds(act: Callable[[], object]) -> float:
    begin = time.perf_counter()
    act()
    return (time.perf_counter() - begin) * 1000


@torch.inference_mode()
def divergence(model: LanguageModel, exact: LanguageModel, *, at_once: bool) -> float:
    """Return the mean Kullback-Leibler divergence from the exact distribution, in nats.

    The mean is over all positions of both paragraphs.
    """
    found = []
    for text in PARAGRAPHS:
        ids = torch.tensor(model.tokenizer.encode(text))
        wanted = exact.network.logits(exact.network(ids)).double().log_softmax(-1)
        cache = KeyValueCache(model.network.config)
        pieces = [ids] if at_once else list(ids.split(1))
        final = torch.cat([model.network(piece, cache) for piece in pieces])
        logits = model.network.logits(final).double().log_softmax(-1)
        found.append((wanted.exp() * (wanted - logits)).sum(-1))
    return float(torch.cat(found).mean())
