"""The base class that lets the app draw over a slow connection."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from typing import TYPE_CHECKING, Protocol, TextIO, runtime_checkable

from textual._compositor import CompositorUpdate
from textual._context import active_message_pump
from textual.css.query import NoMatches
from textual.dom import NoScreen
from textual.events import InputEvent, MouseEvent, Resize
from textual.widget import MountError
from textual.worker import WorkerFailed, active_worker

from tutor.app import theme
from tutor.app.delay import PunctualApp
from tutor.app.leaving import is_leaving
from tutor.app.line_breaks import keep_units_with_numbers
from tutor.app.stylesheet import ParsedOnce
from tutor.app.terminal import background_color
from tutor.app.terminal.line import DIRECT, Line
from tutor.app.terminal.throttled_terminal import ThrottledTerminal

if TYPE_CHECKING:
    from rich.console import RenderableType
    from textual.await_remove import AwaitRemove
    from textual.dom import DOMNode
    from textual.driver import Driver
    from textual.events import Event
    from textual.screen import Screen
    from textual.widget import Widget

    from tutor.app.terminal.external_editor import Editing
    from tutor.app.terminal.screen_diff import Changes
    from tutor.settings.schema import ThemeName


EDITOR_PATIENCE = 2.0
"""The maximum time, in seconds, that the learner's editor may take to exit before the app does."""
_READ_LATE = 8.0
"""The time, in seconds, by which the time of the last read from a terminal can be too early.

Linux updates it only every 8 seconds, so that it does not reveal how fast someone types.
"""

_OF_REMOVED = (NoMatches, MountError, NoScreen)
"""The errors that a handler can raise if its widgets are removed while it runs."""


@runtime_checkable
class Receiver(Protocol):
    """A widget that receives results from outside, such as responses from the engine."""

    def stop_receiving(self) -> None:
        """Stop receiving results. Called before the widget or any of its children are removed."""


