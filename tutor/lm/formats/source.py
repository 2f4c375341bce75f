"""The interface between the loader and model files in any format.

Two classes implement it, in `tutor.lm.formats.gguf_file` and `tutor.lm.formats.hugging_face`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import torch
from torch import Tensor

from tutor.errors import ModelError
from tutor.lm.fast.linear import Groups
from tutor.lm.network import Config
from tutor.lm.tokenizer import Tokenizer

Matrix = Tensor | Groups  # floats [N, K], or integers with scales, as in the file

PRODUCTS = {
    "attention.query_key_value": ("query", "key", "value"),
    "attention.output": ("output",),
    "feed_forward.gate_up": ("gate", "up"),
    "feed_forward.down": ("down",),
}
"""Maps each matrix of a block in our network to the file's matrices that it concatenates."""

ROTATED = ("query", "key", "query_norm", "key_norm")
"""The parts whose rows must be in the order that our rotary embedding needs."""

NORMS = ("attention_norm", "feed_forward_norm")
"""The norms in a block of the Llama family."""


def products(config: Config) -> dict[str, tuple[str, ...]]:
    """Return `PRODUCTS`, adapted to a configuration.

    Without a gate, there is no "gate" matrix. In a mixture of experts, "expert_up.3" is the "up"
    matrix of expert 3, and "shared_up" is the "up" matrix of the shared expert.
    """
    found = PRODUCTS if config.gated else PRODUCTS | {"feed_forward.gate_up": ("up",)}
    return _of_experts(config, dict(found)) if config.experts else found


