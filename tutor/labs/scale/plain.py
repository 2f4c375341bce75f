"""Describe the state of the scale lab in sentences, for plain mode."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tutor.labs.scale.lab import ladder
from tutor.language import _
from tutor.plain.words import ended, listed, number, percent, quoted, quoted_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tutor.labs.scale.lab import State

HELP = {
    "agree": _("Send the text to the selected remote model? Type agree yes or agree no."),
    "choose": _("Add the next installed or remote model, or none."),
}
_FEW = 3


def describe(state: State) -> dict[str, list[str]]:
    """Return sentences about each model's results for the text and, in its view, the ladder."""
    return {
        "text": [_("Text: {text}").format(text=quoted_text(state.text))],
        "models": list(_readings(state)),
        "remote": list(_remote(state)),
        "ladder": list(_ladder(state)) if state.view == "ladder" else [],
        "problem": [ended(each) for each in (state.refused, state.remote.refused) if each],
    }


def _ladder(state: State) -> Iterator[str]:
    for place, rung in enumerate(ladder(state)):
        figures = {
            _("parameters {value}"): rung.parameters,
            _("bytes {value}"): rung.bytes,
            _("training tokens {value}"): rung.tokens,
        }
        parts = [each.format(value=number(value)) for each, value in figures.items() if value]
        said = ", ".join(parts) or _("size and training data unknown")
        yield f"{place + 1}: {rung.name}: {said}."


def _readings(state: State) -> Iterator[str]:
    for reading in state.readers:
        yield _(
            "{name}, with {parameters:,} parameters: {bits:.2f} bits per byte, {total:.0f} bits "
            "for the whole text."
        ).format(
            name=reading.name,
            parameters=reading.parameters,
            bits=reading.bits_a_byte,
            total=reading.bits,
        )
        best = [f"{quoted(each.data)}, {percent(each.probability)}" for each in reading.best[:_FEW]]
        if best:
            template = _("{name} expects next: {best}.")
            yield template.format(name=reading.name, best=listed(best, _("or")))


def _remote(state: State) -> Iterator[str]:
    server = state.remote.server
    if server is None:
        return
    yield _("Remote model: {name}, at {host}.").format(name=server.name, host=server.host)
    if state.remote.undecided:
        yield _("Nothing has been sent to this model. Type agree yes to send the text.")
    glance = state.remote.glance
    if glance is not None:
        best = [f"{quoted(each.data)}, {percent(each.probability)}" for each in glance.shown[:_FEW]]
        yield _("{name} expects next: {best}.").format(name=server.name, best=listed(best, _("or")))
