"""A lab with an editor in which the model proposes how to complete the line.

The model is shown a limited number of lines, up to the cursor. It never sees the text after the
cursor, or other files. The proposal ends at the end of the line. The learner accepts all or part of
the proposal, or types something else.
"""

from __future__ import annotations

import re
from typing import Literal

import msgspec
from msgspec.structs import replace

from tutor.labs.ghost_text.code_check import Verdict, check, same_code
from tutor.labs.ghost_text.files import FILES
from tutor.labs.kit.actions import Adjust, Choose, Reset, cycled, moved
from tutor.labs.kit.lab import Goal, Lab
from tutor.labs.kit.work import Refused, work
from tutor.text import writable

LONGEST = 20_000
"""The maximum length of a file, in characters. The editor doesn't accept more."""
LONGEST_READ = 6_000
"""The maximum length of the text that the model is shown, in characters."""
SEES = (1, 2, 4, 8, 16, 32, 64)
"""The numbers of lines that the model can be shown. The line with the cursor is one of them."""
MOST = 32
"""The maximum number of tokens in a proposal. Most proposals end earlier, at the end of the
line."""
SHOWN = 5
"""The number of alternative first tokens that are listed."""

Part = Literal["line", "word", "token"]

_FIRST_WORD = re.compile(r"\s*\S*")


class Beginning(msgspec.Struct, frozen=True, array_like=True):
    """A candidate for the first token of a proposal.

    `data` contains the bytes that the token adds to the typed text. `probability` is the token's
    probability among all tokens that match the typed text.
    """

    id: int
    data: bytes
    probability: float


class Proposal(msgspec.Struct, frozen=True):
    """The tokens that the model proposes as the continuation of `context`.

    Attributes:
        instead: The requested first token, or None for the most probable one.
        ids: The token ids.
        pieces: The bytes of each token.
        typed: The number of these bytes that are already in the file.
        beginnings: The alternative first tokens.
        tokens: The number of tokens that the model processed.
        left_out: The number of tokens that were cut from the beginning of the context.
        done: True if the line has ended or the proposal has the maximum length.
        closed: True if the line has ended.
    """

    context: str
    instead: int | None = None
    ids: tuple[int, ...] = ()
    pieces: tuple[bytes, ...] = ()
    typed: int = 0
    beginnings: tuple[Beginning, ...] = ()
    tokens: int = 0
    left_out: int = 0
    done: bool = False
    closed: bool = False

    @property
    def text(self) -> str:
        """The text that the proposal adds to the line."""
        return self._text(len(self.pieces))

    def end_of_token(self, after: int) -> int:
        """Return the offset in `text` at which the token after the first `after` characters ends.

        If a token ends inside a character, the tokens that complete the character are included.
        """
        ends = (len(self._text(count)) for count in range(1, len(self.pieces) + 1))
        return next((end for end in ends if end > after), len(self.text))

    def _text(self, pieces: int) -> str:
        """Return the text of the first `pieces` tokens, without an incomplete last character."""
        added = b"".join(self.pieces[:pieces])[self.typed :].partition(b"\n")[0]
        return writable(added.decode("utf-8", "ignore"))


class EditFile(msgspec.Struct, frozen=True, tag_field="do", tag="type"):
    """Change the text of the file and the cursor position, given in characters."""

    text: str
    cursor: int


class Pause(msgspec.Struct, frozen=True, tag_field="do", tag="pause"):
    """Request a proposal, because the learner has stopped typing."""


class Accept(msgspec.Struct, frozen=True, tag_field="do", tag="accept"):
    """Accept the proposal, or its first word or token."""

    part: Part = "line"


class Dismiss(msgspec.Struct, frozen=True, tag_field="do", tag="dismiss"):
    """Hide the proposal."""


Action = (
    EditFile
    | Pause
    | Accept
    | Dismiss
    | Choose[Literal["beginning", "file"]]
    | Adjust[Literal["lines"]]
    | Reset
)
"""`Adjust` selects the next larger or smaller number of lines for the model, from `SEES`. `Reset`
restores the original text of the open file. All other files keep their changes."""


class Question(msgspec.Struct, frozen=True, tag=True):
    """A request to extend a proposal for one time slice. `ids` are the tokens generated so far."""

    context: str
    instead: int | None
    ids: tuple[int, ...]


class Answer(msgspec.Struct, frozen=True, tag=True):
    """The response to `Question`, with the extended proposal."""

    proposal: Proposal


class Accepted(msgspec.Struct, frozen=True):
    """The result of checking a line after a proposal was accepted to the end of the line.

    `right` is True if the line is one of the known correct versions.
    """

    verdict: Verdict
    right: bool


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """The limits of the lab.

    `pause` is the time without key presses after which a request is sent, in seconds.
    """

    pause: float = 0.15


LIMITS = Limits()


