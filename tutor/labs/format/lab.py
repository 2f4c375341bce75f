r"""A lab that forces the model's answer into a format by masking all other tokens."""

from __future__ import annotations

from typing import Literal

import msgspec
from msgspec.structs import replace

from tutor.errors import LabError
from tutor.labs.format.constraint import Choices, Format, Pattern
from tutor.labs.kit.actions import Choose, EditText, Run
from tutor.labs.kit.lab import Lab, goal
from tutor.labs.kit.reply import LENGTH, Reply
from tutor.labs.kit.work import work
from tutor.language import _

LONGEST = 400
"""The maximum length of the message, in characters. If the message is longer, only its end is
used."""
SHOWN = 12
"""The number of tokens in each of two lists: the most probable tokens, and the most probable
allowed tokens."""
MOST_CHOICES = 40


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """The limits of the lab, in tokens.

    `length` is the maximum length of the constrained answer, and `free` the maximum length of the
    unconstrained answer.
    """

    length: int = 60
    free: int = LENGTH


LIMITS = Limits()


class Rule(msgspec.Struct, frozen=True):
    """A format for the answer, as the learner wrote it.

    The text is a regular expression, or a list of choices separated by `|`.
    """

    kind: Literal["pattern", "choices"]
    text: str

    @property
    def choices(self) -> tuple[str, ...]:
        return tuple(part.strip() for part in self.text.split("|") if part.strip())


EXAMPLES: tuple[Rule, ...] = (
    Rule("pattern", r"[A-Z][^.]*\."),
    Rule("pattern", r"\d{4}"),
    Rule("choices", "yes | no | I do not know"),
    Rule("pattern", r"The Treaty of Belmark was signed in \d{4}[^.]*\."),
    Rule("pattern", r'\{"year": \d{4}, "city": "[A-Z][a-z]+"\}'),
    Rule("pattern", r".{110,120}"),
)
"""Example formats. The first one, any single sentence, is the default."""


def made(rule: Rule) -> Format:
    """Return the format that a rule describes. Raises `LabError` if the rule is invalid."""
    if rule.kind == "pattern":
        return Pattern(rule.text)
    if len(rule.choices) > MOST_CHOICES:
        raise LabError(
            _("There are more than {most_choices} choices.").format(most_choices=MOST_CHOICES),
            "Remove some of them.",
        )
    return Choices(rule.choices)


class SetRule(msgspec.Struct, frozen=True, tag_field="do", tag="shape"):
    """Set the format of the answer."""

    rule: Rule


class TakeToken(msgspec.Struct, frozen=True, tag_field="do", tag="step"):
    """Take the most probable token that the format allows."""


class UndoToken(msgspec.Struct, frozen=True, tag_field="do", tag="back"):
    """Undo the last token."""


Action = EditText | SetRule | Choose[Literal["example"]] | TakeToken | UndoToken | Run
"""`Run` starts or stops generating the rest of the answer."""


class Look(msgspec.Struct, frozen=True, tag=True):
    """A request for the distribution of the token after `ids`, with and without the mask."""

    message: str
    rule: Rule
    ids: tuple[int, ...]


class GoOn(msgspec.Struct, frozen=True, tag=True):
    """A request to extend the unconstrained answer for one time slice."""

    message: str
    reply: Reply


class Row(msgspec.Struct, frozen=True, array_like=True):
    """A token, with its probability before and after masking.

    Attributes:
        rank: The token's rank before masking, from 1.
        log: The log-probability before masking, in nats.
        before: The probability before masking.
        after: The probability after masking, which is 0 for a masked token.
        end: True for an end token, which ends the answer.
    """

    id: int
    data: bytes
    rank: int
    log: float
    before: float
    after: float
    end: bool = False


class Place(msgspec.Struct, frozen=True, tag=True):
    """The next-token distribution at one position, before and after masking.

    Attributes:
        rows: The most probable tokens before masking.
        kept: The most probable allowed tokens.
        allowed: The number of allowed tokens.
        vocabulary: The total number of tokens.
        removed: The total probability of the masked tokens.
        whole: True if the text up to this position matches the format.
    """

    rows: tuple[Row, ...]
    kept: tuple[Row, ...]
    allowed: int
    vocabulary: int
    removed: float
    whole: bool


class GoneOn(msgspec.Struct, frozen=True, tag=True):
    """The response to `GoOn`, with the extended unconstrained answer."""

    reply: Reply


Question = Look | GoOn
Answer = Place | GoneOn


class State(msgspec.Struct, frozen=True, kw_only=True):
    """The state of the lab.

    Attributes:
        left_out: The number of characters that were cut from the message.
        rule: The format, as the learner wrote it.
        written: The tokens of the constrained answer so far.
        removed: The total probability of the tokens masked when each of these tokens was chosen.
        owed: The number of tokens that are still to be generated.
        places: The distributions loaded so far, by the ids of the preceding tokens.
        free: The unconstrained answer.
    """

    message: str
    limits: Limits = LIMITS
    left_out: int = 0
    rule: Rule = EXAMPLES[0]
    written: tuple[Row, ...] = ()
    removed: tuple[float, ...] = ()
    owed: int = 0
    places: dict[tuple[int, ...], Place] = {}
    free: Reply = Reply()

    @property
    def ids(self) -> tuple[int, ...]:
        return tuple(row.id for row in self.written)

    @property
    def text(self) -> bytes:
        return b"".join(row.data for row in self.written if not row.end)

    @property
    def place(self) -> Place | None:
        return self.places.get(self.ids)

    @property
    def finished(self) -> bool:
        return bool(self.written) and self.written[-1].end

    @property
    def stuck(self) -> bool:
        """True if no token is allowed here, although the answer doesn't match the format yet."""
        place = self.place
        return place is not None and place.allowed == 0

    @property
    def full(self) -> bool:
        return not self.finished and len(self.written) >= self.limits.length

    @property
    def log_probability(self) -> float:
        """The log-probability of the constrained answer before masking, in nats."""
        return sum(row.log for row in self.written)


