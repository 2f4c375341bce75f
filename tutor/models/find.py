"""Find the files of the model that the user specified."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from tutor.errors import ModelDamaged, ModelNotFound, ModelUnsupported
from tutor.models.installed import (
    DEFAULT,
    FoundModel,
    bundled_model,
    installed_default,
    installed_models,
    is_default,
)
from tutor.models.report import OnStage, quiet
from tutor.models.unusable import SEE_LIST, missing_files, unusable_folder, unusable_name
from tutor.regular_file import read_regular

HUB_PREFIX = "hf:"


def find_model(spec: str | None = None, *, on_stage: OnStage = quiet) -> FoundModel:
    """Find the model that `spec` specifies.

    `spec` can be:

    - None or empty: the model in TUTOR_MODEL, or else the default model if it is installed, or else
      the small bundled model;
    - the name of an installed model. The number format at the end (".Q4_1") can be left out if the
      rest of the name identifies a single model;
    - a GGUF file, or a folder with `config.json`, `tokenizer.json` or `tokenizer.model`, and
      safetensors files;
    - `hf:OWNER/REPO` or `hf:OWNER/REPO/FILE.gguf`, which is downloaded unless it is in the Hugging
      Face cache. Progress is reported with `on_stage`.

    This function does not check whether tutor can run the model; `tutor.lm.load` does that. Raises
    `ModelError`.
    """
    spec = spec or os.environ.get("TUTOR_MODEL")
    if not spec:
        return _default_model()
    if spec.startswith(HUB_PREFIX):
        return _from_hub(spec.removeprefix(HUB_PREFIX), on_stage)
    if (problem := unusable_name(spec)) and not os.path.exists(spec):  # noqa: PTH110
        raise problem
    if os.sep not in spec and (model := _by_name(spec.casefold())):
        return model
    return from_path(Path(spec))


def _by_name(name: str) -> FoundModel | None:
    """Return the installed model with this name, which is in lower case, or None."""
    models = installed_models()
    for model in models:
        if name in (model.name.casefold(), model.path.name.casefold()):
            return model
    found = [each for each in models if each.name.casefold().rpartition(".")[0] == name]
    return found[0] if len(found) == 1 else None


def from_path(path: Path) -> FoundModel:
    """Find the model in a file or folder.

    Raises `ModelNotFound`, `ModelUnsupported`, or `ModelDamaged` for an empty file or an incomplete
    folder.
    """
    try:
        path = path.expanduser().absolute()
        if path.is_dir():
            return _from_folder(path)
        return _from_file(path)
    except FileNotFoundError as error:
        raise ModelNotFound(
            f"There is no file or installed model named {str(path)!r}.", SEE_LIST
        ) from error
    except (
        OSError,
        RuntimeError,
        ValueError,
    ) as error:  # no permission, an unknown ~user, or a NUL character
        raise ModelNotFound(f"{str(path)!r} cannot be read: {error}.", SEE_LIST) from error


def _default_model() -> FoundModel:
    if model := installed_default():
        return model
    for model in installed_models():
        if is_default(model):
            raise ModelDamaged(
                f"{model.path} has the wrong size.",
                "Download it again with `tutor model pull`, or press f on the model screen.",
            )
    if model := bundled_model():
        return model
    raise ModelNotFound(
        f"{DEFAULT.name} is not installed yet.", "Download it with `tutor model pull`."
    )


def _from_hub(name: str, on_stage: OnStage) -> FoundModel:
    from tutor.models.hub import fetch  # this import is slow and rarely needed

    found = from_path(fetch(name, on_stage))
    if found.kind == "folder":  # the Hugging Face cache names folders after commits
        return msgspec.structs.replace(found, name=name.strip("/"))
    return found


def _from_file(path: Path) -> FoundModel:
    magic = read_regular(path, 4)
    if magic == b"GGUF":
        return FoundModel(name=path.stem, kind="gguf", path=path)
    if not magic:
        raise ModelDamaged(f"{path} is empty.", "Download it again.")
    raise ModelUnsupported(f"{path} is not a GGUF file.", "Specify a GGUF file or a model folder.")


def _from_folder(path: Path) -> FoundModel:
    if missing_files(path):
        raise unusable_folder(path)
    return FoundModel(name=path.name, kind="folder", path=path)
