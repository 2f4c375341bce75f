"""The run that lesson 6 shows: a small network reads a few pages again and again, until it knows
them by heart and is worse at other pages than it was at first.

    python -m tools.overfit assets/overfit.json

takes some minutes. It trains on four documents in five of `tests/data/held_out.txt`, in the order
that the seed gives, and measures on the fifth. The record holds, for each of a few steps, the mean
loss of the 20 steps before it and the loss on the other pages, in nats per token, and what the
network says of France. Another processor or version of PyTorch rounds otherwise, and the last
digits change.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import msgspec
import torch
from tokenizers import Tokenizer

from tutor.lm.network import Transformer
from tutor.lm.training.train import (
    END,
    PROMPT,
    HeldOut,
    Settings,
    batch_of,
    greedy_continuation,
    held_out_loss,
    initialize,
    make_optimizer,
    read_documents,
    train_step,
)

REPOSITORY = Path(__file__).resolve().parent.parent
TEXT = REPOSITORY / "tests" / "data" / "held_out.txt"
TOKENIZER = REPOSITORY / "assets" / "small-model" / "tokenizer.json"

SETTINGS = Settings(
    width=96,
    layers=3,
    heads=3,
    key_value_heads=3,
    hidden=256,
    context=128,
    batch=8,
    steps=800,
    warmup=50,
    learning_rate=2e-3,
    threads=1,
)
SHOWN = (0, 20, 50, 100, 200, 400, 800)
RECENT = 20
"""Steps whose mean is the loss on the training text: each alone is that of one batch."""


class Moment(msgspec.Struct, frozen=True):
    """How things stand after `step` steps; at step 0, `training` is the loss of the first batch."""

    step: int
    passes: float
    training: float
    held_out: float
    says: str


class Record(msgspec.Struct, frozen=True):
    weights: int
    training_tokens: int
    tokens_a_step: int
    settings: Settings
    moments: tuple[Moment, ...]


def overfit(upto: int, report: Callable[[str], None] = print) -> Record:
    """The run up to step `upto`."""
    torch.set_num_threads(SETTINGS.threads)
    tokenizer = Tokenizer.from_file(str(TOKENIZER))
    documents = read_documents(TEXT)
    order = torch.randperm(len(documents), generator=torch.Generator().manual_seed(SETTINGS.seed))
    documents = [documents[place] for place in order.tolist()]
    cut = len(documents) * 4 // 5
    encoded = tokenizer.encode_batch_fast(documents[:cut])
    tokens = torch.cat([torch.tensor(document.ids) for document in encoded])
    rest = "".join(documents[cut:])
    held_out = HeldOut(
        torch.tensor(tokenizer.encode(rest).ids),
        len(rest.encode()) - rest.count(END) * len(END),
    )
    network = Transformer(SETTINGS.config(tokenizer.get_vocab_size()))
    initialize(network, SETTINGS.seed)
    optimizer = make_optimizer(network, SETTINGS)
    a_step = SETTINGS.batch * SETTINGS.context
    losses: list[float] = []
    moments = []
    for step in range(upto + 1):
        before = held_out_loss(network, held_out)[0] if step in SHOWN else None
        says = greedy_continuation(network, tokenizer, PROMPT, 10) if step in SHOWN else ""
        rate = SETTINGS.learning_rate * min(1.0, (step + 1) / SETTINGS.warmup)
        batch = batch_of(tokens, step, SETTINGS)
        losses.append(train_step(network, optimizer, batch, rate, SETTINGS.largest_gradient))
        if before is None:
            continue
        recent = losses[-1 - RECENT : -1] or losses
        moment = Moment(
            step,
            round(step * a_step / len(tokens), 2),
            round(sum(recent) / len(recent), 3),
            round(before, 3),
            says,
        )
        report(str(moment))
        moments.append(moment)
    weights = sum(weight.numel() for weight in network.parameters())
    return Record(weights, len(tokens), a_step, SETTINGS, tuple(moments))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tools.overfit", description=__doc__)
    parser.add_argument("file", type=Path, help="the record, which is written anew")
    file: Path = parser.parse_args().file
    record = overfit(SETTINGS.steps, lambda line: print(line, flush=True))
    file.write_bytes(msgspec.json.format(msgspec.json.encode(record), indent=1) + b"\n")


if __name__ == "__main__":
    main()
