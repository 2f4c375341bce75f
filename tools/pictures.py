"""Make pictures of the screens of the app, from the real app, course and model.

    python -m tools.pictures FOLDER --size 80x24 120x40 --colors truecolor 256 --only home labs

This writes a file `SCREEN-SIZE-COLORS.svg` to FOLDER for each screen, size and number of colors, or
`SCREEN.svg` if there is only one size and number of colors. With `--theme light`, it uses another
theme of the settings. To update the picture in the README:

    python -m tools.pictures docs --only stepper

This needs the default model (`tutor model pull`). It does not touch your progress.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, get_args

from msgspec.structs import replace

from tutor.app.app import TutorApp
from tutor.app.background.settings_keeper import SettingsKeeper
from tutor.course.catalogue import load_course
from tutor.engine.client import EngineClient
from tutor.labs.kit import registry
from tutor.learner.progress import Progress
from tutor.learner.records import Answered, LessonRead, LessonState
from tutor.settings.effective import USUAL
from tutor.settings.schema import Settings, ThemeName

if TYPE_CHECKING:
    from textual.pilot import Pilot
    from textual.screen import Screen

    from tutor.app.services import Place
    from tutor.course.catalogue import Course
    from tutor.course.lesson import Lesson

TERMINALS = {
    "truecolor": {"TERM": "xterm-256color", "COLORTERM": "truecolor"},
    "256": {"TERM": "xterm-256color", "COLORTERM": ""},
    "16": {"TERM": "xterm", "COLORTERM": ""},
    "none": {"TERM": "xterm-256color", "COLORTERM": "truecolor", "NO_COLOR": "1"},
}
"""The environment variables of a terminal, by the number of its colors."""
SECONDS = 180.0
"""The maximum time, in seconds, to wait until a screen shows its text."""
PAUSE = 4.0
"""The maximum time, in seconds, to wait for workers. A running chat always has one."""

Go = Callable[[TutorApp], object]
Save = Callable[[TutorApp, str, str, str], object]
"""A function that saves a picture.

