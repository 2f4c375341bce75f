"""Train a small language model. Read this module from top to bottom.

    text -> tokens -> windows, with targets that are shifted by one token
         -> network -> loss -> gradients -> AdamW -> the next step, with slightly better weights

Every step processes a batch of windows from one long sequence of tokens. At each position of each
window, the network predicts the next token; the loss is the mean surprisal of the actual next
token. Backpropagation computes, for each weight, the direction in which the loss falls, and the
optimizer moves the weight a little in that direction. The loss on held-out text, which is not used
for training, shows whether the network has learned something that is useful for other text.

`tutor train small-model` runs all of this (`tutor.lm.training.recipes.small_model`). With the same
corpus, seed, number of threads and package versions, the weights are always the same. The loss is
in nats per token (natural logarithm), and also in bits per byte of text, which does not depend on
the tokenizer.

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
from tutor.lm.training.adamw import AdamW

if TYPE_CHECKING:
    from tokenizers import Tokenizer

HELD_OUT = "held_out.txt"
END = "<|endoftext|>"
PROMPT = "The capital of France is"


class Settings(msgspec.Struct, frozen=True):
    """The settings of a training run, which determine its result."""

    width: int = 192
    layers: int = 6
    heads: int = 4
    key_value_heads: int = 2
    hidden: int = 512
    context: int = 512  # tokens per window
    batch: int = 2  # windows per step
    steps: int = 3000
    warmup: int = 100  # steps in which the learning rate rises
    learning_rate: float = 2.5e-3  # peak value, after the warmup
    weight_decay: float = 0.1
    momentum: tuple[float, float] = (0.9, 0.95)  # AdamW's two betas
    largest_gradient: float = 1.0  # gradients are clipped to this norm
    seed: int = 1
    threads: int = 2
    report_every: int = 50  # steps
    evaluate_every: int = 200  # steps; a checkpoint is saved at the same interval
    bfloat16: bool = False  # multiply in bfloat16, 1.5 times as fast on some processors
    one_in: dict[str, int] = {}  # use only one in n documents of these text files; 0: none

    def checked(self) -> Settings:
        """Return the settings unchanged. Raises `UsageError` if they are invalid."""
        counts = ("width", "layers", "heads", "key_value_heads", "hidden", "context", "batch")
        for name in (*counts, "steps", "threads", "report_every", "evaluate_every"):
            if getattr(self, name) < 1:
                raise UsageError(f"{name} is {getattr(self, name)}.", "Use a value of at least 1.")
        if self.width % (2 * self.heads) or self.heads % self.key_value_heads:
            raise UsageError(
                f"{self.heads} heads don't fit a width of {self.width} and "
                f"{self.key_value_heads} key-value heads.",
                "The width must be a multiple of twice the number of heads, and the number of "
                "heads a multiple of the number of key-value heads.",
            )
        return self

    def config(self, vocabulary_size: int) -> Config:
        """Return the configuration of the network."""
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
    """Text that is used only to measure the network, never to train it."""

    tokens: Tensor  # [N]
    byte_count: int


# --- From text to tokens ---


def read_documents(path: Path) -> list[str]:
    """Return the documents of a text file. Each ends with the end token."""
    return [text + END for text in path.read_text("utf-8").split(END + "\n") if text.strip()]


def training_tokens(
    corpus: Path, tokenizer: Tokenizer, seed: int, one_in: Mapping[str, int] | None = None
) -> Tensor:
    """Return the tokens [N] of all text files except the held-out one, with documents shuffled.

    `one_in` maps the name of a file, without `.txt`, to n: only one in n of its documents is used,
    or none if n is 0.
    """
    paths = [path for path in sorted(corpus.glob("*.txt")) if path.name != HELD_OUT]
    steps = {path: (one_in or {}).get(path.stem, 1) for path in paths}
    documents = [
        document
        for path in paths
        if steps[path] > 0
        for document in read_documents(path)[:: steps[path]]
    ]
    order = torch.randperm(len(documents), generator=torch.Generator().manual_seed(seed))
    encoded = tokenizer.encode_batch_fast([documents[i] for i in order.tolist()])
    return torch.cat([torch.tensor(document.ids) for document in encoded])


def held_out_text(path: Path, tokenizer: Tokenizer) -> HeldOut:
    """Return the held-out text as tokens, with its length in bytes."""
    text = "".join(read_documents(path))
    end_bytes = text.count(END) * len(END)  # end tokens don't count as bytes of the text
    return HeldOut(torch.tensor(tokenizer.encode(text).ids), len(text.encode()) - end_bytes)


# --- From tokens to a batch ---


def batch_of(tokens: Tensor, step: int, settings: Settings) -> tuple[Tensor, Tensor]:
    """Return the windows of one step and their targets, both [batch, context].

    The tokens are cut into windows. An epoch is one pass through all windows, in a new random
    order. The target at each position is the next token.
    """
    windows = (len(tokens) - 1) // settings.context
    first = step * settings.batch
    starts = []
    for number in range(first, first + settings.batch):
        epoch, index = divmod(number, windows)
        starts.append(_epoch_order(windows, settings.seed, epoch)[index] * settings.context)
    ids = torch.stack([tokens[start : start + settings.context] for start in starts])
    targets = torch.stack([tokens[start + 1 : start + settings.context + 1] for start in starts])
    return ids, targets


def _epoch_order(windows: int, seed: int, epoch: int) -> Tensor:
    return torch.randperm(windows, generator=torch.Generator().manual_seed(1000 * seed + epoch))


# --- From predictions to a loss ---


def loss_of(network: Transformer, ids: Tensor, targets: Tensor) -> Tensor:
    """Return the cross-entropy, the mean of -ln p for the actual next tokens, in nats per token."""
    logits = network.logits(network(ids))  # [batch, context, vocabulary]
    return F.cross_entropy(logits.flatten(0, 1), targets.flatten())


@torch.no_grad()
def held_out_loss(network: Transformer, held_out: HeldOut) -> tuple[float, float]:
    """Return the held-out loss in nats per token and in bits per byte.

    The text is cut into windows of the context's length. The first tokens of each window are
    predicted from little context, so the loss is a little higher than with full context.
    """
    context = network.config.context
    total = 0.0
    targets = held_out.tokens[1:]
    for start in range(0, len(targets), context):
        window = targets[start : start + context]
        ids = held_out.tokens[start : start + len(window)]
        total += loss_of(network, ids[None], window[None]).item() * len(window)
    return total / len(targets), total / math.log(2) / held_out.byte_count


# --- From a loss to better weights ---


def initialize(network: nn.Module, seed: int) -> None:
    """Initialize the weights to small random numbers, as in GPT-2.

    Matrices whose output is added to the residual stream start smaller, so that the sum over all
    blocks has about the same size as a single block's output would have.
    """
    layers = cast("Config", network.config).layers
    generator = torch.Generator().manual_seed(seed)
    for name, weight in network.named_parameters():
        if weight.dim() < 2:
            continue  # the weights of norms start at 1
        adds = name.endswith(("output.weight", "down.weight"))
        size = 0.02 / math.sqrt(2 * layers) if adds else 0.02
        nn.init.normal_(weight, std=size, generator=generator)


def make_optimizer(network: nn.Module, settings: Settings) -> AdamW:
    """Return an AdamW optimizer with weight decay for the matrices, but not for the norms.

    AdamW adapts the step size of each weight to that weight's recent gradients.
    """
    matrices = [weight for weight in network.parameters() if weight.dim() >= 2]
    others = [weight for weight in network.parameters() if weight.dim() < 2]
    groups = [
        {"params": matrices, "weight_decay": settings.weight_decay},
        {"params": others, "weight_decay": 0.0},
    ]
    return AdamW(groups, betas=settings.momentum, fused=True)


def learning_rate(step: int, settings: Settings) -> float:
    """Return the learning rate: a linear warmup, then half a cosine down to 0."""
    if step < settings.warmup:
        return settings.learning_rate * (step + 1) / settings.warmup
    progress = (step - settings.warmup) / max(1, settings.steps - settings.warmup)
    return settings.learning_rate * 0.5 * (1 + math.cos(math.pi * progress))


def descend(
    network: nn.Module,
    optimizer: torch.optim.AdamW,
    loss: Tensor,
    rate: float,
    largest_gradient: float,
) -> float:
    """Update the weights so that the loss falls, and return the loss before the update."""
    loss.backward()
    nn.utils.clip_grad_norm_(network.parameters(), largest_gradient)
    for group in optimizer.param_groups:
        group["lr"] = rate
    optimizer.step()
    optimizer.zero_grad()
    return loss.item()


def round_to_bfloat16(network: nn.Module) -> None:
    """Round every weight to the value that it will have after saving in bfloat16."""
    for weight in network.parameters():
        weight.data.copy_(weight.data.bfloat16())


@torch.no_grad()
def greedy_continuation(network: Transformer, tokenizer: Tokenizer, prompt: str, most: int) -> str:
    """Return the greedy continuation of `prompt`, up to `most` tokens long."""
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
