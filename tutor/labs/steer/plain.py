"""Describe the steering lab's state in sentences, for plain mode."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tutor.labs.steer.questions import STEP, GridPoint
from tutor.labs.steer.state import ONE
from tutor.language import _
from tutor.plain.words import number, percent, quoted, spoken, token

if TYPE_CHECKING:
    from tutor.labs.steer.state import State

_MOST = 6


def describe(state: State) -> dict[str, list[str]]:
    """Return sentences about the settings, and about the results in the current view."""
    toward, away = state.lists.first[0], state.lists.second[0]
    lines = {
        "settings": [
            _("Layer {layer}, strength {strength}.").format(
                layer=state.layer + 1, strength=number(state.strength)
            ),
            _("The vector points from {away} toward {toward}.").format(
                away=quoted(away.encode()), toward=quoted(toward.encode())
            ),
            _("Prompt: {prompt}.").format(prompt=spoken(state.prompt)),
        ],
    }
    view = {"next": _next, "text": _text, "cost": _cost, "layers": _layers, "saved": _saved}
    return lines | {"perplexity": _perplexity(state), state.view: view[state.view](state)}


def _perplexity(state: State) -> list[str]:
    if state.perplexities is None:
        return []
    before, after = map(number, state.perplexities)
    said = _("Perplexity of neutral text: {before} without steering, {after} with it.")
    return [said.format(before=before, after=after)]


def _next(state: State) -> list[str]:
    if state.next is None:
        return []
    found = state.next
    said = _("Steering changes the prediction by {bits} bits.").format(
        bits=number(found.after.bits)
    )
    lines = [said]
    changes = (
        (state.names[0], found.before.first, found.after.first),
        (state.names[1], found.before.second, found.after.second),
    )
    for name, before, after in changes:
        lines.append(
            _("Words of {name}: {before} without steering, {after} with it.").format(
                name=name, before=percent(before), after=percent(after)
            )
        )
    for row in found.rows[:_MOST]:
        lines.append(
            _("{token}: {before} without steering, {after} with it.").format(
                token=token(row.token), before=percent(row.before), after=percent(row.after)
            )
        )
    return lines


def _text(state: State) -> list[str]:
    return [
        _("Without steering: {text}").format(text=spoken(state.reply(0).text)),
        _("With steering: {text}").format(text=spoken(state.reply(state.dial).text)),
    ]


def _cost(state: State) -> list[str]:
    return [
        _("Strength {strength}: perplexity {perplexity}.").format(
            strength=number(spot.strength), perplexity=number(state.costs[spot])
        )
        for spot in state.grid
        if spot in state.costs
    ]


def _layers(state: State) -> list[str]:
    lines = []
    for layer in range(state.layers):
        down, up = (state.effects.get(GridPoint(layer, dial)) for dial in (-ONE, ONE))
        if down is not None and up is not None:
            said = _("Layer {layer}: {down} bits at strength -{one}, {up} bits at strength {one}.")
            one = number(ONE * STEP)
            lines.append(
                said.format(layer=layer + 1, down=number(down.bits), up=number(up.bits), one=one)
            )
    return lines


def _saved(state: State) -> list[str]:
    failed = [state.failed] if state.failed else []
    if not state.saved:
        return [*failed, _("No vectors are saved.")]
    return failed + [
        _("{name}: layer {layer}, {model}.").format(
            name=spoken(entry.name), layer=entry.layer + 1, model=spoken(entry.model_name)
        )
        for entry in state.saved
    ]
