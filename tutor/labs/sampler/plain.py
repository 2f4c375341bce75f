"""Describe the state of the sampler lab in sentences, for plain mode."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tutor.language import _
from tutor.lm.dials import is_off, value
from tutor.plain.words import ended, number, percent, quoted, quoted_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tutor.labs.sampler.lab import Answer, Row, State

HELP = {
    "move": _("Select another step of the sampler."),
    "adjust": _("Change the value of the selected step: up, down, or a number of steps."),
    "start-over": _("Switch all steps off, and restore their usual order."),
}
_MOST = 8


def describe(state: State) -> dict[str, list[str]]:
    """Return sentences about the sampler's steps, and the distribution before and after them."""
    lines = {
        "text": [_("Text: {text}").format(text=quoted_text(state.text))],
        "steps": list(_steps(state)),
    }
    if state.answer is not None and state.known:
        lines["tokens"] = list(_tokens(state.answer))
    return lines


def _steps(state: State) -> Iterator[str]:
    stages = {each.name: each for each in state.answer.stages} if state.answer else {}
    for at, name in enumerate(state.order):
        here = _(", selected") if at == state.focus else ""
        if is_off(state.dials, name):
            yield _("Step {at}{here}: {name}, off.").format(at=at + 1, here=here, name=name)
            continue
        said = _("Step {at}{here}: {name} {value}").format(
            at=at + 1, here=here, name=name, value=number(value(state.dials, name))
        )
        if (stage := stages.get(name)) is not None and state.known:
            said += _(", keeps {kept:,} tokens, removes {removed}, entropy {bits:.2f} bits").format(
                kept=stage.kept,
                removed=percent(stage.removed_probability),
                bits=stage.entropy_bits,
            )
        yield ended(said)


def _tokens(answer: Answer) -> Iterator[str]:
    yield _("Entropy before all steps: {bits:.2f} bits.").format(bits=answer.entropy_bits)
    yield from (_row(rank, row) for rank, row in enumerate(answer.rows[:_MOST], 1))


def _row(rank: int, row: Row) -> str:
    if row.removed_by is not None:
        return _("Rank {rank}: {token}, {before} before, removed by {step}.").format(
            rank=rank, token=quoted(row.data), before=percent(row.before), step=row.removed_by
        )
    return _("Rank {rank}: {token}, {before} before, {after} after.").format(
        rank=rank, token=quoted(row.data), before=percent(row.before), after=percent(row.after)
    )
