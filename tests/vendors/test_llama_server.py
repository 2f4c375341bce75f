"""Tests against `llama_cpp.server`, a real server of the default model, if it is installed."""

from __future__ import annotations

import math
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tutor.lm.chat import text_ids
from tutor.lm.distribution import PLAIN, ChatMessage
from tutor.lm.language_model import LanguageModel
from tutor.lm.session import Session
from tutor.vendors.catalogue import RemoteModel, remote_model
from tutor.vendors.check import check
from tutor.vendors.permissions import Permissions
from tutor.vendors.reader import RemoteReader
from tutor.vendors.session import RemoteSession

pytest.importorskip("openai")
pytest.importorskip("llama_cpp.server.app")

pytestmark = pytest.mark.slow

TEXTS = ("The capital of France is", "Once upon a time, there was a", "2 + 2 =")
NATS = 0.4
"""The tolerance for log-probabilities.

llama.cpp multiplies these weights with activations rounded to 8 bits, and we do not. That changed
the log-probabilities of the five most probable tokens by up to 0.25 on these texts.
"""


@pytest.fixture(scope="module")
def served(model_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RemoteModel]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "llama_cpp.server", "--model", str(model_file)]
    options = ["--host", "127.0.0.1", "--port", str(port), "--logits_all", "true", "--n_ctx", "512"]
    log = (tmp_path_factory.mktemp("llama") / "log").open("wb")
    process = subprocess.Popen([*command, *options], stdout=log, stderr=log)
    try:
        deadline = time.monotonic() + 120
        while True:
            assert process.poll() is None, "the server has ended"
            assert time.monotonic() < deadline, "the server did not start"
            with socket.socket() as line:
                if line.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)  # no other event to wait for
        yield remote_model("openai:smollm2", f"http://127.0.0.1:{port}/v1")
    finally:
        process.kill()
        process.wait()
        log.close()


@pytest.mark.parametrize("text", TEXTS)
def test_it_returns_what_our_own_network_computes(
    served: RemoteModel, exact_model: LanguageModel, text: str
) -> None:
    session = RemoteSession.on_text(RemoteReader(served, Permissions()), text)
    assert [t.data for t in session.tokens] == [
        t.data for t in exact_model.tokenizer.tokens(text_ids(exact_model, text))
    ]
    assert all(math.isnan(bits) for bits in session.surprisals(1) if bits is not None)
    found = session.distribution(len(session), PLAIN, 0, 20)
    local = Session(exact_model, text_ids(exact_model, text))
    ours = local.distribution(len(local), PLAIN, 0, 40)
    logs = {row.token.data: -row.surprisal_bits * 0.6931471805599453 for row in ours.rows}
    assert len(found.rows) >= 10
    assert found.rows[0].token.data == ours.rows[0].token.data
    assert found.rows[0].probability == pytest.approx(ours.rows[0].probability, abs=0.03)
    for row in found.rows[:5]:
        assert row.logit == pytest.approx(logs[row.token.data], abs=NATS)
    assert found.hidden_probability == pytest.approx(
        1 - sum(row.probability for row in ours.rows[:20]), abs=0.03
    )


def test_a_conversation_is_answered(served: RemoteModel) -> None:
    session = RemoteSession.on_chat(
        RemoteReader(served, Permissions()), [ChatMessage("user", "Say hello.")]
    )
    for _ in range(5):
        found = session.distribution(len(session), PLAIN, 1, 20)
        session.append([found.drawn.token.id])
        if session.ended:
            break
    assert len(session) > 5


def test_the_check_reports_what_it_returns(served: RemoteModel) -> None:
    report = check(served, None)
    assert report.trouble is None
    assert report.streams
    assert report.text_alternatives is not None
    assert report.text_alternatives >= 10
