"""Describe the comparison of two products in sentences, for plain mode."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tutor.course.facts import UNITS
from tutor.labs.landscape.lab import THEN_AND_NOW
from tutor.language import _
from tutor.plain.words import ended

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tutor.labs.landscape.lab import State

HELP = {
    "move": _("Go to another topic."),
    "choose": _("Show another product on the selected side."),
    "toggle": _("Select the other side."),
}


def describe(state: State) -> dict[str, list[str]]:
    """Return sentences about the selected topic, with the fact about each of the two products."""
    topic = state.topic
    if topic is None:
        return {}
    return {
        "topic": [
            _("Topic {number} of {count}: {topic}.").format(
                number=state.row + 1, count=len(state.topics), topic=topic
            )
        ],
        "facts": [line for side in (0, 1) for line in _fact(state, side, topic)],
    }


def _fact(state: State, side: int, topic: str) -> Iterator[str]:
    product = state.product(side) + (_(", selected") if side == state.side else "")
    fact = state.fact(side, topic)
    if fact is None:
        yield _("{product}: no fact about this topic.").format(product=product)
        return
    unit = f", {UNITS[topic]}" if topic in UNITS else ""
    yield f"{product}: {ended(fact.value + unit)}"
    yield _("As of {month}{age}, from {source}{reporter}.").format(
        month=fact.as_of,
        age=_(" (old)") if state.is_old(fact) else "",
        source=fact.source,
        reporter=_(" (not the vendor)") if fact.second_hand else "",
    )
    if (now := THEN_AND_NOW.get(topic)) is not None:
        yield _("For the fact as of today, see the topic {topic}.").format(topic=now)
