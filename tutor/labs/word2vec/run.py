"""A word2vec training run that can be saved after any step, and resumed with the same result.

All random draws depend only on the seed and on the position in the run. So an interruption doesn't
change the resulting vectors.
"""

from __future__ import annotations

from pathlib import Path

import msgspec
import torch
from safetensors import SafetensorError, safe_open

from tutor.lm.embeddings.word2vec import (
    Settings,
    Text,
    Vectors,
    false_word_chances,
    first_vectors,
    pairs_of_epoch,
    step,
)
from tutor.lm.training.checkpoint import save_atomically

LOWEST_RATE = 0.01
"""The final learning rate, as a fraction of the initial one."""


class TrainingRun:
    """A training run.

    `epoch` is the current pass through the text, counted from 0. `done` is the number of pairs
    trained on so far, and `total` is the approximate number of pairs in the whole run.
    """

    def __init__(self, text: Text, settings: Settings) -> None:
        self.text, self.settings = text, settings
        self.vectors = first_vectors(text, settings)
        self.epoch = 0
        self.done = 0
        self._offset = 0  # the pairs trained on in this epoch
        self._pairs = pairs_of_epoch(text, 0, settings)
        self._chances = false_word_chances(text).float()
        self.total = len(self._pairs) * settings.epochs

    @property
    def finished(self) -> bool:
        return self.epoch == self.settings.epochs

    @torch.inference_mode()
    def step(self) -> tuple[float, int]:
        """Train on one batch. Return its mean loss in nats, and the number of its pairs."""
        settings = self.settings
        batch = self._pairs[self._offset : self._offset + settings.batch]
        generator = torch.Generator().manual_seed(settings.seed * 10**9 + self.done)
        false = torch.multinomial(
            self._chances, len(batch) * settings.false_words, replacement=True, generator=generator
        ).view(len(batch), -1)
        rate = settings.rate * max(LOWEST_RATE, 1 - self.done / self.total)
        loss = step(self.vectors, batch, false, rate)
        self.done += len(batch)
        self._offset += len(batch)
        if self._offset == len(self._pairs):
            self.epoch, self._offset = self.epoch + 1, 0
            if not self.finished:
                self._pairs = pairs_of_epoch(self.text, self.epoch, settings)
        return loss, len(batch)

    def save(self, path: Path) -> None:
        """Save the run to a file. Raises `OSError` if the file cannot be written."""
        path.parent.mkdir(parents=True, exist_ok=True)
        place = {"epoch": self.epoch, "offset": self._offset, "done": self.done}
        metadata = {name: str(value) for name, value in place.items()}
        tensors = {name: table.contiguous() for name, table in self.vectors._asdict().items()}
        save_atomically(tensors, path, {**metadata, "identity": _identity(self.settings)})

    @torch.inference_mode()
    def resume(self, path: Path) -> bool:
        """Resume from a file that `save` has written. Return True on success.

        If the file is missing or belongs to another run, nothing changes.
        """
        try:
            with safe_open(path, framework="pt") as file:
                kept = file.metadata()
                if kept.get("identity") != _identity(self.settings):
                    return False
                vectors = Vectors(file.get_tensor("center"), file.get_tensor("other"))
        except (OSError, SafetensorError):
            return False
        if vectors.center.shape != self.vectors.center.shape:
            return False
        self.vectors = vectors
        self.epoch, self._offset = int(kept["epoch"]), int(kept["offset"])
        self.done = int(kept["done"])
        if not self.finished:
            self._pairs = pairs_of_epoch(self.text, self.epoch, self.settings)
        return True


def _identity(settings: Settings) -> str:
    return msgspec.json.encode(settings).decode()
