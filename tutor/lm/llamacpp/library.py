"""The functions of llama.cpp that tutor needs, as a small interface.

`LlamaCpp` implements it with the package `llama-cpp-python`, which calls llama.cpp's C functions
through `ctypes`. Source: `llama.h` in https://github.com/ggml-org/llama.cpp. Tests implement it
with a network of our own.
"""

from __future__ import annotations

import ctypes
import logging
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from tutor.errors import ModelError, ModelUnsupported
from tutor.installation import reinstall_command
from tutor.text import safe

if TYPE_CHECKING:
    from numpy.typing import NDArray

log = logging.getLogger(__name__)

PACKAGE = "llama_cpp"
"""The name under which `llama-cpp-python` is imported."""

BATCH = 64
"""The maximum number of tokens in one call. A request can be canceled only between calls."""

LONGEST = 4096
"""The maximum number of tokens in a text. llama.cpp reserves the memory for all of them at once."""

_ERROR = 4  # the log level of llama.cpp's error messages
_PIECE = 256  # bytes; longer tokens are read in a second call


class Library(Protocol):
    """A model that llama.cpp has loaded, with the text that it has processed so far.

    `context` is the maximum number of tokens in a text, and `start_id` is the token that every text
    begins with, or None. The other numbers describe the network.
    """

    vocabulary_size: int
    context: int
    start_id: int | None
    parameters: int
    layers: int
    heads: int
    width: int

    def process(self, ids: Sequence[int], start: int, every: bool) -> NDArray[np.float32]:
        """Process up to `BATCH` tokens after the first `start` tokens of the text.

        Returns the logits after the last of these tokens, [1, vocabulary], or, with `every`, the
        logits after each of them, [n, vocabulary]. Raises `ModelError` if llama.cpp fails.
        """
        ...

    def truncate(self, length: int) -> bool:
        """Forget all but the first `length` tokens.

        Returns False if the model can't do this. Recurrent models, such as Mamba, can only forget
        the whole text.
        """
        ...

    def encode(self, text: bytes) -> list[int]:
        """Encode UTF-8 text as token ids, treating names of special tokens as ordinary text."""
        ...

    def piece(self, id_: int) -> bytes:
        """Return the bytes of a token, or the name of a special token."""
        ...

    def is_special(self, id_: int) -> bool:
        """Return True for a token that is never produced from ordinary text."""
        ...

    def is_end(self, id_: int) -> bool:
        """Return True for a token that ends an answer."""
        ...


def is_installed() -> bool:
    """Return True if `llama-cpp-python` is installed. It is not imported."""
    return find_spec(PACKAGE) is not None


