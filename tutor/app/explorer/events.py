"""The explorer's events: the learner's actions, and the results of effects."""

from __future__ import annotations

from enum import Enum
from typing import Literal

import msgspec

from tutor.app.explorer.document import Document, Mode
from tutor.app.explorer.effects import (
    Answer,
    EngineInfo,
    Question,
    Rebuild,
    Request,
    Retokenize,
    Start,
)
from tutor.app.explorer.share.request import Share
from tutor.errors import TutorError
from tutor.learner.texts import TextInfo
from tutor.lm.distribution import Row, SamplerSettings, Token
from tutor.lm.saved_steering import Applied, SavedVector

Panel = Literal["search", "dials", "editor", "recent"]


class Signal(Enum):
    """An event without parameters. The members up to and including `START` are commands."""

    STEP = "step"
    """Append the suggested token to the text."""
    BACK = "back"
    """Undo the last token."""
    REDO = "redo"
    """Redo the most recently undone change."""
    FORK = "fork"
    """Start another branch at the token in focus."""
    NEW_SEED = "seed"
    """Restart from the prompt with a new seed."""
    START = "start"
    """Start a run, in which the model adds one token after another."""
    RUN = "run"
    """Start a run, or immediately stop the run that is in progress."""
    PAUSE = "pause"
    """Stop the run immediately. The tokens that it has added are kept."""
    TAKE_BACK = "take back"
    """Put a message back into the editor that the model has not received yet."""
    INSPECT = "inspect"
    """Stop the run to inspect its text, instead of writing the next message."""
    STOP_READING = "stop"
    """Stop processing a long text. The text is kept, and can be processed later."""
    MARKS = "marks"
    """Show or hide the special tokens of a conversation."""
    FOLD = "fold"
    """Show or hide the distribution of a conversation."""
    RETRY = "retry"
    """Restart the engine."""
    SAVE = "save"
    """Save the document."""


# --- commands: carried out in the order in which the keys were pressed ---------------------------


class TakeRow(msgspec.Struct, frozen=True):
    """Take the token of a row in the table. `index` counts from 0."""

    index: int


class TakeFound(msgspec.Struct, frozen=True):
    """Take a token that a search has found in the current distribution."""

    row: Row


class MoveCursor(msgspec.Struct, frozen=True):
    """Select another row, counted from the row that is marked."""

    by: int


class MoveFocus(msgspec.Struct, frozen=True):
    """Move the focus by `by` tokens."""

    by: int


class MoveToken(msgspec.Struct, frozen=True):
    """Move the focus by `by` tokens, skipping tokens that are hidden in a conversation."""

    by: int


class SetSampler(msgspec.Struct, frozen=True):
    """Change the sampler settings. A run in progress continues with the new settings."""

    sampler: SamplerSettings


class SetSteering(msgspec.Struct, frozen=True):
    """Steer the network, or stop steering it. A run in progress continues with the new setting."""

    applied: Applied | None


class SwitchBranch(msgspec.Struct, frozen=True):
    """Go to the end of another branch."""

    number: int


class SwitchVersion(msgspec.Struct, frozen=True):
    """Go to the next or previous version of the message in focus.

    Each version has its own branch.
    """

    by: int


class RemoveBranch(msgspec.Struct, frozen=True):
    """Remove a branch."""

    number: int


class ChangeMode(msgspec.Struct, frozen=True):
    """Switch between the text and the conversation."""

    mode: Mode


class UseText(msgspec.Struct, frozen=True):
    """Start from this prompt, or send this message.

    If `instead` is true, the message replaces the last message. This starts a new branch. `kept`
    are the other texts in the field that the learner has changed. None means that there was no
    field. `place` is the earlier text of which this is the learner's version, or "" for a new text.
    """

    text: str
    instead: bool = False
    kept: dict[str, str] | None = None
    place: str = ""


NeedsAnswer = TakeRow | TakeFound | MoveCursor
"""Commands that, like `Signal.STEP`, have to wait for the model's response at their position."""
TreeCommand = (
    Literal[Signal.STEP, Signal.BACK, Signal.REDO, Signal.FORK, Signal.NEW_SEED, Signal.START]
    | NeedsAnswer
    | MoveFocus
    | MoveToken
    | SwitchBranch
    | SwitchVersion
    | RemoveBranch
)
"""Commands that have no effect if there are no tokens."""
Command = TreeCommand | SetSampler | SetSteering | ChangeMode | UseText


