"""Measure a model with a billion parameters: memory, and the time to the first distribution.

    python -m tests.benchmarks large

The model has random weights, the dimensions of Llama 3.2 1B and the tokenizer of the default model,
and is stored as a Hugging Face folder in bfloat16. The first start packs the model. The peer is a
process that does the same with `transformers`. The starts alternate. The times are CPU times, which
depend less on other programs than elapsed time does. This needs 5 GB of disk space.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from tests.benchmarks.engine import PEER
from tests.benchmarks.table import Measured
from tutor.models import find_model

PROMPT = "Hello"
TURNS = 3
GIGABYTE = 1e9
MAKE = """
import sys, torch
from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM
folder, file, target = sys.argv[1:]
tokenizer = AutoTokenizer.from_pretrained(folder, gguf_file=file)
tokenizer.save_pretrained(target)
torch.manual_seed(0)
torch.set_default_dtype(torch.bfloat16)
LlamaForCausalLM(LlamaConfig(
    vocab_size=len(tokenizer), hidden_size=2048, intermediate_size=8192, num_hidden_layers=16,
    num_attention_heads=32, num_key_value_heads=8, head_dim=64, max_position_embeddings=8192,
    rope_theta=500000.0, tie_word_embeddings=True,
)).save_pretrained(target)
"""


class Run(NamedTuple):
    """The cost of a process: CPU time in seconds, and peak memory (RSS) in bytes."""

    seconds: float
    memory: float


def measure() -> list[Measured]:
    """Return the rows about a large model."""
    small = find_model().path
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "model"
        make = [sys.executable, "-c", MAKE, str(small.parent), small.name, str(folder)]
        subprocess.run(make, check=True, capture_output=True)
        size = sum(each.stat().st_size for each in folder.glob("*.safetensors"))
        ours = [sys.executable, "-m", "tutor", "step", PROMPT, "--top=2", f"--model={folder}"]
        peer = [sys.executable, "-c", PEER, str(folder), PROMPT, "bfloat16"]
        cache = {"XDG_CACHE_HOME": place}
        first = run(ours, cache)
        later: list[Run] = []
        theirs: list[Run] = []
        for _ in range(TURNS):
            later.append(run(ours, cache))
            theirs.append(run(peer, {}))
    start = statistics.median(each.seconds for each in later)
    peer_start = statistics.median(each.seconds for each in theirs)
    memory = max(each.memory for each in (first, *later)) / GIGABYTE
    what = "a model with 1.07 billion parameters in bfloat16"
    return [
        Measured(f"{what}: CPU time of a start", "s", start, peer_start, 1.0),
        Measured(f"{what}: CPU time of the first start", "s", first.seconds, peer_start, 1.0),
        Measured(
            f"{what}: peak memory, against the file's size", "GB", memory, size / GIGABYTE, 1.3
        ),
    ]


def run(command: Sequence[str], environment: dict[str, str]) -> Run:
    """Run a command to its end."""
    process = subprocess.Popen(
        command, env={**os.environ, **environment}, stdout=subprocess.DEVNULL
    )
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, command
    unit = 1 if sys.platform == "darwin" else 1024
    return Run(used.ru_utime + used.ru_stime, used.ru_maxrss * unit)
