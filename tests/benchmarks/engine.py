"""Measure how soon the engine answers, and how much memory it takes.

    python -m tests.benchmarks.engine MODEL.gguf

The cold start is compared with a process that does the same with `transformers`. It loads the same
weights as 16-bit or 32-bit floats from a Hugging Face folder, because users of `transformers` store
models in this format. The starts alternate, so that both programs run under the same conditions. If
a row has no peer, the second figure is the limit.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import psutil

from tests.benchmarks.table import Measured
from tutor.engine import frames
from tutor.engine.api import AsyncModelSession
from tutor.engine.client import EngineClient
from tutor.engine.wire import AskDistribution, DistributionAnswer, Opened, OpenText
from tutor.lm.distribution import PLAIN
from tutor.models import find_model

PROMPT = (
    "The history of the city begins with a small harbor at the mouth of the river, where "
    "fishermen and traders met every spring to sell salt, wool, cloth and"
)
TOKENS = 32
MEGABYTE = 1e6

MAKE_PEER = """
import sys, torch
from transformers import AutoModelForCausalLM, AutoTokenizer
folder, file, target = sys.argv[1:]
AutoTokenizer.from_pretrained(folder, gguf_file=file).save_pretrained(target)
packed = AutoModelForCausalLM.from_pretrained(folder, gguf_file=file, dtype=torch.bfloat16)
if hasattr(packed.config, "quantization_config"):
    del packed.config.quantization_config  # or it refuses to save
plain = AutoModelForCausalLM.from_config(packed.config, dtype=torch.bfloat16)
plain.load_state_dict(packed.state_dict())
plain.save_pretrained(target)
"""

PEER = """
import sys, torch
from transformers import AutoModelForCausalLM, AutoTokenizer
tokenizer = AutoTokenizer.from_pretrained(sys.argv[1])
model = AutoModelForCausalLM.from_pretrained(sys.argv[1], dtype=getattr(torch, sys.argv[3]))
with torch.inference_mode():
    logits = model(**tokenizer(sys.argv[2], return_tensors="pt")).logits[0, -1]
