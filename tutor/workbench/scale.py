"""Lets models of several sizes read a text."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from pathlib import Path

import msgspec
import torch
from torch import Tensor

from tutor import paths
from tutor.errors import LabError
from tutor.labs.published import SMOLLM2_TOKENS
from tutor.labs.scale import BEST, Answer, Guess, Model, Question, Reading
from tutor.lm.live_training import LiveTraining
from tutor.lm.load import LanguageModel
from tutor.lm.network import Transformer
from tutor.lm.reading_cost import bits_of, entropy_bits, next_probabilities
from tutor.lm.small_model import Result
from tutor.lm.training_history import BYTES_A_STEP, CONTEXT
from tutor.models.installed import bundled_model
from tutor.workbench.bench import Tools
from tutor.workbench.small import small_model_beside
from tutor.workbench.training import RUNNING

BEFORE = "\n"
"""Stands before every text, so that its first token is guessed too."""


class ScaleBench:
    def __init__(self, tools: Tools) -> None:
        self._loaded = tools.model
        self._folder = tools.folder

    def answer(self, question: Question) -> Answer:
        """Raises `TextError` for a text that a vocabulary has no tokens for."""
        return Answer(self._reading(question.model, question.text))

    def _reading(self, model: Model, text: str) -> Reading | None:
        match model:
            case "yours":
                return self._yours(text)
            case "small":
                if self._small is None:
                    return None
                return _of_a_model(self._small, text, _small_tokens())
            case "loaded":
                card = self._loaded.card
                known = SMOLLM2_TOKENS if card.name.startswith("SmolLM2-135M") else None
                small = bundled_model()
                if small is not None and Path(card.path) == small.path:
                    known = _small_tokens()
                return _of_a_model(self._loaded, text, known)

    @cached_property
    def _small(self) -> LanguageModel | None:
        return small_model_beside(self._loaded)

    def _yours(self, text: str) -> Reading | None:
        """That of the lab of training, as it was last written down."""
        training = LiveTraining(())
        try:
            training.load(self._folder / RUNNING)
        except LabError:
            return None
        if not training.done:
            return None
        weights = sum(weight.numel() for weight in training.network.parameters())
        ids = torch.tensor(list((BEFORE + text).encode()))
        return _reading(
            training.network,
            ids,
            CONTEXT,
            name="yours",
            size=weights * 4,
            parameters=weights,
            trained_on=training.done * BYTES_A_STEP,
            byte_count=len(text.encode()),
            name_of=lambda id_: bytes([id_]),
        )


def _of_a_model(model: LanguageModel, text: str, trained_on: int | None) -> Reading:
    tokenizer = model.tokenizer
    ids = torch.tensor(tokenizer.encode(BEFORE) + tokenizer.encode(text))
    path = Path(model.card.path)
    return _reading(
        model.network,
        ids,
        model.network.config.context,
        name=model.card.name,
        size=_size(path),
        parameters=model.card.parameters,
        trained_on=trained_on,
        byte_count=len(text.encode()),
        name_of=lambda id_: tokenizer.token(id_).data,
    )


def _reading(
    network: Transformer,
    ids: Tensor,
    context: int,
    *,
    name: str,
    size: int,
    parameters: int,
    trained_on: int | None,
    byte_count: int,
    name_of: Callable[[int], bytes],
) -> Reading:
    costs = bits_of(network, ids, context)
    probabilities = next_probabilities(network, ids, context)
    best, places = probabilities.topk(BEST)
    return Reading(
        name=name,
        parameters=parameters,
        size=size,
        trained_on=trained_on,
        pieces=len(costs),
        byte_count=byte_count,
        bits=float(costs.sum()),
        entropy=entropy_bits(probabilities),
        best=tuple(
            Guess(name_of(place), share)
            for place, share in zip(places.tolist(), best.tolist(), strict=True)
        ),
    )


def _size(path: Path) -> int:
    """Bytes of the weights as they are kept in a file."""
    file = path / "model.safetensors" if path.is_dir() else path
    return file.stat().st_size if file.exists() else 0


def _small_tokens() -> int | None:
    record = paths.bundled_model_folder() / "training.json"
    if not record.exists():
        return None
    return msgspec.json.decode(record.read_bytes(), type=Result).read_tokens


def make_bench(tools: Tools) -> ScaleBench:
    return ScaleBench(tools)
