"""A lab in plain mode: sentences that describe its state, and commands for its actions."""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from tutor.course.goals import OTHER_GOALS
from tutor.course.lesson import LiveGoal
from tutor.engine.api import EngineState
from tutor.errors import NotInThisLogin
from tutor.labs.kit import remote
from tutor.labs.kit.runner import LabRunner
from tutor.language import _
from tutor.plain import markdown, words
from tutor.plain.labs import sentences
from tutor.plain.labs.grammar import action_types, action_words
from tutor.plain.place import Command, Place

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence

    from tutor.course.lesson import Lab, Lesson
    from tutor.labs.kit.registry import AnyLab
    from tutor.plain.labs.grammar import ActionWord
    from tutor.plain.place import Services
    from tutor.vendors.catalogue import RemoteModel

PATIENCE = 5.0
"""The number of seconds to wait before printing that the model is still working."""


def _typed(note: str) -> str:
    """Return a note with the command `undo` instead of its key, and without other keys."""
    return words.without_keys(words.with_commands(note, {"u": "undo"}))


@dataclass
class _Request:
    """An action that waits until the learner has consented to sending its text."""

    action: Any
    left: deque[remote.Sending]
    refused: list[RemoteModel] = field(default_factory=list)

    def decide(self, model: RemoteModel, agreed: bool) -> None:
        if not agreed:
            self.refused.append(model)


