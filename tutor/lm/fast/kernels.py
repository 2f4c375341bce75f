"""Measure the matrix kernels of this machine, and choose which of them to use.

PyTorch has kernels for low-bit weights only on some processors. On other processors, it may fall
back to code that is many times slower. So we time the kernels instead of assuming that they are
fast.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import msgspec
import torch

from tutor.lm.fast.linear import (
    GROUP,
    FloatLinear,
    FrozenLinear,
    Groups,
    HalfLinear,
    Int4Linear,
    Int8Linear,
    from_tensors,
)
from tutor.lm.network import Config

# The maximum number of threads. Small models gain little from more threads, and a server needs the
# other cores for other learners.
THREADS = 2

# The maximum time that a low-bit kernel may take, relative to the 16-bit kernel. It is above 1,
# because low-bit kernels save memory.
SLOWER_ALLOWED = 2.0


_REPEATS = 15  # the number of times that each product is timed


class Kernels(msgspec.Struct, frozen=True):
    """The kernels chosen for this machine.

    `int4` and `int8` are True if the kernel for these integers is used. Otherwise, such weights
    become 16-bit floats. If `exact` is True, every weight becomes a 32-bit float.
    """

    int4: bool
    int8: bool
    exact: bool = False


EXACT = Kernels(int4=False, int8=False, exact=True)


class Timing(msgspec.Struct, frozen=True):
    """The time of all matrix multiplications for one token, in the number format `form`.

    `milliseconds` includes the output layer; it is None if this machine lacks the kernel.
    `bytes_per_weight` is the size of a weight in memory. `chosen` is True if models use this
    format.
    """

    form: str
    bytes_per_weight: float
    milliseconds: float | None
    chosen: bool


class KernelReport(msgspec.Struct, frozen=True):
    """The timings of this machine's kernels, and the conditions of the measurement."""

    instruction_set: str
    threads: int
    torch_version: str
    timings: tuple[Timing, ...]


def use_threads() -> int:
    """Set the number of threads that PyTorch uses in this process, and return it.

    The number is never higher than PyTorch's own default, the number of processor cores.
    """
    threads = min(THREADS, torch.get_num_threads())
    torch.set_num_threads(threads)
    return threads


@contextmanager
def one_thread() -> Iterator[None]:
    """Make PyTorch use a single thread in the `with` block.

    With small matrices, two threads spend more time waiting for each other than working, especially
    if other programs use the processor too.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def instruction_set() -> str:
    """Return the processor's instruction set as PyTorch names it, such as "avx2"."""
    return torch.backends.cpu.get_cpu_capability().lower().replace(" ", "-")


def machine_key() -> str:
    """Return a string that contains the processor's instruction set and the PyTorch version.

    It is part of the name of a packed model, because packed weights work only with the same
    instruction set and the same PyTorch version.
    """
    version = ".".join(torch.__version__.split(".")[:2])
    return f"{instruction_set()}-torch{version}"


@torch.inference_mode()
def choose_kernels() -> Kernels:
    """Time each kernel on a matrix of typical size, and choose the kernels to use.

    This takes about 0.1 s. It measures the CPU time of one thread, so other programs don't
    affect the result.
    """
    with one_thread():
        int4, int8, half = (
            _milliseconds(form, 4096, 576, clock=time.thread_time)
            for form in ("int4", "int8", "fp16")
        )
    assert half is not None  # PyTorch can multiply 16-bit floats on every machine
    most = SLOWER_ALLOWED * half
    return Kernels(int4=int4 is not None and int4 <= most, int8=int8 is not None and int8 <= most)


@torch.inference_mode()
def check_kernels(config: Config) -> KernelReport:
    """Time every number format on matrices with a model's shapes. This takes a few seconds."""
    threads = use_threads()
    chosen = choose_kernels()
    used = {"int4": chosen.int4, "int8": chosen.int8, "fp16": True, "fp32": False}
    timings = []
    for form, layer in _FORMS.items():
        milliseconds = _milliseconds_per_token(form, config)
        size = layer(1024, 576).nbytes / (1024 * 576)
        timings.append(Timing(form, size, milliseconds, used[form] and milliseconds is not None))
    return KernelReport(instruction_set(), threads, torch.__version__, tuple(timings))


def matrix_shapes(config: Config) -> Iterator[tuple[int, int]]:
    """Yield the shape of each weight matrix in one block, as (outputs, inputs).

    In a mixture of experts, only the experts that process one token count.
    """
    queries, shared = config.heads * config.head_size, config.key_value_heads * config.head_size
    yield queries + 2 * shared, config.width
    yield config.width, queries
    used = [config.hidden] * (config.experts_used or 1)
    for hidden in (*used, config.shared_hidden) if config.shared_hidden else used:
        yield (2 if config.gated else 1) * hidden, config.width
        yield config.width, hidden


def _milliseconds_per_token(form: str, config: Config) -> float | None:
    shapes = [(shape, config.layers) for shape in matrix_shapes(config)]
    shapes.append(((config.vocabulary_size, config.width), 1))
    total = 0.0
    for (outputs, inputs), times in shapes:
        taken = _milliseconds(form, outputs, inputs)
        if taken is None:
            return None
        total += times * taken
    return total


def _milliseconds(
    form: str, outputs: int, inputs: int, *, clock: Callable[[], float] = time.perf_counter
) -> float | None:
    """Return the time of one matrix-vector product, or None if there is no kernel."""
    try:
        layer = _FORMS[form](outputs, inputs)
        x = torch.randn(1, inputs)
        layer(x)
        taken = []
        for _ in range(_REPEATS):
            start = clock()
            layer(x)
            taken.append(clock() - start)
    except (RuntimeError, AttributeError):  # PyTorch has no such kernel
        return None
    return 1000 * min(taken)  # the run that other programs slowed down the least


def _integers(bits: int, outputs: int, inputs: int) -> Groups:
    low, high = (0, 16) if bits == 4 else (-128, 128)
    inputs -= inputs % GROUP
    outputs -= outputs % GROUP
    quants = torch.randint(low, high, (outputs, inputs), dtype=torch.int16)
    scales = torch.rand(outputs, inputs // GROUP)
    return Groups(bits, quants, scales, torch.zeros_like(scales))


_FORMS: dict[str, Callable[[int, int], FrozenLinear]] = {
    "int4": lambda outputs, inputs: from_tensors(Int4Linear.pack(_integers(4, outputs, inputs))),
    "int8": lambda outputs, inputs: from_tensors(Int8Linear.pack(_integers(8, outputs, inputs))),
    "fp16": lambda outputs, inputs: HalfLinear(torch.rand(outputs, inputs).half()),
    "fp32": lambda outputs, inputs: FloatLinear(torch.rand(outputs, inputs)),
}