class State(msgspec.Struct, frozen=True, kw_only=True):
    """The state of the lab: the files and the current proposal.

    Attributes:
        file: The index of the open file.
        kept: The text and the cursor position of each file.
        sees: The index in `SEES` of the number of lines that the model is shown.
        resting: True if the learner has stopped typing.
        dismissed: True if the learner has dismissed the proposal.
        instead: The requested first token, or None for the most probable one.
        proposed: The texts that the model has proposed at this cursor position, by number of lines
            shown.
        accepted: The check of the last line that was completed by a proposal.
        taken_instead: True once a proposal with a requested first token has been accepted.
        was_right: True once an accepted line was correct.
        was_caught: True once the check found an error in an accepted line.

    Only the goals use the last three fields.
    """

    limits: Limits = LIMITS
    file: int = 0
    kept: tuple[tuple[str, int], ...]
    sees: int = 4
    resting: bool = True
    dismissed: bool = False
    instead: int | None = None
    proposal: Proposal | None = None
    proposed: dict[int, str] = {}
    accepted: Accepted | None = None
    taken_instead: bool = False
    was_right: bool = False
    was_caught: bool = False

    @property
    def text(self) -> str:
        return self.kept[self.file][0]

    @property
    def cursor(self) -> int:
        return self.kept[self.file][1]

    @property
    def name(self) -> str:
        return FILES[self.file].name

    @property
    def row(self) -> int:
        """The index of the line with the cursor, counted from 0."""
        return self.text.count("\n", 0, self.cursor)

    @property
    def seen(self) -> range:
        """The lines that the model is shown. The last of them is shown up to the cursor."""
        return range(max(0, self.row + 1 - SEES[self.sees]), self.row + 1)

    @property
    def context(self) -> str:
        """The text that the model is shown."""
        return self._lines_seen[-LONGEST_READ:]

    @property
    def is_cut(self) -> bool:
        """True if the beginning of the model's input is cut off because the input is too long."""
        left_out = self.current is not None and self.current.left_out > 0
        return left_out or len(self._lines_seen) > LONGEST_READ

    @property
    def _lines_seen(self) -> str:
        lines = self.text[: self.cursor].split("\n")
        return "\n".join(lines[self.seen.start :])

    @property
    def at_end_of_line(self) -> bool:
        return not self.text[self.cursor :].partition("\n")[0].strip()

    @property
    def current(self) -> Proposal | None:
        """The proposal, or None if it doesn't match the text of the file.

        If the learner has typed more text since the request, the proposal must begin with that
        text.
        """
        proposal = self.proposal
        if proposal is None or self.dismissed or not self.at_end_of_line:
            return None
        if proposal.instead != self.instead or not self.context.startswith(proposal.context):
            return None
        typed = self.context[len(proposal.context) :]
        if not proposal.text.startswith(typed):
            return None
        used_up = typed and typed == proposal.text and proposal.done and not proposal.closed
        return None if used_up else proposal

    @property
    def ghost(self) -> str:
        """The ghost text displayed after the cursor, or ""."""
        return self.part("line")

    def part(self, part: Part) -> str:
        """Return a part of the ghost text: the whole line, the first word, or the first token.

        Returns "" if there is no proposal.
        """
        proposal = self.current
        if proposal is None:
            return ""
        typed = len(self.context) - len(proposal.context)
        ghost = proposal.text[typed:]
        match part:
            case "line":
                return ghost
            case "word":
                found = _FIRST_WORD.match(ghost)
                return found[0] if found else ghost
            case "token":
                return ghost[: proposal.end_of_token(typed) - typed]


def start(limits: Limits = LIMITS) -> State:
    return State(limits=limits, kept=tuple((file.text, file.cursor) for file in FILES))


def act(state: State, action: Action) -> State:
    match action:
        case EditFile(text=text, cursor=cursor):
            text = text[:LONGEST]
            return _at(state, text, min(max(0, cursor), len(text)), resting=False)
        case Pause():
            return replace(state, resting=True)
        case Accept(part=part):
            return _accepted(state, state.part(part))
        case Dismiss():
            return replace(state, dismissed=True, instead=None)
        case Choose(by=by, what=what):
            if what == "beginning":
                return replace(_begun_otherwise(state, by), dismissed=False, resting=True)
            return _again(replace(state, file=(state.file + by) % len(FILES)))
        case Adjust(by=by):
            return replace(
                state, sees=_sees(state, by), instead=None, dismissed=False, resting=True
            )
        case Reset():
            given = FILES[state.file]
            return _again(_with(state, given.text, given.cursor))


def _files(kept: tuple[tuple[str, int], ...]) -> tuple[tuple[str, int], ...]:
    """Return the restored texts and cursor positions of all files.

    Raises `Refused` if they are invalid.
    """
    if len(kept) != len(FILES) or any(len(text) > LONGEST for text, _ in kept):
        raise Refused
    return tuple((writable(text), min(max(0, cursor), len(text))) for text, cursor in kept)


def _reset_file(state: State) -> State | None:
    reset = act(state, Reset())
    return None if reset.text == state.text else reset


