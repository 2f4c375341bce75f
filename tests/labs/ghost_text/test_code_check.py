"""Test the check of a line of code, and that it runs nothing."""

from __future__ import annotations

import builtins
import importlib
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tutor.labs.ghost_text.code_check import check, same_code, standard_library


def last(text: str) -> Any:
    return check(text, text.count("\n"))


@pytest.mark.parametrize(
    ("text", "missing", "known", "open_"),
    [
        ("import string\nstring.upper('a')", ["string.upper"], ["string"], []),
        ("import math\nmath.pi", [], ["math", "math.pi"], []),
        ("import os\nos.path.join('a', 'b')", [], ["os", "os.path", "os.path.join"], []),
        ("import os.path as p\np.jion('a')", ["os.path.jion"], ["p"], []),
        ("import made_up\nmade_up.anything()", [], ["made_up"], []),
        ("from math import tau, tao", ["math.tao"], [], []),
        ("def f(values):\n    return avg(values)", ["avg"], ["values"], []),
        ("def f(values):\n    return values.avg()", [], ["values"], [".avg"]),
        ("str.shout('a')", ["str.shout"], ["str"], []),
        ("str = 1\nstr.shout('a')", [], ["str"], [".shout"]),
        ("[n for n in range(3)]", [], ["range", "n"], []),
    ],
)
def test_names_are_looked_up_in_the_file_the_builtins_and_modules(
    text: str, missing: list[str], known: list[str], open_: list[str]
) -> None:
    verdict = last(text)
    assert not verdict.trouble
    assert sorted(verdict.missing) == sorted(missing)
    assert sorted(verdict.known) == sorted(known)
    assert sorted(verdict.open_) == sorted(open_)
    assert verdict.caught == bool(missing)


def test_only_the_line_itself_is_checked_and_lines_below_define_names() -> None:
    text = "nothing_like_it()\nshow(1)\n\n\ndef show(x):\n    print(x)"
    assert check(text, 1).missing == ()
    assert check(text, 0).missing == ("nothing_like_it",)
    assert check(text + "\n    (", 1).missing == ("show",)  # The line below does not parse.


def test_a_line_that_opens_a_block_parses() -> None:
    assert not last("def f(x):").trouble
    assert not last("for x in range(3):\n    if x:").trouble


def test_a_syntax_error_has_the_parser_message_and_its_line() -> None:
    own = last("x = 1\ny = = 2")
    assert own.trouble
    assert own.trouble == "invalid syntax"
    assert own.caught
    above = last("y = = 2\nx = 1")
    assert above.above
    assert not above.caught


@pytest.mark.parametrize("text", ["\x00", "(" * 5000, "-" * 50_000 + "1", "é" * 100, "\\", "'\\d'"])
def test_odd_text_raises_no_error(text: str) -> None:
    last(text)


@given(st.text(max_size=60))
def test_any_text_gets_a_verdict(text: str) -> None:
    last(text)


def test_nothing_is_run_or_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    really_import = builtins.__import__

    def never(*_: object, **__: object) -> None:
        raise AssertionError("run")

    def watched(name: str, *rest: Any) -> Any:
        assert name not in ("antigravity", "this")
        return really_import(name, *rest)

    with monkeypatch.context() as patched:
        patched.setattr(builtins, "exec", never)
        patched.setattr(builtins, "eval", never)
        patched.setattr(builtins, "__import__", watched)
        code = "import antigravity\nantigravity.fly()\n__import__('this')\nprint(1 / 0)"
        assert not check(code, 3).trouble
    assert not {"antigravity", "this"} & set(sys.modules)


def test_the_list_agrees_with_this_python() -> None:
    """Allow for names that a version of Python adds or removes."""
    for module, names in standard_library().items():
        offered = getattr(importlib.import_module(module), "__all__", ())
        assert len(names.intersection(offered)) >= 0.85 * len(offered), module


def test_spaces_and_parentheses_do_not_change_the_code() -> None:
    assert same_code("return c*9/5+32", "    return (c * 9) / 5 + 32  # to F")
    assert not same_code("return c * 5 / 9 + 32", "return c * 9 / 5 + 32")
    assert not same_code("return (", "return (")
