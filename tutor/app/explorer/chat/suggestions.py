"""The content of an empty chat: an introduction, suggested messages, and the sampler settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from tutor.app import theme
from tutor.app.explorer.chat.first_messages import SUGGESTIONS
from tutor.app.explorer.chat.layout import model_name
from tutor.app.explorer.chat.situation import without_template
from tutor.app.widgets import figures
from tutor.app.widgets.key_names import with_keys
from tutor.language import _

if TYPE_CHECKING:
    from tutor.app.explorer.state import State

LOW = 10
"""The height, in rows, below which the advice about small models is left out."""
SMALL = 1_000_000_000
"""The number of parameters below which the learner is advised to check the model's answers."""


def empty_chat(state: State, width: int, height: int) -> list[Content]:
    """Return the lines of an empty chat, wrapped to `width` columns."""
    if (said := without_template(state)) is not None:
        return _wrapped(Content(said), width)
    model = state.engine.model
    about = _("Chat with {model_name}.").format(model_name=model_name(model))
    if model is not None and 0 < model.parameters < SMALL and height >= LOW:
        about += _(" It is small: ask short questions, and check its answers.")
    lines = _wrapped(Content(about), width)
    if state.suggests:
        lines += [Content(""), *_wrapped(Content(_("Write a message, or choose one:")), width)]
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
    """Return the sampler settings, with the keys that change them."""
    sampler = state.sampler_to_come
    said = Content.assemble((_("Sampler: "), theme.MUTED), figures.sampler(sampler))
    if sampler.plain or sampler != state.chat_default:
        return said
    switch_off = _("Press i to switch these settings off.")
    if state.panel == "editor":
        switch_off = _("Press Esc, then i, to switch these settings off.")
    return Content.assemble(
        said,
        (_(", as SmolLM2's model card recommends") if state.advised else "", theme.MUTED),
        (". ", theme.MUTED),
        with_keys(switch_off, theme.MUTED),
    )


def _wrapped(text: Content, width: int) -> list[Content]:
    return list(text.wrap(max(1, width)))
