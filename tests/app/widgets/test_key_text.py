"""Test which words of a text are drawn as keys."""

from __future__ import annotations

import pytest

from tutor.app.theme import KEY
from tutor.app.widgets.inline import inline
from tutor.app.widgets.key_names import with_keys


def keys_in(content: object) -> list[str]:
    from textual.content import Content

    assert isinstance(content, Content)
    return [content.plain[each.start : each.end] for each in content.spans if each.style == KEY]


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("Press e and write.", ["e"]),
        ("Press Tab twice, then e.", ["Tab", "e"]),
        ("Ask something (e), then press Shift+Tab.", ["e", "Shift+Tab"]),
        ("Follow it (→, f, Tab), and compare (Tab twice, r).", ["→", "f", "Tab", "Tab", "r"]),
        ("Show one head (a: all heads, Enter: one part).", ["a", "Enter"]),
        ("↑ ↓ move the focus, ← → change it.", ["↑ ↓", "← →"]),
        ("Press Space to pick it up, ↑ or ↓ to move it, and Space to put it down.",
         ["Space", "↑", "↓", "Space"]),
        ("Save one (ctrl+s).", ["ctrl+s"]),
        ("Press r to retry, or press Esc.", ["r", "Esc"]),
        ("Choose an entry with ↑ and ↓, and open it with Enter.", ["↑", "↓", "Enter"]),
        ("Press m, then f to try again.", ["m", "f"]),
        ("Remove this branch. Press d twice.", ["d"]),
        ("A model that was pressed, then a longer one.", []),
        ("Enter a number such as 0.25. Press report.", []),
        ("It is e / (e + 1), and T → 0 is greedy (a pass is one text).", []),
        ("Space and case are part of a token. Then a token comes.", []),
        ("def celsius_to_fahrenheit(c): the press reports it (p. 3).", []),
    ],
)  # fmt: skip
def test_keys_in_plain_text(text: str, keys: list[str]) -> None:
    assert keys_in(with_keys(text)) == keys


@pytest.mark.parametrize(
    ("markdown", "keys", "plain"),
    [
        ("Press `t`, then `g`.", ["t", "g"], "Press t, then g."),
        ("`x` opens it, `←` `→` choose.", ["x", "←", "→"], "x opens it, ← → choose."),
        ("In **bold**, press *r* for it.", ["r"], "In bold, press r for it."),
        ("It joins `t`+`h`, and `a` is one byte.", [], "It joins t+h, and a is one byte."),
        ("Press `1` to `9` for a row, and not `3`.", ["1", "9"],
         "Press 1 to 9 for a row, and not 3."),
        ("The token `the` and `k1`.", [], "The token the and k1."),
    ],
)  # fmt: skip
def test_keys_in_markdown(markdown: str, keys: list[str], plain: str) -> None:
    drawn = inline(markdown)
    assert drawn.plain == plain
    assert keys_in(drawn) == keys
