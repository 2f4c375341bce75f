"""Train a small GPT that the learner can watch and can break on purpose.

Each byte is a token (256 tokens in all), so no tokenizer is needed. A tenth of the text is held
out. A training step works as in `tutor.lm.training.train`. Three settings can change from one step
to the next: the learning rate, the causal mask, and the order of the targets:

    no mask             each position sees the byte that it has to predict: the loss falls to
                        almost 0, but the network only learns to copy that byte, which doesn't
                        help it generate text
    shuffled targets    the target has nothing to do with the text before it: the network can
                        only learn how frequent each byte is

The same text and the same choices give the same weights, except for rounding.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from pathlib import Path

import msgspec
import torch
from safetensors import SafetensorError
from torch import Tensor

from tutor.errors import LabError, UsageError
from tutor.lm import draw
from tutor.lm.fast.attention import fuse_attention
from tutor.lm.inspect.interventions import unmasked
from tutor.lm.network import KeyValueCache, Transformer
from tutor.lm.training.checkpoint import about, load_checkpoint, save_checkpoint
from tutor.lm.training.history import (
    BATCH,
    CONTEXT,
    PROMPT,
    SAMPLED,
    History,
    Measured,
    Point,
    bounded,
)
from tutor.lm.training.train import (
    Settings,
    batch_of,
    descend,
    initialize,
    loss_of,
    make_optimizer,
)

FILE = "training.safetensors"
"""The checkpoint's file name in the learner's folder. The `training` and `scale` labs share it."""
SETTINGS = Settings(
    width=96,
    layers=3,
    heads=4,
    key_value_heads=4,
    hidden=192,
    context=CONTEXT,
    batch=BATCH,
    warmup=50,
)
HELD_OUT_EVERY = 10
"""One of every ten passages is held out from training."""
MEASURED = 4096
"""The maximum number of held-out bytes that are used to measure the loss."""


class Choices(msgspec.Struct, frozen=True):
    """The learner's choices for a training step."""

    rate: float
    mask: bool = True
    shuffled: bool = False


class LiveTraining:
    """A training run on the texts in `passages`. `done` is the number of steps taken."""

    def __init__(self, passages: Sequence[str]) -> None:
        self._text, self._held_out = split(passages)
        self.network = Transformer(SETTINGS.config(256))
        fuse_attention(self.network)
        initialize(self.network, SETTINGS.seed)
        self._optimizer = make_optimizer(self.network, SETTINGS)
        self.done = 0
        self.history = History()

    def train(self, choices: Choices, on: Callable[[], bool]) -> None:
        """Take one training step, and more steps as long as `on` returns True.

        If `on` raises an exception, the steps taken so far are kept and recorded.
        """
        losses: list[float] = []
        try:
            while not losses or on():
                losses.append(self._step(choices))
                self.done += 1
        finally:
            if losses:
                mean = bounded(sum(losses) / len(losses))
                self.history.points.append(
                    Point(self.done, mean, choices.rate, choices.mask, choices.shuffled)
                )

    def _step(self, choices: Choices) -> float:
        ids, targets = batch_of(self._text, self.done, SETTINGS)
        if choices.shuffled:
            generator = torch.Generator().manual_seed(self.done)
            order = torch.randperm(targets.numel(), generator=generator)
            targets = targets.flatten()[order].view(targets.shape)
        rate = choices.rate * min(1, (self.done + 1) / SETTINGS.warmup)
        with nullcontext() if choices.mask else unmasked(self.network):
            loss = loss_of(self.network, ids, targets)
        return descend(self.network, self._optimizer, loss, rate, SETTINGS.largest_gradient)

    @torch.no_grad()
    def measure(self, mask: bool) -> None:
        """Measure the loss on the held-out text, generate a sample, and record both."""
        windows = (len(self._held_out) - 1) // SETTINGS.context
        size = windows * SETTINGS.context
        ids = self._held_out[:size].view(windows, -1)
        targets = self._held_out[1 : size + 1].view(windows, -1)
        with nullcontext() if mask else unmasked(self.network):
            loss = loss_of(self.network, ids, targets).item()
        self.history.measured.append(Measured(self.done, bounded(loss), self.sample()))

    @torch.no_grad()
    def sample(self) -> bytes:
        """Generate text after the prompt, always with the same seed, and return its bytes."""
        cache = KeyValueCache(self.network.config)
        ids = list(PROMPT)
        while len(ids) < len(PROMPT) + SAMPLED:
            final = self.network(torch.tensor(ids[cache.length :]), cache)
            logits = self.network.logits(final[-1])
            if not logits.isfinite().all():
                break  # the learner's choices can make the training diverge
            ids.append(draw.first(logits.softmax(-1).numpy(), SETTINGS.seed, len(ids)))
        return bytes(ids[len(PROMPT) :])

    def save(self, path: Path) -> None:
        """Save the state of the run. Raises `OSError`."""
        notes = msgspec.json.encode(self.history).decode()
        save_checkpoint(path, self.network, self._optimizer, self.done, _identity(), notes)

    def load(self, path: Path) -> None:
        """Continue from the saved state of a run, if there is one.

        Raises `LabError` if the file cannot be read, or if it was saved with different settings.
        """
        if not path.exists():
            return
        try:
            self.done = load_checkpoint(path, self.network, self._optimizer, _identity())
            self.history = msgspec.json.decode(about(path)["notes"], type=History)
        except (UsageError, SafetensorError, OSError, KeyError, ValueError) as error:
            raise LabError(
                f"The saved network in {path} cannot be read.",
                "Reset the network, then train it again.",
            ) from error


def split(passages: Sequence[str]) -> tuple[Tensor, Tensor]:
    """Split the text into training bytes [N] and at most `MEASURED` + 1 held-out bytes."""
    kept = "\n".join(text for at, text in enumerate(passages) if at % HELD_OUT_EVERY)
    held_out = "\n".join(text for at, text in enumerate(passages) if at % HELD_OUT_EVERY == 0)
    return (
        torch.tensor(list(kept.encode())),
        torch.tensor(list(held_out.encode()[: MEASURED + 1])),
    )


def _identity() -> str:
    return msgspec.json.encode(SETTINGS).decode()
