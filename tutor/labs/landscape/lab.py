"""A lab that compares two products, with the date and the source of each fact.

The facts come from `lessons/facts.yaml`, which contains all facts in the course that vendors can
change. If a product has no fact about a topic, the table shows a dash.
"""

from __future__ import annotations

from typing import Literal

import msgspec
from msgspec.structs import replace

from tutor.labs.kit.actions import Choose, MoveFocus, Toggle, moved
from tutor.labs.kit.lab import Lab, goal
from tutor.labs.kit.work import indexes, work

PRODUCTS = ("GitHub Copilot", "ChatGPT", "Gemini", "Claude")
FIRST = ("Maker", "Purpose")
THEN_AND_NOW = {
    "2025: long documents": "API context window",
    "2025: recent events": "App web search",
    "2025: images + text": "API input",
    "2025: free API": "Free API use",
}
"""Maps each rating from 2025 to the topic of a current fact about the same subject."""
AGED = 12
"""A fact counts as old if it is at least this many months older than the newest fact."""


class Known(msgspec.Struct, frozen=True):
    """A fact about a product, reported by `source` in the month `as_of` (YYYY-MM).

    `second_hand` is True if the source is not the vendor.
    """

    product: str
    topic: str
    value: str
    as_of: str
    source: str
    second_hand: bool


Action = MoveFocus[Literal["topic"]] | Choose[Literal["product"]] | Toggle[Literal["side"]]
"""`Choose` shows the next product on the selected side, and `Toggle` selects the other side."""


class Question(msgspec.Struct, frozen=True, tag=True):
    """A request for all facts about products."""


class Answer(msgspec.Struct, frozen=True, tag=True):
    """The response to `Question`: all facts about products."""

    facts: tuple[Known, ...]


class State(msgspec.Struct, frozen=True, kw_only=True):
    """The state of the lab.

    Attributes:
        shown: The indexes in `PRODUCTS` of the products on the left and on the right.
        side: The selected side, 0 or 1.
        row: The index of the selected topic.
        looked: The pairs of product and topic that the learner has viewed.
    """

    facts: tuple[Known, ...] | None = None
    shown: tuple[int, int] = (2, 3)
    side: int = 0
    row: int = 0
    looked: frozenset[tuple[str, str]] = frozenset()

    @property
    def topics(self) -> tuple[str, ...]:
        """All topics with a fact about any of the four products.

        General topics come first, and ratings from 2025 come last.
        """
        named = dict.fromkeys(fact.topic for fact in self.facts or () if fact.product in PRODUCTS)
        return tuple(
            sorted(named, key=lambda topic: (topic not in FIRST, topic.startswith("2025")))
        )

    @property
    def topic(self) -> str | None:
        return self.topics[self.row] if self.facts else None

    def product(self, side: int) -> str:
        return PRODUCTS[self.shown[side]]

    def fact(self, side: int, topic: str | None) -> Known | None:
        product = self.product(side)
        found = (
            fact for fact in self.facts or () if (fact.product, fact.topic) == (product, topic)
        )
        return next(found, None)

    @property
    def looked_at(self) -> Known | None:
        return self.fact(self.side, self.topic)

    def is_old(self, fact: Known) -> bool:
        """Return True if a fact is at least `AGED` months older than the newest fact."""
        newest = max(fact.as_of for fact in self.facts or ())
        return _months(newest) - _months(fact.as_of) >= AGED


def _months(as_of: str) -> int:
    year, month = as_of.split("-")
    return 12 * int(year) + int(month)


def act(state: State, action: Action) -> State:
    if state.facts is None:
        return state
    new = _shown(state, action)
    return replace(new, looked=new.looked | {(new.product(new.side), new.topic or "")})


def _shown(state: State, action: Action) -> State:
    match action:
        case Choose(by=by):
            return _with(state, (state.shown[state.side] + by) % len(PRODUCTS))
        case Toggle():
            return replace(state, side=1 - state.side)
        case MoveFocus(by=by):
            return replace(state, row=moved(state.row, by, len(state.topics)))


def _with(state: State, product: int) -> State:
    """Return the state with `product`, an index in `PRODUCTS`, on the selected side.

    If that product is already on the other side, the two sides are swapped.
    """
    left, right = state.shown
    other = right if state.side == 0 else left
    if product == other:
        return replace(state, shown=(right, left))
    shown = (product, right) if state.side == 0 else (left, product)
    return replace(state, shown=shown)


def question(state: State) -> Question | None:
    return Question() if state.facts is None else None


def receive(state: State, question: Question, answer: Answer) -> State:
    known = replace(state, facts=answer.facts)
    return replace(known, row=moved(state.row, 0, len(known.topics)))


def _looked_at(state: State) -> list[Known]:
    return [fact for fact in state.facts or () if (fact.product, fact.topic) in state.looked]


@goal("second-hand", "Find a fact less than a year old that isn't from the vendor (*)")
def _second_hand(state: State) -> bool:
    return any(fact.second_hand and not state.is_old(fact) for fact in _looked_at(state))


@goal("nobody-says", "Find a fact that is missing for a product (–)")
def _nobody_says(state: State) -> bool:
    return len(_looked_at(state)) < len(state.looked)


@goal("then-and-now", "Look at a product's 2025 rating and the matching current fact")
def _then_and_now(state: State) -> bool:
    found = {(fact.product, fact.topic) for fact in _looked_at(state)}
    return any(
        (product, then) in found and (product, now) in found
        for product in PRODUCTS
        for then, now in THEN_AND_NOW.items()
    )


LAB: Lab[State, Action, Question, Answer] = Lab(
    name="landscape",
    title="Four products, with dates",
    about="Compare four products by facts with dates and sources",
    order=230,
    lesson="landscape",
    task=(
        "Compare two products side by side. For each fact, check which month it is from "
        "and who reported it."
    ),
    start=State,
    act=act,
    question=question,
    receive=receive,
    work=work("row", "looked", shown=indexes(len(PRODUCTS)), side=len(("left", "right"))),
    goals=(_second_hand, _nobody_says, _then_and_now),
    solution=(
        Toggle("side"),
        MoveFocus(6, "topic"),  # Select a fact about web search.
        MoveFocus(13, "topic"),  # Select the rating of recent events in 2025.
        Choose(1, "product"),  # Show GitHub Copilot.
        MoveFocus(-11, "topic"),  # Select the price of its API.
    ),
)
