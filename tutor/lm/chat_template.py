"""Runs the Jinja template that a chat model comes with.

It comes from whoever made the file, so it runs in a sandbox, for a limited time, and where the
system can limit it (Linux), with little memory. It finds there what `transformers` gives to
templates (`transformers.utils.chat_template_utils`), for which most of them are written, and those
filters of Jinja that a text of messages needs.

What this does not catch is a single operation that takes for ever without taking memory: comparing
lists that contain each other many times over is one. Then the engine says nothing any more, which
the app notices (`tutor.engine.liveness`).
"""

from __future__ import annotations

import ctypes
import json
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jinja2
from jinja2 import nodes
from jinja2.ext import Extension, loopcontrols
from jinja2.sandbox import ImmutableSandboxedEnvironment

from tutor.errors import ModelUnsupported
from tutor.text import safe

if sys.platform != "win32":
    import resource

if TYPE_CHECKING:
    from jinja2.parser import Parser

TIME_LIMIT = 5.0  # seconds; honest templates need milliseconds
MEMORY_LIMIT = 100_000_000  # bytes beyond what the process has already
_LONGEST = 1_000_000  # characters of a template, or of a text that is repeated
_LARGEST_NUMBER = 4096  # bits of a product or a power
_FILTERS = (
    "abs", "batch", "capitalize", "count", "d", "default", "dictsort", "e", "escape", "first",
    "float", "forceescape", "format", "groupby", "indent", "int", "items", "join", "last",
    "length", "list", "lower", "map", "max", "min", "reject", "rejectattr", "replace",
    "reverse", "round", "safe", "select", "selectattr", "sort", "string", "title", "tojson",
    "trim", "truncate", "unique", "upper", "wordcount",
)  # fmt: skip


def render(
    source: str,
    messages: Sequence[Mapping[str, str]],
    *,
    begin: str,
    end: str,
    generate: bool,
) -> str:
    """The conversation as the template writes it; with `generate`, up to where the assistant is to
    speak. `begin` and `end` are the marks around a text. Raises `ModelUnsupported` whatever goes
    wrong in the template."""
    try:
        with _time_limit(), _memory_limit():
            return _compiled(source).render(
                messages=[dict(message) for message in messages],
                tools=None,
                documents=None,
                add_generation_prompt=generate,
                bos_token=begin,
                eos_token=end,
            )
    except (Exception, _TooLong) as error:  # a template can raise anything: it is a program
        raise ModelUnsupported(
            f"Its chat template refuses this conversation: {_words(error)}.",
            "Step it through plain text instead.",
        ) from error


def _words(error: BaseException) -> str:
    if isinstance(error, _TooLong):
        return f"it does not come to an end within {TIME_LIMIT:g} seconds"
    if isinstance(error, MemoryError):
        return "it takes too much memory"
    kind = "" if isinstance(error, jinja2.TemplateError) else f"{type(error).__name__}: "
    return safe(f"{kind}{error}")[:300].rstrip(".")


class _Environment(ImmutableSandboxedEnvironment):
    """The sandbox forbids attributes that lead out of it and everything that changes what it is
    given. Nothing there keeps one operation from taking all memory or for ever."""

    intercepted_binops = frozenset({"*", "**"})

    def call_binop(
        self, context: jinja2.runtime.Context, operator: str, left: Any, right: Any
    ) -> Any:
        if _bits(operator, left, right) > _LARGEST_NUMBER:
            raise jinja2.exceptions.SecurityError("a number as high as that is not computed")
        if operator == "*" and _repeated(left, right) > _LONGEST:
            raise jinja2.exceptions.SecurityError("a text as long as that is not made")
        return super().call_binop(context, operator, left, right)


def _bits(operator: str, left: Any, right: Any) -> int:
    """How many bits a product or power of whole numbers takes, at most."""
    if not isinstance(left, int) or not isinstance(right, int):
        return 0
    if operator == "**":
        return int(left.bit_length() * abs(right))
    return left.bit_length() + right.bit_length()


def _repeated(left: Any, right: Any) -> int:
    """How long a text or list is that is repeated; 0 for a product of numbers."""
    for side, times in ((left, right), (right, left)):
        if isinstance(side, str | list | tuple) and isinstance(times, int):
            return len(side) * times
    return 0


class _Generation(Extension):
    """`{% generation %} ... {% endgeneration %}` marks for training what the assistant said. The
    marks write nothing."""

    tags = {"generation"}  # noqa: RUF012

    def parse(self, parser: Parser) -> nodes.Node:
        line = next(parser.stream).lineno
        body = parser.parse_statements(("name:endgeneration",), drop_needle=True)
        return nodes.Scope(body).set_lineno(line)


@lru_cache(maxsize=4)
def _compiled(source: str) -> jinja2.Template:
    if len(source) > _LONGEST:
        raise jinja2.exceptions.SecurityError(f"it has {len(source):,} characters")
    environment = _Environment(
        trim_blocks=True, lstrip_blocks=True, extensions=[_Generation, loopcontrols]
    )
    environment.filters = {name: environment.filters[name] for name in _FILTERS}
    environment.filters["tojson"] = _to_json
    del environment.globals["lipsum"]
    environment.globals["raise_exception"] = _refuse
    environment.globals["strftime_now"] = lambda form: datetime.now().strftime(form)
    return environment.from_string(source)


def _to_json(
    value: Any,
    ensure_ascii: bool = False,
    indent: int | None = None,
    separators: tuple[str, str] | None = None,
    sort_keys: bool = False,
) -> str:
    """Jinja's own filter is for web pages: it writes `<` as an escape."""
    return json.dumps(
        value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys
    )


def _refuse(message: str) -> None:
    raise jinja2.TemplateError(message)


# --- for a limited time, with limited memory ------------------------------------------------------


class _TooLong(BaseException):
    """Not an `Exception`: Jinja catches some of those, and would go on."""


@contextmanager
def _time_limit() -> Iterator[None]:
    """Raises `_TooLong` in this thread when the block takes longer than `TIME_LIMIT`. A compiled
    template is Python code: the exception comes between two of its instructions."""
    thread = ctypes.c_ulong(threading.get_ident())
    lock = threading.Lock()
    over = False

    def end() -> None:
        with lock:
            if not over:
                ctypes.pythonapi.PyThreadState_SetAsyncExc(thread, ctypes.py_object(_TooLong))

    timer = threading.Timer(TIME_LIMIT, end)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        with lock:
            over = True
        timer.cancel()


@contextmanager
def _memory_limit() -> Iterator[None]:
    """Within the block, `MemoryError` where this process would take `MEMORY_LIMIT` bytes more than
    it has. For the whole process: what other threads do meanwhile counts too. Does nothing where
    the system does not tell how much the process has."""
    taken = _pages_taken()
    if sys.platform == "win32" or taken is None:
        yield
    else:
        soft, hard = resource.getrlimit(resource.RLIMIT_AS)
        limits = [each for each in (soft, hard) if each != resource.RLIM_INFINITY]
        limits.append(taken * resource.getpagesize() + MEMORY_LIMIT)
        resource.setrlimit(resource.RLIMIT_AS, (min(limits), hard))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def _pages_taken() -> int | None:
    """Pages of addresses that this process has, mapped files included."""
    try:
        return int(Path("/proc/self/statm").read_bytes().split()[0])
    except (OSError, ValueError, IndexError):
        return None
