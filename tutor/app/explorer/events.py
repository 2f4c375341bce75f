"""The explorer's events: the learner's actions, and the results that come back."""

from __future__ import annotations

from enum import Enum
from typing import Literal

import msgspec

from tutor.app.explorer.document import Document, Mode
from tutor.app.explorer.effects import Answer, EngineInfo, Question, Request, Start
from tutor.errors import TutorError
from tutor.language import _
from tutor.learner.texts import TextInfo
from tutor.lm.distribution import Row, SamplerSettings, Token

Panel = Literal["search", "dials", "editor", "recent"]


class Signal(Enum):
    """An event that carries no data. The members up to and including `START` are commands."""

    STEP = "step"
    """Take the proposed token."""
    BACK = "back"
    """Undo the last token."""
    REDO = "redo"
    """Redo what was undone last."""
    FORK = "fork"
    """Start another branch at the focused token."""
    NEW_SEED = "seed"
    """Restart from the prompt with a new seed."""
    START = _("start")
    """Let the model continue by itself."""
    RUN = "run"
    """Let the model continue by itself, or stop it immediately."""
    PAUSE = "pause"
    """Stop a run immediately. The tokens taken so far are kept."""
    STOP_READING = "stop"
    """Stop processing a long text. The text is kept and can be processed later."""
    MARKS = "marks"
    """Show or hide the special tokens of a conversation."""
    FOLD = "fold"
    """Fold the distribution of a conversation away, or unfold it."""
    RETRY = "retry"
    """Restart the engine."""
    SAVE = "save"
    """Save the document."""


# --- commands: carried out in the order of the keys ----------------------------------------------


class TakeRow(msgspec.Struct, frozen=True):
    """Take the token of the visible row at `index`, counted from 0."""

    index: int


class TakeFound(msgspec.Struct, frozen=True):
    """Take a token that a search found in the current distribution."""

    row: Row


class MoveCursor(msgspec.Struct, frozen=True):
    """Move to another row. Moving above the first row selects the model's draw again."""

    by: int


class MoveFocus(msgspec.Struct, frozen=True):
    """Move the focus to an earlier or later token."""

    by: int


class MoveToken(msgspec.Struct, frozen=True):
    """Move the focus to an earlier or later token, past tokens that the conversation hides."""

    by: int


class SetSampler(msgspec.Struct, frozen=True):
    """Change the sampler settings. A run continues with the new settings."""

    sampler: SamplerSettings


class SwitchBranch(msgspec.Struct, frozen=True):
    """Go to the end of another branch."""

    number: int


class SwitchVersion(msgspec.Struct, frozen=True):
    """Go to an earlier or later version of the message in focus, which is on another branch."""

    by: int


class RemoveBranch(msgspec.Struct, frozen=True):
    """Remove a branch."""

    number: int


class ChangeMode(msgspec.Struct, frozen=True):
    """Switch to the text or to the conversation."""

    mode: Mode


class UseText(msgspec.Struct, frozen=True):
    """Start from this prompt, or send this message.

    With `instead`, the message replaces the last message, on a new branch.
    """

    text: str
    instead: bool = False


NeedsAnswer = TakeRow | TakeFound | MoveCursor
"""Commands that, like `Signal.STEP`, need the model's response at the position where they apply."""
TreeCommand = (
    Literal[Signal.STEP, Signal.BACK, Signal.REDO, Signal.FORK, Signal.NEW_SEED, Signal.START]
    | NeedsAnswer
    | MoveFocus
    | MoveToken
    | SwitchBranch
    | SwitchVersion
    | RemoveBranch
)
"""Commands that have no effect while there are no tokens."""
Command = TreeCommand | SetSampler | ChangeMode | UseText


# --- other events of the learner -----------------------------------------------------------------


class ShowPanel(msgspec.Struct, frozen=True):
    """Open a panel instead of the current one, or close the current one if `panel` is None."""

    panel: Panel | None


class LeaveEditor(msgspec.Struct, frozen=True):
    """Close the editor, and keep its text as a draft for the next visit."""

    text: str


class Scroll(msgspec.Struct, frozen=True):
    """Scroll the conversation to the line `top`, or follow the focus again if it is None."""

    top: int | None


class ChooseSuggestion(msgspec.Struct, frozen=True):
    """Select another of the first messages that an empty chat suggests."""

    by: int


class EditLast(msgspec.Struct, frozen=True):
    """Edit the last message in the editor, or write a new one if `on` is False."""

    on: bool


class SearchTokens(msgspec.Struct, frozen=True):
    """Search for up to `limit` tokens that contain `query`."""

    query: str
    limit: int


class OpenText(msgspec.Struct, frozen=True):
    """Open another saved text, or a new text if `info` is None."""

    info: TextInfo | None


class ToggleStar(msgspec.Struct, frozen=True):
    """Add or remove the star of a saved text."""

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


class RequestFailed(msgspec.Struct, frozen=True):
    """The engine could not carry out a request."""

    request: Request
    error: TutorError


class Reading(msgspec.Struct, frozen=True):
    """The model has processed `done` of the `total` tokens in the current text."""

    done: int
    total: int


class TokensFound(msgspec.Struct, frozen=True):
    """A search has found these rows. `said` is a sentence about them, or empty."""

    query: str
    rows: tuple[Row, ...]
    said: str


class TextsListed(msgspec.Struct, frozen=True):
    """The saved texts have been listed, most recently changed first."""

    texts: tuple[TextInfo, ...]
    open_id: str


class TextOpened(msgspec.Struct, frozen=True):
    """Another document has been opened, or could not be read if `document` is None.

    `fresh` means that the document is new.
    """

    document: Document | None
    fresh: bool


Result = Answered | TokensArrived | RequestFailed
ChatEvent = Scroll | ChooseSuggestion | EditLast
PanelEvent = ShowPanel | LeaveEditor | SearchTokens | TokensFound
TextEvent = OpenText | ToggleStar | TextsListed | TextOpened
Event = (
    Command | Signal | Reading | PanelEvent | ChatEvent | TextEvent | Result | Say | EngineChanged
)
