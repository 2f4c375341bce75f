"""A `Library` on a network of our own, so that tests need no llama.cpp."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from tutor.lm.distribution import ModelCard
from tutor.lm.llamacpp.library import Library
from tutor.lm.llamacpp.session import LlamaModel, Reader
from tutor.lm.llamacpp.tokenizer import LlamaTokenizer
from tutor.lm.network import KeyValueCache

if TYPE_CHECKING:
    from numpy.typing import NDArray


class NetworkLibrary:
    """It runs a model of `tests.tiny_model`, and records the size of every batch.

    With `recurrent`, it can only forget the whole text, as Mamba does.
    """

    def __init__(self, model: Any, *, recurrent: bool = False) -> None:
        config = model.network.config
        self._model = model
        self._recurrent = recurrent
        self._cache = KeyValueCache(config, capacity=1)
        self._held = 0
        self.batches: list[int] = []
        self.vocabulary_size: int = config.vocabulary_size
        self.context: int = config.context
        self.start_id: int | None = None
        self.parameters, self.layers = 1000, config.layers
        self.heads, self.width = config.heads, config.width

    @torch.inference_mode()
    def process(self, ids: Sequence[int], start: int, every: bool) -> NDArray[np.float32]:
        assert start == self._held, "the text before these tokens was not processed"
        final = self._model.network(torch.tensor(ids), self._cache)
        self._held += len(ids)
        self.batches.append(len(ids))
        rows = self._model.network.logits(final if every else final[-1:])
        return np.asarray(rows.numpy(), dtype=np.float32)

    def truncate(self, length: int) -> bool:
        if self._recurrent and 0 < length < self._held:
            return False
        self._cache.truncate(length)
        self._held = length
        return True

    def encode(self, text: bytes) -> list[int]:
        return list(self._model.tokenizer.encode(text.decode()))

    def piece(self, id_: int) -> bytes:
        return bytes(self._model.tokenizer.token(id_).data)

    def is_special(self, id_: int) -> bool:
        token = self._model.tokenizer.token(id_)
        return bool(token.special and token.data)

    def is_end(self, id_: int) -> bool:
        return id_ in self._model.tokenizer.end_ids


def llama_model(library: Library, chat_template: str | None = None) -> LlamaModel:
    """Return a model that `library` runs."""
    tokenizer = LlamaTokenizer(library)
    card = ModelCard(
        name="tiny",
        path="tiny.gguf",
        sha256="",
        format="F32",
        kernel="llama.cpp",
        parameters=library.parameters,
        layers=library.layers,
        heads=library.heads,
        width=library.width,
        context=library.context,
        vocabulary_size=library.vocabulary_size,
        chat=chat_template is not None,
        end_ids=tokenizer.end_ids,
    )
    return LlamaModel(card, Reader(library), tokenizer, chat_template)
