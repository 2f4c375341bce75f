"""The explorer's effects: requests to the engine, and other work such as saving a text.

The controller carries out the effects and reports their results as events. There is at most one
request to the engine at a time.
"""

from __future__ import annotations

from enum import Enum

import msgspec

from tutor.app.explorer.document import Document, Mode
from tutor.app.explorer.share.request import Share
from tutor.course.goals import Evidence
from tutor.engine.api import EngineKind, EngineState
from tutor.errors import TutorError
from tutor.learner.texts import TextInfo
from tutor.lm.distribution import (
    ChatMessage,
    Distribution,
    ModelCard,
    Row,
    SamplerSettings,
    Token,
)
from tutor.lm.saved_steering import Applied
from tutor.lm.token_tree import TokenTree


class Question(msgspec.Struct, frozen=True):
    """A request for the distribution at `position`, given the tokens before it.

    If the text already has a token at `position`, `actual` is its id, and the response contains the
    row of this token. `surprisals_from` is the first position whose surprisal is still unknown, or
    None if all are known. `steering` is the vector that steers the network, or None.
    """

    tokens: tuple[Token, ...]
    position: int
    sampler: SamplerSettings
    seed: int
    top: int
    actual: int | None
    surprisals_from: int | None
    steering: Applied | None = None


class Answer(msgspec.Struct, frozen=True):
    """The model's response to a `Question`."""

    distribution: Distribution
    actual: Row | None = None
    surprisals: tuple[float | None, ...] = ()

    @property
    def offered(self) -> Row:
        """The token that already follows in the text or, at its end, the model's draw."""
        return self.actual or self.distribution.drawn


class Start(msgspec.Struct, frozen=True):
    """A request to tokenize a prompt, or the first message of a conversation.

    If `path` is given, it contains the tokens of a conversation, `text` is the next message of that
    conversation, and the response contains only the tokens that the message adds.
    """

    text: str
    chat: bool = False
    path: tuple[Token, ...] = ()


class Rebuild(msgspec.Struct, frozen=True):
    """A request to tokenize the messages of each branch of a conversation for another model."""

    branches: tuple[tuple[ChatMessage, ...], ...]


class Retokenize(msgspec.Struct, frozen=True):
    """A request to tokenize each branch of a text for another model."""

    branches: tuple[str, ...]


Request = Question | Start | Rebuild | Retokenize


class EngineInfo(msgspec.Struct, frozen=True):
    """The state that the engine reports.

    `alternative` is the kind of engine that the learner can switch to.
    """

    state: EngineState = EngineState.STARTING
    detail: str = ""
    failure: TutorError | None = None
    model: ModelCard | None = None
    served: bool = False
    alternative: EngineKind | None = None


class PlainEffect(Enum):
    """An effect without parameters."""

    CANCEL_REQUEST = "cancel request"
    """Cancel the current request to the engine."""
    RESTART_ENGINE = "restart engine"
    """Restart the engine."""
    LIST_VECTORS = "list vectors"
    """List the saved steering vectors."""
    PART_TEXT = "part text"
    """Save the document from now on as a new text. The text that was open stays as it was saved."""
    LIST_TEXTS = "list texts"
    """List the saved texts of the current lab or, if no lab is open, of the stepper."""


class FindTokens(msgspec.Struct, frozen=True):
    """Search for tokens whose text contains `query`, in the distribution for `question`."""

    question: Question
    query: str
    limit: int


class SaveText(msgspec.Struct, frozen=True):
    """Save the document, so that it can be opened later."""

    document: Document


class SwitchText(msgspec.Struct, frozen=True):
    """Open another saved text. If `info` is None, start a new text in this mode."""

    info: TextInfo | None
    mode: Mode


class StarText(msgspec.Struct, frozen=True):
    """Add a star to a saved text, or remove its star."""

    info: TextInfo


class ShareText(msgspec.Struct, frozen=True):
    """Save a text as a file for other people.

    `asked` contains the name and the format of the file. `tokens` is the part of the text that fits
    into the context window. A distribution is computed after each of these tokens. With a remote
    model, the file contains only the distribution in `known`.
    """

    asked: Share
    tree: TokenTree
    model: ModelCard
    mode: Mode
    sampler: SamplerSettings
    tokens: tuple[Token, ...]
    steering: Applied | None
    known: Distribution | None


Effect = (
    Request | PlainEffect | FindTokens | SaveText | SwitchText | StarText | ShareText | Evidence
)
"""An effect that the controller carries out.

A request replaces the previous request to the engine. Evidence is used to check the goals of a lab.
"""