Its arguments are the app, the name of the screen, the size, and the number of colors.
"""


def _place(name: Place) -> Go:
    return lambda app: app.navigator.open_place(name)


def _lab(name: str) -> Go:
    return lambda app: app.navigator.open_live_lab(name)


def _lesson(name: str, screen: str) -> Go:
    return lambda app: app.navigator.open_lesson(_found(app, name), screen)


def _quiz(app: TutorApp) -> None:
    app.navigator.open_quiz(_found(app, "one-question"))


def _end(app: TutorApp) -> None:
    app.navigator.open_end(_found(app, "generations"))


def _lesson_progress(app: TutorApp) -> None:
    app.navigator.open_lesson_progress(app.services.course.outlines[0])


def _found(app: TutorApp, name: str) -> Lesson:
    lesson = app.services.course.lesson(name)
    assert lesson is not None, name
    return lesson


class Shot(NamedTuple):
    """A picture: how its screen is opened from the course map, and the keys pressed there.

    `text` is shown when the screen is complete.
    """

    go: Go = lambda app: None
    keys: tuple[str, ...] = ()
    text: str = ""


SHOTS = {
    "home": Shot(text="●"),
    "home-review": Shot(keys=("down",), text="●"),
    "tour": Shot(_place("tour")),
    "tour-2": Shot(_place("tour"), ("enter",)),
    "lesson": Shot(_lesson("one-question", "softmax")),
    "lesson-predict": Shot(_lesson("one-question", "differences")),
    "lesson-stepper": Shot(_lesson("one-question", "stepper")),
    "lesson-lab": Shot(_lesson("attention", "real-numbers")),
    "lesson-with-lab": Shot(_lesson("attention", "real-numbers"), ("l",)),
    "lesson-x-ray": Shot(_lesson("one-question", "stepper"), ("tab", "l", "1", "x"), text="%"),
    "lesson-table": Shot(_lesson("attention", "families")),
    "question": Shot(_quiz),
    "answered": Shot(_quiz, ("a", "enter")),
    "result": Shot(_end),
    "stepper": Shot(_place("step"), ("1", "2", "4"), text="%"),
    "x-ray": Shot(_place("step"), ("1", "2", "x"), text="%"),
    "x-ray-why": Shot(_place("step"), ("1", "2", "x", "tab", "tab"), text="sum of"),
    "x-ray-heads": Shot(_place("step"), ("1", "2", "x", *["tab"] * 5), text="attends most"),
    "sampler": Shot(_place("step"), ("t",), text="%"),
    "chat": Shot(_place("chat")),
    "chat-said": Shot(_place("chat"), ("enter", "enter")),
    "guess": Shot(_place("guess")),
    "labs": Shot(_place("labs")),
    "progress": Shot(_place("progress")),
    "progress-lesson": Shot(_lesson_progress),
    "review": Shot(_place("review")),
    "review-answered": Shot(_place("review"), ("a", "enter")),
    "settings": Shot(_place("settings")),
    "settings-typed": Shot(_place("settings"), (*["down"] * 8, "enter")),
    "palette": Shot(keys=("ctrl+p",)),
    "palette-words": Shot(keys=("ctrl+p", *"atten")),
    "help": Shot(keys=("question_mark",)),
    "help-stepper": Shot(_place("step"), ("question_mark",)),
    "model": Shot(_place("model")),
    "glossary": Shot(_place("glossary")),
    "search": Shot(_place("search"), tuple("softmax")),
    **{f"lab-{name}": Shot(_lab(name)) for name in registry.names()},
    "lab-training": Shot(_lab("training"), ("r",), text="paused"),
}


def learned(folder: Path, course: Course) -> Progress:
    """Return the progress of a learner who has read two lessons and is in the third."""
    progress, now = Progress.open(folder), time.time()
    day = 86_400.0
    first, second, third = course.outlines[:3]
    for outline, right, ago in ((first, 3, 6.0), (second, 2, 3.0)):
        lesson = course.lesson(outline.id)
        assert lesson is not None
        for number, question in enumerate(lesson.questions[: -2 * right]):
            progress.record(
                Answered(
                    at=now - ago * day + number,
                    question=question.id,
                    version=question.version,
                    lesson=lesson.id,
                    correct=number % (right + 1) > 0,
                )
            )
        progress.record(LessonRead(at=now - ago * day, lesson=lesson.id))
        state = LessonState(
            lesson=lesson.id,
            screen=lesson.screens[-1].id,
            seen=tuple(screen.id for screen in lesson.screens),
        )
        progress.save_lesson(state)
    seen = tuple(screen.id for screen in third.screens[:5])
    progress.save_lesson(LessonState(lesson=third.id, screen=seen[-1], seen=seen))
    return progress


async def take(
    sizes: list[tuple[int, int]],
    colors: str,
    only: list[str],
    save: Save,
    theme: ThemeName = "auto",
) -> None:
    """Make all pictures with this number of colors, in one run of the app."""
    os.environ.pop("NO_COLOR", None)
    os.environ |= TERMINALS[colors]
    course = load_course()
    with tempfile.TemporaryDirectory() as data:
        settings = SettingsKeeper(replace(USUAL, settings=Settings(theme=theme)))
        progress = learned(Path(data), course)
        app = TutorApp(course, progress, EngineClient(), settings=settings)
        async with app.run_test(size=sizes[0]) as pilot:
            await _until(pilot, lambda: app.model_status.ready)
            home = app.screen
            for name in only:
                await _open(pilot, app, SHOTS[name])
                for width, height in [*sizes[1:], sizes[0]]:
                    await pilot.resize_terminal(width, height)
                    await _idle(pilot)
                    save(app, name, f"{width}x{height}", colors)
                while app.screen is not home:
                    app.pop_screen()
                    await pilot.pause()


async def _open(pilot: Pilot[None], app: TutorApp, shot: Shot) -> None:
    shot.go(app)
    await _idle(pilot)
    for key in shot.keys:
        await pilot.press(key)
        await _idle(pilot)
    if not await _until(pilot, lambda: shot.text in _text(app.screen)):
        raise SystemExit(f"“{shot.text}” did not appear within {SECONDS:.0f} seconds.")


async def _idle(pilot: Pilot[None]) -> None:
    """Wait until no worker of the app is running, but not longer than `PAUSE` seconds."""
    app = pilot.app
    await pilot.pause()
    await _until(pilot, lambda: all(worker.is_finished for worker in app.workers), PAUSE)
    await pilot.pause()


async def _until(
    pilot: Pilot[None], condition: Callable[[], bool], seconds: float = SECONDS
) -> bool:
    """Wait until the condition is true. Return False if this takes more than `seconds`."""
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        await pilot.pause(0.05)
    return condition()


def _text(screen: Screen[object]) -> str:
    lines = screen._compositor.render_strips()
    return "\n".join(line.text for line in lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--size", nargs="+", default=["80x24"])
    parser.add_argument("--colors", nargs="+", choices=TERMINALS, default=["truecolor"])
    parser.add_argument("--theme", choices=get_args(ThemeName), default="auto")
    parser.add_argument("--only", nargs="+", choices=SHOTS, default=list(SHOTS))
    chosen = parser.parse_args()
    chosen.folder.mkdir(parents=True, exist_ok=True)
    several = len(chosen.size) * len(chosen.colors) > 1

    def save(app: TutorApp, name: str, size: str, colors: str) -> None:
        full_name = f"{name}-{size}-{colors}" if several else name
        app.save_screenshot(f"{full_name}.svg", str(chosen.folder))

    sizes = [(int(width), int(height)) for width, height in (s.split("x") for s in chosen.size)]
    for colors in chosen.colors:
        asyncio.run(take(sizes, colors, chosen.only, save, chosen.theme))


if __name__ == "__main__":
    main()