def _of_experts(config: Config, found: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    """Replace the feed-forward network in `found` with a router and experts."""
    network = {name: found.pop(f"feed_forward.{name}") for name in ("gate_up", "down")}
    for expert in range(config.experts):
        for name, parts in network.items():
            own = tuple(f"expert_{part}.{expert}" for part in parts)
            found[f"feed_forward.experts.{expert}.{name}"] = own
    found["feed_forward.router"] = ("router",)
    if config.shared_hidden:
        for name, parts in network.items():
            found[f"feed_forward.shared.{name}"] = tuple(f"shared_{part}" for part in parts)
        found["feed_forward.shared_router"] = ("shared_router",)
    return found


def vectors(config: Config) -> dict[str, tuple[tuple[str, ...], int]]:
    """Map the names of a block's vectors in our network to the vectors' parts and lengths."""
    width, size = config.width, config.head_size
    found: dict[str, tuple[tuple[str, ...], int]] = {}

    def add(name: str, length: int, part: str) -> None:
        found[f"{name}.weight"] = ((part,), length)
        if config.layer_norm:
            found[f"{name}.bias"] = ((f"{part}.bias",), length)

    def add_bias(name: str) -> None:
        parts = products(config)[name]
        rows = sum(shapes(config)[part][0] for part in parts)
        found[f"{name}_bias.weight"] = (tuple(f"{part}.bias" for part in parts), rows)

    if config.norm_before:
        for norm in NORMS:
            add(norm, width, norm)
    if config.norm_after:
        add("attention.output_norm", width, "attention_output_norm")
        add("feed_forward.output_norm", width, "feed_forward_output_norm")
    if config.query_key_norm is not None:
        one = config.query_key_norm == "head"
        add("attention.query_norm", size * (1 if one else config.heads), "query_norm")
        add("attention.key_norm", size * (1 if one else config.key_value_heads), "key_norm")
    if config.query_key_value_bias:
        add_bias("attention.query_key_value")
    if config.output_bias:
        add_bias("attention.output")
    if config.feed_forward_bias:
        add_bias("feed_forward.gate_up")
        add_bias("feed_forward.down")
    return found


def all_parts(config: Config) -> Iterator[tuple[str, int | None]]:
    """Yield every part that is read from a model file, and the number of its block."""
    yield "embedding", None
    yield "norm", None
    if config.layer_norm:
        yield "norm.bias", None
    if config.learned_positions:
        yield "positions", None
    if not config.tied:
        yield "head", None
    for block in range(config.layers):
        for parts in (*products(config).values(), *(each for each, _ in vectors(config).values())):
            yield from ((part, block) for part in parts)


def weight_or(kind: str) -> str:
    """Return the last component of a tensor's name, given the text after the dot in a part's name.

    The result is "bias" for the part "query.bias", and "weight" for "query" and "expert_up.3".
    """
    return "weight" if not kind or kind.isdigit() else kind


def fused_rows(part: str, names: Mapping[str, str], config: Config) -> tuple[list[str], list[int]]:
    """Return the parts that are stored in the same tensor as `part`, and their numbers of rows.

    `names` maps parts to the names of tensors. If `part` has its own tensor, the result is the list
    [`part`] and an empty list.
    """
    joined = next((parts for parts in PRODUCTS.values() if part in parts), (part,))
    together = [each for each in joined if names.get(each) == names[part]]
    return together, [shapes(config)[each][0] for each in together if len(together) > 1]


def paired(rows: Tensor, config: Config) -> Tensor:
    """Reorder the rows of each head for our rotary embedding, which pairs neighbors.

    The rotary embedding of `transformers` pairs dimension i of the first half with dimension i of
    the second half. So rows a0 a1 a2 b0 b1 b2 become a0 b0 a1 b1 a2 b2. If only part of a head is
    rotated, only this part is reordered. If the number of rows is wrong, the rows are returned
    unchanged, and `convert` rejects them.
    """
    size, rotated = config.head_size, config.rotated
    if config.learned_positions or len(rows) % size:
        return rows
    heads = rows.unflatten(0, (-1, size))
    pairs = heads[:, :rotated].unflatten(1, (2, rotated // 2)).transpose(1, 2).flatten(1, 2)
    return torch.cat([pairs, heads[:, rotated:]], dim=1).flatten(0, 1)


def shapes(config: Config) -> dict[str, tuple[int, int]]:
    """Return the shapes that the matrices in a file must have: (outputs, inputs).

    The matrices of all experts have the same shape, so the keys don't contain an expert's number.
    """
    queries, shared = config.heads * config.head_size, config.key_value_heads * config.head_size
    width, hidden, shared_hidden = config.width, config.hidden, config.shared_hidden
    return {
        "query": (queries, width),
        "key": (shared, width),
        "value": (shared, width),
        "output": (width, queries),
        "gate": (hidden, width),
        "up": (hidden, width),
        "down": (width, hidden),
        "router": (config.experts, width),
        "expert_gate": (hidden, width),
        "expert_up": (hidden, width),
        "expert_down": (width, hidden),
        "shared_router": (1, width),
        "shared_gate": (shared_hidden, width),
        "shared_up": (shared_hidden, width),
        "shared_down": (width, shared_hidden),
        "embedding": (config.vocabulary_size, width),
        "head": (config.vocabulary_size, width),
        "positions": (config.context, width),
    }


class Source(Protocol):
    """A model file that has been opened for reading.

    The methods take the name of a part. The matrices are "embedding", "head" and, for each block,
    the parts in `products`: "query", "key", "value", "output", "gate", "up" and "down" in the Llama
    family. The vectors are "norm" and, for each block, the parts in `vectors`: "attention_norm" and
    "feed_forward_norm" in the Llama family. `multipliers` maps some parts to numbers by which the
    caller must multiply them.

    `files` are the files that contain the weights. `format` is the number format ("Q4_1", "BF16").
    Query and key rows are ordered for our rotary embedding: the two numbers of a pair are
    neighbors. All methods raise `ModelDamaged` for a part that is missing or has the wrong size,
    and `ModelUnsupported` for a part that is valid but not supported.
    """

    files: list[Path]
    config: Config
    multipliers: Mapping[str, float]
    format: str
    chat_template: str | None

    def matrix(self, part: str, block: int | None = None) -> Matrix: ...

    def vector(self, part: str, block: int | None = None) -> Tensor: ...

    def tokenizer(self) -> Tokenizer: ...


@contextmanager
def about(path: object) -> Iterator[None]:
    """Add the file's path to the start of the message of a `ModelError` in the `with` block."""
    try:
        yield
    except ModelError as error:
        raise type(error)(f"{path}: {error.happened}", error.next_step) from error
