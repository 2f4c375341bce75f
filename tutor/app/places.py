"""The titles and descriptions of the screens that can be opened from anywhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tutor.language import _

if TYPE_CHECKING:
    from tutor.app.services import Place


class PlaceText(NamedTuple):
    """The title of a screen and, if it is on the course map, its descriptions.

    `what` is a verb phrase that says what the learner can do on the screen.
    """

    title: str
    what: str = ""
    about: str = ""
    """One or two sentences about the screen, shown next to the course map on a wide screen."""


PLACES: dict[Place, PlaceText] = {
    "home": PlaceText(_("Course map")),
    "review": PlaceText(_("Review"), _("answer the questions that are due")),
    "step": PlaceText(
        _("Stepper"),
        _("step through a text, one token at a time"),
        _(
            "Shows the probability of every token that could come next. You take one, go back, "
            "branch, and look inside the network."
        ),
    ),
    "chat": PlaceText(
        _("Chat"),
        _("chat with the model and inspect every token"),
        _(
            "A conversation with the model on this machine. You can look at the distribution "
            "behind each token of its answers."
        ),
    ),
    "guess": PlaceText(
        _("Guessing game"),
        _("try to beat the model at guessing tokens"),
        _(
            "You and the model guess how a text continues, token by token. The score is your "
            "surprisal in bits, which is what models are trained to lower."
        ),
    ),
    "labs": PlaceText(
        _("Labs"),
        _("run experiments with goals to reach"),
        _(
            "Every lab turns one idea of the course into an experiment on the live model. You can "
            "open any of them at any time."
        ),
    ),
    "progress": PlaceText(_("Progress"), _("see how well you know each lesson")),
    "suspended": PlaceText(_("Questions no longer asked")),
    "teacher": PlaceText(_("What a teacher sees")),
    "glossary": PlaceText(_("Glossary")),
    "search": PlaceText(_("Search the course")),
    "model": PlaceText(_("Model"), _("see the details of the model in use")),
    "settings": PlaceText(_("Settings"), _("change the settings")),
    "tour": PlaceText(_("Tour"), _("see the one-minute tour again")),
}
