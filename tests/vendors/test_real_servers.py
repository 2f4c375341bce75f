"""Test with the real servers that are installed: `make servers`.

A server is looked for in this environment, and in the Python interpreters that TUTOR_SERVERS lists,
separated like the folders in PATH. They serve the default model, or the small one in the format of
Hugging Face.
"""

from __future__ import annotations

import math
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import NamedTuple
from urllib.request import urlopen

import pytest

from tests.labs.lab_backend import small_model
from tutor import paths
from tutor.errors import NotTold
from tutor.lm.chat import chat_ids, text_ids
from tutor.lm.distribution import PLAIN, ChatMessage, Distribution, SamplerSettings
from tutor.lm.language_model import LanguageModel
from tutor.lm.session import Session
from tutor.vendors.alternatives import ALTERNATIVES, MANY
from tutor.vendors.catalogue import RemoteModel, remote_model
from tutor.vendors.check import check
from tutor.vendors.permissions import Permissions
from tutor.vendors.reader import RemoteReader
from tutor.vendors.session import RemoteSession
from tutor.vendors.vocabulary import END

pytest.importorskip("openai")

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

TEXTS = ("The capital of France is", "Once upon a time, there was a", "日本の首都は、")
GREEDY = SamplerSettings(temperature=0)
SHORT = (ChatMessage("user", "What is 1+1? Answer with one word."),)
NATS = 0.4
"""The tolerance for log-probabilities.

llama.cpp multiplies these weights with activations rounded to 8 bits, and we do not. That changed
the log-probabilities of the five most probable tokens by up to 0.25 on these texts.
"""
STARTING = 600.0
"""The maximum number of seconds until a server is ready."""

_XLLAMACPP = """
import sys, xllamacpp
parameters = xllamacpp.CommonParams()
parameters.model.path, parameters.hostnames = sys.argv[1], ["127.0.0.1"]
parameters.port, parameters.n_ctx, parameters.n_parallel = int(sys.argv[2]), 512, 1
server = xllamacpp.Server(parameters)
sys.stdin.read()
"""


class Kind(NamedTuple):
    """A server: the modules it consists of, how it starts, and what it should tell.

    `{python}`, `{model}` and `{port}` are replaced in the command. A gateway uses
    another server, whose port replaces `{behind}`. Without `steps`, the server reports no
    log-probabilities. `name` is the name of the model, or its path.
    """

    modules: str
    command: tuple[str, ...]
    small: bool = False
    rows: int = ALTERNATIVES
    all_rows: bool = True
    chats: bool = True
    steps: bool = True
    name: str = "served"
    behind: str = ""


_OPTIONS = ("--host", "127.0.0.1", "--port", "{port}")
KINDS = {
    "llama.cpp": Kind("xllamacpp", ("{python}", "-c", _XLLAMACPP, "{model}", "{port}"), rows=MANY),
    "llama_cpp.server": Kind(
        "llama_cpp.server",
        (
            *("{python}", "-m", "llama_cpp.server", "--model", "{model}", *_OPTIONS),
            *("--logits_all", "true", "--n_ctx", "512"),
        ),
        all_rows=False,
        chats=False,
    ),
    "vllm": Kind(
        "vllm",
        (
            *("{python}", "-m", "vllm.entrypoints.openai.api_server", "--model", "{model}"),
            *("--served-model-name", "served", *_OPTIONS),
            *("--max-model-len", "512", "--max-num-seqs", "2", "--enforce-eager"),
            *("--dtype", "float32"),
        ),
        small=True,
    ),
    "transformers": Kind(
        "transformers uvicorn",
        (
            *("{python}", "-m", "transformers.cli.transformers", "serve", *_OPTIONS),
            *("--device", "cpu", "--dtype", "float32", "{model}"),
        ),
        small=True,
        all_rows=False,
        chats=False,
        steps=False,
        name="{model}",
    ),
    "litellm": Kind(
        "litellm litellm_proxy_extras",
        (
            *("{python}", "-m", "litellm.proxy.proxy_cli", "--model", "openai/served"),
            *("--alias", "served", "--api_base", "http://127.0.0.1:{behind}/v1", *_OPTIONS),
            *("--telemetry", "False"),
        ),
        all_rows=False,
        behind="llama.cpp",
    ),
}

ENVIRONMENT = {
    "VLLM_CPU_KVCACHE_SPACE": "1",
    "HF_HUB_OFFLINE": "1",
    "DISABLE_TELEMETRY": "1",
    "DO_NOT_TRACK": "1",
    "LITELLM_TELEMETRY": "False",
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "LITELLM_DANGEROUSLY_PERMIT_WEAK_OR_UNSET_MASTER_KEY": "True",  # only this machine reaches it
    "OPENAI_API_KEY": "none",
    "HTTP_PROXY": "http://127.0.0.1:9",
    "HTTPS_PROXY": "http://127.0.0.1:9",
    "NO_PROXY": "127.0.0.1",
}
"""The variables of the servers. They reach no other machine, since no proxy has port 9."""


class Served(NamedTuple):
    kind: Kind
    remote: RemoteModel
    local: LanguageModel


@pytest.fixture(scope="module", params=KINDS)
def served(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Served]:
    kind = KINDS[request.param]
    if kind.small:
        model, local = paths.assets_folder() / "small-model", small_model()
    else:
        model = request.getfixturevalue("model_file")
        local = request.getfixturevalue("exact_model")
    with ExitStack() as running:
        port = _start(running, request.param, model, tmp_path_factory.mktemp("servers"))
        name = kind.name.replace("{model}", str(model))
        yield Served(kind, remote_model(f"openai:{name}", f"http://127.0.0.1:{port}/v1"), local)


