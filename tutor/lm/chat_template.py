"""Runs the Jinja template that a chat model comes with.

It comes from whoever made the file, so it runs in a sandbox and for a limited time. It finds there
what `transformers` gives to templates (`transformers.utils.chat_template_utils`), for which most
of them are written.
"""

from __future__ import annotations

import ctypes
import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import jinja2
from jinja2 import nodes
from jinja2.ext import Extension, loopcontrols
from jinja2.sandbox import ImmutableSandboxedEnvironment

from tutor.errors import ModelUnsupported

if TYPE_CHECKING:
    from jinja2.parser import Parser

TIME_LIMIT = 5.0  # seconds; honest templates need milliseconds
_LARGEST_PRODUCT = 1_000_000  # length of a repeated text, or the value of a power's exponent


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
        with _time_limit():
            return _compiled(source).render(
                messages=[dict(message) for message in messages],
                tools=None,
                documents=None,
                add_generation_prompt=generate,
                bos_token=begin,
                eos_token=end,
            )
    except Exception as error:  # a template can raise anything: it is a program
        raise ModelUnsupported(
            f"Its chat template refuses this conversation: {_words(error)}.",
            "Step it through plain text instead.",
        ) from error


def _words(error: Exception) -> str:
    if isinstance(error, _TooLong):
        return f"it does not come to an end within {TIME_LIMIT:g} seconds"
    if isinstance(error, jinja2.TemplateError):
        return str(error).rstrip(".")
    return f"{type(error).__name__}: {error}".rstrip(".")


class _Environment(ImmutableSandboxedEnvironment):
    """The sandbox forbids attributes that lead out of it and everything that changes what it is
    given. Nothing there keeps one operation from taking all memory or for ever."""

    intercepted_binops = frozenset({"*", "**"})

    def call_binop(
        self, context: jinja2.runtime.Context, operator: str, left: Any, right: Any
    ) -> Any:
        sizes = [
            len(side) if isinstance(side, (str, list, tuple)) else side for side in (left, right)
        ]
        if operator == "**":
            if not abs(right) <= 64:
                raise jinja2.exceptions.SecurityError("a power as high as that is not computed")
        elif sizes != [left, right] and sizes[0] * sizes[1] > _LARGEST_PRODUCT:
            raise jinja2.exceptions.SecurityError("a text as long as that is not made")
        return super().call_binop(context, operator, left, right)


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
    environment = _Environment(
        trim_blocks=True, lstrip_blocks=True, extensions=[_Generation, loopcontrols]
    )
    environment.filters["tojson"] = _to_json
    environment.globals["raise_exception"] = _refuse
    environment.globals["strftime_now"] = _now
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


def _now(form: str) -> str:
    return datetime.now().strftime(form)


# --- for a limited time ---------------------------------------------------------------------------


class _TooLong(Exception):
    pass


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
