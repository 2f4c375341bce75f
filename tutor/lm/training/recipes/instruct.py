"""Train the bundled pair of models: a base model, and the instruct model that is made from it.

    text without dialogs -> small-base, which continues text
    small-base + dialogs -> small-instruct, which answers a question and ends its turn

`small-base` is trained like the small model (`tutor.lm.training.recipes.small_model`), but on text
that contains no dialog. Instruction tuning then continues its training on questions and answers in
the chat template. The training loop is the same, but only the tokens of the answers count toward
the loss, because the model has to write answers and not questions.

No dialog about the countries in `HELD_OUT_COUNTRIES` is used for the tuning. Afterwards, both
models answer questions about these countries, which shows what the tuning has changed.

Source: Ouyang et al. 2022 (instruction tuning on demonstrations).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec
import torch
from tokenizers import Tokenizer
from torch import Tensor

from tutor.errors import UsageError
from tutor.lm.fast.attention import fuse_attention
from tutor.lm.formats.export import TURN_END, TURN_START, export_folder
from tutor.lm.network import KeyValueCache, Transformer
from tutor.lm.training import train
from tutor.lm.training.recipes.small_model import TOKENIZER, take_weights
from tutor.lm.training.run import Watcher, checkpoint_beside, run_steps, write_record

BASE_SETTINGS = train.Settings(
    width=192,
    layers=4,
    hidden=512,
    steps=4000,
    learning_rate=3e-3,
    warmup=70,
    threads=1,
    bfloat16=True,
    evaluate_every=350,
    one_in={"chat": 0, "austen": 4, "factbook": 2, "wordnet": 8},  # no dialogs, and mostly facts
)
"""The settings of the base model."""

SETTINGS = msgspec.structs.replace(
    BASE_SETTINGS, steps=900, learning_rate=1e-3, warmup=30, evaluate_every=300, one_in={}
)
"""The settings of the instruct model."""

DIALOGS = "chat.txt"
ANSWER = f"{TURN_START}assistant\n"  # an answer is the text between this and `TURN_END`
IGNORED = -100  # PyTorch's cross-entropy ignores positions with this target

HELD_OUT_COUNTRIES = (
    *("France", "Kenya", "Peru", "Japan", "Norway", "Chile", "Nepal", "Cuba", "Hungary", "Iceland"),
)
LONGEST_ANSWER = 40
"""The maximum number of tokens to generate for a held-out question."""


class Dialog(NamedTuple):
    """The token ids of a dialog, with a target for each token.

    The target is the token's id if the token belongs to an answer, and `IGNORED` otherwise.
    """

    ids: list[int]
    targets: list[int]


class Answers(msgspec.Struct, frozen=True):
    """One model's results on the held-out questions.

    `ended` is the number of answers that the model ended on its own, and `right` is the number of
    answers that equal the reference answer. `capitals` is the number of right answers to questions
    about capitals. `loss` is the mean over the tokens of the reference answers, in nats per token.
    """

    ended: int
    right: int
    capitals: int
    loss: float


class Result(msgspec.Struct, frozen=True):
    """The settings and results of a run, stored in the model's folder as `training.json`."""

    weights: int  # number of parameters
    training_tokens: int  # number of tokens in the dialogs
    answer_tokens: int  # number of tokens that count toward the loss
    questions: int  # number of held-out questions
    capitals: int  # number of held-out questions about capitals
    base: Answers  # the base model, before the tuning
    instruct: Answers  # the saved model
    settings: train.Settings


def tune(
    corpus: Path, base: Path, output: Path, settings: train.Settings, watcher: Watcher
) -> Result:
    """Tune the model in the folder `base` on dialogs, and write it to the folder `output`.

    `corpus` contains `chat.txt`. A checkpoint next to `output` allows an interrupted run to
    continue. Raises `UsageError` if the dialogs are missing, and `ModelError` if the model in
    `base` cannot be used.
    """
    torch.set_num_threads(settings.threads)
    tokenizer = Tokenizer.from_file(str(base / TOKENIZER))
    known, held_out = split(_read(corpus / DIALOGS))
    tokens, targets = training_dialogs(known, tokenizer, settings.seed)
    questions = held_out_questions(held_out)
    network = Transformer(settings.config(tokenizer.get_vocab_size()))
    fuse_attention(network)
    take_weights(network, base)
    answer_tokens = int((targets != IGNORED).sum())
    watcher.note(f"{len(tokens):,} tokens of dialogs, {answer_tokens:,} of them in answers")

    def loss_at(step: int) -> Tensor:
        ids, _ = train.batch_of(tokens, step, settings)
        _, wanted = train.batch_of(targets, step, settings)
        with torch.autocast("cpu", torch.bfloat16, enabled=settings.bfloat16):
            return train.loss_of(network, ids, wanted)

    def evaluate() -> Answers:
        found = measure(network, tokenizer, questions)
        watcher.note(
            f"of {len(questions)} held-out questions: {found.ended} answers ended, "
            f"{found.right} right, loss {found.loss:.3f} nats per token"
        )
        return found

    before = evaluate()
    run_steps(network, loss_at, settings, checkpoint_beside(output), evaluate, watcher)
    train.round_to_bfloat16(network)
    export_folder(output, network, base / TOKENIZER)
    result = Result(
        weights=sum(weight.numel() for weight in network.parameters()),
        training_tokens=len(tokens),
        answer_tokens=answer_tokens,
        questions=len(questions),
        capitals=sum(map(about_capital, questions)),
        base=before,
        instruct=evaluate(),
        settings=settings,
    )
    write_record(output, result)
    checkpoint_beside(output).unlink(missing_ok=True)
    return result


