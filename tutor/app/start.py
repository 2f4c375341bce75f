"""Create the app for the command line."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from tutor import language, paths
from tutor.allowed import EVERYTHING, Allowed
from tutor.app.app import Start, TutorApp
from tutor.app.background.settings_keeper import SettingsKeeper
from tutor.app.terminal.idle import IdleLimit
from tutor.course.catalogue import Opening
from tutor.engine.client import EngineClient
from tutor.learner.progress import Progress
from tutor.models import installed
from tutor.settings.effective import USUAL, Effective
from tutor.text import writes_utf8
from tutor.vendors.catalogue import is_remote, remote_model

if TYPE_CHECKING:
    from pathlib import Path

    from tutor.app.explorer.share.opening import Restored


def make_app(
    model: str | None = None,
    learner: str = "me",
    *,
    course: Path | None = None,
    ascii_only: bool = False,
    start: Start | Restored = "home",
    lab: str | None = None,
    allowed: Allowed = EVERYTHING,
    idle_minutes: float | None = None,
    settings: Effective = USUAL,
) -> TutorApp:
    """Create the app, with the course, the progress and the model on this machine.

    `model` is the value of `--model`, or None for the default. `learner` is the name of the learner
    whose progress is used. `course` is a folder with other lessons, whose progress is stored
    separately. `start` is a screen, or a text for the stepper. If `ascii_only` is true, or if the
    locale's encoding is not UTF-8, the app draws only ASCII characters. The app exits after
    `idle_minutes` without a key press, or never if this is None. `settings` are the settings in
    effect.

    Raises `TutorError` if the progress or the lessons cannot be opened.
    """
    remote = remote_model(model) if is_remote(model) else None

    default = model is None and not os.environ.get("TUTOR_MODEL")
    shared = _shared_engine() if default else None

    def missing() -> bool:
        return default and not engine.joins_shared and installed.installed_default() is None

    engine = EngineClient(model, shared=shared, may_choose=allowed.own_engine)
    opening = Opening(course, language=language.preferred())
    return TutorApp(
        opening.course(),
        Progress.open(paths.learner_folder(learner, course)),
        engine,
        opening=opening,
        model_missing=missing,
        start=start,
        lab=lab,
        tour=os.environ.get("TUTOR_TOUR") != "off",
        ascii_only=ascii_only or not writes_utf8(),
        remote=remote,
        allowed=allowed,
        idle=IdleLimit(60 * idle_minutes) if idle_minutes is not None else None,
        settings=SettingsKeeper(settings),
    )


def _shared_engine() -> Path | None:
    """Return the socket of this machine's shared engine, or None if there is none."""
    if sys.platform == "win32":
        return None
    from tutor.engine.shared import address

    return address.find()
