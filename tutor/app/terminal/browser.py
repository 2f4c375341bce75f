"""Connect the app to a terminal in a web browser, through the server of `tutor serve`.

The server starts the app with `--browser`. The app writes its output to standard output, in the
packets of Textual's driver for the web, and reads keys and sizes from standard input.
"""

from __future__ import annotations

import os
from codecs import getincrementaldecoder
from contextlib import suppress
from typing import IO, cast

from textual import events, messages
from textual.drivers._byte_stream import ByteStream
from textual.drivers._writer_thread import WriterThread
from textual.drivers.web_driver import WebDriver

from tutor.app.terminal.input import KeyParser


class Packets:
    """A stream that writes text to a pipe, in the packets of Textual's driver for the web."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def write(self, text: str) -> None:
        """Write text, unless the server has ended."""
        encoded = text.encode("utf-8", "replace")
        packet = memoryview(b"D%s%s" % (len(encoded).to_bytes(4, "big"), encoded))
        with suppress(BrokenPipeError):
            while packet:
                packet = packet[os.write(self._descriptor, packet) :]

    def flush(self) -> None:
        """Do nothing, because nothing is buffered."""


class BrowserDriver(WebDriver):
    """Textual's driver for the web, restricted to keys, pastes and sizes.

    It ends the app when the server ends. Textual's own driver would let it run forever. A thread
    writes the output, as in Textual's driver for terminals, so that a slow browser does not stop
    the app.
    """

    def start_application_mode(self) -> None:
        """Start, with the keyboard focus, and without mouse support, as in other terminals."""
        self._writer = WriterThread(cast("IO[str]", Packets(self.fileno)))
        self._writer.start()
        super().start_application_mode()
        self.write("\x1b[?1003l")
        self._app.call_later(self._app.post_message, events.AppFocus())

    def write(self, data: str) -> None:
        self._writer.write(data)

    def stop_application_mode(self) -> None:
        """Stop reading. The output ends when the process does."""
        self.exit_event.set()
        self._input_reader.close()

    def close(self) -> None:
        """Write the rest of the output."""
        self._writer.stop()

    def _enable_mouse_support(self) -> None:
        """Leave the mouse to the browser, which selects text with it."""

    def run_input_thread(self) -> None:
        """Read keys and sizes until the server closes the connection, and then exit the app."""
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
