"""Lines of the workbench of prompts about a model elsewhere: which one is asked, how many requests
that takes, and what went wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from tutor.app.theme import MUTED, NOT_YET
from tutor.app.widgets import figures
from tutor.labs.kit.columns import ROOMY, wrapped
from tutor.labs.kit.progress_line import progress_line
from tutor.labs.prompting.remote import plan
from tutor.text import counted, safe

if TYPE_CHECKING:
    from tutor.labs.prompting.lab import State
    from tutor.labs.prompting.remote import Plan
    from tutor.vendors.catalogue import RemoteModel


def who(server: RemoteModel, width: int) -> Content:
    """The model that is asked in place of the one here."""
    said = f"model: {safe(server.name)}, at {safe(server.host)}"
    return Content.styled(figures.fit(said, width), MUTED)


def progress(state: State, width: int) -> list[Content]:
    """How far the scoring is, and what it takes to go on: before anything is sent."""
    if state.running:
        return [progress_line(state.progress, width, "answered")]
    if state.complete:
        return [Content.styled("Both are scored.", MUTED)]
    found = plan(state.trials, state.results)
    if state.trouble is not None:
        what = state.trouble.error if width >= ROOMY else f"{state.trouble.title}."
        said = f"× {what} Enter goes on with the {found.requests} that are left."
        return _wrapped(said, NOT_YET, width)
    free = state.server is not None and state.server.here
    return _wrapped(_says(found, free=free), MUTED, width)


def _says(found: Plan, *, free: bool) -> str:
    requests = counted(found.requests, "request")
    if free:
        return f"Enter sends {requests} to it."
    if found.about is None or found.most is None:
        return f"Enter sends {requests}; tutor knows no price of this model."
    return (
        f"Enter sends {requests}: about {_dollars(found.about)}, at most {_dollars(found.most)} "
        f"(prices of {found.as_of})."
    )


def _dollars(value: float) -> str:
    """With two digits that count."""
    return f"${value:.2f}" if value >= 0.1 else f"${value:.2g}"


def _wrapped(said: str, style: str, width: int) -> list[Content]:
    return wrapped(Content.styled(safe(said), style), width)