def _sees(state: State, by: int) -> int:
    """Return the new number of lines that the model is shown, as an index into `SEES`.

    The model sees at most the lines up to the cursor. If the current setting is larger than the
    number of these lines, `by` is applied to the smallest setting that covers all of them.
    """
    all_there_is = next(
        (step for step, lines in enumerate(SEES) if lines > state.row), len(SEES) - 1
    )
    return moved(min(state.sees, all_there_is), by, len(SEES))


def _at(state: State, text: str, cursor: int, *, resting: bool) -> State:
    """Return the state after the learner edited the text or moved the cursor."""
    if (text, cursor) == (state.text, state.cursor):
        return state
    edited = _with(state, text, cursor)
    edited = replace(edited, resting=resting, dismissed=False, proposed={})
    if edited.current is not None:
        return edited  # The typed text matches the proposal.
    return replace(edited, instead=None)


def _with(state: State, text: str, cursor: int) -> State:
    kept = (*state.kept[: state.file], (text, cursor), *state.kept[state.file + 1 :])
    return replace(state, kept=kept)


def _again(state: State) -> State:
    return replace(
        state,
        proposal=None,
        proposed={},
        accepted=None,
        instead=None,
        dismissed=False,
        resting=True,
    )


def _begun_otherwise(state: State, by: int) -> State:
    """Select another first token.

    If the text has changed since the alternatives were listed, drop the proposal, so that a new one
    is requested.
    """
    proposal = state.proposal
    if proposal is None or proposal.context != state.context or not proposal.beginnings:
        return replace(state, proposal=None, instead=None)
    first, *others = (beginning.id for beginning in proposal.beginnings)
    now = first if state.instead is None else state.instead
    chosen = cycled((first, *others), now, by)
    return replace(state, instead=None if chosen == first else chosen)


def _accepted(state: State, part: str) -> State:
    proposal = state.current
    if proposal is None or not part:
        return state
    before, after = state.text[: state.cursor], state.text[state.cursor :]
    edited = _at(state, before + part + after, state.cursor + len(part), resting=True)
    taken_instead = state.taken_instead or state.instead is not None
    edited = replace(edited, taken_instead=taken_instead)
    whole = proposal.done and part == state.ghost
    return _judged(edited) if whole else edited


def _judged(state: State) -> State:
    """Check the line with the cursor, after a proposal was accepted to the end of the line."""
    line = state.text.split("\n")[state.row]
    verdict = check(state.text, state.row)
    right = any(same_code(line, known) for known in FILES[state.file].right)
    return replace(
        state,
        accepted=Accepted(verdict, right),
        was_right=state.was_right or right,
        was_caught=state.was_caught or verdict.caught,
    )


def question(state: State) -> Question | None:
    if not state.resting or state.dismissed or not state.at_end_of_line:
        return None
    if not state.context.strip():
        return None
    proposal = state.current
    if proposal is None:
        return Question(state.context, state.instead, ())
    return None if proposal.done else Question(proposal.context, proposal.instead, proposal.ids)


def receive(state: State, question: Question, answer: Answer) -> State:
    proposal = answer.proposal
    if question.ids and not proposal.beginnings and state.proposal is not None:
        # Only the first response for a proposal lists the alternatives.
        beginnings = state.proposal.beginnings
        proposal = replace(proposal, beginnings=beginnings)
    state = replace(state, proposal=proposal)
    if not proposal.done or proposal.instead is not None or proposal.context != state.context:
        return state
    proposed = state.proposed | {SEES[state.sees]: proposal.text}
    return replace(state, proposed=proposed)


LAB: Lab[State, Action, Question, Answer] = Lab(
    name="ghost-text",
    title="Ghost text",
    about="Write Python while the model proposes the rest of the line",
    order=220,
    lesson="landscape",
    task=(
        "Write Python while the model proposes the rest of each line. Accept what is "
        "right. If a proposal is wrong, look at what the model was shown."
    ),
    start=start,
    act=act,
    question=question,
    receive=receive,
    work=work(
        *("taken_instead", "was_right", "was_caught"),
        kept=_files,
        file=len(FILES),
        sees=len(SEES),
    ),
    reset_settings=_reset_file,
    goals=(
        Goal(
            "accepted-right",
            "Accept a proposed line that is marked “known to be correct”",
            lambda s: s.was_right,
        ),
        Goal(
            "took-another",
            "Choose another first token, and accept that proposal",
            lambda s: s.taken_instead,
        ),
        Goal(
            "more-of-the-file",
            "Give the model more or fewer lines so that its proposal changes",
            lambda s: len(set(s.proposed.values())) > 1,
        ),
        Goal(
            "caught",
            "Accept a line that doesn't parse or that uses an unknown name",
            lambda s: s.was_caught,
        ),
    ),
    solution=(
        Choose(1, "file"),  # Open average.py.
        Accept(),  # Accept `sum(values) / len(values)`.
        Reset(),
        Adjust(-3, "lines"),  # Hide the docstring from the model.
        Adjust(3, "lines"),
        Choose(1, "file"),  # Open words.py.
        Choose(1, "beginning"),  # Choose the proposal that begins with `len`.
        Accept(),
        Choose(1, "file"),  # Open shout.py, where the proposal is `string.upper`.
        Accept(),
    ),
)
