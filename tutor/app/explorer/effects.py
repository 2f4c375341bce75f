"""The explorer's effects, which the controller carries out and reports back on."""

from __future__ import annotations

import msgspec

from tutor.app.explorer.document import Document, Mode
from tutor.app.explorer.requests import Question, Request
from tutor.course.goals import Evidence
from tutor.learner.texts import TextInfo


class CancelRequest(msgspec.Struct, frozen=True):
    """Cancel the request that the engine is working on."""


class FindTokens(msgspec.Struct, frozen=True):
    """Look up tokens in the distribution that `question` asked for."""

    question: Question
    query: str
    limit: int


class RestartEngine(msgspec.Struct, frozen=True):
    """Start the engine again."""


class SaveText(msgspec.Struct, frozen=True):
    """Save the document for the next visit."""

    document: Document


class ListTexts(msgspec.Struct, frozen=True):
    """List the saved texts of this lab or of the free stepper."""


class SwitchText(msgspec.Struct, frozen=True):
    """Open another saved text, or start a new one in this mode if None."""

    info: TextInfo | None
    mode: Mode


class StarText(msgspec.Struct, frozen=True):
    """Star a text, or take its star away."""

    info: TextInfo


Effect = (
    Request
    | CancelRequest
    | FindTokens
    | RestartEngine
    | SaveText
    | ListTexts
    | SwitchText
    | StarText
    | Evidence
)
"""A request is sent to the engine, replacing the one before; evidence is reported for the goal of a
lab."""
