"""Open the lab that compares two distributions, with the text of the stepper."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tutor.language import _

if TYPE_CHECKING:
    from textual.app import App

    from tutor.app.explorer.pane import ExplorerPane
    from tutor.app.services import Navigation


def open_comparison(app: App[Any], navigation: Navigation, asked: ExplorerPane.Compare) -> None:
    """Open the lab with the tokens of the stepper as text A, at the position in focus."""
    from tutor.app.labs.screen import LabScreen
    from tutor.labs.difference.lab import Open
    from tutor.labs.difference.questions import Text
    from tutor.labs.kit.work import LONGEST

    navigation.open_live_lab("difference")
    lab = app.screen
    assert isinstance(lab, LabScreen)
    text = b"".join(token.data for token in asked.tokens).decode("utf-8", "replace")[:LONGEST]
    ids = tuple(token.id for token in asked.tokens)
    begin = Open(Text(text, ids, asked.model), asked.sampler, asked.place)
    lab.call_after_refresh(lab.act, begin)
    note = _("A is your text. Press Esc to return to the stepper.")
    if asked.steered:
        note = _("A and B are not steered, although your text is.")
    lab.call_after_refresh(lab.say, note)