class RemoteTerminal(PunctualApp):
    """An app that limits how much it sends if its connection to the terminal is slow."""

    runs_programs = False
    """Whether the learner may run other programs, such as an editor."""
    saves_files = False
    """Whether the learner may save files outside tutor's own folders."""
    _away = False
    """Whether another program is using the terminal."""
    _back_at: float | None = None
    """The time at which the learner's editor exited, on a monotonic clock, or None."""
    editing: Editing | None = None
    """The text that the learner is editing, or has edited most recently, in their own editor."""
    line: Line = DIRECT
    wanted_theme: ThemeName = "auto"
    light_background = False
    """Whether the terminal is known to have a light background."""
    throttled: ThrottledTerminal | None = None
    """The painter for a slow connection, or None for a fast one."""

    def __init__(self) -> None:
        super().__init__()
        keep_units_with_numbers()
        self.stylesheet = ParsedOnce(variables=self.get_css_variables())

    def get_driver_class(self) -> type[Driver]:
        driver = super().get_driver_class()
        if sys.platform != "win32":
            from textual.drivers.linux_driver import LinuxDriver

            from tutor.app.terminal.driver import TerminalDriver

            return TerminalDriver if driver is LinuxDriver else driver
        return driver

    def restore_terminal(self, *, after_program: bool = False) -> None:
        """Restore the terminal of an app that hangs, just before its process ends.

        Call this in another thread than the app's own. If `after_program` is true, restore a
        terminal that another program has used.
        """
        if sys.platform != "win32":
            from tutor.app.terminal.driver import TerminalDriver

            if isinstance(self._driver, TerminalDriver):
                self._driver.restore_terminal(after_program=after_program)

    def draw_over(self, line: Line, output: TextIO | None = sys.__stderr__) -> None:
        """Set the type of connection to the terminal. Call this before the app runs.

        The driver writes to `output`, which is standard error for a terminal.
        """
        self.line = line
        if line.pacing is not None and output is not None:
            self.throttled = ThrottledTerminal(
                line.pacing, output.fileno(), self.console, held=self._in_a_batch, send=self._send
            )
        self.choose_theme()

    def choose_theme(self) -> None:
        """Choose the colors that the learner wants, as far as the terminal and connection allow."""
        for each in theme.THEMES:
            self.register_theme(each)
        system = self.console.color_system if self.line.colorful else None
        self.theme = theme.theme_for(
            system, self.no_color, self.wanted_theme, light=self.light_background
        )

    def ask_background(self) -> None:
        """Ask the terminal for its background color. Its reply arrives as a `BackgroundReported`.

        On a slow connection, the terminal is not asked, because a change of colors repaints the
        whole screen.
        """
        asks = self.line.colorful and not self.is_headless and background_color.may_answer()
        if asks and self.wanted_theme in ("auto", "terminal") and self._driver is not None:
            self._driver.write(background_color.QUESTION)
            self._driver.flush()

    async def edited_outside(self, text: str, longest: int) -> str:
        """Let the learner edit a text in their own editor, and return the edited text.

        The app continues to run in the meantime, but draws nothing. Raises `EditorError` if the
        editor fails or the edited text is longer than `longest` characters.
        """
        from tutor.app.terminal import external_editor

        editing = external_editor.Editing(external_editor.command(), longest)
        self.editing = editing
        failure: external_editor.EditorError | None = None
        with external_editor.keys_do_not_interrupt(), self.suspend():
            self._away = True
            try:
                text = await asyncio.to_thread(editing.edited, text)
            except external_editor.EditorError as error:
                # Raising the error here would keep Textual from taking the terminal back.
                failure = error
            except asyncio.CancelledError:
                editing.end(signal.SIGTERM, EDITOR_PATIENCE)
                raise
            finally:
                self._away, self._back_at = False, time.monotonic()
                self.restore_terminal(after_program=True)
        if self.throttled is not None:
            self.throttled.asked(repaint=True)
        if failure is not None:
            raise failure
        return text

    def keys_read_in_editor(self) -> float | None:
        """Return the time, in seconds, since the learner's editor read a key or exited.

        The result is None if the learner has not used an editor. Any thread may call this.
        """
        if self._away and sys.__stdin__ is not None:
            read_at = os.fstat(sys.__stdin__.fileno()).st_atime
            return max(0.0, time.time() - read_at - _READ_LATE)
        return None if self._back_at is None else time.monotonic() - self._back_at

    def end_editor(self, number: int) -> None:
        """End the learner's editor with the signal `number`, if it is running.

        This waits for the editor, but at most `EDITOR_PATIENCE` seconds. Any thread may call this.
        """
        if self.editing is not None:
            self.editing.end(number, EDITOR_PATIENCE)

    @property
    def crash(self) -> BaseException | None:
        """The exception that has ended the app because of a bug, or None."""
        error = self._exception
        # Textual's own error for a failed worker has no traceback.
        return error.error if isinstance(error, WorkerFailed) else error

    def _prune(self, *nodes: Widget, parent: DOMNode | None = None) -> AwaitRemove:
        """Remove widgets, after stopping everything that could send them results.

        Textual removes the children of a widget before it cancels the widget's workers. A result
        that arrived in between would be shown in children that no longer exist.
        """
        for node in nodes:
            for leaving in node.walk_children(with_self=True):
                self.workers.cancel_node(leaving)
                if isinstance(leaving, Receiver) and not leaving._pruning:
                    leaving.stop_receiving()
        return super()._prune(*nodes, parent=parent)

    async def _replace_screen(self, screen: Screen[object]) -> Screen[object]:
        """Remove a screen that has left the stack, but not before its widgets have been created.

        Textual creates no widgets for a screen that is already being removed, but still calls the
        screen's handlers, which use the widgets.
        """
        if screen._task is not None:
            await screen._mounted_event.wait()
        return await super()._replace_screen(screen)

    def _handle_exception(self, error: Exception) -> None:
        """Handle an exception.

        Errors about a widget that is missing or cannot be added are ignored while the widget that
        handles the event, or that started the worker, is being removed, and while the app exits.
        """
        cause: BaseException = error
        owner = active_message_pump.get(self)
        if isinstance(error, WorkerFailed):
            # In a worker, the active pump is always the app.
            cause, owner = error.error, active_worker.get().node
        leaving = self._exit or is_leaving(owner)
        if not (leaving and isinstance(cause, _OF_REMOVED)):
            super()._handle_exception(error)

    def _fatal_error(self) -> None:
        """Exit without printing Textual's report, which contains the values of all variables.

        `tutor.app.terminal.crash` prints a report instead.
        """
        self._close_messages_no_wait()

    def action_redraw(self) -> None:
        """Redraw the whole screen, because another program may have written to the terminal."""
        if self.throttled is not None:
            self.throttled.asked(repaint=True)
        self.refresh(layout=True)

    async def on_event(self, event: Event) -> None:
        if isinstance(event, MouseEvent) and not self.size.contains(int(event.x), int(event.y)):
            return  # a click outside the screen would remove the focus
        if self.throttled is not None and isinstance(event, InputEvent | Resize):
            self.throttled.asked(repaint=isinstance(event, Resize))
        await super().on_event(event)

    def _display(self, screen: Screen[object], renderable: RenderableType | None) -> None:
        """Draw an update. Textual calls this method for all output to the terminal."""
        if self._away:
            return
        if (
            self.throttled is None
            or not isinstance(renderable, CompositorUpdate)
            or self._in_a_batch()
        ):
            super()._display(screen, renderable)
        else:
            self.throttled.show(renderable, self.size)

    def _in_a_batch(self) -> bool:
        """Return True during a batch of changes, when Textual discards updates."""
        return self._batch_count > 0

    def _send(self, changes: Changes) -> None:
        if not self._away:
            super()._display(self.screen, changes)
