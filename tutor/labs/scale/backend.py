"""Measure the surprisal of a text with models of several sizes."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from pathlib import Path

import msgspec
import torch
from torch import Tensor

from tutor import paths
from tutor.errors import LabError, ModelError, TutorError
from tutor.labs.kit.backend import Tools
from tutor.labs.kit.other_models.side_model import SideModel
from tutor.labs.kit.other_models.small_model import small_model_beside
from tutor.labs.kit.progress import Coming
from tutor.labs.scale import questions
from tutor.labs.scale.lab import BEST
from tutor.labs.scale.questions import Answer, Question
from tutor.labs.scale.reading_cost import bits_of, costs_of, entropy_bits, next_probabilities
from tutor.labs.scale.remote_backend import RemoteReader
from tutor.labs.scale.remote_reading import ReadRemotely
from tutor.labs.scale.rungs import SMOLLM2_TOKENS
from tutor.lm.fast.free_memory import available_memory
from tutor.lm.inspect.forward_pass import ForwardPass
from tutor.lm.language_model import LanguageModel
from tutor.lm.training.history import BYTES_PER_STEP, CONTEXT
from tutor.lm.training.live import FILE, LiveTraining
from tutor.lm.training.recipes.small_model import Result
from tutor.models import FoundModel
from tutor.models.installed import bundled_model, installed_models

BEFORE = "\n"
"""A line break that precedes every text, so that the model can predict the text's first token."""


class ScaleBackend:
    """The lab's backend. It keeps the added model loaded between requests.

    `free_memory` returns the free memory in bytes, or None if it is unknown.
    """

    def __init__(
        self, tools: Tools, free_memory: Callable[[], int | None] = available_memory
    ) -> None:
        self._loaded = tools.model
        self._moment = tools.moment
        self._free_memory = free_memory
        self._folder = tools.folder
        self._side_model: SideModel | None = None
        self._passage: tuple[str, ForwardPass] | None = None
        self._remote_reader = RemoteReader(tools.remote, BEFORE)

    def answer(self, question: Question) -> Answer:
        """Return one model's results for a text, or the progress of computing them.

        Raises `TextError` if the vocabulary cannot express the text.
        """
        if isinstance(question, ReadRemotely):
            return self._told_by_server(question)
        self._remote_reader.leave()
        match question:
            case questions.Others():
                self._dismiss()
                return questions.Installed(tuple(self._others()))
            case questions.Read(model="other", text=text, name=name):
                return self._told_by_another(name, text)
            case questions.Read(model=model, text=text):
                return questions.Told(self._reading(model, text))

    def close(self) -> None:
        """Stop loading the added model."""
        self._dismiss()

    def _told_by_server(self, question: ReadRemotely) -> Answer:
        self._dismiss()
        try:
            found = self._remote_reader.glance(question)
        except TutorError as error:
            return questions.Refused(str(error))
        return found or Coming(f"Waiting for {question.server.host} …", 0, 0, None)

    def _others(self) -> dict[str, FoundModel]:
        """Return the installed models that can be added to the lab, by name.

        If several models have the same name, only the first is returned.
        """
        found: dict[str, FoundModel] = {}
        for model in installed_models():
            found.setdefault(model.name, model)
        here = {self._loaded.card.name, Path(self._loaded.card.path)}
        return {
            name: model
            for name, model in found.items()
            if not model.bundled and not {name, model.path} & here
        }

    def _told_by_another(self, name: str, text: str) -> Answer:
        try:
            model = self._loaded_beside(name)
            return model if isinstance(model, Coming) else self._read_by(model, text)
        except TutorError as error:
            self._dismiss()
            return questions.Refused(f"{error.happened} {error.next_step}")

    def _loaded_beside(self, name: str) -> LanguageModel | Coming:
        """Return the added model, or the progress of loading it.

        Raises `ModelError` if the model cannot be loaded.
        """
        if self._side_model is None or self._side_model.name != name:
            self._dismiss()
            found = self._others().get(name)
            if found is None:
                raise ModelError(f"{name} is no longer installed.", "Choose another model.")
            self._side_model = SideModel(found, self._free_memory)
        return self._side_model.after(self._moment)

    def _read_by(self, model: LanguageModel, text: str) -> Answer:
        """Process the text with the added model for one time slice.

        Returns the model's results, or the progress if they are not complete. Raises `TextError` if
        the vocabulary cannot express the text.
        """
        tokenizer, network = model.tokenizer, model.network
        ids = tokenizer.encode(BEFORE) + tokenizer.encode(text)
        if len(ids) > network.config.context:
            return questions.Told(_of_a_model(model, text, None))
        if self._passage is None or self._passage[0] != text:
            self._passage = text, ForwardPass(network, ids)
        passage = self._passage[1]
        if not passage.finished:
            passage.advance(self._moment)
            return Coming("processing the text", passage.done, passage.blocks, None)
        with torch.inference_mode():
            final = network.norm(passage.stream)
            costs = costs_of(network, final[:-1], torch.tensor(ids[1:]))
            shares = network.logits(final[-1]).float().cpu().softmax(-1)
        return questions.Told(_with_figures(model, text, None, costs, shares))

    def _dismiss(self) -> None:
        if self._side_model is not None:
            self._side_model.leave()
        self._side_model = self._passage = None

    def _reading(self, model: questions.Model, text: str) -> questions.Reading | None:
        match model:
            case "other":
                raise LabError("No model has been added.", "Press o to add one.")
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

    def _yours(self, text: str) -> questions.Reading | None:
        """Return the results of the network from the training lab, as of its last checkpoint.

        Returns None if there is no checkpoint.
        """
        training = LiveTraining(())
        try:
            training.load(self._folder / FILE)
        except LabError:
            return None
        if not training.done:
            return None
        weights = sum(weight.numel() for weight in training.network.parameters())
        ids = torch.tensor(list((BEFORE + text).encode()))
        costs = bits_of(training.network, ids, CONTEXT)
        shares = next_probabilities(training.network, ids, CONTEXT)
        return questions.Reading(
            name="yours",
            parameters=weights,
            size=weights * 4,
            trained_on=training.done * BYTES_PER_STEP,
            pieces=len(costs),
            byte_count=len(text.encode()),
            bits=float(costs.sum()),
            entropy=entropy_bits(shares),
            best=_guesses(shares, lambda id_: bytes([id_])),
        )


