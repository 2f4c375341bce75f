"""What the loader wants to know of a model file, whichever format it has.

Two readers offer it: `tutor.lm.formats.gguf_file` and `tutor.lm.formats.hugging_face`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from torch import Tensor

from tutor.errors import ModelError
from tutor.lm.fast.linear import Groups
from tutor.lm.network import Config
from tutor.lm.tokenizer import Tokenizer

Matrix = Tensor | Groups  # as its file holds it: floats [N, K], or small integers with scales

PRODUCTS = {
    "attention.query_key_value": ("query", "key", "value"),
    "attention.output": ("output",),
    "feed_forward.gate_up": ("gate", "up"),
    "feed_forward.down": ("down",),
}
"""The matrices of a block of our network, and what a file has for each, one above the other."""

NORMS = ("attention_norm", "feed_forward_norm")


def shapes(config: Config) -> dict[str, tuple[int, int]]:
    """Return the sizes that the matrices of a file must have: outputs, inputs."""
    queries, shared = config.heads * config.head_size, config.key_value_heads * config.head_size
    width, hidden = config.width, config.hidden
    return {
        "query": (queries, width),
        "key": (shared, width),
        "value": (shared, width),
        "output": (width, queries),
        "gate": (hidden, width),
        "up": (hidden, width),
        "down": (width, hidden),
        "embedding": (config.vocabulary_size, width),
        "head": (config.vocabulary_size, width),
    }


class Source(Protocol):
    """An open model file.

    Its parts are asked for by name. The matrices are "embedding", "head" and, by the number of
    their block, "query", "key", "value", "output", "gate", "up" and "down"; the vectors "norm" and,
    by block, "attention_norm" and "feed_forward_norm".

    `files` are those that hold the weights. `format` names its number format ("Q4_1", "BF16").
    Query and key rows are in the order that our rotary embedding turns: the two numbers of a
    pair are neighbours. All methods raise `ModelDamaged` for what is missing or of the wrong
    size, `ModelUnsupported` for what is sound but not known here.
    """

    files: list[Path]
    config: Config
    format: str
    chat_template: str | None

    def matrix(self, part: str, block: int | None = None) -> Matrix: ...

    def vector(self, part: str, block: int | None = None) -> Tensor: ...

    def tokenizer(self) -> Tokenizer: ...


@contextmanager
def about(path: object) -> Iterator[None]:
    """Put the file's name before what a reader says of it."""
    try:
        yield
    except ModelError as error:
        raise type(error)(f"{path}: {error.happened}", error.next_step) from error
