"""The adviser's result as a Markdown file. It depends only on the settings and the date."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from tutor.labs.adviser import lab as adviser
from tutor.labs.adviser import rule as adviser_rule
from tutor.labs.adviser.data import LEVELS, Advice, Case
from tutor.labs.adviser.lab import Save, Settings
from tutor.labs.adviser.words import dated, defensible, title, what_decides

RULE = (
    "Each option meets each need at a level: not (0), partly (1), well (2), fully (3). Its points "
    "are the sum of weight × level. A must excludes every option below a minimum level. The levels "
    "are our ratings, with reasons; they are not measurements. Facts that a vendor can change "
    "are dated. Only a test on examples of the task shows how well a model performs it."
)


def report(advice: Advice, save: Save, on: date) -> str:
    """Return the complete Markdown text of a result."""
    case, settings = adviser.case_of(advice, save.case), save.settings
    parts = [
        [f"# Choosing: {title(advice, save.case)}", "", f"Saved on {on}."],
        [case.text] if case else [],
        ["## Needs", "", *_weighed(advice, settings)],
        ["## The ranking", "", *_ranking(advice, settings)],
        ["## The choice", "", *_choice(advice, save, case)],
        ["## Reasons", "", *_reasons(advice, settings)],
        ["## Facts", "", *_facts(advice, settings)],
        ["## The rule", "", RULE],
    ]
    return "\n\n".join("\n".join(part) for part in parts if part) + "\n"


def _table(rows: Sequence[Sequence[str]], right: Sequence[int]) -> list[str]:
    """Return a Markdown table. The columns whose indexes are in `right` are right-aligned."""
    marks = ["--:" if column in right else ":--" for column in range(len(rows[0]))]
    return [f"| {' | '.join(row)} |" for row in (rows[0], marks, *rows[1:])]


def _weighed(advice: Advice, settings: Settings) -> list[str]:
    rows = [["need", "kind", "weight", "must"]]
    for place, need in enumerate(advice.needs):
        kind = need.kinds[settings.kinds[place]]
        must = kind.must if settings.musts[place] else ""
        rows.append([need.name, kind.name, str(settings.weights[place]), must])
    return _table(rows, right=[2])


def _ranking(advice: Advice, settings: Settings) -> list[str]:
    rows = [["place", "option", "points", "score"]]
    for row in adviser.ranking(advice, settings):
        share = adviser_rule.share(row.points, settings.weights)
        place = "out" if row.place is None else str(row.place)
        rows.append([place, advice.options[row.option].name, str(row.points), f"{share:.0%}"])
    return _table(rows, right=[0, 2, 3])


def _choice(advice: Advice, save: Save, case: Case | None) -> list[str]:
    if save.picked is None:
        return ["You have not picked an option."]
    lines = [f"**{advice.options[save.picked].name}**"]
    if case is not None:
        lines += ["", case.why[save.picked], "", case.because, ""]
        lines.append(f"Defensible options: {defensible(advice, case)}.")
    return lines


def _reasons(advice: Advice, settings: Settings) -> list[str]:
    lines: list[str] = []
    for row in adviser.ranking(advice, settings):
        option = advice.options[row.option]
        lines += [f"### {option.name}", "", option.says, ""]
        lines += [what_decides(advice, settings, row.option), ""]
        for place, need in enumerate(advice.needs):
            weight = settings.weights[place]
            if not weight and not settings.musts[place]:
                continue
            serving = option.serves[need.kinds[settings.kinds[place]].place]
            level = LEVELS[serving.level]
            sum_ = f"{weight} × {serving.level} = {weight * serving.level}"
            lines.append(f"- {need.name}, {level} ({sum_}): {serving.why}")
            lines += [f"    - {dated(fact)}" for fact in serving.facts]
        if lines[-1]:
            lines.append("")
    return lines[:-1]


def _facts(advice: Advice, settings: Settings) -> list[str]:
    """Return lines with the facts that support the ratings.

    Each fact appears once, with its source.
    """
    used = dict.fromkeys(
        fact
        for option in advice.options
        for place, need in enumerate(advice.needs)
        if settings.weights[place] or settings.musts[place]
        for fact in option.serves[need.kinds[settings.kinds[place]].place].facts
    )
    if not used:
        return ["No level above depends on a fact that a vendor can change."]
    return [f"- {dated(fact)}. Source: {fact.source}" for fact in used]
