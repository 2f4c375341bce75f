"""What the adviser says of a ranking, in words: on the screen and in the file."""

from __future__ import annotations

from collections.abc import Iterable

from tutor.course.facts import UNITS
from tutor.labs.adviser import lab as adviser
from tutor.labs.adviser import rule as adviser_rule
from tutor.labs.adviser.data import Advice, Case, DatedFact
from tutor.labs.adviser.lab import Settings

MOST_NAMES = 3
"""Of more options than that, their number is said."""


def listed(names: Iterable[str]) -> str:
    """ "A", "A and B", "A, B and C"."""
    *before, last = names
    return f"{', '.join(before)} and {last}" if before else last


def title(advice: Advice, number: int) -> str:
    """What a case is called, or the learner's own task."""
    case = adviser.case_of(advice, number)
    return case.title if case else "Your own task"


def defensible(advice: Advice, case: Case) -> str:
    """Return the names of the options that can be defended in this case."""
    options = zip(advice.options, case.defensible, strict=True)
    return ", ".join(option.name for option, can_be in options if can_be)


def options_named(advice: Advice, options: Iterable[int]) -> str:
    """Their names, or how many they are."""
    names = [advice.options[option].name for option in sorted(options)]
    return listed(names) if len(names) <= MOST_NAMES else f"{len(names)} options at once"


def what_decides(advice: Advice, settings: Settings, option: int) -> str:
    """The change of one weight that would first bring this option to the front, or first take it
    from there."""
    needs, table = advice.needs, adviser.table(advice, settings)
    if unmet := adviser_rule.unmet(table.levels[option], table.least, settings.musts):
        musts = [needs[need].kinds[settings.kinds[need]].must for need in unmet]
        return "Out, whatever the weights. " + " ".join(musts)
    now = adviser.lead(advice, settings)
    if not now:
        return "Nothing weighs anything yet, so nothing decides."
    found = adviser.deciding(advice, settings, option)
    if found is None:
        return (
            "No weight of one need alone would change the first place."
            if option in now
            else "No weight of one need alone would bring it to the front."
        )
    change = f"{found.weight} instead of {settings.weights[found.need]}"
    to = options_named(advice, found.lead)
    return f"With {needs[found.need].name} at {change}, first place goes to {to}."


def dated(fact: DatedFact) -> str:
    """A fact on a line, with its month."""
    told = ", told by others" if fact.second_hand else ""
    unit = f", {UNITS[fact.topic]}" if fact.topic in UNITS else ""
    return f"{fact.product}, {fact.topic}: {fact.value}{unit} ({fact.as_of}{told})"
