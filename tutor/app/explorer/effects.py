"""Everything that the explorer has done for it; the controller does it and reports back."""

from __future__ import annotations

import msgspec

from tutor.app.explorer.document import Document, Mode
from tutor.app.explorer.requests import Question, Request
from tutor.course.goals import Evidence
from tutor.learner.texts import TextInfo


class AskEngine(msgspec.Struct, frozen=True):
    """Put this request to the engine, in place of the one before."""

    request: Request


class CancelRequest(msgspec.Struct, frozen=True):
    """Give up the request that is with the engine."""


class FindTokens(msgspec.Struct, frozen=True):
    """Look up tokens in the distribution that `question` asked for."""

    question: Question
    query: str
    limit: int


class RestartEngine(msgspec.Struct, frozen=True):
    """Start the engine again."""


class SaveText(msgspec.Struct, frozen=True):
    """Keep the document for the next time."""

    document: Document


class ListTexts(msgspec.Struct, frozen=True):
    """List the texts that are kept at this place."""


class SwitchText(msgspec.Struct, frozen=True):
    """Open another text that is kept; None: begin one in this mode."""

    info: TextInfo | None
    mode: Mode


class StarText(msgspec.Struct, frozen=True):
    """Star a text, or take its star away."""

    info: TextInfo


class ReportEvidence(msgspec.Struct, frozen=True):
    """Report what the goal of a lab could be reached by."""

    evidence: Evidence


Effect = (
    AskEngine
    | CancelRequest
    | FindTokens
    | RestartEngine
    | SaveText
    | ListTexts
    | SwitchText
    | StarText
    | ReportEvidence
)
