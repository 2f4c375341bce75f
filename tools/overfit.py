"""Run the training that lesson 7 shows: a small network that overfits.

    python -m tools.overfit assets/overfit.json

This takes a few minutes. The network is trained on a few pages until it has memorized them and its
loss on other pages is higher than at first. The documents in `tests/data/held_out.txt` are shuffled
with the seed. The network is trained on the first four fifths, and measured on the rest. For some
of the steps, the record contains the mean loss of the previous 20 steps and the loss on the other
pages, both in nats per token, and the network's continuation of a text about France. Other
processors or versions of PyTorch round differently, so the last digits may differ.
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
    descend,
    greedy_continuation,
    held_out_loss,
    initialize,
    loss_of,
    make_optimizer,
    read_documents,
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
"""The number of steps whose mean is the training loss, because each step measures one batch."""


class Moment(msgspec.Struct, frozen=True):
    """The state after `step` steps. At step 0, `training` is the loss of the first batch."""

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
    """Run the training up to step `upto`, and return the record."""
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
        loss = loss_of(network, *batch_of(tokens, step, SETTINGS))
        losses.append(descend(network, optimizer, loss, rate, SETTINGS.largest_gradient))
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
    parser.add_argument("file", type=Path, help="the record to write")
    file: Path = parser.parse_args().file
    record = overfit(SETTINGS.steps, lambda line: print(line, flush=True))
    file.write_bytes(msgspec.json.format(msgspec.json.encode(record), indent=1) + b"\n")


if __name__ == "__main__":
    main()
