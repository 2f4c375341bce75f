"""The explorer's requests to the engine, one at a time, and what it knows about the engine."""

from __future__ import annotations

import msgspec

from tutor.engine.api import EngineState
from tutor.errors import TutorError
from tutor.lm.distribution import Distribution, ModelCard, Row, SamplerSettings, Token


class Question(msgspec.Struct, frozen=True):
    """Asks for the distribution after the first `position` of `tokens`, for the row of the token at
    that position (`stands`), and for the surprisals that are missing."""

    tokens: tuple[Token, ...]
    position: int
    sampler: SamplerSettings
    seed: int
    top: int
    stands: int | None
    surprisals_from: int | None


class Answer(msgspec.Struct, frozen=True):
    """The model's answer to a `Question`."""

    distribution: Distribution
    stands: Row | None = None
    surprisals: tuple[float | None, ...] = ()


class Start(msgspec.Struct, frozen=True):
    """Asks for the tokens of a prompt, or of a conversation that begins with this message of the
    user. With the `path` of a conversation, asks for the tokens that the message adds to it."""

    text: str
    chat: bool = False
    path: tuple[Token, ...] = ()


Request = Question | Start


class EngineInfo(msgspec.Struct, frozen=True):
    """What the engine reports of itself."""

    state: EngineState = EngineState.STARTING
    detail: str = ""
    failure: TutorError | None = None
    model: ModelCard | None = None
