"""Sentences about the adviser's results, for the screen and for the saved file."""

from __future__ import annotations

from collections.abc import Iterable

from tutor.course.facts import UNITS
from tutor.labs.adviser import lab as adviser
from tutor.labs.adviser import rule as adviser_rule
from tutor.labs.adviser.data import Advice, Case, DatedFact
from tutor.labs.adviser.lab import Settings

MOST_NAMES = 3
"""The maximum number of options to list by name. Longer lists give only the number of options."""


def listed(names: Iterable[str]) -> str:
    """Join the names into a phrase such as "A, B and C"."""
    *before, last = names
    return f"{', '.join(before)} and {last}" if before else last


def title(advice: Advice, number: int) -> str:
    """Return the title of a case. For case 0, return a title for the learner's own task."""
    case = adviser.case_of(advice, number)
    return case.title if case else "Your own task"


def defensible(advice: Advice, case: Case) -> str:
    """Return the names of the options that are defensible in this case."""
    options = zip(advice.options, case.defensible, strict=True)
    return ", ".join(option.name for option, can_be in options if can_be)


def options_named(advice: Advice, options: Iterable[int]) -> str:
    """Return the names of the options or, if there are too many, their number."""
    names = [advice.options[option].name for option in sorted(options)]
    return listed(names) if len(names) <= MOST_NAMES else f"{len(names)} tied options"


def what_decides(advice: Advice, settings: Settings, option: int) -> str:
    """Return a sentence about the smallest change to one weight that affects first place.

    If `option` is not in first place, the change puts it there. Otherwise, the change makes other
    options tie with it or overtake it.
    """
    needs, table = advice.needs, adviser.table(advice, settings)
    if unmet := adviser_rule.unmet(table.levels[option], table.least, settings.musts):
        musts = [needs[need].kinds[settings.kinds[need]].must for need in unmet]
        return "Out, whatever the weights. " + " ".join(musts)
    now = adviser.lead(advice, settings)
    if not now:
        return "All weights are 0, so no option is in first place."
    found = adviser.deciding(advice, settings, option)
    if found is None:
        return (
            "No change to a single weight would affect first place."
            if option in now
            else "No change to a single weight would bring this option to first place."
        )
    change = f"{found.weight} instead of {settings.weights[found.need]}"
    to = options_named(advice, found.lead)
    return f"With {needs[found.need].name} at {change}, first place goes to {to}."


def dated(fact: DatedFact) -> str:
    """Return a fact and its date on one line."""
    told = ", not from the vendor" if fact.second_hand else ""
    unit = f", {UNITS[fact.topic]}" if fact.topic in UNITS else ""
    return f"{fact.product}, {fact.topic}: {fact.value}{unit} ({fact.as_of}{told})"
