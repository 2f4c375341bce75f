"""Describe the state of the prompting lab in sentences, for plain mode."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tutor.labs.kit.prompts.scores import difference, outcome_of, score
from tutor.labs.kit.prompts.version import PARTS, differing, idle
from tutor.language import _
from tutor.plain.words import ended, listed, percent, quoted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tutor.labs.kit.prompts.tasks import Outcome
    from tutor.labs.prompting.lab import State

HELP = {
    "toggle": _("Edit the other version."),
    "move": _("Select another part, item, or scored version."),
    "adjust": _("Choose another value for the selected part, or for the part that you name."),
    "choose": _("Choose another task."),
    "run": _("Score both versions on all items, or stop."),
}
_SIDES = ("A", "B")
_ROWS = 3
_OUTCOMES: dict[Outcome, str] = {
    "right": _("right"),
    "wrong": _("wrong"),
    "form": _("in the wrong form"),
}


def describe(state: State) -> dict[str, list[str]]:
    """Return sentences about what the current view shows, and about both versions' scores."""
    lines = {
        "task": [_("Task: {title}.").format(title=state.about.title)],
        "model": [_("Answers come from {name}.").format(name=state.server.name)]
        if state.server is not None
        else [],
        "version": [_("You are editing version {side}.").format(side=_SIDES[state.side])],
    }
    match state.view:
        case "parts":
            lines["parts"] = list(_parts(state))
        case "items":
            lines["item"] = list(_item(state))
        case "prompt":
            lines["prompt"] = list(_prompt(state))
        case "versions":
            lines["versions"] = list(_versions(state))
    lines["scores"] = list(_scores(state))
    lines["trouble"] = [ended(state.trouble.happened)] if state.trouble is not None else []
    return lines


def _parts(state: State) -> Iterator[str]:
    """Yield sentences about the parts that the edited version uses, and the selected part."""
    for at, part in enumerate(PARTS):
        value = getattr(state.version, part)
        selected = at == state.part
        if not selected and (value == "" or idle(state.version, part)):
            continue
        yield _("{part}{here}: {value}").format(
            part=part.capitalize(),
            here=_(", selected") if selected else "",
            value=ended(str(value) if value != "" else _("none")),
        )
    parts = differing(*state.sides)
    if parts:
        yield _("The versions differ in {parts}.").format(parts=listed(parts, _("and")))
    else:
        yield _("The versions are the same.")


def _item(state: State) -> Iterator[str]:
    item = state.about.items[state.item]
    yield _("Item {number} of {count}: {text}").format(
        number=state.item + 1, count=len(state.about.items), text=ended(item.text)
    )
    yield _("The right answer is {answer}.").format(answer=item.answer)
    for side, name in enumerate(_SIDES):
        tried = state.tried(side, state.item)
        if tried is None:
            continue
        outcome = outcome_of(state.trials[side], state.item, tried)
        yield _("Version {side} answers {answer}, which is {outcome}.").format(
            side=name, answer=quoted(tried.written.encode()), outcome=_OUTCOMES[outcome]
        )
        rows = [f"{quoted(each.piece)} {percent(each.probability)}" for each in tried.rows[:_ROWS]]
        if rows:
            yield _("First token of version {side}: {rows}.").format(side=name, rows=listed(rows))


def _prompt(state: State) -> Iterator[str]:
    if state.reading is None:
        return
    __, reading = state.reading
    if reading.tokens is not None:
        yield _("The prompt for item {number} has {tokens} tokens:").format(
            number=state.item + 1, tokens=reading.tokens
        )
    for each in reading.stretches:
        yield from (line for line in each.text.splitlines() if line.strip())


def _versions(state: State) -> Iterator[str]:
    for at, trial in enumerate(state.scored):
        found = score(state.results, trial)
        yield _("Scored version {number}{here}: {right} of {asked} right, task {task}.").format(
            number=at + 1,
            here=_(", selected") if at == state.row else "",
            right=found.right,
            asked=found.asked,
            task=trial.task,
        )


def _scores(state: State) -> Iterator[str]:
    for side, trial in zip(_SIDES, state.trials, strict=True):
        found = score(state.results, trial)
        if not found.asked:
            continue
        low, high = found.interval
        yield _(
            "Version {side}: {right} right, {wrong} wrong, {form} in the wrong form; 95 percent "
            "interval {low} to {high}."
        ).format(
            side=side,
            right=found.right,
            wrong=found.wrong,
            form=found.form,
            low=percent(low),
            high=percent(high),
        )
    a, b = state.trials
    both = difference(state.results, a, b)
    if a != b and both.asked:
        yield _("Only A is right on {a} items, only B on {b}; p is {chance:.2f}.").format(
            a=both.only_a, b=both.only_b, chance=both.chance
        )
