"""Make a network of random weights with a byte tokenizer.

It shows everything that a session does, in milliseconds and without a file.
"""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import torch
from torch import Tensor

from tutor.lm.formats.export import export_folder
from tutor.lm.network import Config, KeyValueCache, Trace, Transformer
from tutor.lm.tokenizer import Tokenizer

CONFIG = Config(
    vocabulary_size=300,
    width=32,
    layers=3,
    heads=4,
    key_value_heads=2,
    head_size=8,
    hidden=48,
    context=400,
)

TEMPLATE = (
    "{% for message in messages %}"
    "{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)


class CountingNetwork(Transformer):
    """A network that counts the tokens it processes."""

    tokens_read = 0

    def forward(
        self, ids: Tensor, cache: KeyValueCache | None = None, trace: Trace | None = None
    ) -> Tensor:
        self.tokens_read += ids.shape[-1]
        return super().forward(ids, cache, trace)


def byte_fields() -> dict[str, Any]:
    """Return the GGUF metadata of a small vocabulary.

    It has the 256 bytes, three special tokens and a few merges.
    """
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    rest = [byte for byte in range(256) if byte not in printable]
    characters = {byte: chr(byte) for byte in printable}
    characters |= {byte: chr(0x100 + n) for n, byte in enumerate(rest)}
    marks = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    merged = ["he", "ll", "Ġw", "Ġwo", "ĠĠ"]
    tokens = [*marks, *(characters[byte] for byte in range(256)), *merged]
    return {
        "tokenizer.ggml.model": "gpt2",
        "tokenizer.ggml.pre": "smollm",
        "tokenizer.ggml.tokens": tokens,
        "tokenizer.ggml.token_type": [3] * len(marks) + [1] * (256 + len(merged)),
        "tokenizer.ggml.merges": ["h e", "l l", "Ġ w", "Ġw o", "Ġ Ġ"],
        "tokenizer.ggml.bos_token_id": 1,
        "tokenizer.ggml.eos_token_id": 2,
        "tokenizer.ggml.add_bos_token": False,
    }


def tiny_model(chat_template: str | None = TEMPLATE) -> Any:
    """Return the parts of a loaded model that a session needs, always with the same weights."""
    torch.manual_seed(0)
    network = CountingNetwork(CONFIG)
    network.requires_grad_(False)
    # Unscaled random embeddings would make each token almost certainly repeat itself.
    network.embedding.weight.mul_(0.3)
    return SimpleNamespace(
        card=SimpleNamespace(device="cpu"),
        network=network,
        tokenizer=Tokenizer.from_gguf(byte_fields()),
        chat_template=chat_template,
    )


def write_tiny_folder(folder: Path) -> Path:
    """Write the same model as a Hugging Face folder, for a process that loads it from disk."""
    model = tiny_model()
    tokenizer = msgspec.json.decode(model.tokenizer.to_json())["tokenizer"]
    file = folder.with_suffix(".tokenizer.json")
    file.write_bytes(msgspec.json.encode(tokenizer))
    export_folder(folder, model.network, file)
    return folder
