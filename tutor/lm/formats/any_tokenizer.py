"""Read the tokenizer of any model, even of a model that tutor cannot run."""

from __future__ import annotations

from mmap import ACCESS_READ, mmap
from pathlib import Path

from tutor.errors import ModelDamaged, ModelError, ModelNotFound, ModelUnsupported
from tutor.lm.formats.gguf_header import read_header
from tutor.lm.formats.source import about
from tutor.lm.tokenizer import Tokenizer

_KINDS = "Specify a GGUF file, a tokenizer.json, a tokenizer.model, or a folder with one of them."


def read_any_tokenizer(path: Path) -> Tokenizer:
    """Return the tokenizer in a GGUF file, `tokenizer.json`, `tokenizer.model`, or model folder.

    Raises `ModelNotFound` if the file does not exist or cannot be read, `ModelDamaged` if it is
    invalid, and `ModelUnsupported` if it has a different format.
    """
    with about(path.name):
        try:
            if path.is_dir():
                return _in_folder(path)
            if not path.is_file():
                raise ModelNotFound("there is no file or folder of this name.", _KINDS)
            if path.suffix == ".json":
                return Tokenizer.from_file(path)
            if path.suffix == ".model":
                return Tokenizer.from_sentencepiece(path)
            return _in_gguf(path)
        except (OSError, ValueError) as error:  # no permission, a NUL character, an empty file
            raise ModelNotFound(f"it cannot be read: {error}.", _KINDS) from error


def _in_folder(folder: Path) -> Tokenizer:
    if (folder / "tokenizer.json").is_file():
        return Tokenizer.from_file(folder / "tokenizer.json")
    if (folder / "tokenizer.model").is_file():
        return Tokenizer.from_sentencepiece(folder / "tokenizer.model")
    raise ModelNotFound("the folder contains no tokenizer.json and no tokenizer.model.", _KINDS)


def _in_gguf(path: Path) -> Tokenizer:
    with path.open("rb") as file:
        if file.read(4) != b"GGUF":
            raise ModelUnsupported("it is not a GGUF file.", _KINDS)
        with mmap(file.fileno(), 0, access=ACCESS_READ) as data, memoryview(data) as view:
            try:
                return Tokenizer.from_gguf(dict(read_header(view)[0]))
            except ModelError:
                raise
            except (LookupError, OverflowError) as error:
                raise ModelDamaged("its metadata is damaged.", "Download it again.") from error
