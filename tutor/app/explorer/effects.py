"""The explorer's effects: requests to the engine, one at a time, and other work.

The controller carries out the effects and reports their results as events.
"""

from __future__ import annotations

from enum import Enum

import msgspec

from tutor.app.explorer.document import Document, Mode
from tutor.course.goals import Evidence
from tutor.engine.api import EngineKind, EngineState
from tutor.errors import TutorError
from tutor.language import _
from tutor.learner.texts import TextInfo
from tutor.lm.distribution import Distribution, ModelCard, Row, SamplerSettings, Token


class Question(msgspec.Struct, frozen=True):
    """A request for the distribution after the first `position` tokens.

    If the token at `position` is known, `actual` is its id, and the request includes its row.
    `surprisals_from` is the first position whose surprisal is missing.
    """

    tokens: tuple[Token, ...]
    position: int
    sampler: SamplerSettings
    seed: int
    top: int
    actual: int | None
    surprisals_from: int | None


class Answer(msgspec.Struct, frozen=True):
    """The model's response to a `Question`."""

    distribution: Distribution
    actual: Row | None = None
    surprisals: tuple[float | None, ...] = ()


class Start(msgspec.Struct, frozen=True):
    """A request for the tokens of a prompt, or of a conversation that begins with this message.

    With the `path` of a conversation, it requests the tokens that the message adds to that path.
    """

    text: str
    chat: bool = False
    path: tuple[Token, ...] = ()


Request = Question | Start


class EngineInfo(msgspec.Struct, frozen=True):
    """The state of the engine, as the engine reports it.

    `alternative` is the kind of engine that the learner can switch to.
    """

    state: EngineState = EngineState.STARTING
    detail: str = ""
    failure: TutorError | None = None
    model: ModelCard | None = None
    served: bool = False
    alternative: EngineKind | None = None


class PlainEffect(Enum):
    """An effect that has no parameters."""

    CANCEL_REQUEST = _("cancel request")
    """Cancel the current request to the engine."""
    RESTART_ENGINE = _("restart engine")
    """Restart the engine."""
    LIST_TEXTS = _("list texts")
    """List the saved texts of this lab, or of the stepper outside labs."""


class FindTokens(msgspec.Struct, frozen=True):
    """Search for tokens in the distribution that `question` requests."""

    question: Question
    query: str
    limit: int


class SaveText(msgspec.Struct, frozen=True):
    """Save the document for the next visit."""

    document: Document


class SwitchText(msgspec.Struct, frozen=True):
    """Open another saved text, or start a new one in this mode if `info` is None."""

    info: TextInfo | None
    mode: Mode


class StarText(msgspec.Struct, frozen=True):
    """Add or remove the star of a text."""

    info: TextInfo


Effect = Request | PlainEffect | FindTokens | SaveText | SwitchText | StarText | Evidence
"""An effect to carry out.

A request is sent to the engine and replaces the previous request. Evidence is reported for the
goals of a lab.
"""
