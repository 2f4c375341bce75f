"""Read models from Hugging Face folders: `config.json`, the tokenizer, safetensors."""

from __future__ import annotations

import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from tutor.errors import ModelDamaged, ModelUnsupported
from tutor.lm.architectures import FAMILIES
from tutor.lm.architectures.family import Family, Settings, converted
from tutor.lm.formats.json_file import read_json, read_text
from tutor.lm.formats.quantized import quantized, require_floats
from tutor.lm.formats.source import ROTATED, all_parts, fused_rows, paired, weight_or
from tutor.lm.tokenizer import Tokenizer

_FORMATS = {torch.float32: "F32", torch.float16: "F16", torch.bfloat16: "BF16"}

# The name suffixes of tensors that we don't need: constants that `transformers` used to save, and
# the output layer of a model whose configuration says that the output layer is the embedding table.
_UNUSED = (
    *("rotary_emb.inv_freq", "attn.bias", "attn.masked_bias", "attention.bias"),
    *("attention.masked_bias", "lm_head.weight"),
)

_LONGEST_NAME = 200  # characters


class HuggingFaceFolder:
    """An open Hugging Face folder with the methods of `tutor.lm.formats.source.Source`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._family, settings = _read_settings(folder / "config.json")
        self.config = settings.config()
        self.multipliers: Mapping[str, float] = settings.multipliers()
        self._files = _files_by_tensor(folder)
        self._require_known()
        self.files = sorted(set(self._files.values()))
        for path in self.files:  # the checksum of a damaged file could take hours
            with _open_safetensors(path):
                pass
        self.format = _FORMATS.get(self._tensor("embedding", None).dtype, "safetensors")
        self.chat_template = _chat_template(folder)

    def _require_known(self) -> None:
        """Raise `ModelDamaged` for a missing tensor, `ModelUnsupported` for one we don't know."""
        known = {self._found(part, block) for part, block in all_parts(self.config)}
        for name in self._files:
            if name not in known and not name.endswith(_UNUSED):
                raise ModelUnsupported(
                    f"there is a tensor {name!r:.80}, which models of this family don't have.",
                    "Use another model.",
                )

    def tokenizer(self) -> Tokenizer:
        """Return the tokenizer, from `tokenizer.json` or, if there is none, `tokenizer.model`."""
        file = self._folder / "tokenizer.json"
        if file.exists():
            return Tokenizer.from_file(file)
        return Tokenizer.from_sentencepiece(self._folder / "tokenizer.model")

    def vector(self, part: str, block: int | None = None) -> Tensor:
        """Return a vector as 32-bit floats."""
        vector = self._rows(part, self._tensor(part, block)).float()
        name, _, kind = part.partition(".")
        is_norm = name.endswith("norm") and not kind
        return vector + self._family.norm_offset if is_norm else vector

    def matrix(self, part: str, block: int | None = None) -> Tensor:
        """Return a matrix [N, K] of floats.

        The rows of query and key matrices are reordered for our rotary embedding.
        """
        tensor = self._tensor(part, block)
        if tensor.dim() != 2:
            raise ModelDamaged(f"the {part} weights are not a matrix.")
        return self._rows(
            part, tensor.t() if block is not None and self._family.transposed else tensor
        )

    def _rows(self, part: str, tensor: Tensor) -> Tensor:
        """Return the rows of a part, in our order, from a tensor that may contain other parts too.

        If the number of rows is wrong, the tensor is returned unchanged, and `convert` rejects it.
        """
        family, config = self._family, self.config
        role = part.partition(".")[0]
        together, rows = fused_rows(role, family.names, config)
        if rows:
            if sum(rows) != len(tensor):
                return tensor
            if family.interleaved:
                tensor = _by_part(tensor, config.heads)
            tensor = tensor.split(rows)[together.index(role)]
        return paired(tensor, config) if role in ROTATED else tensor

    def _name(self, part: str, block: int | None) -> str:
        """Return the name of a part's tensor in the files."""
        family = self._family
        role, _, kind = part.partition(".")
        name = f"{family.names[role].format(kind)}.{weight_or(kind)}"
        if block is not None:
            name = family.block.format(block) + name
        found = (f"{prefix}{name}" for prefix in family.prefixes)
        return next((each for each in found if each in self._files), name)

    def _found(self, part: str, block: int | None) -> str:
        """Return the name of a part's tensor. Raise an error if there is no such tensor."""
        name = self._name(part, block)
        if name not in self._files:
            if name.replace(".weight", ".qweight") in self._files:
                raise quantized("GPTQ or AWQ")
            raise ModelDamaged(f"the tensor {name} is missing.")
        return name

    def _tensor(self, part: str, block: int | None) -> Tensor:
        name = self._found(part, block)
        path = self._files[name]
        # The file is mapped for this tensor alone, which frees the memory of earlier tensors.
        with _open_safetensors(path) as file:
            try:
                tensor: Tensor = file.get_tensor(name)
            except SafetensorError as error:
                raise ModelDamaged(f"{path.name} has no tensor {name}.") from error
        if tensor.dtype not in _FORMATS:
            raise ModelUnsupported(
                f"{name} has an unsupported format: {str(tensor.dtype).removeprefix('torch.')}.",
                "Use a model in F32, F16 or BF16.",
            )
        return tensor


