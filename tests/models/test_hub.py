"""Test `hf:` models against a local server that answers like Hugging Face.

Each test runs in its own process, because the client reads HF_ENDPOINT when it is imported.
"""

from __future__ import annotations

import hashlib
import http.server
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest

COMMIT = "1" * 40
FOLDER = {
    "config.json": b'{"model_type": "llama"}',
    "tokenizer.json": b"{}",
    "model.safetensors": b"weights" * 1000,
    "pytorch_model.bin": b"not for us",
}


class Hub(http.server.ThreadingHTTPServer):
    """The part of the Hugging Face API that downloading a repository needs."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.repositories: dict[str, dict[str, bytes]] = {}
        self.truncate = False
        self.gated = False
        self.go_on = threading.Event()  # the server waits for it in the middle of a file
        self.go_on.set()
        self.requests: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Hub

    def log_message(self, *arguments: object) -> None:
        pass

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        path = unquote(urlsplit(self.path).path)
        self.server.requests.append(f"{self.command} {path}")
        kind, _, rest = path.removeprefix("/").partition("/models/")
        if kind == "api":
            owner, name, *what = rest.split("/")
            self.answer_about(f"{owner}/{name}", what[0] if what else "info")
        elif "/resolve/" in path:
            repository, _, rest = path.removeprefix("/").partition("/resolve/")
            self.answer_file(repository, rest.partition("/")[2])
        else:
            self.answer(HTTPStatus.NOT_FOUND)

    def answer_about(self, repository: str, what: str) -> None:
        files = self.server.repositories.get(repository)
        if files is None:
            self.answer(HTTPStatus.NOT_FOUND, code="RepoNotFound")
        elif what == "tree":
            self.answer_json(
                [
                    {"type": "file", "path": path, "size": len(data), "oid": COMMIT}
                    for path, data in files.items()
                ]
            )
        else:
            siblings = [{"rfilename": path, "size": len(data)} for path, data in files.items()]
            self.answer_json({"id": repository, "sha": COMMIT, "siblings": siblings})

    def answer_file(self, repository: str, path: str) -> None:
        files = self.server.repositories.get(repository)
        if self.server.gated:
            self.answer(HTTPStatus.FORBIDDEN, code="GatedRepo")
        elif files is None:
            self.answer(HTTPStatus.NOT_FOUND, code="RepoNotFound")
        elif path not in files:
            self.answer(HTTPStatus.NOT_FOUND, code="EntryNotFound")
        else:
            self.answer(HTTPStatus.OK, files[path], truncate=self.server.truncate)

    def answer_json(self, content: object) -> None:
        self.answer(HTTPStatus.OK, json.dumps(content).encode())

    def answer(
        self, status: HTTPStatus, body: bytes = b"", *, code: str = "", truncate: bool = False
    ) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("ETag", f'"{hashlib.sha1(body, usedforsecurity=False).hexdigest()}"')
        self.send_header("X-Repo-Commit", COMMIT)
        if code:
            self.send_header("X-Error-Code", code)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body[: len(body) // 2])
            if "/resolve/" in self.path:
                self.server.go_on.wait(60)
            if not truncate:
                self.wfile.write(body[len(body) // 2 :])
        if truncate:
            self.close_connection = True


@pytest.fixture
def hub() -> Iterator[Hub]:
    server = Hub()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.go_on.set()
    server.shutdown()
    thread.join()
    server.server_close()


FIND = """
import json, sys, time
time.sleep = lambda seconds: None  # the client waits half a minute between attempts
from tutor.errors import TutorError
from tutor.models import find_model
stages = []
try:
    model = find_model(sys.argv[1], on_stage=lambda stage, *_: stages.append(stage))
    print(json.dumps({"kind": model.kind, "path": str(model.path), "stages": stages}))
except TutorError as error:
    print(json.dumps({"error": type(error).__name__, "text": str(error)}))