def _of_a_model(model: LanguageModel, text: str, trained_on: int | None) -> questions.Reading:
    tokenizer, network = model.tokenizer, model.network
    ids = torch.tensor(tokenizer.encode(BEFORE) + tokenizer.encode(text))
    context = network.config.context
    costs = bits_of(network, ids, context)
    return _with_figures(model, text, trained_on, costs, next_probabilities(network, ids, context))


def _with_figures(
    model: LanguageModel, text: str, trained_on: int | None, costs: Tensor, shares: Tensor
) -> questions.Reading:
    """Return a model's results.

    `costs` has the surprisal of each token in bits, and `shares` the probabilities of the next
    token.
    """
    return questions.Reading(
        name=model.card.name,
        parameters=model.card.parameters,
        size=_size(Path(model.card.path)),
        trained_on=trained_on,
        pieces=len(costs),
        byte_count=len(text.encode()),
        bits=float(costs.sum()),
        entropy=entropy_bits(shares),
        best=_guesses(shares, lambda id_: model.tokenizer.token(id_).data),
    )


def _guesses(shares: Tensor, name_of: Callable[[int], bytes]) -> tuple[questions.Guess, ...]:
    best, places = shares.topk(BEST)
    named = zip(map(name_of, places.tolist()), best.tolist(), strict=True)
    return tuple(questions.Guess(data, share) for data, share in named)


def _size(path: Path) -> int:
    """Return the size of the file with the weights, in bytes. Returns 0 if the file is missing."""
    file = path / "model.safetensors" if path.is_dir() else path
    return file.stat().st_size if file.exists() else 0


def _small_tokens() -> int | None:
    record = paths.bundled_model_folder() / "training.json"
    if not record.exists():
        return None
    return msgspec.json.decode(record.read_bytes(), type=Result).read_tokens


def make_backend(tools: Tools) -> ScaleBackend:
    return ScaleBackend(tools)
