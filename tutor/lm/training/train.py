"""Train a small language model: text to tokens, tokens to guesses, guesses to a loss, and down.

    text -> tokens -> windows, each with its targets one token further on
         -> network -> loss -> gradients -> AdamW -> the next step, a little better

Every step reads a batch of windows cut out of one long run of tokens. At each position of each
window the network guesses the token that comes next; the loss is the mean surprise at the real
one. Backpropagation says for each weight which way lowers the loss, and the optimizer moves it a
little that way. Text that is kept out of training tells whether what was learned is of use beyond
it.

`tutor train small-model` runs all of it (`tutor.lm.training.recipes.small_model`). The same corpus,
seed, number of threads and versions give the same weights. Loss is in nats per token (natural
logarithm), and in bits per byte of text, which does not depend on how the tokenizer cuts the text.

Sources: Radford et al. 2019 (GPT-2: initial weights), Loshchilov & Hutter 2017 and 2019 (cosine
schedule, AdamW).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, cast

import msgspec
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tutor.errors import UsageError
from tutor.lm.network import Config, KeyValueCache, Transformer

if TYPE_CHECKING:
    from tokenizers import Tokenizer

HELD_OUT = "held_out.txt"
END = "<|endoftext|>"
PROMPT = "The capital of France is"


class Settings(msgspec.Struct, frozen=True):
    """Everything that decides what a training run does."""

    width: int = 192
    layers: int = 6
    heads: int = 4
    key_value_heads: int = 2
    hidden: int = 512
    context: int = 512  # tokens in a window
    batch: int = 2  # windows in a step
    steps: int = 3000
    warmup: int = 100  # steps in which the learning rate rises
    learning_rate: float = 2.5e-3  # the highest one
    weight_decay: float = 0.1
    momentum: tuple[float, float] = (0.9, 0.95)  # AdamW's two running means
    largest_gradient: float = 1.0  # longer ones are shortened to this
    seed: int = 1
    threads: int = 2
    report_every: int = 50  # steps
    evaluate_every: int = 200  # steps; also when a checkpoint is kept
    bfloat16: bool = False  # matrix products in 16 bits: half as fast again where it is built in
    one_in: dict[str, int] = {}  # of some text files, only one document in so many is read

    def checked(self) -> Settings:
        """These settings. Raises `UsageError` where no network or no run could be made of them."""
        counts = ("width", "layers", "heads", "key_value_heads", "hidden", "context", "batch")
        for name in (*counts, "steps", "threads", "report_every", "evaluate_every"):
            if getattr(self, name) < 1:
                raise UsageError(f"{name} is {getattr(self, name)}.", "It must be at least 1.")
        if self.width % (2 * self.heads) or self.heads % self.key_value_heads:
            raise UsageError(
                f"{self.heads} heads do not fit a width of {self.width} numbers and "
                f"{self.key_value_heads} sets of keys and values.",
                "The width must be an even number for each head, the heads equally many a set.",
            )
        return self

    def config(self, vocabulary_size: int) -> Config:
        return Config(
            vocabulary_size=vocabulary_size,
            width=self.width,
            layers=self.layers,
            heads=self.heads,
            key_value_heads=self.key_value_heads,
            head_size=self.width // self.heads,
            hidden=self.hidden,
            context=self.context,
            tied=True,
        )


class HeldOut(msgspec.Struct, frozen=True):
    """Text that the network is measured on and never trained on."""

    tokens: Tensor  # [N]
    byte_count: int


# Text to tokens


def read_documents(path: Path) -> list[str]:
    """The documents of one text file; each ends with the mark of the end."""
    return [text + END for text in path.read_text("utf-8").split(END + "\n") if text.strip()]


def training_tokens(
    corpus: Path, tokenizer: Tokenizer, seed: int, one_in: Mapping[str, int] | None = None
) -> Tensor:
    """All documents of all text files but the held-out one, shuffled, as one run of tokens [N];
    of a file that is in `one_in`, by its name without `.txt`, one document in so many."""
    paths = [path for path in sorted(corpus.glob("*.txt")) if path.name != HELD_OUT]
    steps = {path: (one_in or {}).get(path.stem, 1) for path in paths}
    documents = [
        document for path in paths for document in read_documents(path)[:: max(1, steps[path])]
    ]
    order = torch.randperm(len(documents), generator=torch.Generator().manual_seed(seed))
    encoded = tokenizer.encode_batch_fast([documents[i] for i in order.tolist()])
    return torch.cat([torch.tensor(document.ids) for document in encoded])


def held_out_text(path: Path, tokenizer: Tokenizer) -> HeldOut:
    text = "".join(read_documents(path))
    marks = text.count(END) * len(END)  # a mark is not text: it counts as a token, not as bytes
    return HeldOut(torch.tensor(tokenizer.encode(text).ids), len(text.encode()) - marks)


# Tokens to a batch


def batch_of(tokens: Tensor, step: int, settings: Settings) -> tuple[Tensor, Tensor]:
    """The windows of one step and their targets, both [batch, context].

    The run of tokens is cut into windows; an epoch is one pass through all of them in an order
    drawn anew. The target at each position is the token one further on.
    """
    windows = (len(tokens) - 1) // settings.context
    first = step * settings.batch
    starts = []
    for number in range(first, first + settings.batch):
        epoch, place = divmod(number, windows)
        starts.append(_epoch_order(windows, settings.seed, epoch)[place] * settings.context)
    ids = torch.stack([tokens[start : start + settings.context] for start in starts])
    targets = torch.stack([tokens[start + 1 : start + settings.context + 1] for start in starts])
    return ids, targets


def _epoch_order(windows: int, seed: int, epoch: int) -> Tensor:
    return torch.randperm(windows, generator=torch.Generator().manual_seed(1000 * seed + epoch))


# Guesses to a loss


def loss_of(network: Transformer, ids: Tensor, targets: Tensor) -> Tensor:
    """Mean surprise at the real next token: -ln of the probability the network gave it. In nats."""
    logits = network.logits(network(ids))  # [batch, context, vocabulary]
    return F.cross_entropy(logits.flatten(0, 1), targets.flatten())


@torch.no_grad()
def held_out_loss(network: Transformer, held_out: HeldOut) -> tuple[float, float]:
    """Nats per token and bits per byte on held-out text.

    The text is cut into windows of the context's length, so the first tokens of each are guessed
    from little: the figure is a little worse than what the network can do.
    """
    context = network.config.context
    total = 0.0
    targets = held_out.tokens[1:]
    for start in range(0, len(targets), context):
        window = targets[start : start + context]
        ids = held_out.tokens[start : start + len(window)]
        total += loss_of(network, ids[None], window[None]).item() * len(window)
    return total / len(targets), total / math.log(2) / held_out.byte_count


# Loss to better weights


def initialize(network: nn.Module, seed: int) -> None:
    """Small random weights, as in GPT-2. What adds to the residual stream starts smaller, so that
    the sum over all blocks begins at about the size of one."""
    layers = cast("Config", network.config).layers
    generator = torch.Generator().manual_seed(seed)
    for name, weight in network.named_parameters():
        if weight.dim() < 2:
            continue  # the norms start at 1
        adds = name.endswith(("output.weight", "down.weight"))
        size = 0.02 / math.sqrt(2 * layers) if adds else 0.02
        nn.init.normal_(weight, std=size, generator=generator)


def make_optimizer(network: nn.Module, settings: Settings) -> torch.optim.AdamW:
    """AdamW: each weight moves by its own recent gradients. Matrices are also drawn towards 0."""
    matrices = [weight for weight in network.parameters() if weight.dim() >= 2]
    others = [weight for weight in network.parameters() if weight.dim() < 2]
    groups = [
        {"params": matrices, "weight_decay": settings.weight_decay},
        {"params": others, "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, betas=settings.momentum, fused=True)


def learning_rate(step: int, settings: Settings) -> float:
    """Rises in a line, then falls along half a cosine to nothing."""
    if step < settings.warmup:
        return settings.learning_rate * (step + 1) / settings.warmup
    progress = (step - settings.warmup) / max(1, settings.steps - settings.warmup)
    return settings.learning_rate * 0.5 * (1 + math.cos(math.pi * progress))


def train_step(
    network: Transformer,
    optimizer: torch.optim.AdamW,
    batch: tuple[Tensor, Tensor],
    rate: float,
    largest_gradient: float,
) -> float:
    """One step: guess, measure, find each weight's part in the loss, move it. Returns the loss."""
    return descend(network, optimizer, loss_of(network, *batch), rate, largest_gradient)


