"""Describe the state of the lab on probes in sentences, for plain mode."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tutor.labs.kit.intervals import percent_range
from tutor.labs.probe.lab import MILDER
from tutor.language import _
from tutor.plain.words import percent, spoken, token

if TYPE_CHECKING:
    from tutor.labs.probe.lab import Added, State, Trained

_MOST = 5


def describe(state: State) -> dict[str, list[str]]:
    """Return sentences about the selected probe, the sentences, and the effect of its direction."""
    lines = {"set": [_("Set of sentences: {name}.").format(name=state.of)]}
    trained = state.trained
    if trained is None:
        return lines
    lines["trained"] = _accuracy(state, trained)
    if state.view == "examples":
        lines["judged"] = _examples(state, trained)
    if state.view == "causality":
        lines["added"] = _added(state, state.shown) if state.shown else []
    return lines


def place(layer: int) -> str:
    """Describe where a probe reads, such as "in the embedding" or "after block 5"."""
    return _("after block {block}").format(block=layer) if layer else _("in the embedding")


def _accuracy(state: State, trained: Trained) -> list[str]:
    count = len(trained.held_out)
    said = [
        _("The probe {place} gets {right} of {count} held-out sentences right, {percent}.").format(
            place=place(state.layer),
            right=trained.right(state.layer),
            count=count,
            percent=percent(trained.accuracy(state.layer)),
        ),
        _("The 95 percent interval is {range}.").format(
            range=percent_range(trained.interval(state.layer)).strip()
        ),
    ]
    if state.control is not None:
        right = state.control.right[state.layer]
        said.append(
            _("In the control task, {right} of {count} are right.").format(right=right, count=count)
        )
        said.append(MILDER)
    best = max(range(trained.layers), key=trained.right)
    said.append(
        _(
            "The best of all {layers} probes, {place}, gets {right} of {count} right. The probe in "
            "the embedding gets {first} right."
        ).format(
            layers=trained.layers,
            place=place(best),
            right=trained.right(best),
            count=count,
            first=trained.right(0),
        )
    )
    return said


def _examples(state: State, trained: Trained) -> list[str]:
    label = state.set.labels[0]
    said = []
    if state.judged is not None:
        said = [
            _("Your sentence, {text}: {percent} {label}, and {first} in the embedding.").format(
                text=spoken(state.sentence),
                percent=percent(state.judged.probabilities[state.layer]),
                label=label,
                first=percent(state.judged.probabilities[0]),
            )
        ]
    for at in range(state.row, min(state.row + _MOST, len(trained.held_out))):
        each = trained.held_out[at]
        mark = _("wrong") if trained.wrong(state.layer, at) else _("right")
        said.append(
            _("{at}: {text}: {percent} {label}, {mark}.").format(
                at=at + 1,
                text=spoken(each.text),
                percent=percent(trained.probabilities[state.layer][at]),
                label=label,
                mark=mark,
            )
        )
    return said


def _added(state: State, found: Added) -> list[str]:
    first, second = ("/".join(words) for words in state.set.answers)
    rows = (
        (_("Unchanged"), found.before),
        (_("With the probe's direction, strength {strength:+g}"), found.after),
        (_("With a random direction of the same length"), found.chance),
    )
    said = [_("The prompt: {text}").format(text=spoken(state.prompt))]
    for name, answers in rows:
        said.append(
            _(
                "{name}: {first} {one}, {second} {other}. The answer's share of both is {kept}."
            ).format(
                name=name.format(strength=state.strength),
                first=first,
                one=percent(answers.first),
                second=second,
                other=percent(answers.second),
                kept=percent(found.kept(answers)),
            )
        )
    top = max(found.rows, key=lambda row: row.after)
    said.append(
        _("The most probable next token with the probe's direction is {token}.").format(
            token=token(top.token)
        )
    )
    return said
