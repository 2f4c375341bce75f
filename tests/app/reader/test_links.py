"""Test going through the links of a lesson, and opening them, with the keyboard."""

from __future__ import annotations

import webbrowser
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from textual.app import App

from tests.app.explorer.explorer_stage import shown
from tests.app.whole_app import keys, sees, whole_app
from tests.sample_course import LESSON
from tutor.app.reader.lesson import LessonScreen
from tutor.app.widgets.inline import plain
from tutor.app.widgets.prose import Prose
from tutor.course.catalogue import Course
from tutor.course.lesson import Screen
from tutor.course.term import Term

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from textual.pilot import Pilot

BODY = """\
A [token](glossary.md#token) has a place in the vocabulary.

| what | where |
|---|---|
| the end | [the last screen](#again) |

- outside: [a paper](https://example.org/paper)

```python
def next_token(logits):
    return logits.argmax()  # greedy
```
"""
COURSE = Course(
    lessons=(
        msgspec.structs.replace(
            LESSON, screens=(Screen(id="links", title="Links", body=BODY), LESSON.screens[-1])
        ),
    ),
    terms=(
        Term("token", "Token", "A piece of text, with a [logit](glossary.md#logit)."),
        Term("logit", "Logit", "A raw score."),
    ),
)


def reversed_text(pilot: Pilot[Any]) -> str:
    """Return the text in reverse video, which is visible without color."""
    strips = pilot.app.screen._compositor.render_strips()
    parts = [
        segment.text
        for strip in strips
        for segment in strip
        if segment.style is not None and segment.style.reverse
    ]
    return "".join(parts)


async def test_tab_goes_through_the_links_and_enter_opens_them(tmp_path: Path) -> None:
    async with whole_app(tmp_path, course=COURSE).run_test(size=(80, 24)) as pilot:
        await keys(pilot, "enter")
        await sees(pilot, "tab links")
        await keys(pilot, "tab")
        assert reversed_text(pilot) == "token"
        await keys(pilot, "enter")
        await sees(pilot, "A piece of text")
        assert "has a place in the vocabulary" in shown(pilot.app)
        await keys(pilot, "tab", "enter")
        await sees(pilot, "A raw score.")
        await keys(pilot, "escape", "escape")  # the logit, the token
        assert isinstance(pilot.app.screen, LessonScreen)
        await keys(pilot, "tab")
        assert reversed_text(pilot) == "the last screen"
        await keys(pilot, "enter")
        await sees(pilot, "2 of 2")
        await keys(pilot, "escape")
        await sees(pilot, "1 of 2")
        await keys(pilot, "tab", "enter")
        await sees(pilot, "https://example.org/paper")
        await keys(pilot, "tab")
        assert reversed_text(pilot) == ""
        await keys(pilot, "shift+tab", "shift+tab", "shift+tab")
        assert reversed_text(pilot) == "token"
        await keys(pilot, "escape", "enter")
        await sees(pilot, "2 of 2")


async def test_enter_reads_on_after_a_term_was_closed(tmp_path: Path) -> None:
    async with whole_app(tmp_path, course=COURSE).run_test(size=(80, 24)) as pilot:
        await keys(pilot, "enter")
        await sees(pilot, "tab links")
        await keys(pilot, "tab", "enter")
        await sees(pilot, "A piece of text")
        await keys(pilot, "escape", "enter")
        await sees(pilot, "2 of 2")


async def test_marking_a_link_moves_nothing(tmp_path: Path) -> None:
    async with whole_app(tmp_path, course=COURSE).run_test(size=(40, 20)) as pilot:
        await keys(pilot, "enter")
        await sees(pilot, "has a place")
        before = shown(pilot.app).splitlines()[:14]
        await keys(pilot, "tab", "tab")
        assert shown(pilot.app).splitlines()[:14] == before
        assert pilot.app.screen.query_one(Prose).href == "#again"


@pytest.mark.parametrize(
    "href",
    [
        "https://example.org@evil.example/\u202egro.elpmaxe",
        "http://evil.example/",
        "vscode://run",
    ],
)
async def test_an_address_is_shown_and_never_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, href: str
) -> None:
    def opened(*_: object, **__: object) -> bool:
        raise AssertionError("something was opened")

    monkeypatch.setattr(webbrowser, "open", opened)
    monkeypatch.setattr(App, "open_url", opened)
    screen = Screen(id="links", title="Links", body=f"[a harmless word](<{href}>)")
    lesson = msgspec.structs.replace(LESSON, screens=(screen, LESSON.screens[-1]))
    course = Course(lessons=(lesson,))
    async with whole_app(tmp_path, course=course).run_test(size=(80, 24)) as pilot:
        await keys(pilot, "enter")
        await sees(pilot, "tab links")
        await keys(pilot, "tab", "enter")
        await sees(pilot, "outside the course:")
        await sees(pilot, href.partition("/\u202e")[0])
        assert "\u202e" not in shown(pilot.app)


@pytest.mark.parametrize("href", ["javascript:alert(1)", "file:///etc/passwd", "data:text/html,x"])
async def test_an_address_that_could_run_something_is_not_a_link(tmp_path: Path, href: str) -> None:
    screen = Screen(id="links", title="Links", body=f"[a harmless word]({href})")
    lesson = msgspec.structs.replace(LESSON, screens=(screen, LESSON.screens[-1]))
    course = Course(lessons=(lesson,))
    async with whole_app(tmp_path, course=course).run_test(size=(80, 24)) as pilot:
        await keys(pilot, "enter")
        await sees(pilot, "a harmless word")
        await sees(pilot, href)  # as plain text
        assert not pilot.app.screen.query_one(Prose).has_links


def test_plain_keeps_only_the_words() -> None:
    assert plain("A *raw*\n[score](glossary.md#x) of `a`.") == "A raw score of a."


@pytest.mark.parametrize("size", [(80, 24), (40, 12)])
def test_a_term_over_a_lesson(
    snap_compare: Callable[..., bool], tmp_path: Path, size: tuple[int, int]
) -> None:
    async def shows(pilot: Pilot[Any]) -> None:
        await sees(pilot, "Fake-1K ●")
        await keys(pilot, "enter")
        await sees(pilot, "has a place")
        await keys(pilot, "tab", "enter")
        await sees(pilot, "A piece of text")
        await pilot.pause()

    app = whole_app(tmp_path, course=COURSE)
    assert snap_compare(app, run_before=shows, terminal_size=size)
