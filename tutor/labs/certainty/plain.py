"""Describe the state of the certainty lab in sentences, for plain mode."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tutor.labs.certainty import lab
from tutor.labs.certainty.calibration import expected_error
from tutor.labs.certainty.lab import WAYS
from tutor.language import _
from tutor.plain.words import ended, percent, quoted_text
from tutor.text import counted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tutor.labs.certainty.lab import State, Way

HELP = {
    "edit": _("Ask a question of your own."),
    "choose": _("Choose another question of the set, or another way to ask."),
    "run": _("Sample ten answers (in the other views: ask the whole set), or stop."),
}
_WAYS: dict[Way, str] = {
    "plain": _("only the question"),
    "fact": _("with the fact in the prompt"),
    "unsure": _("with a system message that allows “I do not know”"),
}


def describe(state: State) -> dict[str, list[str]]:
    """Return the question and the model's answers, or the results for the whole set."""
    match state.view:
        case "answer":
            return {
                "question": list(_question(state)),
                "answer": list(_answer(state)),
                "samples": list(_samples(state)),
            }
        case "calibration":
            return {"progress": list(_progress(state)), "calibration": list(_calibration(state))}
        case "ways":
            return {"progress": list(_progress(state)), "ways": list(_tallies(state))}


def _question(state: State) -> Iterator[str]:
    if state.item is None:
        yield _("Your own question: {text}").format(text=quoted_text(state.own))
    else:
        yield _("Question {number} of {count}: {text}").format(
            number=state.at + 1, count=len(state.limits.items), text=ended(state.item.ask)
        )
        yield (
            _("It is about something real.")
            if state.item.real
            else _("It is about something invented.")
        )
    yield _("Asked in this way: {way}.").format(way=_WAYS[state.way])


def _answer(state: State) -> Iterator[str]:
    reply = state.reply
    if reply is None:
        return
    yield _("Answer: {text}").format(text=quoted_text(reply.text))
    yield _("Certainty: {certainty}.").format(certainty=percent(reply.certainty))
    if state.item is None:
        return
    judged = next(each for each in lab.judged(state, state.way) if each.item is state.item)
    yield {
        "right": _("The answer is right."),
        "wrong": _("The answer is wrong."),
        "declined": _("The model declines to answer."),
    }[judged.verdict]
    if state.accepted:
        yield _("Accepted: {answers}.").format(answers=", ".join(state.accepted))


def _samples(state: State) -> Iterator[str]:
    found = lab.gists(state)
    if not found:
        return
    total = sum(count for __, count in found)
    yield _("{samples}, {different} different.").format(
        samples=counted(total, "sample"), different=len(found)
    )
    for text, count in found:
        yield _("{times}: {text}").format(times=counted(count, "time"), text=ended(text))


def _progress(state: State) -> Iterator[str]:
    asked = lab.progress(state)
    yield _("{done} of {total} questions asked.").format(done=asked.done, total=asked.total)


def _calibration(state: State) -> Iterator[str]:
    bins = lab.calibration(lab.judged(state, state.way))
    if not any(each.count for each in bins):
        return
    yield _("Asked in this way: {way}.").format(way=_WAYS[state.way])
    for each in bins:
        if each.count:
            yield _("Certainty {low} to {high}: {answers}, {right} right.").format(
                low=percent(each.low),
                high=percent(each.high),
                answers=counted(each.count, "answer"),
                right=percent(each.share_right),
            )
    yield _("Expected calibration error: {error}.").format(error=percent(expected_error(bins)))


def _tallies(state: State) -> Iterator[str]:
    for way in WAYS:
        found = list(lab.judged(state, way))
        if not found:
            continue
        yield _("{way}:").format(way=_WAYS[way].capitalize())
        for real, about in ((True, _("real things")), (False, _("invented things"))):
            tally = lab.tally(found, real=real)
            yield _("About {things}: {right} right, {wrong} wrong, {declined} declined.").format(
                things=about,
                right=tally["right"],
                wrong=tally["wrong"],
                declined=tally["declined"],
            )