def start(limits: Limits = LIMITS) -> State:
    message = "In which year was the Treaty of Belmark signed?"
    return State(message=message, limits=limits, free=Reply(most=limits.free))


def act(state: State, action: Action) -> State:
    match action:
        case EditText(text=text):
            kept = _message(text)
            left_out = len(text.strip()) - len(kept)
            new = start(state.limits)
            return replace(new, message=kept, left_out=left_out, rule=state.rule)
        case SetRule(rule=rule):
            return _restarted(state, _valid(rule))
        case Choose(by=by):
            at = EXAMPLES.index(state.rule) + by if state.rule in EXAMPLES else 0
            return _restarted(state, EXAMPLES[at % len(EXAMPLES)])
        case TakeToken():
            return _advanced(replace(state, owed=state.owed + 1))
        case Run():
            return _advanced(replace(state, owed=0 if state.owed else state.limits.length))
        case UndoToken():
            return replace(state, written=state.written[:-1], removed=state.removed[:-1], owed=0)


def lost(before: State, after: State) -> str:
    """Return a message if an example has replaced the learner's own format, or ""."""
    if before.rule in EXAMPLES or after.rule not in EXAMPLES:
        return ""
    return _("An example has replaced your own format.")


def _message(text: str) -> str:
    if not text.strip():
        raise LabError("The message is empty.", "Write a message, or press Esc to cancel.")
    return text.strip()[-LONGEST:]


def _valid(rule: Rule) -> Rule:
    made(rule)
    return rule


def _restarted(state: State, rule: Rule) -> State:
    """Return the state with a new format and an empty answer.

    The message and the unconstrained answer don't change.
    """
    return replace(state, rule=rule, written=(), removed=(), owed=0, places={})


def _advanced(state: State) -> State:
    """Take up to `owed` tokens, as long as their distributions are already loaded."""
    while state.owed:
        place = state.place
        if state.finished or state.full or state.stuck:
            return replace(state, owed=0)
        if place is None:
            return state
        state = replace(
            state,
            written=(*state.written, place.kept[0]),
            removed=(*state.removed, place.removed),
            owed=state.owed - 1,
        )
    return state


def question(state: State) -> Question | None:
    if state.place is None and not state.finished:
        return Look(state.message, state.rule, state.ids)
    if not state.free.done:
        return GoOn(state.message, state.free)
    return None


def receive(state: State, question: Question, answer: Answer) -> State:
    match question, answer:
        case GoOn(), GoneOn(reply=reply):
            return replace(state, free=reply)
        case Look(ids=ids), Place():
            return _advanced(replace(state, places={**state.places, ids: answer}))
        case _:
            return state  # Ignore a response that doesn't match its request.


@goal("year-of-nothing", "Get only a year for the Treaty of Belmark, which never existed")
def _year_of_nothing(state: State) -> bool:
    return (
        state.finished
        and "Belmark" in state.message
        and len(state.text) == 4
        and state.text.isdigit()
    )


@goal("against-its-will", "Find a position where over 90 % of the probability is masked")
def _against_its_will(state: State) -> bool:
    return any(place.removed > 0.9 for place in state.places.values())


@goal("one-left", "Reach a position where only one token is allowed")
def _one_left(state: State) -> bool:
    """Return True if only one token is allowed at some position and the answer can't end there."""
    return any(place.allowed == 1 and not place.whole for place in state.places.values())


@goal("may-not-end", "Find a position where the end token ranks first but is masked")
def _may_not_end(state: State) -> bool:
    return any(place.rows[0].end and not place.rows[0].after for place in state.places.values())


@goal(
    "hardly-felt",
    "Finish an answer of 8 or more tokens, with less than 50 % of the probability masked at "
    "each of them",
)
def _hardly_felt(state: State) -> bool:
    return state.finished and len(state.written) >= 8 and max(state.removed) < 0.5


LAB: Lab[State, Action, Question, Answer] = Lab(
    name="format",
    title="Constrained decoding",
    about="Allow only tokens that fit a format, and see what it costs",
    order=210,
    lesson="made-up",
    task=(
        "Choose a format and see which tokens it rules out at each step, how much probability "
        "this removes, and what a format doesn't guarantee."
    ),
    start=start,
    act=act,
    question=question,
    receive=receive,
    lost=lost,
    work=work("left_out", message=_message, rule=_valid),
    goals=(_year_of_nothing, _against_its_will, _one_left, _may_not_end, _hardly_felt),
    solution=(
        Run(),
        Choose(1, "example"),
        Run(),
        Choose(2, "example"),
        Run(),
        Choose(2, "example"),
        Run(),
    ),
)
