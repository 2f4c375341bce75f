"""A server to log in to, and a new learner."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

if sys.platform == "win32":
    pytest.skip("there are no ptys on Windows", allow_module_level=True)

from tests.ssh_server import NoServer, SshServer


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SshServer]:
    try:
        started = SshServer(tmp_path_factory.mktemp("sshd"))
    except NoServer as reason:
        pytest.skip(str(reason))
    with started:
        yield started


@pytest.fixture
def data(tmp_path: Path, model_cache: Path) -> Path:
    """Return the folder of a new learner. Models are shared, since each would be packed again."""
    folder = tmp_path / "learner"
    folder.mkdir()
    (model_cache / "models").mkdir(exist_ok=True)
    (folder / "models").symlink_to(model_cache / "models")
    return folder


@pytest.fixture
def no_model(tmp_path: Path) -> str:
    """Return the path of a missing model: nothing is downloaded and no engine loads."""
    return str(tmp_path / "no-such-model.gguf")
