"""Describe the state of the lab in sentences, for plain mode."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, assert_never

from tutor.labs.difference import questions
from tutor.labs.kit.progress import Progress
from tutor.language import _
from tutor.plain.words import ended, listed, percent, token

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tutor.labs.difference.questions import Difference
    from tutor.labs.difference.state import State
    from tutor.lm.distribution import SamplerSettings

HELP = {
    "view": _("Choose what is different in B: prompt, sampler, parts, precision, model or tuning."),
    "toggle": _("Switch the selected part off or on, or change the order of the rows."),
    "open": _("Compare another text, with these sampler settings."),
}
_FEW = 5


def describe(state: State) -> dict[str, list[str]]:
    """Return sentences about A, about B, and about the differences between them."""
    text = [_("Text of A: {text}").format(text=ended(state.a.text))]
    return {
        "a": [
            *(text if state.view != "tuning" else ()),
            _("Sampler of A: {settings}.").format(settings=_settings(state.sampler)),
        ],
        "b": list(_b(state)),
        "problem": [ended(state.refused)] if state.refused else [],
        "total": list(_total(state)),
        "position": list(_position(state)),
        "rows": list(_rows(state)),
    }


def _settings(settings: SamplerSettings) -> str:
    return _("temperature {temperature:g}, top-k {top_k}, top-p {top_p:g}, min-p {min_p:g}").format(
        temperature=settings.temperature,
        top_k=settings.top_k or _("off"),
        top_p=settings.top_p,
        min_p=settings.min_p,
    )


def _b(state: State) -> Iterator[str]:
    if state.view == "model" and state.others is not None:
        names = listed(state.others) or _("none")
        yield _("Other models with the same vocabulary: {names}.").format(names=names)
    if state.difference is not None:
        yield _said(state.difference)
    if state.view == "tuning" and state.setup is not None:
        base, instruct = state.setup.written
        yield _("The base model writes: {text}").format(text=ended(base))
        yield _("The instruct model writes: {text}").format(text=ended(instruct))
    if state.view == "parts" and state.setup is not None:
        part = state.focus
        what = (
            _("the feed-forward network")
            if part.head == questions.FEED_FORWARD
            else _("head {number}").format(number=part.head + 1)
        )
        yield _("Selected part: {what} of layer {layer}.").format(what=what, layer=part.layer + 1)
    if state.scanning and state.part_count:
        yield _("Effects measured for {done} of {total} parts.").format(
            done=len(state.scan), total=state.part_count
        )


def _said(b: Difference) -> str:
    match b:
        case questions.OtherText(text=text):
            return _("Text of B: {text}").format(text=ended(text))
        case questions.OtherSampler(settings=settings):
            return _("Sampler of B: {settings}.").format(settings=_settings(settings))
        case questions.PartsOff(parts=()):
            return _("No part of B is switched off.")
        case questions.PartsOff(parts=parts):
            names = listed([part.name for part in parts], _("and"))
            return _("Switched off in B: {names}.").format(names=names)
        case questions.Rounded(bits=bits):
            return _("The weights of B are rounded to {bits} bits.").format(bits=bits)
        case questions.OtherModel(name=name):
            return _("Model of B: {name}.").format(name=name)
        case questions.Tuned(question=question):
            return _(
                "A is the base model, and B is the instruct model that was made from it. "
                "Question: {text}"
            ).format(text=ended(question))
    assert_never(b)


def _total(state: State) -> Iterator[str]:
    setup = state.setup
    if isinstance(state.progress, Progress):
        yield _("Processing: {done} of {total}.").format(
            done=state.progress.done, total=state.progress.total
        )
    if setup is None or not state.complete:
        return
    if state.same:
        yield _("A and B are the same.")
    total, reverse = state.total_bits
    yield _("Total divergence: {bits} from A to B, {reverse} from B to A.").format(
        bits=_bits(total), reverse=_bits(reverse)
    )
    count = len(state.compared)
    yield _("Mean per position: {bits} from A to B, {reverse} from B to A.").format(
        bits=_bits(total / count), reverse=_bits(reverse / count)
    )
    if not total:
        return
    most = setup.places[state.largest].a
    yield _("A and B diverge most after token {number}, {token}.").format(
        number=most, token=token(setup.tokens_a[most - 1])
    )


def _position(state: State) -> Iterator[str]:
    setup, here = state.setup, state.here
    if setup is None or here is None:
        return
    at = setup.places[state.at].a
    yield _(
        "After token {number} of {count}, {token}: {bits} from A to B, {reverse} from B to A."
    ).format(
        number=at,
        count=len(setup.tokens_a),
        token=token(setup.tokens_a[at - 1]),
        bits=_bits(here.bits),
        reverse=_bits(here.reverse_bits),
    )


def _rows(state: State) -> Iterator[str]:
    for row in state.rows[:_FEW]:
        yield _("{token}: {before} in A, {after} in B.").format(
            token=token(row.token), before=percent(row.before), after=percent(row.after)
        )


def _bits(bits: float) -> str:
    return _("infinitely many bits") if math.isinf(bits) else f"{bits:.2f} bits"
