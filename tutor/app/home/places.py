"""The screens that the learner opens from the course map with a key."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tutor.language import _

if TYPE_CHECKING:
    from tutor.app.services import Place


class MapPlace(NamedTuple):
    """A screen that has a key on the course map.

    `what` is a verb phrase that says what the learner can do on the screen.
    """

    key: str
    place: Place
    name: str
    what: str
    about: str = ""
    """One or two sentences about the screen, shown next to the course map on a wide screen."""
    listed: bool = False
    """Whether the course map has a row for this screen. If so, the key line omits its key.

    With more such rows, twelve lessons would not fit on 24 lines.
    """
    shown: bool = True
    """Whether the key line may show the key. If it is False, only the help screen shows the key."""


PLACES = (
    MapPlace("r", "review", _("Review"), _("answer the questions that are due")),
    MapPlace(
        "s",
        "step",
        _("Stepper"),
        _("step through a text, one token at a time"),
        _(
            "Shows the probability of every token that could come next. You take one, go back, "
            "branch, "
            "and look inside the network."
        ),
        listed=True,
    ),
    MapPlace(
        "c",
        "chat",
        _("Chat"),
        _("chat with the model and inspect every token"),
        _(
            "A conversation with the model on this machine. You can look at the distribution "
            "behind "
            "each token of its answers."
        ),
        listed=True,
    ),
    MapPlace(
        "g",
        "guess",
        _("Guessing game"),
        _("try to beat the model at guessing tokens"),
        _(
            "You and the model guess how a text continues, token by token. The score is your "
            "surprisal "
            "in bits, which is what models are trained to lower."
        ),
        listed=True,
    ),
    MapPlace(
        "l",
        "labs",
        _("Labs"),
        _("run experiments with goals to reach"),
        _(
            "Every lab turns one idea of the course into an experiment on the live model. You can "
            "open "
            "any of them at any time."
        ),
        listed=True,
    ),
    MapPlace("p", "progress", _("Progress"), _("see how well you know each lesson")),
    MapPlace("i", "tour", _("Tour"), _("see the one-minute tour again"), shown=False),
    MapPlace("comma", "settings", _("Settings"), _("change the settings"), shown=False),
    MapPlace("m", "model", _("Model"), _("see the details of the model in use"), shown=False),
)
