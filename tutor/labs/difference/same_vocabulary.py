"""Find and load other installed models that have the same vocabulary as the loaded model."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from threading import Thread

from tutor.errors import ModelError
from tutor.labs.kit.other_models.side_model import SideModel
from tutor.labs.kit.progress import Coming, Progress
from tutor.language import _
from tutor.lm.divergence import require_same_vocabulary, same_tokens
from tutor.lm.language_model import LanguageModel
from tutor.lm.load import load_model, read_tokenizer
from tutor.models import FoundModel
from tutor.models.installed import installed_models
from tutor.models.report import OnStage


class OtherModels:
    """A loader that finds and loads models with the same vocabulary.

    Both operations run in other threads, so the engine can process other requests. One model is
    kept in memory until another is chosen.
    """

    def __init__(
        self,
        loaded: LanguageModel,
        installed: Callable[[], tuple[FoundModel, ...]] = installed_models,
    ) -> None:
        self._loaded = loaded
        self._installed = installed
        self._same: dict[Path, bool] = {}
        self._search: Thread | None = None
        self._side: SideModel | None = None

    def names(self, seconds: float) -> tuple[str, ...] | Progress:
        """Return the models' names, or the progress if the search takes more than `seconds`."""
        found = self._candidates()
        unknown = [model for model in found.values() if model.path not in self._same]
        if unknown and self._search is None:
            self._search = Thread(target=self._compare, args=(unknown,), daemon=True)
            self._search.start()
        if self._search is not None:
            self._search.join(seconds)
            if self._search.is_alive():
                return Progress(len(found) - len(unknown), len(found))
            self._search = None
        return tuple(name for name, model in found.items() if self._same.get(model.path))

    def model(self, name: str, seconds: float) -> LanguageModel | Coming:
        """Return the model, or the progress if it isn't loaded within `seconds`.

        Raises `ModelError` if the model cannot be loaded, or has another vocabulary.
        """
        if self._side is None or self._side.name != name:
            self.leave()
            found = self._candidates().get(name)
            if found is None:
                raise ModelError(
                    _("{name} is no longer installed.").format(name=name), "Choose another model."
                )
            self._side = SideModel(found, load=self._load)
        return self._side.after(seconds)

    def leave(self) -> None:
        """Drop the other model."""
        if self._side is not None:
            self._side.leave()
        self._side = None

    def _candidates(self) -> dict[str, FoundModel]:
        """Return the installed models except the loaded one, by name."""
        found: dict[str, FoundModel] = {}
        here = Path(self._loaded.card.path)
        for model in self._installed():
            if model.path != here:
                found.setdefault(model.name, model)
        return found

    def _compare(self, models: list[FoundModel]) -> None:
        mine = self._loaded.tokenizer
        for model in models:
            try:
                other = read_tokenizer(model)
            except ModelError:  # Don't list a model that can't be loaded.
                self._same[model.path] = False
                continue
            size = mine.vocabulary_size
            same = size == other.vocabulary_size and same_tokens(mine, other, size)
            self._same[model.path] = same

    def _load(self, found: FoundModel, *, on_stage: OnStage) -> LanguageModel:
        model = load_model(found, on_stage=on_stage)
        require_same_vocabulary(self._loaded, model)
        return model
