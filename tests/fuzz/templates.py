"""Random chat templates: rendering returns a text or the one expected error, and always ends.

Run one case with `python -m tests.fuzz.templates SEED`.
"""

from __future__ import annotations

import random
import sys
import time

from tutor.errors import ModelUnsupported
from tutor.lm import chat_template, template_process

TEMPLATES = 40
"""The number of templates in one case."""
TIME_LIMIT, GRACE = 0.5, 1.0
_PATIENCE = 30.0
"""The maximum seconds for one template, on a machine that may be busy."""

_VALUES = (
    *("1", "'a'", "n.x", "n.y", "[n.x, n.x]", "(n.x, n.y)", "{'a': n.x}", "messages", "loop"),
    *("10 ** 9", "range(99999)", "'ab' * 99999", "bos_token", "none", "cycler", "namespace"),
)
_FILTERS = (
    *("list", "length", "string", "tojson", "sort", "unique|list", "join('x')", "upper", "first"),
    *("batch(3)|list", "indent(9999)", "replace('a', 'aaaaaaaa')", "map('string')|list", "int"),
    *("groupby(0)", "dictsort", "reverse|list", "trim", "max", "format(1)", "title", "abs"),
)
_OPERATORS = ("+", "~", "*", "**", "==", "<", "in", "-", "//", "%", "and", "is")
_ATTRIBUTES = ("__class__", "x", "append(1)", "format(n.x)", "ljust(10 ** 9)", "items()", "pop()")


class _Maker:
    """A source of random templates."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def template(self) -> str:
        """Return a template that builds values in loops, and uses them."""
        body = "".join(self._statement(0) for _ in range(self._random.randint(1, 5)))
        return "{% set n = namespace(x=[1], y='ab') %}" + body

    def _statement(self, depth: int) -> str:
        inside = "".join(
            self._statement(depth + 1)
            for _ in range(self._random.randint(1, 3) if depth < 3 else 0)
        )
        times = self._random.choice((3, 40, 99999))
        return self._random.choice(
            (
                f"{{{{ {self._value()} }}}}",
                f"{{% set n.x = {self._value()} %}}",
                f"{{% set n.y = {self._value()} %}}",
                f"{{% for i in range({times}) %}}{inside}{{% endfor %}}",
                f"{{% if {self._value()} %}}{inside}{{% endif %}}",
                f"{{% macro f() %}}{inside}{{{{ f() }}}}{{% endmacro %}}{{{{ f() }}}}",
            )
        )

    def _value(self, depth: int = 0) -> str:
        one = self._random.choice(_VALUES)
        if depth < 3 and self._random.random() < 0.7:
            one = self._value(depth + 1)
        return self._random.choice(
            (
                one,
                f"({one})|{self._random.choice(_FILTERS)}",
                f"({one}).{self._random.choice(_ATTRIBUTES)}",
                f"({one} {self._random.choice(_OPERATORS)} {self._random.choice(_VALUES)})",
            )
        )


def run(seed: int) -> None:
    """Render `TEMPLATES` templates. Raises `AssertionError`, or any error that is unexpected."""
    chat_template.TIME_LIMIT, template_process.GRACE = TIME_LIMIT, GRACE
    make = _Maker(seed)
    for _ in range(TEMPLATES):
        source, begin = make.template(), time.monotonic()
        said = _refusal(source)
        assert "crashed" not in said, source
        assert len(said) < 1000, source
        assert time.monotonic() - begin < _PATIENCE, source


def _refusal(source: str) -> str:
    """Render a template, and return the error that it causes, or "" if it causes none."""
    messages = [{"role": "user", "content": "hello"}]
    try:
        template_process.render(source, messages, begin="<s>", end="</s>", generate=True)
    except ModelUnsupported as error:
        return str(error)
    return ""


if __name__ == "__main__":
    run(int(sys.argv[1]))