def _files_by_tensor(folder: Path) -> dict[str, Path]:
    """Return a mapping from tensor names to the files that contain the tensors.

    If the folder has an index file, the index lists the tensors and their files.
    """
    index = folder / "model.safetensors.index.json"
    if index.exists():
        data = read_json(index)
        names = data.get("weight_map") if isinstance(data, dict) else None
        if not isinstance(names, dict):
            raise ModelDamaged(f"{index.name} does not list the weights.")
        return {tensor: folder / _file_name(index, file) for tensor, file in names.items()}
    files = sorted(folder.glob("*.safetensors"))
    if not files:
        raise ModelDamaged("the folder contains no safetensors file.")
    found: dict[str, Path] = {}
    for path in files:
        with _open_safetensors(path) as file:
            found |= dict.fromkeys(file.keys(), path)
    return found


def _file_name(index: Path, file: object) -> str:
    """Return the file name in an index entry, without any folders.

    A file name alone cannot point outside the model's folder.
    """
    name = Path(file).name if isinstance(file, str) else ""
    if not name.isprintable() or not 0 < len(name) <= _LONGEST_NAME:
        raise ModelDamaged(f"{index.name} contains an invalid file name.")
    return name


def _open_safetensors(path: Path) -> Any:
    try:
        if not stat.S_ISREG(path.stat().st_mode):  # opening a pipe could wait forever
            raise ModelDamaged(f"{path.name} is not a regular file.")
        with path.open("rb"):  # for `safe_open`, a file without permission is missing
            pass
        return safe_open(path, framework="pt")
    except FileNotFoundError as error:
        raise ModelDamaged(f"{path.name} is missing.") from error
    except PermissionError as error:
        raise ModelDamaged(f"{path.name} cannot be read: {error.strerror}.") from error
    except (SafetensorError, OSError) as error:
        raise ModelDamaged(f"{path.name} is incomplete or not a safetensors file.") from error


def _read_settings(path: Path) -> tuple[Family, Settings]:
    """Return the model's family and its settings."""
    data = read_json(path)
    require_floats(data)
    names = data.get("architectures") if isinstance(data, dict) else None
    if not isinstance(names, list):
        raise ModelDamaged(f"{path.name} does not specify the model's architecture.")
    known = [each for each in FAMILIES if each in names]
    if not known:
        raise ModelUnsupported(
            f"the architecture {names!r:.60} is not supported.",
            f"Use a model with one of these architectures: {', '.join(FAMILIES)}.",
        )
    family = FAMILIES[known[0]]
    return family, converted(data, family.settings)


def _by_part(tensor: Tensor, heads: int) -> Tensor:
    """Return interleaved rows in our order: all queries, then all keys, then all values."""
    return tensor.unflatten(0, (heads, 3, -1)).transpose(0, 1).flatten(0, 2)


def _chat_template(folder: Path) -> str | None:
    """Return the chat template, from its own file or from tokenizer_config.json.

    If there are several templates, this is the one named "default".
    """
    alone, config = folder / "chat_template.jinja", folder / "tokenizer_config.json"
    if alone.exists():
        return read_text(alone)
    if not config.exists():
        return None
    data = read_json(config)
    template = data.get("chat_template") if isinstance(data, dict) else None
    if isinstance(template, list):
        named = {
            each.get("name"): each.get("template") for each in template if isinstance(each, dict)
        }
        template = named.get("default")
    return template if isinstance(template, str) else None
