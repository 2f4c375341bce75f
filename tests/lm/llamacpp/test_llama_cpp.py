"""Test llama.cpp itself, if `llama-cpp-python` is installed (the extra `llamacpp`)."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.lm.llamacpp.falcon import CONTEXT, VOCABULARY, write_falcon
from tutor.cli import main
from tutor.errors import ContextFull, ModelError
from tutor.lm.chat import chat_ids, text_ids
from tutor.lm.distribution import PLAIN, ChatMessage
from tutor.lm.language_model import LanguageModel
from tutor.lm.llamacpp.library import LlamaCpp
from tutor.lm.llamacpp.load import open_model
from tutor.lm.llamacpp.session import LlamaModel, LlamaSession, Reader
from tutor.lm.llamacpp.tokenizer import LlamaTokenizer
from tutor.lm.session import Session
from tutor.models.find import from_path

llama_cpp = pytest.importorskip("llama_cpp")

TEXT = "Hello, wor"


@pytest.fixture
def falcon(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TUTOR_DATA", str(tmp_path / "data"))
    return write_falcon(tmp_path / "falcon.gguf")


def opened(path: Path) -> LlamaModel:
    model = open_model(from_path(path))
    assert isinstance(model, LlamaModel)
    return model


def test_a_model_of_another_family_has_the_logits_that_the_package_returns(falcon: Path) -> None:
    model = opened(falcon)
    assert (model.card.vocabulary_size, model.card.context) == (VOCABULARY, CONTEXT)
    assert (model.card.kernel, model.card.format, model.card.chat) == ("llama.cpp", "F32", True)
    ids = text_ids(model, TEXT)
    session = LlamaSession(model, ids)
    found = [session.logits(position) for position in (len(ids), 2, len(ids) - 1, 1)]
    package = llama_cpp.Llama(str(falcon), n_ctx=CONTEXT, logits_all=True, verbose=False)
    assert package.tokenize(TEXT.encode(), add_bos=False, special=False) == ids
    package.eval(ids)
    for position, logits in zip((len(ids), 2, len(ids) - 1, 1), found, strict=True):
        expected = torch.from_numpy(np.array(package.scores[position - 1]))
        torch.testing.assert_close(logits, expected, atol=2e-3, rtol=0)
    bits = session.surprisals()
    for i in range(1, len(ids)):
        row = torch.from_numpy(np.array(package.scores[i - 1])).log_softmax(-1)
        assert bits[i] == pytest.approx(-float(row[ids[i]]) / np.log(2), abs=5e-3)


def test_a_long_text_ends_at_the_context(falcon: Path) -> None:
    session = LlamaSession(opened(falcon), [5] * CONTEXT)
    assert len(session.surprisals()) == CONTEXT
    assert session.distribution(CONTEXT, PLAIN, 0, 1).position == CONTEXT
    with pytest.raises(ContextFull):
        session.append([5])


def test_the_command_line_steps_and_chats(falcon: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["step", TEXT, "--model", str(falcon), "--json", "--steps", "3", "--seed", "5"]
    assert main(arguments) == 0
    first = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert main(arguments) == 0
    assert [json.loads(line) for line in capsys.readouterr().out.splitlines()] == first
    assert main(["step", TEXT, "--chat", "--model", str(falcon)]) == 0
    assert main(["model", "check", str(falcon)]) == 0
    assert "Runs with llama.cpp" in capsys.readouterr().out


@pytest.mark.parametrize("command", [["why", TEXT], ["diff", TEXT, "--b-exact"]])
def test_commands_that_look_inside_say_that_they_cannot(
    falcon: Path, command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*command, "--model", str(falcon)]) != 0
    assert "llama.cpp runs this model" in capsys.readouterr().err


def test_a_damaged_file_is_an_error_with_llama_cpps_reason(falcon: Path) -> None:
    data = falcon.read_bytes()
    falcon.write_bytes(data.replace(b"blk.1.ffn_up.weight", b"blk.1.ffn_no.weight"))
    with pytest.raises(ModelError, match=r"llama\.cpp cannot load the file"):
        open_model(from_path(falcon))


def test_the_default_model_has_the_distributions_of_our_network(
    model_file: Path, exact_model: LanguageModel
) -> None:
    library = LlamaCpp(model_file, threads=1)
    tokenizer = LlamaTokenizer(library)
    template = exact_model.chat_template
    model = LlamaModel(exact_model.card, Reader(library), tokenizer, template)
    messages = [ChatMessage("user", "Say <|im_end|> twice: 日本")]
    assert chat_ids(model, messages) == chat_ids(exact_model, messages)
    # llama.cpp also counts <file_sep>, the token 4, as an end
    assert set(exact_model.tokenizer.end_ids) <= set(tokenizer.end_ids)
    assert tokenizer.tokens(range(300)) == exact_model.tokenizer.tokens(range(300))
    ids = text_ids(model, "The capital of France is Paris, and the capital of Italy is")
    session, ours = LlamaSession(model, ids), Session(exact_model, ids)
    divergences = []
    for position in range(1, len(ids) + 1):
        one = ours.logits(position).double().log_softmax(-1)
        other = session.logits(position).double().log_softmax(-1)
        divergences.append(float((one.exp() * (one - other)).sum()))
    # llama.cpp rounds activations to 8 bits. We measured a mean of about 0.003 nats.
    assert sum(divergences) / len(divergences) < 0.01
    assert session.distribution(5, PLAIN, 0, 1).rows[0].token.text == " Paris"