print(logits.float().softmax(-1).topk(10).values.tolist(), flush=True)
"""


def measure(model: Path | None = None, turns: int = 5, steps: int = 2_000) -> list[Measured]:
    """Return the rows about the engine."""
    model = model or find_model().path
    return [*cold_starts(model, turns), *asyncio.run(while_it_runs(model, steps))]


def cold_starts(model: Path, turns: int) -> list[Measured]:
    """Return the rows about the time from exec to the first distribution, in seconds."""
    first_distribution(model)  # packs the weights, if they are not packed yet
    ours: list[float] = []
    before = processor_time()
    for _ in range(turns):
        first_distribution(model)
    processor = (processor_time() - before) / turns
    peers: dict[str, list[float]] = {"bfloat16": [], "float32": []}
    with tempfile.TemporaryDirectory() as place:
        folder = _peer_folder(model, Path(place))
        for _ in range(turns):
            ours.append(seconds(lambda: first_distribution(model)))
            for numbers, taken in peers.items():
                taken.append(seconds(partial(_python, PEER, folder, PROMPT, numbers)))
    what = f"time from a cold start to the next-token distribution for a {TOKENS}-token text"
    begun = statistics.median(ours)
    return [
        Measured(f"{what} (limit)", "s", begun, 0.9, 1.0),
        Measured(f"{what} (CPU time; limit)", "s", processor, 0.9, 1.0),
        *(
            Measured(
                f"{what}, against transformers {peer}", "s", begun, statistics.median(taken), 0.4
            )
            for peer, taken in peers.items()
        ),
    ]


def processor_time() -> float:
    """Return the CPU time of all processes that this process has started, in seconds."""
    times = os.times()
    return times.children_user + times.children_system


def first_distribution(model: Path) -> None:
    """Start an engine, ask it for one distribution, and end it."""
    command = [sys.executable, "-m", "tutor.engine", "--model", str(model)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(frames.pack(OpenText(1, "s", PROMPT)))
        process.stdin.write(frames.pack(AskDistribution(2, "s", TOKENS, PLAIN, 0, 10)))
        process.stdin.flush()
        while True:
            size = frames.payload_size(process.stdout.read(frames.HEADER))
            message = frames.answer_from(process.stdout.read(size))
            if isinstance(message, Opened):
                assert len(message.tokens) == TOKENS, len(message.tokens)
            if isinstance(message, DistributionAnswer):
                process.stdin.close()
                return


def _peer_folder(model: Path, place: Path) -> Path:
    """Write the same weights in the format of `transformers`."""
    folder = place / "peer"
    _python(MAKE_PEER, model.parent, model.name, folder)
    return folder


def _python(script: str, *arguments: object) -> None:
    command = [sys.executable, "-c", script, *map(str, arguments)]
    subprocess.run(command, check=True, capture_output=True)


async def while_it_runs(model: Path, steps: int) -> list[Measured]:
    """Return the rows about a running engine.

    They show its response time, the memory of one engine and of each of two engines, and the memory
    after many steps.
    """
    engine, second = EngineClient(str(model)), EngineClient(str(model))
    try:
        await engine.start()
        await engine.ready()
        answering = await first_answer(engine)
        alone = _memory(engine).pss / MEGABYTE
        await second.start()
        await second.ready()
        await first_answer(second)
        sharing = _memory(engine).pss / MEGABYTE
        await second.stop()
        session = await engine.open_text(PROMPT)
        await step_on(session, steps // 10)
        early = _memory(engine).uss / MEGABYTE
        await step_on(session, steps - steps // 10)
        late = _memory(engine).uss / MEGABYTE
    finally:
        await engine.stop()
        await second.stop()
    return [
        Measured(
            f"time from a new {TOKENS}-token text to its next-token distribution (limit)",
            "s",
            answering,
            0.3,
            1,
        ),
        Measured("memory of one engine (PSS; limit)", "MB", alone, 300, 1),
        Measured("memory of each of two engines (PSS; limit)", "MB", sharing, 240, 1),
        Measured(
            f"memory of an engine after {steps:,} steps, against {steps // 10:,} steps (USS)",
            "MB",
            late,
            early,
            1.02,
        ),
    ]


async def first_answer(engine: EngineClient, turns: int = 9) -> float:
    """Return the median time, in seconds, from a new text to its distribution in the app."""
    taken = []
    for turn in range(turns):
        begin = time.perf_counter()
        session = await engine.open_text(f"{turn} {PROMPT}"[: len(PROMPT)])
        await session.distribution(len(session.tokens), PLAIN, seed=0, top=10)
        taken.append(time.perf_counter() - begin)
        await session.close()
    return statistics.median(taken)


async def step_on(session: AsyncModelSession, count: int, longest: int = 300) -> None:
    """Take `count` steps, as the app does, and start over after `longest` tokens."""
    start = len(session.tokens)
    for seed in range(count):
        if len(session.tokens) >= longest:
            session.go_back(start)
        found = await session.distribution(len(session.tokens), PLAIN, seed, top=10)
        session.append([found.drawn.token])


def _memory(engine: EngineClient) -> Any:
    """Return the memory in bytes. `pss` divides shared pages among processes, `uss` omits them."""
    return psutil.Process(engine.pid).memory_full_info()


def seconds(act: Callable[[], object]) -> float:
    begin = time.perf_counter()
    act()
    return time.perf_counter() - begin


if __name__ == "__main__":
    for row in measure(Path(sys.argv[1])):
        print(
            f"{row.what}: {row.ours:.2f} against {row.peer:.2f} {row.unit}, "
            f"ratio {row.ratio:.2f} (at most {row.target_ratio})"
        )