# --- other events that the learner causes --------------------------------------------------------


class ShowPanel(msgspec.Struct, frozen=True):
    """Open a panel and close the current one. If `panel` is None, only close the current one."""

    panel: Panel | None


class LeaveEditor(msgspec.Struct, frozen=True):
    """Close the editor. Its text is kept as a draft, and so are all `changes` to earlier texts.

    `place` is the earlier text of which the draft is a version, or "" for a new text.
    """

    text: str
    changes: dict[str, str] = {}
    place: str = ""


class Writing(msgspec.Struct, frozen=True):
    """Note what leaving the editor now would keep, so that the next save includes it."""

    editor: LeaveEditor


class Scroll(msgspec.Struct, frozen=True):
    """Scroll the conversation to the line `top`. If `top` is None, follow the focus again."""

    top: int | None


class ChooseSuggestion(msgspec.Struct, frozen=True):
    """Select another suggestion in an empty chat."""

    by: int


class EditLast(msgspec.Struct, frozen=True):
    """Edit the last message if `on` is true. Otherwise, write a new message."""

    on: bool


class SearchTokens(msgspec.Struct, frozen=True):
    """Search for tokens whose text contains `query`, and show at most `limit` of them."""

    query: str
    limit: int


class OpenText(msgspec.Struct, frozen=True):
    """Open another saved text. If `info` is None, start a new text."""

    info: TextInfo | None


class ToggleStar(msgspec.Struct, frozen=True):
    """Add a star to a saved text, or remove its star."""

    info: TextInfo


class Say(msgspec.Struct, frozen=True):
    """Show a message until the learner's next action."""

    note: TutorError | str | None


# --- results -------------------------------------------------------------------------------------


class EngineChanged(msgspec.Struct, frozen=True):
    """The engine's state or model has changed."""

    engine: EngineInfo


class Answered(msgspec.Struct, frozen=True):
    """The model has responded to a question."""

    request: Question
    answer: Answer


class TokensArrived(msgspec.Struct, frozen=True):
    """The tokens of a prompt or message have arrived."""

    request: Start
    tokens: tuple[Token, ...]


class Rebuilt(msgspec.Struct, frozen=True):
    """The tokens of each branch of a text or conversation have arrived, for the current model."""

    request: Rebuild | Retokenize
    branches: tuple[tuple[Token, ...], ...]


class RequestFailed(msgspec.Struct, frozen=True):
    """The engine could not carry out a request."""

    request: Request
    error: TutorError


class Reading(msgspec.Struct, frozen=True):
    """The model has processed `done` of the `total` tokens in the current text."""

    done: int
    total: int


class TokensFound(msgspec.Struct, frozen=True):
    """A search has found these rows. `said` is a sentence about the result, or empty."""

    query: str
    rows: tuple[Row, ...]
    said: str


class VectorsListed(msgspec.Struct, frozen=True):
    """The saved steering vectors have been listed, sorted by name."""

    vectors: tuple[SavedVector, ...]


class TextsListed(msgspec.Struct, frozen=True):
    """The saved texts have been listed, most recently used first."""

    texts: tuple[TextInfo, ...]
    open_id: str


class TextOpened(msgspec.Struct, frozen=True):
    """The attempt to open another document has ended.

    `document` is None if the document could not be read. `fresh` is true if the document is new.
    """

    document: Document | None
    fresh: bool


Result = Answered | TokensArrived | Rebuilt | RequestFailed
ChatEvent = Scroll | ChooseSuggestion | EditLast
PanelEvent = ShowPanel | LeaveEditor | Writing | SearchTokens | TokensFound
TextEvent = OpenText | ToggleStar | TextsListed | TextOpened | Share
Event = (
    Command
    | Signal
    | VectorsListed
    | Reading
    | PanelEvent
    | ChatEvent
    | TextEvent
    | Result
    | Say
    | EngineChanged
)
