"""Run the app in a terminal in a web browser, through the server of `tutor serve`.

The server starts the app with `--browser`. The app writes its output to standard output, in the
packet format of Textual's web driver, and reads keys and window sizes from standard input.
"""

from __future__ import annotations

import os
from codecs import getincrementaldecoder
from contextlib import suppress
from typing import IO, cast

from textual import events, messages
from textual.color import Color
from textual.drivers._byte_stream import ByteStream
from textual.drivers._writer_thread import WriterThread
from textual.drivers.web_driver import WebDriver

from tutor.app.terminal.input import KeyParser


class Packets:
    """A stream that writes text to a pipe, in the packet format of Textual's web driver."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def write(self, text: str) -> None:
        """Write text, unless the server has exited."""
        encoded = text.encode("utf-8", "replace")
        packet = memoryview(b"D%s%s" % (len(encoded).to_bytes(4, "big"), encoded))
        with suppress(BrokenPipeError):
            while packet:
                packet = packet[os.write(self._descriptor, packet) :]

    def flush(self) -> None:
        """Do nothing, because nothing is buffered."""


class BrowserDriver(WebDriver):
    """Textual's web driver, restricted to keys, pastes and window sizes.

    When the server exits, this driver exits the app. With Textual's own driver, the app would run
    forever. A thread writes the output, as in Textual's driver for terminals, so that the app never
    waits for a slow browser.
    """

    def start_application_mode(self) -> None:
        """Start the driver.

        The app receives the keyboard focus, and mouse reports are switched off.
        """
        self._writer = WriterThread(cast("IO[str]", Packets(self.fileno)))
        self._writer.start()
        super().start_application_mode()
        self.write("\x1b[?1003l")
        self._app.watch(self._app, "theme", self._color_margin)
        self._app.call_later(self._app.post_message, events.AppFocus())

    def _color_margin(self) -> None:
        """Give the margin of the page, which is narrower than a cell, the theme's background.

        A theme with the terminal's own colors resets the background.
        """
        background = Color.parse(self._app.current_theme.background or "ansi_default")
        color = f"11;{background.hex6}" if background.ansi is None else "111"
        self.write(f"\x1b]{color}\x1b\\")

    def write(self, data: str) -> None:
        self._writer.write(data)

    def stop_application_mode(self) -> None:
        """Stop reading input. Output is still written until the process exits."""
        self.exit_event.set()
        self._input_reader.close()

    def close(self) -> None:
        """Write the rest of the output."""
        self._writer.stop()

    def _enable_mouse_support(self) -> None:
        """Do nothing: the browser uses the mouse to select text."""

    def run_input_thread(self) -> None:
        """Read keys and window sizes until the server closes the connection. Then exit the app."""
        parser = KeyParser()
        decode = getincrementaldecoder("utf-8")(errors="replace").decode
        stream = ByteStream()
        for data in self._input_reader:
            for kind, payload in stream.feed(data) if data else ():
                if kind == "D":
                    for event in parser.feed(decode(payload)):
                        self.process_message(event)
                else:
                    self._on_meta(kind, payload)
            for event in parser.tick():
                self.process_message(event)
        if not self.exit_event.is_set():
            self._app.post_message(messages.ExitApp())
