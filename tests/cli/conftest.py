"""A small model on disk that is made for the tests, and the command line to run on it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.command_line import Outcome, Tutor
from tutor.cli import main


@pytest.fixture(autouse=True)
def _own_folders(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("TUTOR_MODEL", "TUTOR_TOUR"):  # a command that ran before may have set them
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TUTOR_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("TUTOR_SHARED", str(tmp_path / "shared"))


@pytest.fixture
def tutor(capsysbinary: pytest.CaptureFixture[bytes]) -> Tutor:
    """Run `tutor` with these arguments in this process."""

    def run(*arguments: str) -> Outcome:
        try:
            status = main(arguments)
        except SystemExit as leaving:  # this is how argparse exits
            status = int(leaving.code or 0)
        captured = capsysbinary.readouterr()
        return Outcome(status, captured.out.decode(), captured.err.decode())

    return run


@pytest.fixture
def tutor_process() -> Tutor:
    """Run `tutor` with these arguments in a separate process, without a terminal."""

    def run(*arguments: str | bytes, input: bytes = b"", **environment: str) -> Outcome:
        result = subprocess.run(
            [sys.executable, "-m", "tutor", *arguments],
            input=input,
            capture_output=True,
            env=os.environ | environment,
            timeout=120,
            check=False,
        )
        return Outcome(result.returncode, result.stdout.decode(), result.stderr.decode())

    return run


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Make a folder with a network of fixed random weights, whose tokens are the bytes.

    It processes up to 64 of them.
    """
    import torch
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

    from tutor.lm.formats.export import export_folder
    from tutor.lm.network import Config, Transformer

    marks = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {text: number for number, text in enumerate([*marks, *letters])}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(mark, special=True) for mark in marks])
    folder = tmp_path_factory.mktemp("models") / "tiny"
    folder.mkdir()
    tokenizer.save(str(folder / "tokenizer.json"))
    torch.manual_seed(0)
    config = Config(
        vocabulary_size=len(vocabulary),
        width=32,
        layers=2,
        heads=4,
        key_value_heads=2,
        head_size=8,
        hidden=64,
        context=64,
    )
    network = Transformer(config)
    network.requires_grad_(False)
    network.embedding.weight.mul_(0.3)  # otherwise each token would almost certainly repeat itself
    export_folder(folder, network, folder / "tokenizer.json")
    return str(folder)