class LlamaCpp:
    """A GGUF file, loaded with `llama-cpp-python`. See `Library`.

    Raises `ModelUnsupported` if llama.cpp can't load the file, and `ModelError` if the package
    itself doesn't work.
    """

    def __init__(self, path: Path, threads: int) -> None:
        try:
            import llama_cpp
        except (ImportError, OSError, RuntimeError, AttributeError) as error:
            raise ModelError(
                f"llama-cpp-python cannot be used: {safe(str(error))[:200]}.",
                f"Install it again: {reinstall_command('llama-cpp-python')}.",
            ) from error
        self._library: Any = llama_cpp
        self._said: list[str] = []
        self._on_log = llama_cpp.llama_log_callback(self._hear)  # keeps the callback alive
        llama_cpp.llama_log_set(self._on_log, ctypes.c_void_p(0))
        llama_cpp.llama_backend_init()
        self._model = self._load(path)
        self._vocabulary = llama_cpp.llama_model_get_vocab(self._model)
        self.context = min(LONGEST, llama_cpp.llama_model_n_ctx_train(self._model))
        self._context = self._open_context(threads)
        self._memory = llama_cpp.llama_get_memory(self._context)
        self._batch = llama_cpp.llama_batch_init(BATCH, 0, 1)
        self.vocabulary_size = llama_cpp.llama_vocab_n_tokens(self._vocabulary)
        self.parameters = llama_cpp.llama_model_n_params(self._model)
        self.layers = llama_cpp.llama_model_n_layer(self._model)
        self.heads = llama_cpp.llama_model_n_head(self._model)
        self.width = llama_cpp.llama_model_n_embd(self._model)
        start = llama_cpp.llama_vocab_bos(self._vocabulary)
        adds = start >= 0 and llama_cpp.llama_vocab_get_add_bos(self._vocabulary)
        self.start_id: int | None = start if adds else None

    def process(self, ids: Sequence[int], start: int, every: bool) -> NDArray[np.float32]:
        """Process tokens; see `Library`."""
        batch = self._batch
        batch.n_tokens = len(ids)
        for i, id_ in enumerate(ids):
            batch.token[i] = id_
            batch.pos[i] = start + i
            batch.n_seq_id[i] = 1
            batch.seq_id[i][0] = 0
            batch.logits[i] = every or i == len(ids) - 1
        if status := self._library.llama_decode(self._context, batch):
            raise ModelError(
                f"llama.cpp could not process the text (status {status}): {self._reason()}.",
                "Try a shorter text, or another model.",
            )
        wanted = range(len(ids)) if every else (len(ids) - 1,)
        return np.stack([self._logits(i) for i in wanted])

    def truncate(self, length: int) -> bool:
        """Forget all but the first `length` tokens; see `Library`."""
        if length == 0:
            self._library.llama_memory_clear(self._memory, True)
            return True
        return bool(self._library.llama_memory_seq_rm(self._memory, 0, length, -1))

    def encode(self, text: bytes) -> list[int]:
        """Encode text; see `Library`."""
        room = len(text) + 8  # every token except an added space has at least one byte
        ids = (self._library.llama_token * room)()
        count = self._library.llama_tokenize(
            self._vocabulary, text, len(text), ids, room, False, False
        )
        if count < 0:
            raise ModelError("llama.cpp could not tokenize the text.", "Try another text.")
        return list(ids[:count])

    def piece(self, id_: int) -> bytes:
        """Return the bytes of a token; see `Library`."""
        size = _PIECE
        while True:
            buffer = ctypes.create_string_buffer(size)
            count = self._library.llama_token_to_piece(self._vocabulary, id_, buffer, size, 0, True)
            if count >= 0:
                return buffer.raw[:count]
            size = -count

    def is_special(self, id_: int) -> bool:
        """Return True for a special token; see `Library`."""
        return bool(self._library.llama_vocab_is_control(self._vocabulary, id_))

    def is_end(self, id_: int) -> bool:
        """Return True for an end token; see `Library`."""
        return bool(self._library.llama_vocab_is_eog(self._vocabulary, id_))

    def _load(self, path: Path) -> Any:
        parameters = self._library.llama_model_default_params()
        parameters.n_gpu_layers = 0
        model = self._library.llama_model_load_from_file(str(path).encode(), parameters)
        if not model:
            raise ModelUnsupported(
                f"llama.cpp cannot load the file: {self._reason()}.", "Use another model."
            )
        generates = self._library.llama_model_has_decoder(model)
        if not generates or self._library.llama_model_has_encoder(model):
            raise ModelUnsupported(
                "the model does not continue text: it encodes it.", "Use another model."
            )
        return model

    def _open_context(self, threads: int) -> Any:
        parameters = self._library.llama_context_default_params()
        parameters.n_ctx = self.context
        parameters.n_batch = parameters.n_ubatch = BATCH
        parameters.n_threads = parameters.n_threads_batch = threads
        context = self._library.llama_init_from_model(self._model, parameters)
        if not context:
            raise ModelUnsupported(
                f"llama.cpp cannot run the model: {self._reason()}.", "Use another model."
            )
        return context

    def _logits(self, index: int) -> NDArray[np.float32]:
        pointer = self._library.llama_get_logits_ith(self._context, index)
        return np.ctypeslib.as_array(pointer, (self.vocabulary_size,)).copy()

    def _hear(self, level: int, text: bytes, _data: ctypes.c_void_p) -> None:
        """Store llama.cpp's error messages, which explain why a function failed."""
        line = text.decode("utf-8", "replace").strip()
        log.debug("%s", line)
        if level == _ERROR and line:
            self._said.append(line)
            del self._said[:-1]

    def _reason(self) -> str:
        return safe(self._said[-1])[:300].rstrip(".") if self._said else "it gave no reason"
