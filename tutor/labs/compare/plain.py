"""Describe the state of the lab on comparing models in sentences, for plain mode."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tutor.labs.compare.lab import TEMPERATURES, cost
from tutor.language import _
from tutor.plain.words import ended
from tutor.text import counted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tutor.labs.compare.lab import State

HELP = {
    "ask": _("Send the prompt to all chosen models, or stop the run."),
    "toggle": _("Include or exclude the selected model."),
    "adjust": _("Change the temperature: up or down."),
}


def describe(state: State) -> dict[str, list[str]]:
    """Return the prompt, the temperature, the models, and their answers."""
    return {
        "prompt": [_("Prompt: {prompt}").format(prompt=ended(state.prompt))],
        "temperature": [_("Temperature: {value:g}.").format(value=TEMPERATURES[state.temperature])],
        "models": list(_models(state)),
        "answers": list(_answers(state)),
    }


def _models(state: State) -> Iterator[str]:
    for place, (model, name) in enumerate(zip(state.models, state.names, strict=True)):
        parts = [
            _("chosen") if place in state.chosen else _("not chosen"),
            "" if model.key else _("needs {variable}").format(variable=model.variable),
            _("selected") if place == state.focus else "",
        ]
        said = ", ".join(filter(None, parts))
        yield _("Model {number}, {name}: {said}.").format(number=place + 1, name=name, said=said)


def _answers(state: State) -> Iterator[str]:
    for place, reply in state.replies.items():
        name = state.names[place]
        if reply.trouble is not None:
            yield _("{name} failed: {error}").format(name=name, error=reply.trouble.error)
            continue
        if reply.text:
            yield _("{name} answers: {text}").format(name=name, text=ended(reply.text.strip()))
        if reply.answer_tokens is not None and reply.a_second is not None:
            yield _("{name}: {tokens}, {speed:.1f} tokens per second.").format(
                name=name, tokens=counted(reply.answer_tokens, "token"), speed=reply.a_second
            )
        if (price := cost(state.models[place], reply)) is not None:
            yield _("{name}: {price:.6f} dollars.").format(name=name, price=price)
    for place in state.refused:
        yield _("{name}: nothing was sent.").format(name=state.names[place])
