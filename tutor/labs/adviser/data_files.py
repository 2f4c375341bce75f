"""Load the adviser's data from `adviser.yaml` and `cases.yaml`, with the course's facts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from pathlib import Path
from typing import Annotated

import msgspec

from tutor.course.facts import Fact, read_facts
from tutor.course.folder import FACTS, read_file
from tutor.course.questions.base import Id
from tutor.course.reading.blocks import decode
from tutor.course.reading.place import Place, text_of
from tutor.labs.adviser import data

NEEDS_AND_OPTIONS = "adviser.yaml"
CASES = "cases.yaml"

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=30)]
Sentence = Annotated[str, msgspec.Meta(min_length=1, max_length=160)]
Weight = Annotated[int, msgspec.Meta(ge=0, le=3)]


class _Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The base class of entries in the data files. Unknown fields are errors."""


class _Kind(_Entry, frozen=True):
    id: Id
    name: Name
    must: Sentence
    least: data.Level


class _Need(_Entry, frozen=True):
    id: Id
    name: Name
    asks: Sentence
    kinds: Annotated[tuple[_Kind, ...], msgspec.Meta(min_length=1)]


class _Serving(_Entry, frozen=True):
    level: data.Level
    why: Sentence
    facts: tuple[Id, ...] = ()


class _Option(_Entry, frozen=True):
    id: Id
    name: Name
    says: Sentence
    serves: dict[Id, _Serving]


class _Options(_Entry, frozen=True):
    needs: Annotated[tuple[_Need, ...], msgspec.Meta(min_length=1)]
    options: Annotated[tuple[_Option, ...], msgspec.Meta(min_length=2)]


class _Case(_Entry, frozen=True):
    id: Id
    title: Annotated[str, msgspec.Meta(min_length=1, max_length=40)]
    text: Annotated[str, msgspec.Meta(min_length=1, max_length=300)]
    matters: dict[Id, Weight]
    because: Sentence
    range: Annotated[tuple[Id, ...], msgspec.Meta(min_length=1)]
    why: dict[Id, Sentence]
    must: tuple[Id, ...] = ()


def read_advice(folder: Path) -> data.Advice:
    """Load the data from this folder. Raises `LessonError` if a file is damaged."""
    facts = {fact.id: fact for fact in read_facts(_text(folder, FACTS), FACTS)}
    place = Place(NEEDS_AND_OPTIONS)
    read: _Options = decode(_text(folder, NEEDS_AND_OPTIONS), _Options, place)
    needs = _needs(read.needs)
    kinds = [kind.id for need in needs for kind in need.kinds]
    _check_all_different("kind", kinds, place)
    _check_all_different("option", [option.id for option in read.options], place)
    options = tuple(_option(option, kinds, facts, place) for option in read.options)
    cases: tuple[_Case, ...] = decode(_text(folder, CASES), tuple[_Case, ...], Place(CASES))
    _check_all_different("case", [case.id for case in cases], Place(CASES))
    names = [option.id for option in options]
    return data.Advice(needs, options, tuple(_case(case, kinds, names) for case in cases))


def _text(folder: Path, name: str) -> str:
    return text_of(read_file(folder / name, name), name)


def _needs(read: Sequence[_Need]) -> tuple[data.Need, ...]:
    place = 0
    needs = []
    for need in read:
        kinds = tuple(
            data.Kind(kind.id, kind.name, kind.must, data.LEVELS.index(kind.least), place + number)
            for number, kind in enumerate(need.kinds)
        )
        place += len(kinds)
        needs.append(data.Need(need.id, need.name, need.asks, kinds))
    return tuple(needs)


def _option(
    read: _Option, kinds: Sequence[str], facts: Mapping[str, Fact], place: Place
) -> data.Option:
    _check_the_same(f"option {read.id!r}", "need", read.serves.keys(), set(kinds), place)
    serves = []
    for kind in kinds:
        serving = read.serves[kind]
        for name in serving.facts:
            if name not in facts:
                raise place.error(
                    f"Option {read.id!r}, {kind!r}: {FACTS} has no fact {name!r}.",
                    "Correct the id, or add the fact to that file with its month and source.",
                )
        known = (msgspec.structs.asdict(facts[name]) for name in serving.facts)
        rests_on = tuple(msgspec.convert(fact, data.DatedFact) for fact in known)
        serves.append(data.Serving(data.LEVELS.index(serving.level), serving.why, rests_on))
    return data.Option(read.id, read.name, read.says, tuple(serves))


def _case(read: _Case, kinds: Sequence[str], options: Sequence[str]) -> data.Case:
    place, what = Place(CASES), f"case {read.id!r}"
    _check_the_same(what, "option", read.why.keys(), set(options), place)
    _check_known(what, "need", {*read.matters, *read.must}, kinds, place)
    _check_known(what, "option", set(read.range), options, place)
    return data.Case(
        id=read.id,
        title=read.title,
        text=read.text,
        matters=tuple(read.matters.get(kind, 0) for kind in kinds),
        musts=tuple(kind in read.must for kind in kinds),
        because=read.because,
        defensible=tuple(option in read.range for option in options),
        why=tuple(read.why[option] for option in options),
    )


def _check_the_same(where: str, what: str, said: Set[str], wanted: Set[str], place: Place) -> None:
    if missing := wanted - said:
        raise place.error(
            f"The {where} has no entry for {what} {min(missing)!r}.", "Add an entry for it."
        )
    _check_known(where, what, said, wanted, place)


def _check_known(
    where: str, what: str, said: Set[str], known: Sequence[str] | Set[str], place: Place
) -> None:
    if unknown := said - set(known):
        raise place.error(
            f"The {where} names {what} {min(unknown)!r}, which doesn't exist.",
            f"Use one of these: {', '.join(sorted(known))}.",
        )


def _check_all_different(what: str, ids: Sequence[str], place: Place) -> None:
    for name in ids:
        if ids.count(name) > 1:
            raise place.error(f"Two {what}s have the id {name!r}.", "Change one of the ids.")
