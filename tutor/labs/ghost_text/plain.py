"""Describe the state of the ghost text lab in sentences, for plain mode."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tutor.language import _
from tutor.plain.words import percent, quoted, quoted_text
from tutor.text import counted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tutor.labs.ghost_text.lab import Accepted, Proposal, State

HELP = {
    "choose": _("Choose another first token for the proposal, or open another file."),
    "adjust": _("Show the model more lines, or fewer."),
    "start-over": _("Restore the original text of the open file."),
}


def describe(state: State) -> dict[str, list[str]]:
    """Return the line with the cursor, the proposal, and the check of the last accepted line."""
    lines = {
        "file": [_("File: {name}.").format(name=state.name)],
        "lines": [
            _("The model is shown {lines}, up to the cursor in line {row}.").format(
                lines=counted(len(state.seen), "line"), row=state.row + 1
            )
        ],
        "shown": [f"{at + 1}: {text}" for at, text in _shown(state)],
        "accepted": list(_accepted(state.accepted)) if state.accepted is not None else [],
    }
    if state.current is not None:
        lines["proposal"] = list(_proposal(state, state.current))
    return lines


def _shown(state: State) -> Iterator[tuple[int, str]]:
    """Yield the number and the text of each line that the model is shown, except blank lines."""
    rows = state.text[: state.cursor].split("\n")
    for at in state.seen:
        if rows[at].strip():
            yield at, rows[at]


def _proposal(state: State, proposal: Proposal) -> Iterator[str]:
    if not state.ghost:
        yield _("The model proposes to end the line here.")
    else:
        yield _("The model proposes: {text}").format(text=quoted_text(state.ghost))
    for rank, each in enumerate(proposal.beginnings, 1):
        chosen = each.id == proposal.instead or (rank == 1 and proposal.instead is None)
        yield _("First token {rank}: {token}, {probability}{here}.").format(
            rank=rank,
            token=quoted(each.data),
            probability=percent(each.probability),
            here=_(", chosen") if chosen else "",
        )


def _accepted(accepted: Accepted) -> Iterator[str]:
    verdict = accepted.verdict
    if accepted.right:
        yield _("The accepted line is known to be correct.")
    elif verdict.trouble:
        yield _("The accepted line doesn't parse: {error}.").format(error=verdict.trouble)
    elif verdict.missing:
        yield _("The accepted line uses unknown names: {names}.").format(
            names=", ".join(verdict.missing)
        )
    else:
        yield _("The accepted line parses. Whether it is correct is not known.")
