"""The explorer's effects: its requests to the engine, one at a time, and other work to do.

The controller carries them out and reports the results as events.
"""

from __future__ import annotations

from enum import Enum

import msgspec

from tutor.app.explorer.document import Document, Mode
from tutor.course.goals import Evidence
from tutor.engine.api import EngineState
from tutor.errors import TutorError
from tutor.learner.texts import TextInfo
from tutor.lm.distribution import Distribution, ModelCard, Row, SamplerSettings, Token


class Question(msgspec.Struct, frozen=True):
    """Asks for the distribution after the first `position` tokens.

    If the token at `position` is known, `actual` is its id, and its row is asked for, too.
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
    """The model's answer to a `Question`."""

    distribution: Distribution
    actual: Row | None = None
    surprisals: tuple[float | None, ...] = ()


class Start(msgspec.Struct, frozen=True):
    """Asks for the tokens of a prompt, or of a conversation that begins with this message.

    With the `path` of a conversation, asks for the tokens that the message adds to it.
    """

    text: str
    chat: bool = False
    path: tuple[Token, ...] = ()


Request = Question | Start


class EngineInfo(msgspec.Struct, frozen=True):
    """The state that the engine reports."""

    state: EngineState = EngineState.STARTING
    detail: str = ""
    failure: TutorError | None = None
    model: ModelCard | None = None


class Do(Enum):
    """An effect without a parameter."""

    CANCEL_REQUEST = "cancel request"
    """Cancel the request that the engine is working on."""
    RESTART_ENGINE = "restart engine"
    """Start the engine again."""
    LIST_TEXTS = "list texts"
    """List the saved texts of this lab or of the free stepper."""


class FindTokens(msgspec.Struct, frozen=True):
    """Look up tokens in the distribution that `question` asked for."""

    question: Question
    query: str
    limit: int


class SaveText(msgspec.Struct, frozen=True):
    """Save the document for the next visit."""

    document: Document


class SwitchText(msgspec.Struct, frozen=True):
    """Open another saved text, or start a new one in this mode if None."""

    info: TextInfo | None
    mode: Mode


class StarText(msgspec.Struct, frozen=True):
    """Star a text, or remove its star."""

    info: TextInfo


Effect = Request | Do | FindTokens | SaveText | SwitchText | StarText | Evidence
"""A request is sent to the engine, replacing the one before. Evidence is reported for the goals of
a lab."""
