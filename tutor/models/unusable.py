"""Explain why a folder or a name is not a usable model, and what to do instead.

People often try a folder that is complete, but in a format that tutor does not support. Such a
folder is not damaged, and downloading it again would not help.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import msgspec

from tutor.errors import ModelDamaged, ModelError, ModelNotFound, ModelUnsupported
from tutor.regular_file import read_regular
from tutor.text import safe

SEE_LIST = "Run `tutor model list` to see what is installed."

TOKENIZER_FILES = ("tokenizer.json", "tokenizer.model")
"""The files from which tutor reads the tokenizer of a folder. If there are both, it reads the
first."""

_REPOSITORY = re.compile(r"[\w.-]+/[\w.-]+(/[\w./-]+\.gguf)?")
_SERVICE = re.compile(r"(?P<service>[a-z]{2,}):(?!/)(?P<name>.*)", re.DOTALL)

# Formats of weights other than safetensors: a pattern for their files, and their name.
_OTHER_WEIGHTS = {
    "*.bin": "PyTorch's pickle format",
    "*.pt": "PyTorch's pickle format",
    "*.pth": "PyTorch's pickle format",
    "*.h5": "TensorFlow's format",
    "*.msgpack": "Flax's format",
    "*.onnx": "ONNX format",
    "*.npz": "MLX's older format",
}
_OTHER_TOKENIZERS = ("vocab.json", "spiece.model", "tokenizer.tiktoken")
_LONGEST = 100
_LARGEST_CONFIG = 1_000_000  # bytes of `adapter_config.json` that are read
_SAVE_AGAIN = (
    "With the transformers library, load {what} with `{kind}.from_pretrained` and write it to "
    "{where} with `save_pretrained`. Or use a GGUF file of this model."
)


class _Adapter(msgspec.Struct, frozen=True):
    """The field of `adapter_config.json` that we show."""

    base_model_name_or_path: str | None = None


def unusable_name(spec: str) -> ModelError | None:
    """Return an error if `spec` names a remote model or a Hugging Face repository, or else None."""
    if found := _SERVICE.match(spec):
        return _of_service(spec[:_LONGEST], found["service"], found["name"][:_LONGEST])
    if _REPOSITORY.fullmatch(spec) and not spec.startswith("."):
        return ModelNotFound(
            f"There is no file or folder {spec}.",
            f"To use the model of this name on Hugging Face, write hf:{spec}.",
        )
    return None


def _of_service(spec: str, service: str, name: str) -> ModelUnsupported:
    if service == "ollama":
        return ModelUnsupported(
            f"{spec} is a model in Ollama, which tutor uses as a server.",
            "Start Ollama, and write `--model openai:"
            f"{name or 'NAME'} --base-url http://localhost:11434/v1`.",
        )
    return ModelUnsupported(
        f"{spec} is not a local model, which is required here.",
        "Local models are files, folders and hf:OWNER/REPO. You can use remote models, such as "
        "openai:NAME, in the stepper, in chat, with `tutor step` and with `tutor model check`.",
    )


def missing_files(folder: Path) -> list[str]:
    """Return the kinds of files that a model folder needs, but that this folder does not contain.

    A link to a file that does not exist, and a folder or a pipe with a suitable name, don't count
    as files. Raises `OSError` if the folder is not accessible.
    """
    with os.scandir(folder):  # `glob` and `is_file` may hide that the folder cannot be read
        pass
    missing = [] if (folder / "config.json").is_file() else ["config.json"]
    if not any((folder / name).is_file() for name in TOKENIZER_FILES):
        missing.append("tokenizer.json")
    weights = (each for each in folder.glob("*.safetensors") if each.is_file())
    if all(file.name.startswith("adapter_") for file in weights):
        missing.append("safetensors")
    return missing


def unusable_folder(folder: Path) -> ModelError:
    """Return an error for an incomplete model folder: what it contains, and what to do."""
    if (folder / "adapter_config.json").exists():
        return _adapter(folder)
    missing = missing_files(folder)
    if len(missing) == 3 or missing == ["config.json", "safetensors"]:
        return _without_model(folder)
    if "safetensors" in missing and (format_ := _other_weights(folder)):
        return ModelUnsupported(
            f"{folder} contains its weights only in {format_}. tutor reads safetensors.",
            "Download the safetensors files of this model. "
            + _SAVE_AGAIN.format(what="it", kind="AutoModelForCausalLM", where="a new folder"),
        )
    other = next((name for name in _OTHER_TOKENIZERS if (folder / name).exists()), None)
    if missing == ["tokenizer.json"] and other:
        return ModelUnsupported(
            f"{folder} contains its tokenizer only as {other}. tutor reads "
            "tokenizer.json and tokenizer.model.",
            _SAVE_AGAIN.format(what="the tokenizer", kind="AutoTokenizer", where="this folder"),
        )
    return ModelDamaged(
        f"{folder} does not contain {' or '.join(missing)}.", "Download the folder again."
    )


def _without_model(folder: Path) -> ModelError:
    if files := sorted(file.name for file in folder.glob("*.gguf")):
        return ModelError(
            f"{folder} contains GGUF files: {', '.join(files)}.", "Specify one of them."
        )
    if format_ := _other_weights(folder):
        return ModelUnsupported(
            f"{folder} contains weights in {format_}, which tutor cannot read.",
            "Use a GGUF file, or a folder with config.json, tokenizer.json and safetensors files.",
        )
    return ModelNotFound(
        f"There is no model in the folder {folder}.",
        "A model folder contains config.json, tokenizer.json and safetensors files.",
    )


def _adapter(folder: Path) -> ModelUnsupported:
    try:
        config = read_regular(folder / "adapter_config.json", _LARGEST_CONFIG)
        base = msgspec.json.decode(config, type=_Adapter).base_model_name_or_path
    except (OSError, ValueError):
        base = None
    named = f" for {safe(base)[:_LONGEST]}" if base else ""
    return ModelUnsupported(
        f"{folder} contains a LoRA adapter{named}, not a whole model.",
        "Merge it into its base model with `merge_and_unload` of the peft library, and write the "
        "result to a new folder with `save_pretrained`.",
    )


def _other_weights(folder: Path) -> str | None:
    return next((said for form, said in _OTHER_WEIGHTS.items() if any(folder.glob(form))), None)
