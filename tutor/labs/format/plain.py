"""Describe the state of the lab on constrained decoding in sentences, for plain mode."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tutor.labs.format.lab import Row
from tutor.language import _
from tutor.plain.words import ended, percent, quoted, quoted_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tutor.labs.format.lab import Place, State

HELP = {
    "edit": _("Ask another question."),
    "set-rule": _("Set the format. Type pattern and a regular expression, or choices and a list."),
    "choose": _("Choose another example of a format."),
    "run": _("Generate the rest of the answer, or stop."),
}
_MOST = 8


def describe(state: State) -> dict[str, list[str]]:
    """Return the format, both answers, and the next token with and without the format."""
    return {
        "message": [_("Message: {text}").format(text=quoted_text(state.message))],
        "format": [
            _("Format, as a regular expression: {text}").format(text=state.rule.text)
            if state.rule.kind == "pattern"
            else _("Format, as choices: {text}").format(text=state.rule.text)
        ],
        "free": list(_free(state)),
        "answer": list(_answer(state)),
        "next": list(_next(state.place)) if state.place is not None else [],
    }


def _free(state: State) -> Iterator[str]:
    if text := state.free.text:
        yield _("Answer without the format: {text}").format(text=quoted_text(text))


def _answer(state: State) -> Iterator[str]:
    if not state.written:
        return
    yield _("Answer in the format: {text}").format(
        text=ended(state.text.decode("utf-8", "replace"))
    )
    yield _("At the answer's last token, {removed} of the probability was masked.").format(
        removed=percent(state.removed[-1])
    )
    if state.finished:
        yield _("The answer is complete.")


def _next(place: Place) -> Iterator[str]:
    if place.whole:
        yield _("The answer already matches the format.")
    yield _(
        "The format allows {allowed:,} of {vocabulary:,} tokens. {removed} of the probability is "
        "masked."
    ).format(allowed=place.allowed, vocabulary=place.vocabulary, removed=percent(place.removed))
    if place.kept and place.kept[0] not in place.rows[:_MOST]:
        yield _row(place.kept[0])
    yield from map(_row, place.rows[:_MOST])


def _row(row: Row) -> str:
    name = _("end token") if row.end else quoted(row.data)
    if not row.after:
        return _("Rank {rank}: {token}, {before}, masked.").format(
            rank=row.rank, token=name, before=percent(row.before)
        )
    return _("Rank {rank}: {token}, {before}, {after} after masking.").format(
        rank=row.rank, token=name, before=percent(row.before), after=percent(row.after)
    )
