"""Gray text: an editor in which the model proposes the rest of the line.

What an editor sends to the model is the text before the cursor, as far up as its budget reaches.
What stands below, and what is in other files, is not in it. The model goes on until the line ends;
what it proposes is taken, in part or as a whole, or typed over.
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
from tutor.text import writable

LONGEST = 20_000
"""Characters of a file; what is more is not taken in."""
LONGEST_READ = 6_000
"""Characters that the model is shown at most."""
SEES = (1, 2, 4, 8, 16, 32, 64)
"""How many lines the model may be shown: that of the cursor, and those above it."""
MOST = 32
"""Tokens of a proposal, which ends with its line."""
SHOWN = 5
"""Ways to begin that are shown beside each other."""

Part = Literal["line", "word", "token"]

_FIRST_WORD = re.compile(r"\s*\S*")


class Beginning(msgspec.Struct, frozen=True, array_like=True):
    """A token that a proposal can begin with: what it adds to what is typed, and its probability
    among all that go on with that."""

    id: int
    data: bytes
    probability: float


class Proposal(msgspec.Struct, frozen=True):
    """What the model would write after `context`. `ids` and `pieces` are its tokens and their
    bytes, the first `typed` bytes of which stand in the file already. `tokens` is how many it
    read, `left_out` how many more did not fit. `instead` is the beginning that was asked for, None
    for the likeliest. `done` when nothing is added any more: the line is `closed`, or as long as
    it may be."""

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
        """What it adds to the line."""
        return self._text(len(self.pieces))

    def end_of_token(self, after: int) -> int:
        """How many of its characters there are up to the end of the token that stands `after` so
        many of them. A token that ends within a character counts with those that complete it."""
        ends = (len(self._text(count)) for count in range(1, len(self.pieces) + 1))
        return next((end for end in ends if end > after), len(self.text))

    def _text(self, pieces: int) -> str:
        """Of the first so many tokens; a character that is not whole yet is left out."""
        added = b"".join(self.pieces[:pieces])[self.typed :].partition(b"\n")[0]
        return writable(added.decode("utf-8", "ignore"))


class EditFile(msgspec.Struct, frozen=True, tag_field="do", tag="type"):
    """Take over the file and where the cursor is in it, after a key; `cursor` counts characters."""

    text: str
    cursor: int


class Pause(msgspec.Struct, frozen=True, tag_field="do", tag="pause"):
    """Ask the model: no key has come for a moment."""


class Accept(msgspec.Struct, frozen=True, tag_field="do", tag="accept"):
    """Take what is proposed, or its first word or token."""

    part: Part = "line"


class Dismiss(msgspec.Struct, frozen=True, tag_field="do", tag="dismiss"):
    """Do not show what is proposed."""


Action = (
    EditFile
    | Pause
    | Accept
    | Dismiss
    | Choose[Literal["beginning", "file"]]
    | Adjust[Literal["lines"]]
    | Reset
)
"""The lines are how much of the file the model is shown, in steps of `SEES`. Only the file that is
open is reset; the others stay as they were left."""


class Question(msgspec.Struct, frozen=True, tag=True):
    """Go on with this text for a moment: `ids` is how far it is."""

    context: str
    instead: int | None
    ids: tuple[int, ...]


class Answer(msgspec.Struct, frozen=True, tag=True):
    proposal: Proposal


class Accepted(msgspec.Struct, frozen=True):
    """A line that was taken to its end, and what can be said of it without running it. `right`
    where it is a line that is known to be."""

    verdict: Verdict
    right: bool


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """`pause` is how many seconds without a key it takes until the model is asked."""

    pause: float = 0.15


LIMITS = Limits()


class State(msgspec.Struct, frozen=True, kw_only=True):
    """`kept` has text and cursor of each file. `proposed` is what was proposed here by how many
    lines were shown. `instead` is the token to begin with, None for the likeliest. `resting` when
    no key has come for a moment. `taken_instead`, `was_right` and `was_caught` tell of what was
    accepted so far."""

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
        """The line of the cursor, from 0."""
        return self.text.count("\n", 0, self.cursor)

    @property
    def seen(self) -> range:
        """The lines that the model is shown; the last of them as far as the cursor."""
        return range(max(0, self.row + 1 - SEES[self.sees]), self.row + 1)

    @property
    def context(self) -> str:
        """What the model reads."""
        return self._lines_seen[-LONGEST_READ:]

    @property
    def is_cut(self) -> bool:
        """Whether not even the lines that are shown fit as a whole."""
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
        """The proposal, where it is one for what stands in the file now: what was typed since
        must be what it begins with."""
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
        """What is proposed after the cursor; empty where nothing is."""
        return self.part("line")

    def part(self, part: Part) -> str:
        """So much of the ghost text."""
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


def _sees(state: State, by: int) -> int:
    """So many steps further, from the smallest that shows all there is: what is beyond it shows
    nothing more."""
    all_there_is = next(
        (step for step, lines in enumerate(SEES) if lines > state.row), len(SEES) - 1
    )
    return moved(min(state.sees, all_there_is), by, len(SEES))


def _at(state: State, text: str, cursor: int, *, resting: bool) -> State:
    """The file after an edit, or the cursor elsewhere in it."""
    if (text, cursor) == (state.text, state.cursor):
        return state
    edited = _with(state, text, cursor)
    edited = replace(edited, resting=resting, dismissed=False, proposed={})
    if edited.current is not None:
        return edited  # typed along with it: there is nothing to ask
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
    """Another of the beginnings; after something was typed along, they are asked for anew."""
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
    """What can be said of the line of the cursor, now that it was taken to its end."""
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
        # they were told with its first token
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
    goals=(
        Goal("accepted-right", "Accept a line from the model that is right", lambda s: s.was_right),
        Goal("took-another", "Accept a proposal with another beginning", lambda s: s.taken_instead),
        Goal(
            "more-of-the-file",
            "Get another line by showing more or less of the file",
            lambda s: len(set(s.proposed.values())) > 1,
        ),
        Goal(
            "caught",
            "Accept a line that doesn't parse, or uses an unknown name",
            lambda s: s.was_caught,
        ),
    ),
    solution=(
        Choose(1, "file"),  # average.py
        Accept(),  # sum(values) / len(values)
        Reset(),
        Adjust(-3, "lines"),  # without the docstring
        Adjust(3, "lines"),
        Choose(1, "file"),  # words.py: max(len(word) ...
        Choose(1, "beginning"),  # len(...)
        Accept(),
        Choose(1, "file"),  # shout.py: string.upper
        Accept(),
    ),
)
