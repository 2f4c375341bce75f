"""The base class of the stepper and the chat in plain mode, built on the app's explorer."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

from msgspec.structs import replace

from tutor.app.explorer import events
from tutor.app.explorer.controller import ExplorerController
from tutor.app.explorer.events import Signal
from tutor.app.explorer.saved_texts import SavedTexts
from tutor.app.model import consent_text
from tutor.course import goals
from tutor.engine.api import EngineState
from tutor.errors import TutorError
from tutor.language import _
from tutor.lm.saved_steering import STRONGEST, Applied
from tutor.plain import markdown, words
from tutor.plain.consent import consent_lines
from tutor.plain.place import Command, Place

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence

    from tutor.app.explorer.document import Document, Mode
    from tutor.app.explorer.events import Event
    from tutor.app.explorer.state import State
    from tutor.course.goals import Evidence
    from tutor.course.lesson import Lab, Lesson
    from tutor.lm.saved_steering import SavedVector
    from tutor.plain.place import Services

_DIALS = ("temperature", "top-k", "top-p", "min-p")


class ExplorerPlace(Place):
    """A text or conversation with the model, opened from the course map or as a lab of a lesson."""

    MODE: Mode = "text"
    KEYS: Mapping[str, str] = {}
    """A map from the keys that a lab's task can mention to the equivalent commands."""

    def __init__(
        self,
        services: Services,
        lesson: Lesson | None = None,
        lab: Lab | None = None,
        begin: Document | None = None,
    ) -> None:
        """Create the place. `begin` is an additional document to open first."""
        super().__init__(services)
        self._lesson, self._lab = lesson, lab
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._changed = asyncio.Event()
        self._told: list[Awaitable[str | None]] = []
        self._reached = self._goals_reached()
        self._controller = ExplorerController(
            services.engine,
            SavedTexts(services.progress, lab, self.MODE, begin, services.sampler),
            work=self._work,
            show=lambda state: self._changed.set(),
            report=self._report,
        )

    # --- the controller ------------------------------------------------------------------------

    @property
    def state(self) -> State:
        return self._controller.state

    def _work(
        self, work: Callable[[], Coroutine[None, None, None]], group: str
    ) -> asyncio.Task[None]:
        if (before := self._tasks.get(group)) is not None:
            before.cancel()
        self._tasks[group] = task = asyncio.create_task(work())
        return task

    async def send(self, *sent: Event) -> None:
        """Send events to the controller, and wait until the model has handled them.

        Prints messages and errors, and each goal that is reached. If the learner presses Ctrl+C,
        the model stops.
        """
        for event in sent:
            self._controller.send(event)
        try:
            await self._settle()
        except asyncio.CancelledError:
            self._controller.send(Signal.PAUSE)
            self._controller.send(Signal.STOP_READING)
            raise
        note = self.state.note
        if isinstance(note, TutorError):
            self.say(words.error(note))
        elif note:
            self.say(words.without_keys(note))
        self._controller.send(Signal.SAVE)
        await self._say_goals()

    async def _settle(self) -> None:
        engine = self.services.engine
        if engine.state not in (EngineState.READY, EngineState.STOPPED):
            self.say(_("The model is loading."))
        while not self._at_rest:
            self._changed.clear()
            await self._changed.wait()

    @property
    def _at_rest(self) -> bool:
        state = self.state
        if state.engine.state is EngineState.STOPPED or state.request_failed:
            return True
        busy = state.running or state.queue or state.owed is not None
        return state.ready and not busy

    # --- goals ---------------------------------------------------------------------------------

    def _goals_reached(self) -> frozenset[str]:
        if self._lesson is None or self._lab is None:
            return frozenset()
        return self.services.goals.reached(self._lesson, self._lab)

    def _report(self, evidence: Evidence) -> None:
        if self._lesson is not None and self._lab is not None:
            told = self.services.goals.stepped(self._lesson, self._lab, evidence)
            self._told.append(told)

    async def _say_goals(self) -> None:
        told, self._told = self._told, []
        now = self._goals_reached()
        if self._lab is not None:
            for goal in self._lab.goals:
                if goals.name(goal) in now - self._reached:
                    said = words.spoken(goals.description(goal, self._lab))
                    self.say(_("Goal reached: {said}").format(said=words.ended(said)))
        self._reached = now
        for each in told:
            self.say(markdown.inline(await each or ""))

    @property
    def _task(self) -> str:
        """The lab's task, in which the names of keys are replaced with commands."""
        task = " ".join(self._lab.task.split()) if self._lab is not None else ""
        return markdown.inline(words.without_keys(words.with_commands(task, self.KEYS)))

    def _say_task(self) -> None:
        if self._lab is None:
            return
        if task := self._task:
            self.say(_("Task: {task}").format(task=task))
        for number, goal in enumerate(self._lab.goals, 1):
            done = _("Reached") if goals.name(goal) in self._reached else _("Open")
            description = words.spoken(goals.description(goal, self._lab))
            self.say(
                _("{done} goal {number}: {description}").format(
                    done=done, number=number, description=words.ended(description)
                )
            )

    # --- the place -----------------------------------------------------------------------------

    @property
    def agreed(self) -> bool:
        """True if text may be sent to the model. A remote model requires the learner's consent."""
        remote = self.services.remote
        return remote is None or self.services.engine.allowed(remote)

    async def begin(self) -> None:
        self.say(self.title)
        self._say_task()
        if self.agreed:
            await self._start()
        elif self.services.remote is not None:
            self.say(*consent_lines(self.services.remote, consent_text.STEPPING))

    async def _start(self) -> None:
        self._controller.start()
        await self.send()
        self.say_all()

    def say_all(self) -> None:
        """Print the text so far. Subclasses override this."""

    async def close(self) -> None:
        self._controller.stop_receiving()
        for task in self._tasks.values():
            task.cancel()
        if self.agreed:
            await self._controller.close()

    def commands(self) -> Sequence[Command]:
        if not self.agreed:
            said = _("Allow sending text to this host until you quit tutor.")
            return (Command("agree", said, self._agree),)
        found = [*self.own_commands()]
        if self.state.engine.state is EngineState.STOPPED:
            found.append(Command("retry", "Start the model again.", self._retry))
        said = _("Change a sampler setting: {names}.").format(names=words.listed(_DIALS))
        found.append(Command("set", said, self._set, "NAME NUMBER"))
        if not self.state.remote:
            said = _("Steer the network with a saved vector. Type steer off to stop.")
            found.append(Command("steer", said, self._steer, "NAME STRENGTH"))
        found.append(Command("settings", "Show the sampler settings.", self._settings))
        if self._lab is not None:
            found.append(Command("goals", "Show the task and the goals.", self._goals))
        return found

    def own_commands(self) -> Sequence[Command]:
        return ()

    async def _agree(self, rest: str) -> None:
        if self.services.remote is not None:
            self.services.engine.allow(self.services.remote)
        await self._start()

    async def _retry(self, rest: str) -> None:
        await self.services.engine.restart()
        await self.send()
        self.say_all()

    async def _goals(self, rest: str) -> None:
        self._say_task()

    async def _settings(self, rest: str) -> None:
        sampler = self.state.sampler
        self.say(
            _(
                "Temperature {temperature:g}, top-k {top_k}, top-p {top_p:g}, min-p {min_p:g}. "
                "They apply in this order. A temperature of 0 always takes rank 1."
            ).format(
                temperature=sampler.temperature,
                top_k=sampler.top_k or _("off"),
                top_p=sampler.top_p,
                min_p=sampler.min_p,
            )
        )
        self.say_steering()

    def say_steering(self) -> None:
        """Say how the network is steered, if it is."""
        if self.state.steering is not None:
            said = _("The network is steered: {said}.")
            self.say(said.format(said=words.spoken(self.state.steering.said)))

    async def _steer(self, rest: str) -> None:
        await self._controller.list_vectors()
        vectors = {each.name: each for each in self.state.fitting_vectors}
        name, __, value = rest.rpartition(" ")
        if rest == "off":
            applied = None
        elif name.strip() in vectors and (strength := _strength(value)) is not None:
            applied = Applied(vectors[name.strip()], strength) if strength else None
        else:
            self._say_vectors(list(vectors.values()))
            return
        await self.send(events.SetSteering(applied))
        if applied is None:
            self.say(_("The network is not steered."))
        self.say_all()

    def _say_vectors(self, vectors: Sequence[SavedVector]) -> None:
        """Say which vectors are saved, and how to use one."""
        if not vectors:
            self.say(_("No vectors are saved for this model. Save one in the steer lab."))
            return
        self.say(_("Saved vectors:"))
        for each in vectors:
            said = _("{name}, added after layer {layer}.")
            self.say(said.format(name=words.spoken(each.name), layer=each.layer + 1))
        self.say_steering()
        said = _("Type steer, a name and a strength from {least:g} to {most:g}, or steer off.")
        self.say(said.format(least=-STRONGEST, most=STRONGEST))

    async def _set(self, rest: str) -> None:
        name, __, value = rest.partition(" ")
        try:
            figure = float(value)
        except ValueError:
            figure = None
        if name not in _DIALS or figure is None:
            self.say(
                _("Type set, one of {names}, and a number.").format(names=words.listed(_DIALS))
            )
            return
        dial = {name.replace("-", "_"): int(figure) if name == "top-k" else figure}
        await self.send(events.SetSampler(replace(self.state.sampler, **dial)))
        await self._settings("")


def _strength(typed: str) -> float | None:
    """Return the strength that the learner typed, or None if it is invalid."""
    try:
        strength = float(typed)
    except ValueError:
        return None
    return strength if abs(strength) <= STRONGEST else None


def simple(place: ExplorerPlace, *sent: Event) -> Callable[[str], Awaitable[None]]:
    """Return a function for a command: it sends the events `sent`, then prints the text so far."""

    async def run(place: ExplorerPlace, rest: str) -> None:
        await place.send(*sent)
        place.say_all()

    return partial(run, place)
