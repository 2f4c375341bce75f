"""The empty chat: what it is, first messages that work, and the sampler settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from tutor.app import theme
from tutor.app.explorer.chat.layout import model_name
from tutor.app.widgets import figures

if TYPE_CHECKING:
    from tutor.app.explorer.state import State

SUGGESTIONS = (
    "Why is the sky blue?",
    "Give me three tips for sleeping well.",
    "Tell me a short story about a dragon.",
    "What is a language model?",
)
"""First messages that a small model answers well."""
SMALL = 1_000_000_000
"""The number of parameters below which a model often makes things up."""


def picked(state: State, text: str) -> str:
    """Return the message to send for what the learner has entered.

    In an empty chat, nothing stands for the selected suggestion, and a number for that suggestion.
    """
    if not state.suggests:
        return text
    if not text.strip():
        return SUGGESTIONS[state.suggestion]
    number = text.strip()
    names = [str(index + 1) for index in range(len(SUGGESTIONS))]
    return SUGGESTIONS[names.index(number)] if number in names else text


def empty_chat(state: State, width: int) -> list[Content]:
    """Return the lines of an empty chat."""
    model = state.engine.model
    about = f"Chat with {model_name(model)}."
    if model is not None and 0 < model.parameters < SMALL:
        about += " It is small: ask short questions, and check its answers."
    lines = _wrapped(Content(about), width)
    if state.suggests:
        lines += [Content(""), *_wrapped(Content("Write a message, or choose one:"), width)]
        lines += [
            Content.assemble(
                ("› " if index == state.suggestion else "  ", f"{theme.ACT} bold"),
                (f"{index + 1}  ", f"{theme.ACT} bold"),
                (figures.fit(text, width - 5), "bold" if index == state.suggestion else ""),
            )
            for index, text in enumerate(SUGGESTIONS)
        ]
    return [*lines, Content(""), *_wrapped(_settings(state), width)]


def _settings(state: State) -> Content:
    """Return a sentence about the sampler settings, and how to change them."""
    sampler, key = state.sampler_to_come, f"{theme.ACT} bold"
    said = Content.assemble(("Sampler: ", theme.MUTED), figures.sampler(sampler))
    if sampler.plain or sampler != state.chat_default:
        return said
    return Content.assemble(
        said,
        (", as the model card of SmolLM2 advises" if state.advised else "", theme.MUTED),
        (". ", theme.MUTED),
        ("esc i", key),
        (" switches to plain sampling.", theme.MUTED),
    )


def _wrapped(text: Content, width: int) -> list[Content]:
    return list(text.wrap(max(1, width)))