def descend(
    network: nn.Module,
    optimizer: torch.optim.AdamW,
    loss: Tensor,
    rate: float,
    largest_gradient: float,
) -> float:
    """What follows a measured loss, whatever it measures. Returns its value."""
    loss.backward()
    nn.utils.clip_grad_norm_(network.parameters(), largest_gradient)
    for group in optimizer.param_groups:
        group["lr"] = rate
    optimizer.step()
    optimizer.zero_grad()
    return loss.item()


def round_to_bfloat16(network: nn.Module) -> None:
    """Give every weight the value that it will have when it is read back from two bytes."""
    for weight in network.parameters():
        weight.data.copy_(weight.data.bfloat16())


@torch.no_grad()
def greedy_continuation(network: Transformer, tokenizer: Tokenizer, prompt: str, most: int) -> str:
    """At most `most` tokens that the network finds likeliest after `prompt`."""
    cache = KeyValueCache(network.config)
    ids = torch.tensor(tokenizer.encode(prompt).ids)
    written: list[int] = []
    while len(written) < most:
        best = int(network.logits(network(ids, cache)[-1]).argmax())
        if tokenizer.id_to_token(best) == END:
            break
        written.append(best)
        ids = torch.tensor([best])
    return str(tokenizer.decode(written, skip_special_tokens=False))
