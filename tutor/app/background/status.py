"""How the model is doing, put into words for the status line, the course map and the model
screen. Pure."""

from __future__ import annotations

from typing import Literal

import msgspec

from tutor.errors import TutorError
from tutor.lm.distribution import ModelCard
from tutor.models.report import PullProgress
from tutor.text import safe

_STAGES = {
    "waiting": "model: waiting",
    "fetching": "fetching model",
    "checking": "checking model",
    "converting": "packing model",
}

_LONGEST_NAME = 22

EnginePhase = Literal["starting", "loading", "ready", "stopped"]


class ModelStatus(msgspec.Struct, frozen=True):
    """`phase` and `detail` are the engine's; `fetch` is how far the default model has come while
    it is being fetched, `fetch_failure` why that ended. `small` says that the small model that
    comes with the package stands in for it, `served` that the engine is one that serves many."""

    phase: EnginePhase = "starting"
    detail: str = ""
    model: ModelCard | None = None
    failure: TutorError | None = None
    small: bool = False
    served: bool = False
    fetch: PullProgress | None = None
    fetch_failure: TutorError | None = None

    @property
    def ready(self) -> bool:
        return self.phase == "ready"

    @property
    def mark(self) -> str:
        """A sign for the narrowest status line: `●` ready, `○` not yet, `×` stopped; before it
        how far the fetch is."""
        sign = {"ready": "●", "stopped": "×"}.get(self.phase, "○")
        return f"{share_fetched(self.fetch).strip()} {sign}".lstrip() if self.fetch else sign

    @property
    def line(self) -> str:
        """A few words for the status line, then the sign."""
        if self.fetch is not None:
            return f"{_STAGES[self.fetch.stage]} {self.mark}"
        match self.phase:
            case "ready":
                return f"{'small model' if self.small else self._short_name} {self.mark}"
            case "stopped":
                return f"no model {self.mark}"
            case _:
                return f"loading model {self.mark}"

    @property
    def _short_name(self) -> str:
        """The model's name without its number format, short enough for the status line."""
        if self.model is None:
            return "model"
        name = safe(self.model.name).removesuffix(f".{self.model.format}")
        return name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 1]}…"

    @property
    def note(self) -> str:
        """A sentence for the course map, when there is something to say."""
        if self.fetch is not None:
            meanwhile = "the small one works meanwhile" if self.small else "lessons can be read"
            return f"The model is coming through the network, once; {meanwhile}."
        if self.fetch_failure is not None:
            standing_in = " The small model stands in." if self.small and self.ready else ""
            return f"{self.fetch_failure.happened}{standing_in} m, then f, tries again."
        if self.phase == "stopped":
            happened = self.failure.happened if self.failure else "The engine does not run."
            return f"{happened} Lessons can be read; m says more."
        return ""


def share_fetched(progress: PullProgress) -> str:
    """How far this stage is, as a figure that keeps its width; nothing where it has no measure."""
    if not progress.total:
        return ""
    return f"{100 * progress.done // progress.total:>3} %"