class LabPlace(Place):
    """A lab, opened by its name or from a `lesson`.

    If a lesson embeds the lab, `embedded` has the task and the goals that the lesson sets.
    """

    def __init__(
        self,
        services: Services,
        lab: AnyLab,
        lesson: Lesson | None = None,
        embedded: Lab | None = None,
    ) -> None:
        super().__init__(services)
        self._lab, self._lesson, self._embedded = lab, lesson, embedded
        self._words = action_words(lab)
        self._adds = remote.Add in action_types(lab)
        self._request: _Request | None = None
        self._changed = asyncio.Event()
        self._reached = services.goals.kept(lab)
        self._runner = LabRunner(
            lab, services.engine, services.labs.open(lab), self._work, self._state_changed
        )
        self._said: sentences.Lines = {}

    @property
    def title(self) -> str:
        return _("Lab: {title}").format(title=words.ended(self._lab.title))

    # --- the runner --------------------------------------------------------------------------

    def _work(self, work: Callable[[], Coroutine[Any, Any, None]]) -> asyncio.Task[None]:
        return asyncio.create_task(work())

    def _state_changed(self) -> None:
        self.services.labs.keep(self._lab, self._runner.left)
        self._changed.set()

    async def _settle(self) -> None:
        """Wait until the model has responded."""
        engine = self.services.engine
        waiting = self._runner.busy and engine.state is not EngineState.READY
        if waiting and engine.state is not EngineState.STOPPED:
            self.say(_("The model is loading."))
        clock = asyncio.get_running_loop().time
        begun: float | None = clock()
        while self._runner.busy:
            self._changed.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait(), PATIENCE)
            if begun is not None and self._runner.busy and clock() - begun >= PATIENCE:
                self.say(_("The model is still working. Press Ctrl+C to stop it."))
                begun = None

    async def _act(self, change: Callable[[], None]) -> None:
        """Call `change`, wait for the model, and print the new lines of the lab's description.

        Reached goals are printed after these lines, which say how they were reached.
        """
        before = self._runner.state
        change()
        try:
            await self._settle()
        except asyncio.CancelledError:
            self._runner.stop()
            self._say_new(before)
            await self._say_goals()
            raise
        self._say_new(before)
        await self._say_goals()

    def _say_new(self, before: Any) -> None:
        """Print the note or the error, and the differences from the state `before`."""
        for note in (self._runner.note, self._runner.error):
            if note is not None:
                self.say(_typed(note) if isinstance(note, str) else words.error(note))
        runner = self._runner
        new = sentences.changed(self._lab, before, runner.state)
        if new:
            self.say(*new)
        elif runner.error is None and before == runner.state:
            self.say(_("Nothing has changed."))
        elif runner.error is None and runner.note is None:
            self.say(_("Done, but the lab's description has not changed."))

    def _lines(self) -> sentences.Lines:
        return sentences.describe(self._lab.name, self._runner.state)

    # --- goals -------------------------------------------------------------------------------

    async def _say_goals(self) -> None:
        now = self._lab.reached(self._runner.state)
        if not now - self._reached:
            return
        for goal in self._lab.goals:
            if goal.name in now - self._reached:
                self.say(_("Goal reached: {says}").format(says=words.goal(goal.says)))
        self._reached |= now
        said = await self.services.goals.live(self._lab, now, self._lesson)
        if said is not None:
            self.say(markdown.inline(said))

    def _say_task(self) -> None:
        own = " ".join(self._embedded.task.split()) if self._embedded is not None else ""
        # Tasks that name keys are only for the app. In this case, print the lab's own task.
        usable = own and words.without_keys(own) == own
        task = markdown.inline(words.without_keys(own if usable else self._lab.task))
        self.say(_("Task: {task}").format(task=task) if task else "")
        embedded = self._embedded.goals if self._embedded is not None else ()
        first = [each.name for each in embedded if isinstance(each, LiveGoal)]
        ordered = sorted(self._lab.goals, key=lambda goal: goal.name not in first)
        for number, goal in enumerate(ordered, 1):
            if 0 < number - 1 == len(first):
                self.say(OTHER_GOALS)
            done = _("Reached") if goal.name in self._reached else _("Open")
            said = _("{done} goal {number}: {says}")
            self.say(said.format(done=done, number=number, says=words.goal(goal.says)))

    # --- the place -----------------------------------------------------------------------------

    async def begin(self) -> None:
        self.say(self.title, words.ended(self._lab.about))
        self._say_task()
        self._runner.begin()
        try:
            await self._settle()
        finally:
            self._say_state()
            await self._say_goals()

    async def resume(self) -> Place | None:
        self.say(self.title)
        return await self._send() if self._request is not None else None

    def _say_state(self) -> None:
        if self._runner.error is not None:
            self.say(words.error(self._runner.error))
        for lines in self._lines().values():
            self.say(*lines)

    async def close(self) -> None:
        self.services.labs.save()
        self._runner.close()

    def commands(self) -> Sequence[Command]:
        found = [
            Command(each.word, each.help, partial(self._do, each), each.usage, raw=True)
            for each in self._words
        ]
        if self._adds and self.services.allowed.other_servers:
            said = _("Add a remote model, such as {example}.").format(example=remote.EXAMPLE)
            found.append(Command("add", said, self._add, "NAME ADDRESS"))
        found.append(
            Command("state", "Show the state of the lab, or one part.", self._state, "NAME")
        )
        found.append(Command("goals", "Show the task and the goals.", self._goals))
        found.append(Command("reset", "Reset the lab to its initial state.", self._reset))
        if self._runner.can_undo:
            said = _("Undo a reset, or the last removal.")
            found.append(Command("undo", said, self._undo))
        if self._runner.can_ask_again or self._runner.stopped:
            found.append(Command("retry", "Continue after a stop or a failure.", self._retry))
        return found

    async def _do(self, word: ActionWord, rest: str) -> Place | None:
        action = word.parse(rest)
        if self._lab.opens(action) and not self.services.allowed.opening_files:
            raise NotInThisLogin(
                "You cannot open files on this machine.",
                "If you need this file, ask the administrator.",
            )
        self._request = _Request(action, deque(self._lab.sends(self._runner.state, action)))
        return await self._send()

    async def _send(self) -> Place | None:
        """Carry out the current request once the learner has consented to sending its text.

        If the learner has not decided yet, this returns the place that asks for consent.
        """
        request = self._request
        assert request is not None
        while request.left:
            model, what = request.left.popleft()
            may_send = self.services.may_send(model)
            if may_send is None:
                return self.services.open.consent(model, what, partial(request.decide, model))
            request.decide(model, may_send)
        self._request, action = None, request.action
        if request.refused:
            self.say(_("Nothing is sent without your consent."))
            action = self._lab.declined(self._runner.state, action, request.refused)
        if action is not None:
            await self._act(lambda: self._runner.act(action))
        return None

    async def _add(self, rest: str) -> None:
        action = remote.named(rest)
        await self._act(lambda: self._runner.act(action))

    async def _state(self, rest: str) -> None:
        if not rest:
            self._say_state()
            return
        lines = self._lines()
        if rest.lower() in lines:
            self.say(*lines[rest.lower()])
        else:
            self.say(_("Type state and one of: {names}.").format(names=words.listed([*lines])))

    async def _goals(self, rest: str) -> None:
        self._say_task()

    async def _reset(self, rest: str) -> None:
        await self._act(self._runner.reset)

    async def _undo(self, rest: str) -> None:
        await self._act(self._runner.undo)

    async def _retry(self, rest: str) -> None:
        self._runner.error = None
        await self._act(self._runner.begin)
