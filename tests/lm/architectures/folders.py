"""Write a tiny model of a family as a Hugging Face folder, with weights made from its names."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
from safetensors.torch import save_file

from tests.lm.architectures.make_reference import FILE, weights
from tests.tiny_model import byte_fields
from tutor.lm.tokenizer import Tokenizer


@cache
def references() -> dict[str, Any]:
    """Return what transformers computed, by the names of the cases."""
    found: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
    return found


def write_folder(folder: Path, case: str, **changes: Any) -> Path:
    """Write the model of a case, with some other settings in its config.json."""
    reference = references()[case]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(reference["config"] | changes))
    tensors = {name: weights(name, shape) for name, shape in reference["tensors"].items()}
    save_file(tensors, folder / "model.safetensors")
    tokenizer = Tokenizer.from_gguf(byte_fields()).to_json()
    (folder / "tokenizer.json").write_bytes(msgspec.json.decode(tokenizer, type=_Saved).tokenizer)
    return folder


class _Saved(msgspec.Struct):
    tokenizer: msgspec.Raw
