"""Answer test items with the local model, for one version of a prompt at a time."""

from __future__ import annotations

import time
from itertools import groupby

import torch

from tutor.labs.kit.model_backend import ModelBackend
from tutor.labs.kit.prompts.questions import Answer, Read, Reading, Stretch, Try
from tutor.labs.kit.prompts.scores import ROWS, Share, Tried
from tutor.labs.kit.prompts.tasks import Task, tasks
from tutor.labs.kit.prompts.version import Prompt, Version, assemble
from tutor.lm import draw, sampling
from tutor.lm.chat import chat_ids, text_ids
from tutor.lm.distribution import SamplerSettings
from tutor.lm.language_model import LanguageModel
from tutor.lm.session import Session


class PromptingHere(ModelBackend):
    """A backend that runs prompts on the local model and caches one session.

    Most prompts of a run differ only in the item, so the model processes their common prefix once.
    """

    def answer(self, question: Read | Try) -> Answer:
        """Return the model's answer to an item, or the exact prompt for an item.

        Raises `TextError` or `ContextFull` if the model cannot process the prompt, and
        `ModelUnsupported` if the prompt needs a chat template and the model has none.
        """
        task = tasks()[question.trial.task]
        version = question.trial.version
        ids = prompt_ids(self._model, assemble(version, task, task.items[question.item]))
        if isinstance(question, Read):
            return Reading(stretches(self._model, ids), len(ids))
        return self._tried(ids, version, task, question.item)

    def _tried(self, ids: list[int], version: Version, task: Task, item: int) -> Tried:
        begun = time.perf_counter()
        session = self._read(ids)
        probabilities = torch.softmax(session.logits(len(ids)).double(), dim=-1)
        rows = tuple(
            Share(self._model.tokenizer.token(id_).data, float(probabilities[id_]))
            for id_ in sampling.ranked(probabilities, min(ROWS, len(probabilities))).tolist()
        )
        labels = tuple(
            float(probabilities[list(beginnings)].sum())
            for beginnings in label_ids(self._model, task.labels)
        )
        written, ended = self._written(session, version, task.most_tokens, item)
        return Tried(written, ended, len(ids), rows, labels, time.perf_counter() - begun)

    def _written(
        self, session: Session, version: Version, most: int, item: int
    ) -> tuple[str, bool]:
        """Generate the answer. Return its text, and True if it is complete.

        The answer ends at an end token or, if the prompt is plain text, after its first line.
        If it doesn't end, it is cut off after `most` tokens. Sampling uses the version's
        temperature, and the item's index as the seed.
        """
        written: list[int] = []
        while len(written) < most:
            id_ = self._next(session, version.temperature, item)
            if id_ in self._model.tokenizer.end_ids:
                return self._text(written), True
            session.append([id_])
            written.append(id_)
            if version.frame == "text" and "\n" in self._text(written).lstrip():
                return self._text(written), True
        return self._text(written), False

    @staticmethod
    def _next(session: Session, temperature: float, seed: int) -> int:
        logits = session.logits(len(session))
        if temperature == 0:
            return int(sampling.ranked(logits, 1))
        weights = sampling.weigh(logits, SamplerSettings(temperature=temperature))
        return draw.first(weights.sampled.numpy(), seed, len(session))

    def _text(self, ids: list[int]) -> str:
        return self._model.tokenizer.decode(ids).decode("utf-8", "replace")


def prompt_ids(model: LanguageModel, prompt: Prompt) -> list[int]:
    """Return a prompt's token ids, including the beginning of the answer if it supplies one."""
    ids = chat_ids(model, prompt.messages) if prompt.messages else text_ids(model, prompt.text)
    return ids + model.tokenizer.encode(prompt.begin) if prompt.begin else ids


def label_ids(model: LanguageModel, labels: tuple[str, ...]) -> list[set[int]]:
    """Return, for each label, the ids of the tokens that the label can begin with.

    Each label has four spellings: with or without a leading space, and in lower case or
    capitalized. A token that several labels can begin with is left out, since it doesn't
    distinguish them.
    """
    spelled = [
        {
            model.tokenizer.encode(space + name)[0]
            for space in ("", " ")
            for name in (label, label.capitalize())
        }
        for label in labels
    ]
    return [
        own - {id_ for other in spelled if other is not own for id_ in other} for own in spelled
    ]


def stretches(model: LanguageModel, ids: list[int]) -> tuple[Stretch, ...]:
    """Split a prompt into special tokens and the text between them."""
    found: list[Stretch] = []
    marks = set(model.tokenizer.special_ids.values())
    for special, alike in groupby(ids, marks.__contains__):
        if special:
            found += [Stretch(model.tokenizer.token(id_).text, True) for id_ in alike]
        else:
            text = model.tokenizer.decode(list(alike)).decode("utf-8", "replace")
            found.append(Stretch(text, False))
    return tuple(found)
