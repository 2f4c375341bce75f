"""Render chat templates in a separate process, which can be stopped at any moment.

The limits of `chat_template` take effect between operations of a template. A single operation
that never ends, such as a comparison of deeply nested lists, can be stopped only by killing the
process that runs it. This module starts a process for the first template, and starts a new process
when the previous one has been killed. The calling process is never blocked for long, and neither
are its other threads.

The template of the default model is known to be harmless, and is rendered in the calling process.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import math
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any

from tutor.environment import without_secrets
from tutor.errors import ModelUnsupported
from tutor.lm import chat_template

if sys.platform != "win32":
    import resource

COMMAND = (sys.executable, "-P", "-m", "tutor.lm.template_process")
GRACE = 2.0
"""The additional time, in seconds, in which the process can report that a template timed out.

If it does not reply in time, it is killed.
"""
_START = 60.0
"""The maximum time, in seconds, for the process to start on a very busy machine."""
_HARMLESS = {"872be49dbb638044ad01b60388f48d469ff2980e5f0dccdc22ec907db54d0788"}
"""The SHA-256 checksums of templates that we have reviewed: only the default model's template."""


def render(
    source: str,
    messages: Sequence[Mapping[str, str]],
    *,
    begin: str,
    end: str,
    generate: bool,
) -> str:
    """Render a conversation as `chat_template.render` does, with limits that no template can evade.

    Raises `ModelUnsupported` for any error in the template.
    """
    if sha256(source.encode("utf-8", "replace")).hexdigest() in _HARMLESS:
        return chat_template.render(source, messages, begin=begin, end=end, generate=generate)
    arguments = {
        **{"source": source, "messages": [dict(message) for message in messages]},
        **{"begin": begin, "end": end, "generate": generate},
        "seconds": chat_template.TIME_LIMIT,
    }
    return _renderer.render(arguments)


class _Renderer:
    """A process that renders one template at a time. It is started when it is first needed."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()

    def render(self, arguments: dict[str, Any]) -> str:
        """Return the rendered text. Raises `ModelUnsupported`."""
        with self._lock:
            process = self._started()
            line = _line(process, arguments["seconds"] + GRACE, json.dumps(arguments))
            if not line:
                self._process = None
                raise _ended(process, arguments["seconds"])
        reply = json.loads(line)
        if "text" in reply:
            return str(reply["text"])
        raise ModelUnsupported(reply["happened"], reply["next_step"])

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._process.poll() is not None:
            try:
                process = subprocess.Popen(
                    COMMAND,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.DEVNULL,
                    env=without_secrets(),
                    start_new_session=True,  # Ctrl+C must not end this process
                )
            except OSError as error:
                raise chat_template.unrendered(f"no process could be started ({error})") from error
            if not _line(process, _START):
                raise _ended(process, _START)
            self._process = process
        return self._process

    def close(self) -> None:
        """End the process. It also ends by itself when its input is closed."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()


def _line(process: subprocess.Popen[bytes], seconds: float, question: str = "") -> bytes:
    """Send a question to the process, and return the next line of its output.

    Kill the process if the line has not arrived after `seconds`. Return b"" if the process has
    exited.
    """
    assert process.stdin is not None
    assert process.stdout is not None
    limit = threading.Timer(seconds, process.kill)
    limit.daemon = True
    limit.start()
    try:
        with contextlib.suppress(BrokenPipeError):
            if question:
                process.stdin.write(question.encode() + b"\n")
                process.stdin.flush()
        return process.stdout.readline()
    finally:
        limit.cancel()


def _ended(process: subprocess.Popen[bytes], seconds: float) -> ModelUnsupported:
    """Return the error for a process that exited or was killed before it replied."""
    killed = process.wait() in (-9, 1)  # TerminateProcess on Windows sets the status 1
    if process.stdin is not None and process.stdout is not None:
        with contextlib.suppress(OSError):  # part of the question may be in the buffer
            process.stdin.close()
        process.stdout.close()
    return chat_template.unrendered(
        f"rendering took longer than {seconds:g} seconds" if killed else "rendering has crashed"
    )


_renderer = _Renderer()
atexit.register(_renderer.close)


# --- in the other process -------------------------------------------------------------------------


def main() -> None:
    """Render the conversations that arrive on standard input, until it is closed."""
    _reply({})
    for line in sys.stdin.buffer:
        arguments = json.loads(line)
        _limit_cpu(arguments["seconds"] + GRACE)
        try:
            _reply({"text": chat_template.render(**arguments)})
        except ModelUnsupported as error:
            _reply({"happened": error.happened, "next_step": error.next_step})


def _reply(reply: dict[str, str]) -> None:
    sys.stdout.buffer.write(json.dumps(reply).encode() + b"\n")
    sys.stdout.buffer.flush()


def _limit_cpu(seconds: float) -> None:
    """Limit this process to about `seconds` of CPU time from now on.

    The system enforces the limit even after the parent process has exited.
    """
    if sys.platform != "win32":
        used = resource.getrusage(resource.RUSAGE_SELF)
        _, hard = resource.getrlimit(resource.RLIMIT_CPU)
        soft = math.ceil(used.ru_utime + used.ru_stime + seconds) + 1
        if hard == resource.RLIM_INFINITY or soft < hard:
            resource.setrlimit(resource.RLIMIT_CPU, (soft, hard))


if __name__ == "__main__":
    main()
