"""Another model than the one in use, loaded beside it."""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Thread

from tutor.errors import ModelError, NotEnoughMemory, RequestCancelled, TutorError
from tutor.labs.scale.questions import Coming
from tutor.lm.fast.free_memory import available_memory
from tutor.lm.language_model import LanguageModel
from tutor.lm.load import load_model
from tutor.models import FoundModel
from tutor.models.installed import file_size


class SideModel:
    """A model that is loaded in a thread of its own, which computes nothing but the weights: other
    questions to the engine are answered meanwhile."""

    def __init__(
        self,
        found: FoundModel,
        free_memory: Callable[[], int | None] = available_memory,
        load: Callable[..., LanguageModel] = load_model,
    ) -> None:
        """Raises `NotEnoughMemory` for one that would not fit beside the model in use."""
        _require_room(found, free_memory())
        self.name = found.name
        self._load_model = load
        self._found = found
        self._left = False
        self._model: LanguageModel | None = None
        self._failure: TutorError | None = None
        self._stage = ("loading", 0, 0)
        self._since = time.monotonic()
        self._thread = Thread(target=self._load, daemon=True)
        self._thread.start()

    def after(self, seconds: float) -> LanguageModel | Coming:
        """The model, if it is there by then, or how far it is. Raises `TutorError` if it cannot be
        loaded."""
        self._thread.join(seconds)
        loading = self._thread.is_alive()  # first: what it leaves is there when it has ended
        if self._failure is not None:
            raise self._failure
        if self._model is not None:
            return self._model
        if not loading:
            raise ModelError(f"{self.name} could not be loaded.", "The engine's log says why.")
        doing, done, total = self._stage
        passed = time.monotonic() - self._since
        left = passed / done * (total - done) if done and total else None
        return Coming(doing, done, total, left)

    def leave(self) -> None:
        """It is not wanted any more: what is half loaded is dropped."""
        self._left = True

    def _load(self) -> None:
        try:
            self._model = self._load_model(self._found, on_stage=self._hear)
        except TutorError as error:
            self._failure = error

    def _hear(self, stage: str, done: int = 0, total: int = 0) -> None:
        if self._left:
            raise RequestCancelled("Another model was chosen, or none.")
        if stage != self._stage[0]:
            self._since = time.monotonic()
        self._stage = (stage, done, total)


def _require_room(found: FoundModel, free: int | None) -> None:
    """What is read from a packed copy needs its file's size; what has to be converted is looked at
    once more while it is loaded (`tutor.lm.load`)."""
    needed = file_size(found)
    if free is not None and needed > free:
        raise NotEnoughMemory(
            f"It needs about {needed / 1e9:.1f} GB of memory, and {free / 1e9:.1f} GB are free.",
            "Close other programs, or choose a smaller model.",
        )
