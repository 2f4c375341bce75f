"""Read facts that vendors can change, such as versions, context windows and prices.

All facts of a course are in the file `facts.yaml`, with their dates. Lessons show them in tables
that include the dates.
"""

import re
from collections.abc import Sequence
from typing import Annotated

import msgspec

from tutor.course.folder import FACTS
from tutor.course.questions.base import Id
from tutor.course.reading.blocks import decode
from tutor.course.reading.place import Place

UNITS = {"API price": "US dollars per million tokens, input / output"}
"""The units of topics whose figures do not state a unit, by topic."""

Label = Annotated[str, msgspec.Meta(min_length=1, max_length=60)]

_MARK = "*"
_MARKUP = re.compile(r"([\\`*_{}\[\]<>|#&~!])")


class Fact(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"second_hand": "second-hand"}
):
    """A fact about one topic of one product.

    `as_of` is the year and month in which `source` reported the fact. `second-hand` means that the
    source is not the vendor itself. Tables mark such facts.
    """

    id: Id
    product: Label
    topic: Label
    value: Annotated[str, msgspec.Meta(min_length=1, max_length=120)]
    as_of: Annotated[str, msgspec.Meta(pattern=r"^[0-9]{4}-(0[1-9]|1[0-2])\Z")]
    source: Annotated[str, msgspec.Meta(min_length=1, max_length=300)]
    second_hand: bool = False


class FactsBlock(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The facts to show in a table, with topics as rows and products as columns.

    Topics and products are in the order in which the table shows them.
    """

    topics: Annotated[tuple[Label, ...], msgspec.Meta(min_length=1, max_length=20)]
    products: Annotated[tuple[Label, ...], msgspec.Meta(min_length=1, max_length=8)]


def read_facts(text: str, where: str) -> tuple[Fact, ...]:
    """Parse the content of a facts file, and return its facts. Raises `LessonError`."""
    place = Place(where)
    facts: tuple[Fact, ...] = decode(text, tuple[Fact, ...], place)
    ids: set[str] = set()
    about: set[tuple[str, str]] = set()
    for fact in facts:
        if fact.id in ids:
            raise _line_of(fact.id, text, place).error(
                f"The id {fact.id!r} is used twice.", "Choose another id."
            )
        if (fact.topic, fact.product) in about:
            raise _line_of(fact.id, text, place).error(
                f"There are two facts about the topic {fact.topic!r} of {fact.product!r}.",
                "Keep the newer one.",
            )
        ids.add(fact.id)
        about.add((fact.topic, fact.product))
    return facts


def _line_of(fact_id: str, text: str, place: Place) -> Place:
    """Return the position of the last fact in the file whose id is `fact_id`."""
    lines = [
        number
        for number, line in enumerate(text.split("\n"))
        if re.fullmatch(rf"[-\s]*id:\s*[\"']?{re.escape(fact_id)}[\"']?\s*(#.*)?", line)
    ]
    return place.below(lines[-1] if lines else 0)


def table(block: FactsBlock, facts: Sequence[Fact], place: Place) -> list[str]:
    """Return the lines of a Markdown table, followed by a line with the dates of the facts.

    Raises `LessonError` if `facts` contains no fact about a topic or a product.
    """
    found = {(fact.topic, fact.product): fact for fact in facts}
    _check_known("topic", block.topics, {fact.topic for fact in facts}, place)
    _check_known("product", block.products, {fact.product for fact in facts}, place)
    rows = [["", *block.products]]
    dates: set[str] = set()
    second_hand = False
    for topic in block.topics:
        row = [found.get((topic, product)) for product in block.products]
        if not any(row):
            raise place.error(
                f"There is no fact about the topic {topic!r} for these products.",
                f"Add one to {FACTS}.",
            )
        dates |= {fact.as_of for fact in row if fact}
        second_hand |= any(fact.second_hand for fact in row if fact)
        rows.append([topic, *(_cell(fact) for fact in row)])
    written = [f"| {' | '.join(_plain(cell) for cell in row)} |" for row in rows]
    written.insert(1, "|" + "---|" * len(rows[0]))
    span = min(dates) if len(dates) == 1 else f"{min(dates)} to {max(dates)}"
    told = f" {_plain(_MARK)} not reported by the vendor." if second_hand else ""
    return [*written, "", f"As of {span}; sources in {FACTS}.{told}"]


def _cell(fact: Fact | None) -> str:
    if fact is None:
        return "–"
    return fact.value + _MARK if fact.second_hand else fact.value


def _check_known(what: str, named: Sequence[str], known: set[str], place: Place) -> None:
    for name in named:
        if name not in known:
            raise place.error(
                f"{FACTS} has no {what} {name!r}.",
                f"Known {what}s: {', '.join(sorted(known)) or 'none'}.",
            )


def _plain(text: str) -> str:
    """Return `text` on one line, with all Markdown syntax escaped."""
    return _MARKUP.sub(r"\\\1", " ".join(text.split()))
