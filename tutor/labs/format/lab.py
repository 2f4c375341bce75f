r"""A format that the answer has to keep: what cannot lead to it is masked, token by token."""

from __future__ import annotations

from typing import Literal

import msgspec
from msgspec.structs import replace

from tutor.errors import LabError
from tutor.labs.format.constraint import Choices, Format, Pattern
from tutor.labs.kit.actions import Choose, EditText, Run
from tutor.labs.kit.lab import Lab, goal
from tutor.labs.kit.reply import LENGTH, Reply

LONGEST = 400
"""Characters of the message; of a longer one the end counts."""
SHOWN = 12
"""Rows that are listed, of the most probable before the mask, and of those that it leaves."""
MOST_CHOICES = 40


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """How many tokens are written at most, and how many of the answer that no format binds."""

    length: int = 60
    free: int = LENGTH


LIMITS = Limits()


class Rule(msgspec.Struct, frozen=True):
    """What the answer has to be: a match of a pattern, or one of the choices in `text`, which
    stand with `|` between them."""

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
"""To begin with; the first is a sentence."""


def made(rule: Rule) -> Format:
    """Raises `LabError` for what is no format."""
    if rule.kind == "pattern":
        return Pattern(rule.text)
    if len(rule.choices) > MOST_CHOICES:
        raise LabError(f"These are more than {MOST_CHOICES} choices.", "Leave some out.")
    return Choices(rule.choices)


class SetRule(msgspec.Struct, frozen=True, tag_field="do", tag="shape"):
    """Let the answer keep another format."""

    rule: Rule


class TakeToken(msgspec.Struct, frozen=True, tag_field="do", tag="step"):
    """Take the most probable token that is left."""


class UndoToken(msgspec.Struct, frozen=True, tag_field="do", tag="back"):
    """Take the last token away."""


Action = EditText | SetRule | Choose[Literal["example"]] | TakeToken | UndoToken | Run
"""`Run` writes to the end of the answer."""


class Look(msgspec.Struct, frozen=True, tag=True):
    """What comes after these tokens of the answer, and what does the format leave of it?"""

    message: str
    rule: Rule
    ids: tuple[int, ...]


class GoOn(msgspec.Struct, frozen=True, tag=True):
    """Go on with the answer that no format binds, for a moment."""

    message: str
    reply: Reply


class Row(msgspec.Struct, frozen=True, array_like=True):
    """One token: its rank (from 1) and log-probability (nats) before the mask, its probability
    before (0 to 1) and after, which is 0 where it is masked; `end` ends the answer."""

    id: int
    data: bytes
    rank: int
    log: float
    before: float
    after: float
    end: bool = False


class Place(msgspec.Struct, frozen=True, tag=True):
    """The distribution at one place: the most probable `rows` before the mask, those that it
    leaves (`kept`), how many tokens that are of how many, how much probability it takes away, and
    whether the text keeps the format as it is (`whole`)."""

    rows: tuple[Row, ...]
    kept: tuple[Row, ...]
    allowed: int
    vocabulary: int
    removed: float
    whole: bool


class GoneOn(msgspec.Struct, frozen=True, tag=True):
    reply: Reply


Question = Look | GoOn
Answer = Place | GoneOn


class State(msgspec.Struct, frozen=True, kw_only=True):
    """`written` are the rows that were taken, `removed` what the mask took away before each. `owed`
    are tokens still to be written. `places` is what is known, by the tokens before; `free` is the
    answer that no format binds."""

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
        """No token is left, and the format is not kept either."""
        place = self.place
        return place is not None and place.allowed == 0

    @property
    def full(self) -> bool:
        return not self.finished and len(self.written) >= self.limits.length

    @property
    def log_probability(self) -> float:
        """Of what is written, by the model's own distribution, in nats."""
        return sum(row.log for row in self.written)


def start(limits: Limits = LIMITS) -> State:
    message = "In which year was the Treaty of Belmark signed?"
    return State(message=message, limits=limits, free=Reply(most=limits.free))


def act(state: State, action: Action) -> State:
    match action:
        case EditText(text=text):
            if not text.strip():
                raise LabError("The message is empty.", "Write one, or leave with Esc.")
            kept = text.strip()[-LONGEST:]
            left_out = len(text.strip()) - len(kept)
            new = start(state.limits)
            return replace(new, message=kept, left_out=left_out, rule=state.rule)
        case SetRule(rule=rule):
            made(rule)
            return _anew(state, rule)
        case Choose(by=by):
            at = EXAMPLES.index(state.rule) + by if state.rule in EXAMPLES else 0
            return _anew(state, EXAMPLES[at % len(EXAMPLES)])
        case TakeToken():
            return _advanced(replace(state, owed=state.owed + 1))
        case Run():
            return _advanced(replace(state, owed=0 if state.owed else state.limits.length))
        case UndoToken():
            return replace(state, written=state.written[:-1], removed=state.removed[:-1], owed=0)


def _anew(state: State, rule: Rule) -> State:
    """The same message, and what is known of it without a format."""
    return replace(state, rule=rule, written=(), removed=(), owed=0, places={})


def _advanced(state: State) -> State:
    """What is owed is written, as far as the distribution is known."""
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
            return state  # a backend never answers so


@goal("year-of-nothing", "Get a year for the Treaty of Belmark, which never existed")
def _year_of_nothing(state: State) -> bool:
    return (
        state.finished
        and "Belmark" in state.message
        and len(state.text) == 4
        and state.text.isdigit()
    )


@goal("against-its-will", "See a mask remove more than 90 % of the probability")
def _against_its_will(state: State) -> bool:
    return any(place.removed > 0.9 for place in state.places.values())


@goal("one-left", "Reach a position where only one token is allowed")
def _one_left(state: State) -> bool:
    """Where the text cannot end yet: a format written out, and nothing to choose."""
    return any(place.allowed == 1 and not place.whole for place in state.places.values())


@goal("may-not-end", "See the format forbid an end that the model wants")
def _may_not_end(state: State) -> bool:
    return any(place.rows[0].end and not place.rows[0].after for place in state.places.values())


@goal("hardly-felt", "Write 8 tokens or more without losing half at any of them")
def _hardly_felt(state: State) -> bool:
    return state.finished and len(state.written) >= 8 and max(state.removed) < 0.5


LAB: Lab[State, Action, Question, Answer] = Lab(
    name="format",
    title="Constrained decoding",
    order=210,
    lesson="made-up",
    task=(
        "Choose a format and see which tokens it rules out before each draw, what that "
        "costs, and what it does not guarantee."
    ),
    start=start,
    act=act,
    question=question,
    receive=receive,
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
