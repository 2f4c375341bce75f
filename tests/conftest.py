"""Share fixtures between all tests: no test touches real data, and the model is fetched once.

TUTOR_TEST_GGUF the default model's GGUF file, for machines that already have it
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import settings

from tutor.environment import is_key
from tutor.lm.fast.lean_import import import_lean
from tutor.lm.fast.waiting import settle_waiting

settle_waiting()  # before torch is imported, as all entry points of tutor do
import_lean()

from tutor.lm.language_model import LanguageModel  # noqa: E402
from tutor.lm.load import load_model  # noqa: E402
from tutor.models import FoundModel  # noqa: E402
from tutor.models.installed import DEFAULT  # noqa: E402
from tutor.models.pull import pull  # noqa: E402

# The duration of an example says nothing about the code, because the machine may be busy. CI
# tries the same examples each time, so that only changes make a run fail; other runs look for new
# ones. A run with the slow tests tries as many examples as Hypothesis does by default.
settings.register_profile(
    "tutor", settings.default, deadline=None, derandomize=bool(os.environ.get("CI"))
)
settings.register_profile("quick", settings.get_profile("tutor"), max_examples=25)
settings.load_profile("tutor")

# Each app that a test starts makes garbage. With Python's own thresholds, the collector looks
# through everything that is imported so often that it takes a sixth of the time of all tests.
gc.set_threshold(50_000, 20, 100)


def pytest_configure(config: pytest.Config) -> None:
    if config.option.markexpr != "not slow":
        return
    settings.load_profile("quick")
    # Syrupy calls snapshots of the slow tests unused, and would delete them in an update.
    config.option.warn_unused_snapshots = True
    if config.option.update_snapshots and not config.option.file_or_dir:
        raise pytest.UsageError("Name the test files whose snapshots you want to update.")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the tests that wait longest. At the end, other workers would wait for them."""
    items.sort(key=lambda item: item.get_closest_marker("waits") is None)


def pytest_sessionfinish() -> None:
    """Look for garbage once. When pytest ends, it looks through all objects five times."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def own_folders(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Keep tests from seeing or changing the user's data, and from finding the user's keys."""
    folder = tmp_path_factory.getbasetemp()
    monkeypatch.setenv("TUTOR_DATA", str(folder / "data"))
    monkeypatch.setenv("TUTOR_SHARED", str(folder / "shared"))
    monkeypatch.setenv("TUTOR_DEVICE", "cpu")  # the same on every machine
    monkeypatch.setenv("TUTOR_ENGINE", "own")  # even if this machine has a shared engine
    monkeypatch.setenv("TUTOR_LEARNER", "me")
    monkeypatch.setenv("TUTOR_TOUR", "off")
    # As in an activated environment, so that hints name `pip` without a path.
    monkeypatch.setenv("PATH", f"{Path(sys.prefix) / 'bin'}{os.pathsep}{os.environ['PATH']}")
    for name in [each for each in os.environ if is_key(each)]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
    monkeypatch.delenv("TUTOR_CONFIG", raising=False)
    of_server = ("TUTOR_BASE_URL", "TUTOR_BASE_URL_OF")
    for name in (*of_server, "SSH_CONNECTION", "SSH_TTY", "TUTOR_LOW_BANDWIDTH"):
        monkeypatch.delenv(name, raising=False)  # so that tests give the same results over SSH


@pytest.fixture(scope="session")
def model_cache(pytestconfig: pytest.Config) -> Path:
    """The folder that keeps the model and its packed copy from one test run to the next."""
    assert pytestconfig.cache is not None
    return Path(pytestconfig.cache.mkdir("tutor-models"))


@pytest.fixture(scope="session")
def model_file(model_cache: Path) -> Path:
    """The GGUF file of the default model, downloaded on the first run."""
    if given := os.environ.get("TUTOR_TEST_GGUF"):
        return Path(given)
    with _folders(model_cache):
        return pull(lambda progress: None)[0].path


@pytest.fixture(scope="session")
def language_model(model_file: Path, model_cache: Path) -> LanguageModel:
    """The default model, as learners run it."""
    return _load(model_file, model_cache, exact=False)


@pytest.fixture(scope="session")
def exact_model(model_file: Path, model_cache: Path) -> LanguageModel:
    """The default model in 32-bit floats."""
    return _load(model_file, model_cache, exact=True)


def _load(file: Path, cache: Path, *, exact: bool) -> LanguageModel:
    found = FoundModel(DEFAULT.name, "gguf", file, DEFAULT.sha256)
    with _folders(cache):
        return load_model(found, exact=exact)


@contextmanager
def _folders(folder: Path) -> Iterator[None]:
    """Set folders for fixtures that live longer than one test and so come before `own_folders`."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TUTOR_DATA", str(folder))
        patch.setenv("TUTOR_SHARED", str(folder / "shared"))
        patch.setenv("TUTOR_DEVICE", "cpu")
        patch.setenv("TUTOR_ENGINE", "own")
        yield
