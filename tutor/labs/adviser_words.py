"""What the adviser says of a ranking, in words: on the screen and in the file."""

from __future__ import annotations

from collections.abc import Iterable

from tutor.labs import adviser, adviser_rule
from tutor.labs.adviser import Settings
from tutor.labs.adviser_data import Advice, DatedFact


def listed(names: Iterable[str]) -> str:
    """ "A", "A and B", "A, B and C"."""
    *before, last = names
    return f"{', '.join(before)} and {last}" if before else last


def what_decides(advice: Advice, settings: Settings, option: int) -> str:
    """The change of one weight that would first bring this option to the front, or first take it
    from there."""
    needs, names = advice.needs, [each.name for each in advice.options]
    unmet = adviser_rule.unmet(
        adviser.table(advice, settings).levels[option],
        adviser.table(advice, settings).least,
        settings.musts,
    )
    if unmet:
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
    need = needs[found.need].name
    change = f"With {need} at {found.weight} instead of {settings.weights[found.need]}, "
    others = sorted(found.lead - {option})
    if option in found.lead:
        shares = f" with {listed(names[other] for other in others)}" if others else " alone"
        return f"{change}it would be first{shares}."
    return f"{change}{listed(names[other] for other in others)} would be first instead."


def dated(fact: DatedFact) -> str:
    """A fact on a line, with its month."""
    told = ", told by others" if fact.second_hand else ""
    return f"{fact.product}, {fact.topic}: {fact.value} ({fact.as_of}{told})"