"""


def find(spec: str, endpoint: str, cache: Path, **environment: str) -> dict[str, Any]:
    process = subprocess.run(
        [sys.executable, "-c", FIND, spec],
        env=client_environment(endpoint, cache) | environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert process.stderr == ""  # no messages from the client itself
    answer = json.loads(process.stdout)
    assert isinstance(answer, dict)
    return answer


def client_environment(endpoint: str, cache: Path) -> dict[str, str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("HF_")}
    return clean | {"HF_ENDPOINT": endpoint, "HF_HOME": str(cache), "HF_HUB_DISABLE_XET": "1"}


def test_a_folder_is_downloaded_once_and_only_the_needed_files(hub: Hub, tmp_path: Path) -> None:
    hub.repositories["some/model"] = FOLDER
    found = find("hf:some/model", hub.url, tmp_path)
    assert found["kind"] == "folder"
    assert found["stages"][:2] == [
        "looking up some/model on Hugging Face",
        "downloading some/model from Hugging Face",
    ]
    folder = Path(str(found["path"]))
    for name in ("config.json", "tokenizer.json", "model.safetensors"):
        assert (folder / name).read_bytes() == FOLDER[name]
    assert not (folder / "pytorch_model.bin").exists()

    hub.requests.clear()
    again = find("hf:some/model", hub.url, tmp_path)
    assert again["path"] == found["path"]
    assert not [request for request in hub.requests if "some/model" in request]


def test_a_folder_with_a_sentencepiece_model_is_downloaded_once(hub: Hub, tmp_path: Path) -> None:
    files = {name: data for name, data in FOLDER.items() if name != "tokenizer.json"}
    hub.repositories["some/model"] = files | {"tokenizer.model": b"x", "added_tokens.json": b"{}"}
    folder = Path(str(find("hf:some/model", hub.url, tmp_path)["path"]))
    assert (folder / "tokenizer.model").read_bytes() == b"x"
    assert (folder / "added_tokens.json").exists()
    hub.requests.clear()
    assert find("hf:some/model", hub.url, tmp_path)["path"] == str(folder)
    assert not [request for request in hub.requests if "some/model" in request]


TELL = """
import sys
from tutor.models import find_model
find_model(sys.argv[1], on_stage=lambda *heard: print(*heard[1:], flush=True))
"""


def test_a_download_reports_its_progress(hub: Hub, tmp_path: Path) -> None:
    """Without reports, the engine would seem to hang during a long download."""
    hub.repositories["some/gguf"] = {"model.gguf": b"GGUF" * 6_000_000}  # it writes 10 MB at a time
    hub.go_on.clear()
    process = subprocess.Popen(
        [sys.executable, "-c", TELL, "hf:some/gguf"],
        env=client_environment(hub.url, tmp_path),
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    for line in process.stdout:
        figures = [int(figure) for figure in line.split()]
        if figures[:1] > [0]:
            assert 0 < figures[0] < figures[1] == 24_000_000
            hub.go_on.set()
    assert process.wait(60) == 0
    assert hub.go_on.is_set()


def test_the_only_gguf_file_of_a_repository(hub: Hub, tmp_path: Path) -> None:
    hub.repositories["some/gguf"] = {"README.md": b"", "model-q4.gguf": b"GGUF and more"}
    found = find("hf:some/gguf", hub.url, tmp_path)
    assert found["kind"] == "gguf"
    assert Path(str(found["path"])).read_bytes() == b"GGUF and more"


def test_with_several_gguf_files_the_user_has_to_name_one(hub: Hub, tmp_path: Path) -> None:
    hub.repositories["some/gguf"] = {"a.gguf": b"GGUF a", "deep/b.gguf": b"GGUF b"}
    refused = find("hf:some/gguf", hub.url, tmp_path)
    assert refused["error"] == "ModelError"
    assert "a.gguf, deep/b.gguf" in str(refused["text"])
    found = find("hf:some/gguf/deep/b.gguf", hub.url, tmp_path)
    assert Path(str(found["path"])).read_bytes() == b"GGUF b"


@pytest.mark.parametrize(
    ("spec", "error"),
    [
        ("hf:some/nothing", "ModelNotFound"),
        ("hf:some/nothing/x.gguf", "ModelNotFound"),
        ("hf:some/model/absent.gguf", "ModelNotFound"),
        ("hf:some/text", "ModelNotFound"),
        ("hf:some", "UsageError"),
        ("hf:some/model/model.bin", "UsageError"),
        ("hf:so me/model", "UsageError"),
        ("hf:some/model/../x.gguf", "UsageError"),
    ],
)
def test_missing_models_and_invalid_names_are_errors(
    hub: Hub, tmp_path: Path, spec: str, error: str
) -> None:
    hub.repositories |= {"some/model": FOLDER, "some/text": {"README.md": b""}}
    assert find(spec, hub.url, tmp_path)["error"] == error


def test_a_repository_whose_terms_must_be_accepted(hub: Hub, tmp_path: Path) -> None:
    hub.repositories["some/model"] = FOLDER
    hub.gated = True
    refused = find("hf:some/model", hub.url, tmp_path)
    assert refused["error"] == "ModelNotFound"
    assert "terms" in str(refused["text"])


def test_a_broken_connection(hub: Hub, tmp_path: Path) -> None:
    hub.repositories["some/gguf"] = {"model.gguf": b"GGUF" * 10_000}
    hub.truncate = True
    assert find("hf:some/gguf", hub.url, tmp_path)["error"] == "DownloadFailed"
    hub.truncate = False
    found = find("hf:some/gguf", hub.url, tmp_path)
    assert Path(str(found["path"])).read_bytes() == b"GGUF" * 10_000


@pytest.mark.slow
def test_no_network(hub: Hub, tmp_path: Path) -> None:
    hub.repositories["some/model"] = FOLDER
    nowhere = "http://127.0.0.1:9"  # the discard port, which has no server
    for spec in ("hf:some/model", "hf:some/model/x.gguf"):
        refused = find(spec, nowhere, tmp_path)
        assert refused["error"] == "DownloadFailed"
        assert "there is no connection" in refused["text"]
        assert "Errno" not in refused["text"]
    offline = find("hf:some/model", hub.url, tmp_path, HF_HUB_OFFLINE="1")
    assert offline["error"] == "DownloadFailed"
    assert "HF_HUB_OFFLINE" in offline["text"]

    online = find("hf:some/model", hub.url, tmp_path)
    assert find("hf:some/model", nowhere, tmp_path)["path"] == online["path"]
    assert find("hf:some/model", hub.url, tmp_path, HF_HUB_OFFLINE="1")["path"] == online["path"]


def test_a_deeply_nested_index_counts_as_an_incomplete_model(hub: Hub, tmp_path: Path) -> None:
    index = "model.safetensors.index.json"
    hub.repositories["some/model"] = FOLDER | {index: b'{"weight_map": {}}'}
    path = Path(str(find("hf:some/model", hub.url, tmp_path)["path"])) / index
    path.unlink()
    path.write_bytes(b'{"weight_map": {}, "other": ' + b"[" * 100_000 + b"]" * 100_000 + b"}")
    hub.requests.clear()
    find("hf:some/model", hub.url, tmp_path)
    assert [request for request in hub.requests if "some/model" in request]
