"""Test the line that shows what the program is waiting for."""

from __future__ import annotations

import io
from contextlib import redirect_stderr

import pytest

from tutor.cli.status_line import StatusLine, pulling
from tutor.models.report import Pulled, PullProgress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True

    def fileno(self) -> int:
        raise OSError("no real terminal: its width is not known")


def shown_on(terminal: Terminal) -> list[str]:
    """Return the successive contents of the line."""
    return [state.rstrip() for state in terminal.getvalue().split("\r")]


def test_a_line_rewrites_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    terminal = Terminal()
    line = StatusLine(terminal, always=False)
    line.show("reading the model")
    line.show("ready")
    line.clear()
    assert "\n" not in terminal.getvalue()
    assert shown_on(terminal) == ["", "reading the model", "ready", "", ""]
    states = terminal.getvalue().split("\r")
    assert len(states[2]) >= len("reading the model")  # blanks cover what was there


def test_the_line_never_wraps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    terminal = Terminal()
    StatusLine(terminal, always=False).show("x" * 200)
    assert max(map(len, shown_on(terminal))) < 80


@pytest.mark.parametrize("term", ["dumb", ""])
def test_new_lines_if_the_line_cannot_be_rewritten(
    monkeypatch: pytest.MonkeyPatch, term: str
) -> None:
    monkeypatch.setenv("TERM", term)
    terminal = Terminal()
    line = StatusLine(terminal, always=True)
    line.show("fetching", figures="1 of 2 MB")
    line.show("fetching", figures="2 of 2 MB")
    line.show("checking")
    line.clear()
    assert terminal.getvalue() == "fetching\nchecking\n"


def test_no_output_without_a_terminal() -> None:
    stream = io.StringIO()
    StatusLine(stream, always=False).show("reading the model")
    assert stream.getvalue() == ""


def test_untrusted_text_cannot_act_on_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    terminal = Terminal()
    StatusLine(terminal, always=False).show("fetching \x1b[2J")
    assert "\x1b" not in terminal.getvalue()


def test_the_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    terminal = Terminal()
    with redirect_stderr(terminal), pulling() as show:
        show(PullProgress("fetching", 46_435_520, 92_871_040))
        show(PullProgress("converting", detail="packing"))
        show(Pulled("/somewhere", fetched=True))
    assert shown_on(terminal)[1:3] == [
        "Downloading the model  [############............]  50 %  46 of 92 MB",
        "Preparing the model for this machine  packing",
    ]
