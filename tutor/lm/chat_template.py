"""Run the Jinja template of a chat model.

The template comes from an untrusted file, so it runs in a sandbox with a time limit and, where the
system supports it (Linux), a memory limit. Most templates are written for `transformers`, so this
module provides the same functions (see `transformers.utils.chat_template_utils`), along with
Jinja's filters for text.

The limits cannot stop a single operation that runs forever without allocating memory, such as a
comparison of very deeply nested lists. Therefore, the rest of the program uses `template_process`,
which can end such an operation.
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

TIME_LIMIT = 5.0
"""The maximum time for rendering, in seconds. Harmless templates take a few milliseconds."""
MEMORY_LIMIT = 100_000_000
"""The maximum number of bytes that rendering may add to the memory of the process."""
_LONGEST = 1_000_000
"""The maximum length of a template, or of a string that a template builds by repetition."""
_MOST_ADDED = 500_000
"""The maximum number of characters that a template may add to the messages. Harmless templates add
a few hundred to a conversation, and a few dozen to each message."""
_LARGEST_NUMBER = 4096
"""The maximum size, in bits, of a number that a template computes with * or **."""
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
    seconds: float | None = None,
) -> str:
    """Render a conversation with a chat template, and return the text.

    With `generate`, the text ends with the start of the assistant's next message. `begin` and `end`
    are the special tokens for the beginning and the end of a text. Rendering is stopped after
    `seconds`, which is `TIME_LIMIT` by default. Raises `ModelUnsupported` for any error in the
    template.
    """
    seconds = TIME_LIMIT if seconds is None else seconds
    try:
        with _time_limit(seconds), _memory_limit():
            text = _compiled(source).render(
                messages=[dict(message) for message in messages],
                tools=None,
                documents=None,
                add_generation_prompt=generate,
                bos_token=begin,
                eos_token=end,
            )
    except (Exception, _TooLong) as error:  # A template is a program and can raise any exception.
        raise unrendered(_reason(error, seconds)) from error
    # The tokenizer needs far more time and memory for a long text than the template needed.
    if len(text) > _MOST_ADDED + sum(len(part) for each in messages for part in each.values()):
        raise unrendered(f"the template adds more than {_MOST_ADDED:,} characters")
    return text


def unrendered(reason: str) -> ModelUnsupported:
    """Return the error for a template that cannot render a conversation because of `reason`."""
    return ModelUnsupported(
        f"The model's chat template cannot render this conversation: {reason}.",
        "Use plain text in the stepper instead.",
    )


def _reason(error: BaseException, seconds: float) -> str:
    if isinstance(error, _TooLong):
        return f"rendering took longer than {seconds:g} seconds"
    if isinstance(error, MemoryError):
        return "rendering needs too much memory"
    kind = "" if isinstance(error, jinja2.TemplateError) else f"{type(error).__name__}: "
    return safe(f"{kind}{error}")[:300].rstrip(".")


class _Environment(ImmutableSandboxedEnvironment):
    """A sandbox that also limits the size of numbers and repeated strings.

    Jinja's sandbox blocks unsafe attributes and changes to the template's arguments, but a single
    operation could still use up all memory or run forever.
    """

    intercepted_binops = frozenset({"*", "**"})

    def call_binop(
        self, context: jinja2.runtime.Context, operator: str, left: Any, right: Any
    ) -> Any:
        if _bits(operator, left, right) > _LARGEST_NUMBER:
            raise jinja2.exceptions.SecurityError(
                "the template computes a number that is too large"
            )
        if operator == "*" and _repeated(left, right) > _LONGEST:
            raise jinja2.exceptions.SecurityError("the template builds a string that is too long")
        return super().call_binop(context, operator, left, right)


def _bits(operator: str, left: Any, right: Any) -> int:
    """Return an upper bound for the bit length of a product or power of integers."""
    if not isinstance(left, int) or not isinstance(right, int):
        return 0
    if operator == "**":
        return int(left.bit_length() * abs(right))
    return left.bit_length() + right.bit_length()


def _repeated(left: Any, right: Any) -> int:
    """Return the length of `left * right` if one of them is a string or list, else 0."""
    for side, times in ((left, right), (right, left)):
        if isinstance(side, str | list | tuple) and isinstance(times, int):
            return len(side) * times
    return 0


class _Generation(Extension):
    """The tag `{% generation %} ... {% endgeneration %}`, which renders its content unchanged.

    Training code uses the tag to find the assistant's messages.
    """

    tags = {"generation"}  # noqa: RUF012

    def parse(self, parser: Parser) -> nodes.Node:
        line = next(parser.stream).lineno
        body = parser.parse_statements(("name:endgeneration",), drop_needle=True)
        return nodes.Scope(body).set_lineno(line)


@lru_cache(maxsize=4)
def _compiled(source: str) -> jinja2.Template:
    if len(source) > _LONGEST:
        raise jinja2.exceptions.SecurityError(f"the template has more than {_LONGEST:,} characters")
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
    """Return `value` as JSON. Unlike Jinja's own filter, this does not escape HTML characters."""
    return json.dumps(
        value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys
    )


def _refuse(message: str) -> None:
    raise jinja2.TemplateError(message)


# --- limits on time and memory ------------------------------------------------------------------


class _TooLong(BaseException):
    """The error for a template that ran out of time.

    This class does not inherit from `Exception`, because Jinja catches some exceptions and would
    continue rendering.
    """


@contextmanager
def _time_limit(seconds: float) -> Iterator[None]:
    """Raise `_TooLong` in this thread if the `with` block runs longer than `seconds`.

    A compiled template is Python code, so the exception can be raised between bytecode
    instructions.
    """
    thread = ctypes.c_ulong(threading.get_ident())
    lock = threading.Lock()
    over = False

    def end() -> None:
        with lock:
            if not over:
                ctypes.pythonapi.PyThreadState_SetAsyncExc(thread, ctypes.py_object(_TooLong))

    timer = threading.Timer(seconds, end)
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
    """Raise `MemoryError` if the process grows by `MEMORY_LIMIT` bytes in the `with` block.

    The limit applies to the whole process, so memory allocated by other threads counts too. There
    is no limit on systems that don't report how much memory the process uses.
    """
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
    """Return the size of this process's address space in memory pages, including mapped files.

    Returns None if the system does not report it.
    """
    try:
        return int(Path("/proc/self/statm").read_bytes().split()[0])
    except (OSError, ValueError, IndexError):
        return None
