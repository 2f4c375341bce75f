"""The explorer's events: what the learner does, and the results that come back."""

from __future__ import annotations

from enum import Enum
from typing import Literal

import msgspec

from tutor.app.explorer.document import Document, Mode
from tutor.app.explorer.effects import Answer, EngineInfo, Question, Request, Start
from tutor.errors import TutorError
from tutor.learner.texts import TextInfo
from tutor.lm.distribution import Row, SamplerSettings, Token

Panel = Literal["search", "dials", "editor", "recent"]


class Do(Enum):
    """Events that carry no data.

    Those up to and including `START` are commands.
    """

    STEP = "step"
    """Take the token that is proposed."""
    BACK = "back"
    """Undo the last token."""
    FORK = "fork"
    """Start another branch from the token in focus."""
    NEW_SEED = "seed"
    """Start again from the prompt with a new seed."""
    START = "start"
    """Let the model continue by itself."""
    RUN = "run"
    """Let the model continue by itself, or stop it at once."""
    PAUSE = "pause"
    """Stop a run at once; the tokens that it has taken stay."""
    STOP_READING = "stop"
    """Stop processing a long text. The text stays, and can be processed later."""
    MARKS = "marks"
    """Show or hide the special tokens of a conversation."""
    RETRY = "retry"
    """Start the engine again."""
    SAVE = "save"
    """Save the document."""


# --- commands: carried out in the order of the keys ----------------------------------------------


class TakeRow(msgspec.Struct, frozen=True):
    """Take the row at `index` (from 0) of those on screen."""

    index: int


class TakeFound(msgspec.Struct, frozen=True):
    """Take a token that a search found in the current distribution."""

    row: Row


class MoveCursor(msgspec.Struct, frozen=True):
    """Move to another row; above the first row, Enter takes the draw again."""

    by: int


class MoveFocus(msgspec.Struct, frozen=True):
    """Look at an earlier or a later token."""

    by: int


class SetSampler(msgspec.Struct, frozen=True):
    """Change the sampler settings; a run continues with the new ones."""

    sampler: SamplerSettings


class SwitchBranch(msgspec.Struct, frozen=True):
    """Go to the end of another branch."""

    number: int


class RemoveBranch(msgspec.Struct, frozen=True):
    """Remove a branch."""

    number: int


class ChangeMode(msgspec.Struct, frozen=True):
    """Switch to the text or to the conversation."""

    mode: Mode


class UseText(msgspec.Struct, frozen=True):
    """Start from this prompt, or send this message."""

    text: str


NeedsAnswer = TakeRow | TakeFound | MoveCursor
"""Commands that, like `Do.STEP`, wait for the model's answer at the position where they apply."""
TreeCommand = (
    Literal[Do.STEP, Do.BACK, Do.FORK, Do.NEW_SEED, Do.START]
    | NeedsAnswer
    | MoveFocus
    | SwitchBranch
    | RemoveBranch
)
"""Commands that do nothing until there are tokens."""
Command = TreeCommand | SetSampler | ChangeMode | UseText


# --- other events of the learner -----------------------------------------------------------------


class ShowPanel(msgspec.Struct, frozen=True):
    """Open a panel, replacing the one that is open, or close it if None."""

    panel: Panel | None


class LeaveEditor(msgspec.Struct, frozen=True):
    """Close the editor, and keep its text as a draft for the next time."""

    text: str


class SearchTokens(msgspec.Struct, frozen=True):
    """Look up at most `limit` tokens that contain `query`."""

    query: str
    limit: int


class OpenText(msgspec.Struct, frozen=True):
    """Open another saved text, or a new one if None."""

    info: TextInfo | None


class ToggleStar(msgspec.Struct, frozen=True):
    """Star a saved text, or remove its star."""

    info: TextInfo


class Say(msgspec.Struct, frozen=True):
    """Show a message until something else happens."""

    note: TutorError | str | None


# --- results -------------------------------------------------------------------------------------


class EngineChanged(msgspec.Struct, frozen=True):
    """The engine is in another state, or has another model."""

    engine: EngineInfo


class Answered(msgspec.Struct, frozen=True):
    """The model has answered a question."""

    request: Question
    answer: Answer


class TokensArrived(msgspec.Struct, frozen=True):
    """The tokens of a prompt or a message have arrived."""

    request: Start
    tokens: tuple[Token, ...]


class RequestFailed(msgspec.Struct, frozen=True):
    """The engine could not do what it was asked."""

    request: Request
    error: TutorError


class Reading(msgspec.Struct, frozen=True):
    """The model has processed `done` of `total` tokens of the current text."""

    done: int
    total: int


class TokensFound(msgspec.Struct, frozen=True):
    """A search has found these rows; `said` is a sentence about them, or empty."""

    query: str
    rows: tuple[Row, ...]
    said: str


class TextsListed(msgspec.Struct, frozen=True):
    """The saved texts have been listed, the most recently changed first."""

    texts: tuple[TextInfo, ...]
    open_id: str


class TextOpened(msgspec.Struct, frozen=True):
    """Another document has been opened, or could not be read if None.

    `fresh` means that it is a new one.
    """

    document: Document | None
    fresh: bool


Result = Answered | TokensArrived | RequestFailed
PanelEvent = ShowPanel | LeaveEditor | SearchTokens | TokensFound
TextEvent = OpenText | ToggleStar | TextsListed | TextOpened
Event = Command | Do | Reading | PanelEvent | TextEvent | Result | Say | EngineChanged
