"""Train the small bundled model on a corpus, and write it to a model folder."""

from __future__ import annotations

import shutil
from pathlib import Path

import msgspec
import torch
from tokenizers import Tokenizer
from torch import Tensor

from tutor.errors import ModelUnsupported, UsageError
from tutor.lm.fast.attention import fuse_attention
from tutor.lm.fast.kernels import EXACT
from tutor.lm.formats.convert import converted
from tutor.lm.formats.export import export_folder
from tutor.lm.formats.hugging_face import HuggingFaceFolder
from tutor.lm.network import Transformer
from tutor.lm.training import train
from tutor.lm.training.run import Watcher, checkpoint_beside, run_steps, write_record

SETTINGS = train.Settings(
    width=256,
    hidden=672,
    steps=10_500,
    learning_rate=2e-3,
    warmup=200,
    threads=1,
    bfloat16=True,
    evaluate_every=500,
    one_in={"chat": 3, "facts": 3},  # chat and facts follow a few templates, so a third is enough
)
"""The settings of the bundled model. Training makes about four passes through the text."""

SOURCES = "sources.json"  # the sources of the training texts, with licenses
TOKENIZER = "tokenizer.json"


class Result(msgspec.Struct, frozen=True):
    """The settings and results of a run, stored in the model's folder as `training.json`."""

    weights: int  # number of parameters
    training_tokens: int  # number of tokens in the corpus
    read_tokens: int  # number of tokens in all batches
    nats_per_token: float  # on held-out text, with the saved weights
    bits_per_byte: float
    settings: train.Settings


def train_small_model(
    corpus: Path,
    output: Path,
    settings: train.Settings,
    watcher: Watcher,
    begin: Path | None = None,
) -> Result:
    """Train on the text files in `corpus`, and write the model to the folder `output`.

    `corpus` also contains `tokenizer.json` and the held-out text. Training starts from the weights
    of the model in the folder `begin`, if it is given. A checkpoint next to `output` allows an
    interrupted run to continue. Raises `UsageError` if `corpus` lacks a file, and `ModelError` if
    the model in `begin` cannot be used.
    """
    _require(corpus)
    torch.set_num_threads(settings.threads)
    tokenizer = Tokenizer.from_file(str(corpus / TOKENIZER))
    tokens = train.training_tokens(corpus, tokenizer, settings.seed, settings.one_in)
    held_out = train.held_out_text(corpus / train.HELD_OUT, tokenizer)
    network = Transformer(settings.config(tokenizer.get_vocab_size()))
    fuse_attention(network)
    train.initialize(network, settings.seed)
    if begin is not None:
        take_weights(network, begin)
    weights = sum(weight.numel() for weight in network.parameters())
    watcher.note(f"{weights:,} weights, {len(tokens):,} tokens of text")

    def loss_at(step: int) -> Tensor:
        with torch.autocast("cpu", torch.bfloat16, enabled=settings.bfloat16):
            return train.loss_of(network, *train.batch_of(tokens, step, settings))

    def evaluate() -> tuple[float, float]:
        nats, bits = train.held_out_loss(network, held_out)
        text = train.greedy_continuation(network, tokenizer, train.PROMPT, 16)
        watcher.note(
            f"held-out loss {nats:.3f} nats per token, {bits:.3f} bits per byte: "
            f"{train.PROMPT}{text}"
        )
        return nats, bits

    run_steps(network, loss_at, settings, checkpoint_beside(output), evaluate, watcher)
    train.round_to_bfloat16(network)
    export_folder(output, network, corpus / TOKENIZER)
    nats, bits = evaluate()
    read = settings.steps * settings.batch * settings.context
    result = Result(weights, len(tokens), read, round(nats, 4), round(bits, 4), settings)
    if (corpus / SOURCES).exists():
        shutil.copyfile(corpus / SOURCES, output / SOURCES)
    write_record(output, result)
    checkpoint_beside(output).unlink(missing_ok=True)
    return result


def take_weights(network: Transformer, folder: Path) -> None:
    """Copy the weights of the model in `folder` into `network`. Raises `ModelError`."""
    source = HuggingFaceFolder(folder)
    if source.config != network.config:
        raise ModelUnsupported(
            f"The network in {folder} has different sizes.",
            "Train with the settings of that network.",
        )
    tensors = dict(converted(source, EXACT))
    for name, weight in network.named_parameters():
        # if the embedding is tied, the output layer has its weights
        weight.data.copy_(tensors[name if name in tensors else "head.weight"])


def _require(corpus: Path) -> None:
    for name in (TOKENIZER, train.HELD_OUT):
        if not (corpus / name).is_file():
            raise UsageError(
                f"{corpus} has no {name}.",
                "Create a corpus with `python -m tools.corpus FOLDER` (see assets/README.md).",
            )