# --- From text to targets ---


def _read(path: Path) -> list[str]:
    if not path.is_file():
        raise UsageError(
            f"{path.parent} has no {path.name}.",
            "Create a corpus with `python -m tools.corpus FOLDER` (see assets/README.md).",
        )
    return train.read_documents(path)


def split(dialogs: Iterable[str]) -> tuple[list[str], list[str]]:
    """Split dialogs into training dialogs and dialogs about a held-out country."""
    held_out = re.compile(rf"\b({'|'.join(HELD_OUT_COUNTRIES)})\b")
    known: list[str] = []
    kept_out: list[str] = []
    for dialog in dialogs:
        (kept_out if held_out.search(dialog) else known).append(dialog)
    return known, kept_out


def encoded(dialog: str, tokenizer: Tokenizer) -> Dialog:
    """Return the tokens of a dialog, with targets for the answers and for the ends of turns."""
    ids: list[int] = []
    targets: list[int] = []
    for number, part in enumerate(re.split(f"(?<={re.escape(ANSWER)})", dialog)):
        answer, end, rest = part.partition(TURN_END) if number else ("", "", part)
        answer_ids = tokenizer.encode(answer + end).ids
        rest_ids = tokenizer.encode(rest).ids
        ids += answer_ids + rest_ids
        targets += answer_ids + [IGNORED] * len(rest_ids)
    return Dialog(ids, targets)


def training_dialogs(
    dialogs: Sequence[str], tokenizer: Tokenizer, seed: int
) -> tuple[Tensor, Tensor]:
    """Return the tokens of all dialogs in random order, and the targets: both [N]."""
    order = torch.randperm(len(dialogs), generator=torch.Generator().manual_seed(seed))
    found = [encoded(dialogs[number], tokenizer) for number in order.tolist()]
    return (
        torch.tensor([id_ for dialog in found for id_ in dialog.ids]),
        torch.tensor([id_ for dialog in found for id_ in dialog.targets]),
    )


# --- Held-out questions ---


def held_out_questions(dialogs: Iterable[str]) -> dict[str, str]:
    """Return the first question of each dialog with its answer, without duplicates.

    Only questions about a held-out country are returned. Questions that have several answers, such
    as a request to describe a country, are left out.
    """
    answers: dict[str, set[str]] = {}
    for dialog in dialogs:
        question, _, rest = dialog.partition(TURN_END)
        answer = rest.partition(ANSWER)[2].partition(TURN_END)[0]
        answers.setdefault(question.partition("\n")[2], set()).add(answer)
    return {
        question: min(found)
        for question, found in sorted(answers.items())
        if len(found) == 1 and any(name in question for name in HELD_OUT_COUNTRIES)
    }


def about_capital(question: str) -> bool:
    return "capital" in question


def measure(network: Transformer, tokenizer: Tokenizer, questions: dict[str, str]) -> Answers:
    """Ask all questions in the chat format, with greedy decoding, and check the answers."""
    ended = right = capitals = count = 0
    loss = 0.0
    for question, reference in questions.items():
        prompt = tokenizer.encode(f"{TURN_START}user\n{question}{TURN_END}\n{ANSWER}").ids
        wanted = tokenizer.encode(reference + TURN_END).ids
        written = list(_greedy(network, prompt, end=wanted[-1]))
        ended += written[-1] == wanted[-1]
        right += written == wanted
        capitals += written == wanted and about_capital(question)
        loss += len(wanted) * _loss(network, prompt, wanted)
        count += len(wanted)
    return Answers(ended, right, capitals, round(loss / max(1, count), 4))


@torch.no_grad()
def _loss(network: Transformer, prompt: list[int], answer: list[int]) -> float:
    """Return the mean loss over the tokens of an answer, in nats per token."""
    ids = torch.tensor(prompt + answer)[None, :-1]
    targets = torch.tensor([IGNORED] * (len(prompt) - 1) + answer)[None]
    return train.loss_of(network, ids, targets).item()


@torch.no_grad()
def _greedy(network: Transformer, prompt: list[int], end: int) -> Iterator[int]:
    """Yield the most probable tokens after the prompt, up to the end of the turn."""
    cache = KeyValueCache(network.config)
    new = torch.tensor(prompt)
    for _ in range(LONGEST_ANSWER):
        best = int(network.logits(network(new, cache)[-1]).argmax())
        yield best
        if best == end:
            return
        new = torch.tensor([best])
