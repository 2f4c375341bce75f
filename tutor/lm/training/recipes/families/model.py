"""Train and load the three small models: an encoder, a decoder and an encoder-decoder.

A model's folder contains `model.json` (family, sizes, vocabulary), `model.safetensors` (weights in
bfloat16) and `training.json` (settings and results on held-out examples).
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import msgspec
import torch
from safetensors.torch import load_file

from tutor import paths
from tutor.errors import ModelDamaged, ModelNotFound, UsageError
from tutor.lm.fast.attention import fuse_attention
from tutor.lm.network import Config
from tutor.lm.training.checkpoint import save_weights
from tutor.lm.training.recipes.families.networks import FamilyNetwork
from tutor.lm.training.recipes.families.tasks import EXAMPLES, MEASURED, TASKS, Measure
from tutor.lm.training.recipes.families.text import Vocabulary
from tutor.lm.training.run import Watcher, checkpoint_beside, run_steps, write_record
from tutor.lm.training.train import Settings, initialize, round_to_bfloat16

Family = Literal["encoder", "decoder", "encoder-decoder"]

DESCRIPTION, WEIGHTS = "model.json", "model.safetensors"
MEASURED_MEANWHILE = 100
SHORTEST_CONTEXT = 32  # room for a long sentence and its special tokens

_SMALL = Settings(
    width=96,
    layers=2,
    heads=4,
    key_value_heads=4,
    hidden=192,
    context=32,
    batch=64,
    steps=5000,
    learning_rate=3e-3,
    weight_decay=0.05,
    momentum=(0.9, 0.98),
    threads=1,
    report_every=20,
    evaluate_every=500,
)
SETTINGS: dict[Family, Settings] = {
    "encoder": _SMALL,
    "decoder": _SMALL,
    "encoder-decoder": msgspec.structs.replace(
        _SMALL, steps=4000
    ),  # each step learns from more predictions, so fewer steps are needed
}


class Description(msgspec.Struct, frozen=True):
    """The contents of `model.json`, which describes a model."""

    family: Family
    config: Config
    words: tuple[str, ...]


class Result(msgspec.Struct, frozen=True):
    """The settings and results of a run, stored in the model's folder as `training.json`."""

    weights: int  # number of parameters
    examples: int  # number of training examples
    measures: tuple[Measure, ...]  # measured with the saved weights
    settings: Settings


class FamilyModel(msgspec.Struct, frozen=True):
    """A loaded model of one family, with its vocabulary."""

    family: Family
    vocabulary: Vocabulary
    network: FamilyNetwork


def train_family(family: Family, output: Path, settings: Settings, watcher: Watcher) -> Result:
    """Train the model of one family, and write it to the folder `output`.

    A checkpoint next to `output` allows an interrupted run to continue. Raises `UsageError` if the
    context is too short.
    """
    if settings.context < SHORTEST_CONTEXT:
        raise UsageError(
            f"A context of {settings.context} tokens is too short for the training sentences.",
            f"Use a context of at least {SHORTEST_CONTEXT} tokens.",
        )
    torch.set_num_threads(settings.threads)
    task = TASKS[family]()
    config = settings.config(len(task.vocabulary))
    network = task.network(config)
    fuse_attention(network)
    initialize(network, settings.seed)
    weights = sum(weight.numel() for weight in network.parameters())
    watcher.note(f"{weights:,} weights, {EXAMPLES:,} examples, {len(task.vocabulary)} words")

    def evaluate(count: int = MEASURED_MEANWHILE) -> tuple[Measure, ...]:
        measures = task.measure(network, count)
        for measure in measures:
            watcher.note(f"held-out examples: {measure}")
        return measures

    run_steps(
        network,
        lambda step: task.loss(network, task.batch(step, settings.batch, settings.seed)),
        settings,
        checkpoint_beside(output),
        evaluate,
        watcher,
    )
    round_to_bfloat16(network)
    output.mkdir(parents=True, exist_ok=True)
    description = Description(family, config, task.vocabulary.words)
    (output / DESCRIPTION).write_bytes(msgspec.json.encode(description) + b"\n")
    save_weights(dict(network.named_parameters()), output / WEIGHTS)
    result = Result(weights, EXAMPLES, evaluate(MEASURED), settings)
    write_record(output, result)
    checkpoint_beside(output).unlink(missing_ok=True)
    return result


def load_family(family: Family, folder: Path | None = None) -> FamilyModel:
    """Load the model of this family, by default the bundled one. Raises `ModelError`."""
    folder = folder or paths.assets_folder() / family
    try:
        description = msgspec.json.decode((folder / DESCRIPTION).read_bytes(), type=Description)
        tensors = load_file(folder / WEIGHTS)
    except OSError as error:
        raise ModelNotFound(f"{folder} cannot be read: {error.strerror}.") from error
    except (msgspec.MsgspecError, ValueError) as error:
        raise ModelDamaged(
            f"{folder} does not contain a model of this family.", "Reinstall tutor."
        ) from error
    network = TASKS[description.family]().network(description.config)
    for name, weight in network.named_parameters():
        weight.data.copy_(tensors[name])
    return FamilyModel(description.family, Vocabulary(description.words), network.eval())
