"""Load a second model, in addition to the engine's own."""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Lock, Thread

from tutor.errors import ModelError, NotEnoughMemory, RequestCancelled, TutorError
from tutor.labs.kit.progress import Coming
from tutor.language import _
from tutor.lm.fast.free_memory import available_memory
from tutor.lm.language_model import LanguageModel
from tutor.lm.load import load_model
from tutor.models import FoundModel
from tutor.models.installed import file_size

_LOADING = Lock()
"""A lock that is held while a model is loaded. Loading two at once might need too much memory."""


class SideModel:
    """A model that is loaded in its own thread, so the engine can process other requests.

    If another side model is being loaded, this one is loaded afterwards.
    """

    def __init__(
        self,
        found: FoundModel,
        free_memory: Callable[[], int | None] = available_memory,
        load: Callable[..., LanguageModel] = load_model,
    ) -> None:
        self.name = found.name
        self._free_memory = free_memory
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
        """Wait up to `seconds`, then return the model or, if it isn't loaded yet, the progress.

        Raises `TutorError` if the model cannot be loaded, and `NotEnoughMemory` if it doesn't fit
        into memory.
        """
        self._thread.join(seconds)
        # Check this first. If the thread has ended, its results below are final.
        loading = self._thread.is_alive()
        if self._failure is not None:
            raise self._failure
        if self._model is not None:
            return self._model
        if not loading:
            raise ModelError(
                _("{name} could not be loaded.").format(name=self.name), "See the engine's log."
            )
        doing, done, total = self._stage
        passed = time.monotonic() - self._since
        left = passed / done * (total - done) if done and total else None
        return Coming(doing, done, total, left)

    def leave(self) -> None:
        """Stop loading the model, and drop it."""
        self._left = True

    def _load(self) -> None:
        try:
            with _LOADING:
                # Don't start if `leave` was called during the wait.
                self._hear(self._stage[0])
                _require_room(self._found, self._free_memory())
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
    """Raise `NotEnoughMemory` if a copy of the model's file doesn't fit into memory.

    Some models must be converted while they are loaded. For these, `tutor.lm.load` checks the
    memory again.
    """
    needed = file_size(found)
    if free is not None and needed > free:
        raise NotEnoughMemory(
            _(
                "The model needs about {needed:.1f} GB of memory, but only {free:.1f} GB are free."
            ).format(needed=needed / 1e9, free=free / 1e9),
            "Close other programs, or choose a smaller model.",
        )
