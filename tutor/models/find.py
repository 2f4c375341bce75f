"""From what the user wrote to files on disk."""

from __future__ import annotations

import os
import re
from pathlib import Path

import msgspec

from tutor.errors import ModelDamaged, ModelError, ModelNotFound, ModelUnsupported
from tutor.models.installed import (
    DEFAULT,
    FoundModel,
    bundled_model,
    installed_default,
    installed_models,
    is_default,
)
from tutor.models.report import OnStage, quiet

HUB_PREFIX = "hf:"
_ELSEWHERE = re.compile(r"[a-z]{2,}:(?!/)")
_SEE_LIST = "`tutor model list` shows what is installed."


def find_model(spec: str | None = None, *, on_stage: OnStage = quiet) -> FoundModel:
    """The model that `spec` names:

    - nothing: what TUTOR_MODEL names, else the default model where it is installed, else the
      small one that comes with the package;
    - the name of an installed model;
    - a GGUF file, or a folder with `config.json`, `tokenizer.json` and safetensors;
    - `hf:OWNER/REPO` or `hf:OWNER/REPO/FILE.gguf`, fetched if it is not in the Hugging Face cache
      yet; `on_stage` hears how far that is.

    Says nothing about whether tutor can run it; `tutor.lm.load` does. Raises `ModelError`s.
    """
    spec = spec or os.environ.get("TUTOR_MODEL")
    if not spec:
        return _default_model()
    if spec.startswith(HUB_PREFIX):
        return _from_hub(spec.removeprefix(HUB_PREFIX), on_stage)
    if _ELSEWHERE.match(spec) and not Path(spec).exists():
        raise ModelUnsupported(
            f"{spec} names a model elsewhere, and this needs one on this machine.",
            "The stepper, the chat, `tutor step` and `tutor model check` take such a model.",
        )
    if os.sep not in spec:
        for model in installed_models():
            if spec.casefold() in (model.name.casefold(), model.path.name.casefold()):
                return model
    return from_path(Path(spec))


def from_path(path: Path) -> FoundModel:
    """The model in this file or folder. Raises `ModelNotFound`, `ModelUnsupported`, or
    `ModelDamaged` for a file that is empty or a folder that lacks a part."""
    try:
        path = path.expanduser().absolute()
        if path.is_dir():
            return _from_folder(path)
        return _from_file(path)
    except FileNotFoundError as error:
        raise ModelNotFound(
            f"There is no model {str(path)!r}, and none of that name is installed.", _SEE_LIST
        ) from error
    except (OSError, RuntimeError, ValueError) as error:  # no permission, unknown ~user, NUL
        raise ModelNotFound(f"{str(path)!r} cannot be read: {error}.", _SEE_LIST) from error


def _default_model() -> FoundModel:
    if model := installed_default():
        return model
    for model in installed_models():
        if is_default(model):
            raise ModelDamaged(
                f"{model.path} is not of the right size.",
                "Fetch it again: `tutor model pull`, or f on the model screen.",
            )
    if model := bundled_model():
        return model
    raise ModelNotFound(
        f"{DEFAULT.name} is not installed yet.", "`tutor model pull` fetches it, once."
    )


def _from_hub(name: str, on_stage: OnStage) -> FoundModel:
    from tutor.models.hub import fetch  # the client is heavy and seldom needed

    found = from_path(fetch(name, on_stage))
    if found.kind == "folder":  # the cache names folders by commit
        return msgspec.structs.replace(found, name=name.strip("/"))
    return found


def _from_file(path: Path) -> FoundModel:
    with path.open("rb") as file:
        magic = file.read(4)
    if magic == b"GGUF":
        return FoundModel(name=path.stem, kind="gguf", path=path)
    if not magic:
        raise ModelDamaged(f"{path} is empty.", "Fetch it again.")
    raise ModelUnsupported(
        f"{path} is not a GGUF file.", "Name a GGUF file, or the folder that holds a model."
    )


def _from_folder(path: Path) -> FoundModel:
    missing = [name for name in ("config.json", "tokenizer.json") if not (path / name).is_file()]
    if not any(path.glob("*.safetensors")):
        missing.append("safetensors")
    if not missing:
        return FoundModel(name=path.name, kind="folder", path=path)
    if len(missing) < 3:
        raise ModelDamaged(f"{path} lacks {' and '.join(missing)}.", "Fetch the folder again.")
    if files := sorted(file.name for file in path.glob("*.gguf")):
        raise ModelError(f"{path} holds GGUF files: {', '.join(files)}.", "Name one of them.")
    raise ModelNotFound(
        f"There is no model in the folder {path}.",
        "A model folder has config.json, tokenizer.json and safetensors.",
    )
