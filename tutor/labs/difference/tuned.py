"""Run the bundled base model, and the instruct model made from it, on the same dialog."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor

from tutor.errors import ModelNotFound
from tutor.labs.difference.questions import MOST_TOKENS
from tutor.labs.kit.other_models.side_model import SideModel
from tutor.labs.kit.progress import Coming
from tutor.language import _
from tutor.lm.chat import chat_ids
from tutor.lm.distribution import ChatMessage
from tutor.lm.inspect.forward_pass import ForwardPass
from tutor.lm.language_model import LanguageModel
from tutor.lm.session import Session
from tutor.models.installed import FoundModel, bundled_base, bundled_instruct

MOST_WRITTEN = 40
"""The maximum number of tokens that each model writes after the question."""


class Dialog(NamedTuple):
    """A question in the chat template, with the instruct model's answer.

    `ids` are the dialog's token ids, and `left_out` is the number of tokens that were cut from its
    end. `streams` are the residual streams [T, width] of both models after the last block.
    `written` is the text that each model writes after the question. The base model comes first.
    """

    ids: list[int]
    left_out: int
    streams: tuple[Tensor, Tensor]
    written: tuple[str, str]


class TunedPair:
    """A pair of models, with the methods that load it and run it on a dialog.

    The models are so small that the work isn't split into time slices.
    """

    def __init__(self) -> None:
        self._sides: tuple[SideModel, SideModel] | None = None
        self._dialog: tuple[str, Dialog] | None = None

    def models(self, seconds: float) -> tuple[LanguageModel, LanguageModel] | Coming:
        """Return the base model and the instruct model, or the progress of loading them.

        Raises `ModelError` if a model is missing or cannot be loaded.
        """
        if self._sides is None:
            self._sides = _side_model(bundled_base()), _side_model(bundled_instruct())
        base, instruct = (side.after(seconds) for side in self._sides)
        if isinstance(base, Coming):
            return base
        return instruct if isinstance(instruct, Coming) else (base, instruct)

    def dialog(self, base: LanguageModel, instruct: LanguageModel, question: str) -> Dialog:
        """Return the dialog that begins with this question.

        Raises `TextError` if the question is empty or too long for the models.
        """
        if self._dialog is None or self._dialog[0] != question:
            self._dialog = question, _dialog(base, instruct, question)
        return self._dialog[1]

    def leave(self) -> None:
        """Drop both models and the dialog."""
        for side in self._sides or ():
            side.leave()
        self._sides = self._dialog = None


def _side_model(found: FoundModel | None) -> SideModel:
    if found is None:
        raise ModelNotFound(_("The bundled base and instruct models are missing."))
    return SideModel(found)


@torch.inference_mode()
def _dialog(base: LanguageModel, instruct: LanguageModel, question: str) -> Dialog:
    prompt = chat_ids(instruct, [ChatMessage("user", question)])
    continued, answered = (list(_greedy(model, prompt)) for model in (base, instruct))
    ids = [*prompt, *answered]
    kept = ids[:MOST_TOKENS]
    passes = [ForwardPass(model.network, kept) for model in (base, instruct)]
    for passage in passes:
        passage.advance(math.inf)
    streams = [passage.stream for passage in passes]
    written = [
        base.tokenizer.decode(each).decode("utf-8", "replace") for each in (continued, answered)
    ]
    return Dialog(kept, len(ids) - len(kept), (streams[0], streams[1]), (written[0], written[1]))


def _greedy(model: LanguageModel, prompt: list[int]) -> Iterator[int]:
    """Yield the tokens of the greedy continuation, including the token that ends it."""
    session = Session(model, prompt)
    for _step in range(min(MOST_WRITTEN, model.network.config.context - len(prompt))):
        best = int(session.logits(len(session)).argmax())
        yield best
        if best in model.tokenizer.end_ids:
            return
        session.append([best])
