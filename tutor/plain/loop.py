"""The main loop of plain mode: print a prompt, read a line, run its command, and repeat."""

from __future__ import annotations

import asyncio
import difflib
import signal
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tutor.errors import RequestCancelled, TutorError
from tutor.language import _
from tutor.plain import words
from tutor.plain.place import Command, Leave, Place, Replace

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterator, Sequence
    from typing import Any

    from tutor.plain.place import Services
    from tutor.plain.typed_lines import TypedLines

    Moved = Place | Leave | Replace | None

BACK, QUIT, HELP = "back", "quit", "help"
_UNIVERSAL = (BACK, HELP, QUIT)


class Loop:
    """A loop that runs plain mode, with the open places as a stack and the current place on top.

    If the learner types nothing for `idle` seconds, plain mode ends.
    """

    def __init__(
        self, services: Services, home: Place, lines: TypedLines, idle: float | None = None
    ) -> None:
        self._services = services
        self._voice = services.voice
        self._lines = lines
        self._idle = idle
        self._places = [home]
        self._running: asyncio.Task[Moved] | None = None
        self._over = self._leaving = False

    async def run(self, first: Sequence[Place] = ()) -> None:
        """Run until the learner quits or the input ends.

        The places in `first` are opened at the start, on top of the course map.
        """
        with self._interrupts():
            if not first:
                await self._guard(self._begin())
            for place in first:
                await self._go(place)
            while not self._over:
                await self._turn()
        for place in reversed(self._places):
            await place.close()

    @property
    def _here(self) -> Place:
        return self._places[-1]

    async def _turn(self) -> None:
        self._prompt()
        self._leaving = False
        try:
            line = await self._lines.next(self._idle)
        except TimeoutError:
            self._voice.say(_("You have not typed anything for a long time, so tutor is quitting."))
            line = None
        if line is None:
            self._over = True
        else:
            await self._go(await self._guard(self._do(line)))

    # --- prompts -----------------------------------------------------------------------------

    def _prompt(self) -> None:
        """Print what the learner can type. Commands named in earlier prompts are left out."""
        notices, self._services.notices[:] = tuple(self._services.notices), []
        self._voice.say(*notices)
        here, enter = self._here, self._here.on_enter()
        names = dict.fromkeys(each.word for each in here.commands() if each is not enter)
        names |= dict.fromkeys(_UNIVERSAL if len(self._places) > 1 else _UNIVERSAL[1:])
        new = [name for name in names if name not in here.named]
        here.named |= names.keys()
        told = _(enter.help).rstrip(".") if enter else ""
        said = told[:1].lower() + told[1:]
        known = len(new) < len(names)
        self._voice.reply(_prompt(here.asks(), said, words.listed(new), known=known))

    # --- commands ----------------------------------------------------------------------------

    async def _do(self, line: str) -> Moved:
        here = self._here
        word, __, raw = line.lstrip().partition(" ")
        line, rest = line.strip(), raw.strip()
        if not line:
            return await self._enter()
        if line.casefold() == QUIT:
            self._over = True
            return None
        if line.casefold() == BACK:
            return Leave.BACK
        if line.casefold() == HELP:
            self._help()
            return None
        found = self._find(word.casefold(), rest)
        if found is not None:
            return await found.run(raw if found.raw else rest)
        if here.takes_text:
            return await here.typed(line)
        known = [*(each.word for each in here.commands()), *_UNIVERSAL]
        near = difflib.get_close_matches(word.casefold(), known, n=1)
        meant = (
            _(" Did you mean {near}?").format(near=near[0])
            if near
            else _(" Type help to list all commands.")
        )
        self._voice.reply(
            _("There is no command {word} here.{meant}").format(word=word, meant=meant)
        )
        return None

    def _find(self, word: str, rest: str) -> Command | None:
        """Return the command that the first word of a line names, or None.

        If the learner can also type an answer or a message, a command without an argument must be
        the whole line.
        """
        for each in (*self._here.commands(), self._here.on_enter()):
            if each is None or each.word != word:
                continue
            if not rest or each.argument or not self._here.takes_text:
                return each
        return None

    async def _enter(self) -> Moved:
        enter = self._here.on_enter()
        if enter is not None:
            return await enter.run("")
        self._voice.reply(_("Nothing was typed. Type help to list all commands."))
        return None

    def _help(self) -> None:
        enter = self._here.on_enter()
        if enter is not None:
            self._voice.say(_("Enter: {help}").format(help=words.ended(_(enter.help))))
        for each in self._here.commands():
            self._voice.say(f"{each.usage}: {words.ended(_(each.help))}")
        if self._here.takes_text:
            self._voice.say(_("Anything else that you type is taken as your answer or message."))
        if len(self._places) > 1:
            self._voice.say(_("back: Return to where you came from. Nothing is lost."))
        self._voice.say(_("quit: Quit tutor. Everything that you did is saved."))

    # --- moving between places ---------------------------------------------------------------

    async def _go(self, move: Moved) -> None:
        """Move between places: open one, replace the current one, or go back.

        If the new place opens another one immediately, move there too.
        """
        match move:
            case None:
                return
            case Place():
                self._places.append(move)
                await self._guard(self._begin())
            case Replace(place):
                await self._places.pop().close()
                self._places.append(place)
                await self._guard(self._begin())
            case Leave.BACK if len(self._places) == 1:
                self._voice.reply(_("You cannot go back any further. Type quit to leave tutor."))
            case Leave.BACK:
                await self._places.pop().close()
                await self._go(await self._guard(self._here.resume()))
            case Leave.HOME:
                while len(self._places) > 1:
                    await self._places.pop().close()
                await self._go(await self._guard(self._here.resume()))

    async def _begin(self) -> Moved:
        await self._here.begin()
        return None

    async def _guard(self, work: Coroutine[Any, Any, Moved]) -> Moved:
        """Run a coroutine that Ctrl+C can cancel. If it raises an error, print the error."""
        self._running = asyncio.create_task(work)
        try:
            return await self._running
        except (asyncio.CancelledError, RequestCancelled):
            self._voice.say(_("Stopped."))
        except TutorError as error:
            self._voice.say(words.error(error))
        finally:
            self._running = None
        return None

    # --- Ctrl+C ------------------------------------------------------------------------------

    def _interrupted(self) -> None:
        """Handle Ctrl+C: cancel the running command, or quit if it is pressed twice at a prompt."""
        self._voice.break_line()  # the terminal has printed ^C on the current line
        if self._running is not None:
            self._running.cancel()
        elif self._leaving:
            self._lines.end()
        else:
            self._leaving = True
            self._voice.say(_("Press Ctrl+C again to quit, or continue typing."))

    @contextmanager
    def _interrupts(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        if sys.platform == "win32":
            yield
            return
        loop.add_signal_handler(signal.SIGINT, self._interrupted)
        try:
            yield
        finally:
            loop.remove_signal_handler(signal.SIGINT)


def _prompt(asks: str, enter: str, names: str, *, known: bool) -> str:
    """Return a prompt: the request for input, what Enter does, and the names of commands.

    `known` is true if there are other commands, whose names were in an earlier prompt.
    """
    if enter and names:
        said = _("Press Enter to {enter}, or type {names}.").format(enter=enter, names=names)
    elif enter:
        said = _("Press Enter to {enter}.").format(enter=enter)
    elif names and asks:
        said = _("Or type {names}.").format(names=names)
    elif names and known:
        said = _("Type a command, or help. You can now also type {names}.").format(names=names)
    elif names:
        said = _("Type {names}.").format(names=names)
    else:
        said = "" if asks else _("Type a command, or help.")
    return f"{asks} {said}".strip()