def _start(running: ExitStack, name: str, model: Path, logs: Path) -> int:
    """Start a server, and the server behind it, until `running` ends. Return its port."""
    kind = KINDS[name]
    python = _python_with(kind.modules)
    if python is None:
        pytest.skip(f"{kind.modules} is not installed (see TUTOR_SERVERS)")
    behind = _start(running, kind.behind, model, logs) if kind.behind else 0
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    values = {"{python}": python, "{model}": str(model), "{port}": str(port)}
    command = [values.get(w, w).replace("{behind}", str(behind)) for w in kind.command]
    log = running.enter_context((logs / name).open("wb"))
    # Without a cache folder, `transformers serve` cannot list its models.
    environment = os.environ | ENVIRONMENT | {"HF_HUB_CACHE": str(logs)}
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=log, stderr=log, env=environment
    )
    running.callback(_stop, process)
    _wait(process, port, Path(log.name))
    return port


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End a server. vLLM ignores SIGTERM while it starts."""
    process.terminate()
    try:
        process.wait(timeout=60)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _python_with(modules: str) -> str | None:
    others = os.environ.get("TUTOR_SERVERS", "").split(os.pathsep)
    code = (
        "from importlib.util import find_spec; "
        f"raise SystemExit(not all(map(find_spec, {modules.split()!r})))"
    )
    for python in filter(None, [sys.executable, *others]):
        if not subprocess.run([python, "-c", code], capture_output=True, check=False).returncode:
            return python
    return None


def _wait(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + STARTING
    while True:
        assert process.poll() is None, log.read_text("utf-8", "replace")[-2000:]
        assert time.monotonic() < deadline, "the server did not start"
        with suppress(OSError):  # It refuses the connection, or answers that it is still loading.
            urlopen(f"http://127.0.0.1:{port}/v1/models", timeout=10).close()
            return
        time.sleep(0.1)  # no other event to wait for


@pytest.mark.parametrize("text", TEXTS)
def test_it_returns_what_our_own_network_computes(served: Served, text: str) -> None:
    if not served.kind.all_rows and not text.isascii():
        pytest.skip("this server does not name parts of characters")
    session = RemoteSession.on_text(RemoteReader(served.remote, Permissions()), text)
    if not served.kind.steps:
        with pytest.raises(NotTold, match="does not return log-probabilities"):
            session.distribution(len(session), PLAIN, 0, 20)
        return
    found = session.distribution(len(session), PLAIN, 0, 20)
    _compare(found, served, text_ids(served.local, text))


def test_it_returns_what_our_own_network_computes_in_a_chat(served: Served) -> None:
    session = RemoteSession.on_chat(RemoteReader(served.remote, Permissions()), SHORT)
    found = session.distribution(len(session), PLAIN, 0, 20)
    assert found.drawn_elsewhere is not served.kind.chats
    if served.kind.steps:
        _compare(found, served, chat_ids(served.local, SHORT))
    else:
        assert not found.rows


def _compare(found: Distribution, served: Served, ids: Sequence[int]) -> None:
    """Compare a server's rows with what our own network computes after these tokens."""
    local = Session(served.local, ids)
    ours = local.distribution(len(local), PLAIN, 0, 2 * served.kind.rows)
    ends = served.local.tokenizer.end_ids
    logs = {
        END.data if row.token.id in ends else row.token.data: -row.surprisal_bits * math.log(2)
        for row in reversed(ours.rows)
    }
    assert len(found.rows) >= (19 if served.kind.all_rows else 10)
    for row in found.rows[:5]:
        assert row.logit == pytest.approx(logs[row.token.data], abs=NATS)
    assert found.hidden_probability == pytest.approx(
        1 - sum(row.probability for row in ours.rows[: served.kind.rows]), abs=0.03
    )


def test_a_chat_ends(served: Served) -> None:
    reader = RemoteReader(served.remote, Permissions())
    session = RemoteSession.on_chat(reader, SHORT)
    for _ in range(60):
        session.append([session.distribution(len(session), GREEDY, 1, 20).drawn.token.id])
        if session.ended:
            break
    written = b"".join(t.data for t in session.tokens[4:] if not t.special).decode()
    assert session.ended
    assert "<|" not in written
    if served.kind.small:  # This server computes in 32-bit floats, as we do.
        assert written == _greedy_answer(served.local)


def _greedy_answer(model: LanguageModel) -> str:
    local = Session(model, chat_ids(model, SHORT))
    begun = len(local)
    while not local.ended:
        local.append([local.distribution(len(local), GREEDY, 1, 1).drawn.token.id])
    return b"".join(token.data for token in local.tokens[begun:-1]).decode()


def test_the_check_reports_what_it_returns(served: Served) -> None:
    report = check(served.remote, None)
    assert report.trouble is None
    assert report.streams
    # The small model has read only English, and predicts no part of a Japanese character. Without
    # such a part, vLLM is not asked for token ids.
    names_parts = served.kind.all_rows and not served.kind.small
    assert report.parts is names_parts
    assert report.ids is names_parts
    assert report.continues is served.kind.chats
    if served.kind.steps:
        least = 10 if served.kind.rows == ALTERNATIVES else MANY
        assert (report.text_alternatives or 0) >= least
    else:
        assert (report.alternatives, report.text_alternatives) == (0, 0)
